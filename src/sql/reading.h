// Where it is not known how a server reads: by which dialects it can be, and what can change the one in force.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "sql/ast.h"
#include "sql/dialect.h"

namespace sallyport::sql {

class Dialects {
 public:
  void add(const Dialect& dialect) { dialects_[count_++] = dialect; }
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  const Dialect* begin() const { return dialects_.data(); }
  const Dialect* end() const { return dialects_.data() + count_; }

 private:
  std::array<Dialect, 3> dialects_{};
  std::size_t count_ = 0;
};

// Dialects of `server` (`plain` with other modes), one of them for each way in which it could read the text whatever
// its sql_mode and character set are: where all of these agree on something, it is so. The first is that of a server as
// it is installed.
//
// There are none where the text has something that only the mode or the character set can tell: a backslash, a double
// quote, a bracket, ||, NOT, bytes of 0x80 or more. Without these, what is left is whether a blank may stand between a
// function's name and its arguments, and MariaDB's mode ORACLE.
Dialects possible_dialects(const Dialect& plain, std::string_view text);

// The same of a text that has nothing of that kind; and behind which byte a text has nothing of it, for a text that is
// read piece by piece.
Dialects dialects_of_any_state(const Dialect& plain);
std::size_t end_of_dependence_on_state(std::string_view text);

// What `read` makes of each dialect, as a Result; nothing where that is not the same in all, or there is none.
template <typename Read>
auto read_alike(const Dialects& dialects, Read read) -> std::optional<decltype(read(Dialect{}))> {
  std::optional<decltype(read(Dialect{}))> agreed;
  for (const Dialect& dialect : dialects) {
    auto one = read(dialect);
    if (agreed && (agreed->has_value() != one.has_value() || (one && !(**agreed == *one)))) {
      return std::nullopt;
    }
    if (!agreed) {
      agreed.emplace(std::move(one));
    }
  }
  return agreed;
}

// Whether the server may read texts in another way once it has run this statement of `text`, even if it ran it in part:
// sql_mode or character_set_client may have been set for good. Routines, functions and triggers can't do that: on both
// servers what they set of the two is undone at their end. Tried on MySQL 9.7 and MariaDB 10.11.
bool may_change_reading(const Node& statement, std::string_view text);

}  // namespace sallyport::sql
