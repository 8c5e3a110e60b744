// Where the first statement of a text ends, as the server's own parser would find it.
//
// What is cut off here is sent to a server that takes one statement a text. So where this reading and the server's
// differ the server answers with a syntax error, and never runs a statement that was not seen.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sql/dialect.h"

namespace sallyport::sql {

// What the servers hand to their parsers of the text of a COM_QUERY: without blanks around it, and without semicolons
// or one NUL at its end. Source: alloc_query() and the lexers of both servers.
std::string_view statement_text(std::string_view text);

struct FirstStatement {
  std::string_view text;  // without its semicolon
  std::string_view rest;  // what follows, from its first byte that is no blank
  bool has_more = false;  // there is another statement, if only an empty one
  bool operator==(const FirstStatement&) const = default;
};

enum class SplitRefusal : std::uint8_t {
  not_understood,  // the lexer gave up
  not_separable    // a semicolon of which it can't be told what it ends
};

// `text`: a statement_text(). A text whose first statement is a syntax error to the server comes back whole, for the
// server to say so; and so does a stored program or a compound statement whose end is not found.
Result<FirstStatement, SplitRefusal> first_statement(std::string_view text, const Dialect& dialect);

}  // namespace sallyport::sql
