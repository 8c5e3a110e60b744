// The prepared statements of one session: what their executions need to be read and recorded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ascii.h"
#include "session/answer_relay.h"
#include "session/statement_reader.h"
#include "wire/command.h"
#include "wire/parameters.h"

namespace sallyport::session {

// A text that the server keeps, as it was read. The servers read it anew when a table that it uses has changed, or is
// no longer in their caches: MySQL by the sql_mode of that time, and both by its character set (tried on MySQL 9.7 and
// MariaDB 10.11).
struct PreparedText {
  std::uint64_t seq = 0;  // of the record that prepared it
  std::string text;       // empty when longer than prepared_text_bytes_max
  std::string schema;     // in which it was prepared, and which it stays in
  StatementReader::Reading reading;
  std::optional<sql::Dialect> dialect;  // nothing: it says the same in all that were possible
  std::uint64_t reading_epoch = 0;      // when that was so: Session::reading_epoch_
};

struct PreparedStatement {
  PreparedText prepared;
  wire::PreparedShape shape;
  bool server_has_types = false;  // the server has seen shape.types; else they are sent along with the next execution
  bool long_data_lost = false;    // a part of a parameter was refused: so is the next execution
  // Of its columns, that the client was sent last; with MARIADB CACHE_METADATA only.
  ColumnDefinitions definitions;
  bool reset_due = false;  // the server still holds the long data of an execution that was refused
};

// Longer texts stand in the record of the prepare only.
inline constexpr std::size_t prepared_text_bytes_max = 4096;

class PreparedStatements {
 public:
  void add(std::uint32_t statement_id, PreparedStatement statement) {
    last_prepared_ = statement_id;
    statements_.insert_or_assign(statement_id, std::move(statement));
  }
  void prepare_failed() { last_prepared_.reset(); }
  void remove(std::uint32_t statement_id) {
    statements_.erase(statement_id);
    if (last_prepared_ == statement_id) {
      last_prepared_.reset();
    }
  }
  void clear() {
    statements_.clear();
    last_prepared_.reset();
  }
  std::size_t size() const { return statements_.size(); }

  // The id that stands behind wire::last_prepared_statement_id; any other id as it is.
  std::optional<std::uint32_t> resolve(std::uint32_t statement_id) const {
    return statement_id == wire::last_prepared_statement_id ? last_prepared_ : statement_id;
  }
  // Null when there is none.
  PreparedStatement* find(std::uint32_t statement_id) {
    auto found = statements_.find(statement_id);
    return found == statements_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<std::uint32_t, PreparedStatement> statements_;
  std::optional<std::uint32_t> last_prepared_;
};

// Those that were prepared by PREPARE, under a name. MySQL takes names for equal that end in other blanks, and both
// servers take letters beyond ASCII for equal to others (MySQL 9.7 to ASCII ones, MariaDB 10.11 not); and procedures
// prepare unseen. What the server may have replaced is doubtful: it, or something else, runs.
class NamedStatements {
 public:
  struct Named {
    std::string name;
    PreparedText text;
    bool is_doubtful = false;
  };

  void set(sql::Server server, std::string_view name, PreparedText text) {
    remove(server, name);
    statements_.push_back({.name = std::string(name), .text = std::move(text)});
  }
  void remove(sql::Server server, std::string_view name) {
    std::erase_if(statements_, [&](const Named& one) { return is_equal(server, one.name, name); });
    for (Named& one : statements_) {
      one.is_doubtful = one.is_doubtful || may_be_equal(server, one.name, name);
    }
  }
  // What runs may prepare under any name.
  void doubt_all() {
    may_hold_unseen_ = true;
    for (Named& one : statements_) {
      one.is_doubtful = true;
    }
  }
  // Whether there may be one that was not set().
  bool may_hold_unseen() const { return may_hold_unseen_; }
  void clear() {
    statements_.clear();
    may_hold_unseen_ = false;
  }
  std::size_t size() const { return statements_.size(); }
  // Null when there is none: a program may have prepared it, or the name is another spelling of a letter beyond ASCII.
  Named* find(sql::Server server, std::string_view name) {
    auto found = std::find_if(statements_.begin(), statements_.end(),
                              [&](const Named& one) { return is_equal(server, one.name, name); });
    return found == statements_.end() ? nullptr : &*found;
  }

 private:
  static bool is_equal(sql::Server server, std::string_view one, std::string_view other) {
    if (server == sql::Server::mysql) {
      one = one.substr(0, one.find_last_not_of(' ') + 1);
      other = other.substr(0, other.find_last_not_of(' ') + 1);
    }
    return sql::equals_ignoring_case(one, other);
  }
  static bool may_be_equal(sql::Server server, std::string_view one, std::string_view other) {
    bool one_is_ascii = is_ascii(one);
    bool other_is_ascii = is_ascii(other);
    return server == sql::Server::mysql ? !one_is_ascii || !other_is_ascii : !one_is_ascii && !other_is_ascii;
  }

  std::vector<Named> statements_;
  bool may_hold_unseen_ = false;
};

}  // namespace sallyport::session
