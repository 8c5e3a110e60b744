// KILL, the one statement that names another connection: it has to be known before anything else is read of a text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "sql/dialect.h"

namespace sallyport::sql {

// KILL [HARD | SOFT] [CONNECTION | QUERY] number.
struct KillStatement {
  enum class Force : std::uint8_t { unsaid, hard, soft };
  enum class Scope : std::uint8_t { connection, query };
  Force force = Force::unsaid;
  Scope scope = Scope::connection;
  std::uint64_t id = 0;
  bool operator==(const KillStatement&) const = default;
};

enum class KillRefusal : std::uint8_t {
  not_understood,  // the lexer gave up on a text that may hold one
  other_form       // KILL USER, KILL QUERY ID, an expression, a part of another statement, a number out of range
};

// Whether the bytes of `text` could hold the keyword: cheap, and never wrong about its absence.
bool may_hold_kill(std::string_view text);

// Nothing where the text has no KILL at all. KILL is a reserved word of all servers: without quotes, and not behind a
// dot, it is nothing else. In a string that the server itself runs (PREPARE, EXECUTE IMMEDIATE), and in stored
// programs, it is not seen.
Result<std::optional<KillStatement>, KillRefusal> read_kill(std::string_view text, const Dialect& dialect);

}  // namespace sallyport::sql
