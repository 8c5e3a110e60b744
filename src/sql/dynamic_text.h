// The text that PREPARE and EXECUTE IMMEDIATE have the server run.
//
// To the server it is a statement like one that a client sends, so it has to be read like one before it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"
#include "sql/dialect.h"

namespace sallyport::sql {

// The server is asked for an expression before the command that has it is on record, so that is little work: the
// functions don't multiply what they are given, and this is how long an expression may be, and of how many calls,
// operators, variables and literals. Who asks bounds what its variables hold.
inline constexpr std::size_t expression_bytes_max = 65'536;
inline constexpr std::size_t expression_parts_max = 64;

struct DynamicText {
  enum class Source : std::uint8_t {
    literal,     // `text` is what it says
    expression,  // `text` can be asked of the server, as a value: user variables, literals and functions without effect
    hidden       // not to be known beforehand, or not without much work
  };
  Source source = Source::hidden;
  std::string text;
  std::vector<std::string> variables;  // user variables in an expression, as they are written, as often as they are
};

// Of a statement that runs in the session itself. Nothing where it has no such text; nor where it defines a program,
// which runs later. Of blocks it is hidden, and so is what EXECUTE runs there; of SET STATEMENT, too, where that may
// change how the text is read, or the text.
std::optional<DynamicText> dynamic_text(const Node& root, std::string_view text, const Dialect& dialect);

// What a statement does with a text that was prepared before, by the name of that.
struct PreparedNameUse {
  enum class Use : std::uint8_t { prepares, executes, deallocates };
  Use use = Use::executes;
  std::string name;
};

// PREPARE s, EXECUTE s, DEALLOCATE PREPARE s, as statements of their own or behind SET STATEMENT.
std::optional<PreparedNameUse> prepared_name_use(const Node& root, std::string_view text);

}  // namespace sallyport::sql
