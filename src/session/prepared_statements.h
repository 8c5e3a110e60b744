// The prepared statements of one session: what their executions need to be read and recorded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "wire/command.h"
#include "wire/parameters.h"

namespace sallyport::session {

struct PreparedStatement {
  std::uint64_t prepared_seq = 0;  // of the record that prepared it
  std::string text;                // empty when longer than prepared_text_bytes_max
  wire::PreparedShape shape;
  bool server_has_types = false;  // the server has seen shape.types; else they are sent along with the next execution
  bool long_data_lost = false;    // a part of a parameter was refused: no execution before COM_STMT_RESET
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
    if (auto id = resolve(statement_id)) {
      statements_.erase(*id);
    }
  }
  void clear() {
    statements_.clear();
    last_prepared_.reset();
  }
  std::size_t size() const { return statements_.size(); }

  // Null when there is none. Understands wire::last_prepared_statement_id, which only MariaDB does.
  PreparedStatement* find(std::uint32_t statement_id) {
    auto id = resolve(statement_id);
    auto found = id ? statements_.find(*id) : statements_.end();
    return found == statements_.end() ? nullptr : &found->second;
  }

 private:
  std::optional<std::uint32_t> resolve(std::uint32_t statement_id) const {
    return statement_id == wire::last_prepared_statement_id ? last_prepared_ : statement_id;
  }

  std::unordered_map<std::uint32_t, PreparedStatement> statements_;
  std::optional<std::uint32_t> last_prepared_;
};

}  // namespace sallyport::session
