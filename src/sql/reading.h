// Where it is not known how a server reads: which dialects can make a difference, and what can change the one in force.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/dialect.h"

namespace sallyport::sql {

// Dialects of `server`, one of them for each way in which it could take the text's quotes, comments and words, whatever
// its sql_mode and character set are: where all of these agree on something, it is so. Without the modes ORACLE and
// MSSQL, which have other grammars and no other quotes. The first is that of a server as it is installed.
//
// What makes a difference is a backslash, which may escape or not; a double quote, behind which stands a text or, by
// ANSI_QUOTES, a name; and bytes of 0x80 or more, which may be a character with the byte behind them, or none of the
// character set.
std::vector<Dialect> possible_dialects(Server server, std::uint32_t version, std::string_view text);

// What `read` makes of each dialect, as a Result; nothing where that is not the same in all, or there is none.
template <typename Read>
auto read_alike(const std::vector<Dialect>& dialects, Read read) -> std::optional<decltype(read(Dialect{}))> {
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

// Whether the server may read texts in another way once it has run this one, even if it ran it in part: sql_mode or
// character_set_client may have been set for good. Routines, functions and triggers can't do that: on both servers what
// they set of the two is undone at their end. Tried on MySQL 9.7 and MariaDB 10.11.
bool may_change_reading(std::string_view text);

}  // namespace sallyport::sql
