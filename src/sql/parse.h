// Text to syntax tree, as the server of a dialect reads it.
//
// A text that the server takes and this does not is refused: nothing is guessed. Linear in the text, with bounded
// nesting; memory is the arena's: for one statement less than 16 times its text, or 8 KiB.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "sql/ast.h"
#include "sql/dialect.h"
#include "sql/token.h"

namespace sallyport::sql {

// Levels of parentheses, subqueries and blocks, as the parser counts them: a pair of parentheses is one or two.
inline constexpr int nesting_max = 400;

enum class ParseErrorCode : std::uint8_t {
  syntax,            // not of the server's grammar, or not of the part that is known
  lexical,           // the lexer gave up: ParseError::lexical says why
  nesting_too_deep,  // beyond nesting_max
  too_large,         // for the arena
  several_statements,
  not_supported  // known, and not read: stored programs under sql_mode ORACLE, all under sql_mode::unknown
};
std::string_view name_of(ParseErrorCode code);

struct ParseError {
  ParseErrorCode code = ParseErrorCode::syntax;
  LexError lexical = LexError::none;
  std::uint32_t offset = 0;  // of the first byte that is not understood
  bool operator==(const ParseError&) const = default;
};

// What the text is for: a question mark is a parameter when preparing, and an error else.
enum class ParseFor : std::uint8_t { executing, preparing };

// `text`: a statement_text(), without a semicolon behind the statement. The node lies in `arena`, and borrows `text`.
Result<const Node*, ParseError> parse(std::string_view text, const Dialect& dialect, ParseFor purpose, Arena& arena);

}  // namespace sallyport::sql
