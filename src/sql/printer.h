// Statements back to text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/ast.h"
#include "sql/dialect.h"

namespace sallyport::sql {

// What says the same as `text`, which parses: its tokens and its blanks, without comments but
// hints, and with the insides of executable comments as code. Nothing where that is `text` itself.
enum class EmissionError : std::uint8_t {
  tokens_differ,  // what was made would be read as something else: the text can't be sent
  name_differs    // a column would have another name: of VALUES, which has no aliases
};
Result<std::optional<std::string>, EmissionError> without_comments(std::string_view text, const Dialect& dialect);

// The same, of the statement `root`. A column of the result, of a derived table or of a common one, that the server
// would name by its text, and by a comment in that, gets that name as its alias.
Result<std::optional<std::string>, EmissionError> text_to_send(const Node& root, std::string_view text,
                                                               const Dialect& dialect);

// The name that the servers give to a column of this expression, which has no alias and is not self_named(): its text,
// with plain comments, and with the insides of executable ones in their place. `before`: the select item before this
// one, null for the first. To MariaDB the comments between the two belong to the name. Of what is longer than
// `bytes_max` at least so much is there.
std::string expression_name(const Node* before, const Node& expression, std::string_view text, const Dialect& dialect,
                            std::size_t bytes_max = std::string::npos);

// Words of the grammar in upper case, names in the quotes of the server, one blank where one is due: two statements
// that differ in nothing else have the same canonical text. It parses to a tree that says the same.
std::string canonical_text(const Node& root, std::string_view text, const Dialect& dialect);

// The canonical text with a question mark for each literal, and lists of these cut short: what statements of one shape
// have in common. It does not parse.
std::string normalised_text(const Node& root, std::string_view text, const Dialect& dialect);

enum class Literals : std::uint8_t { shown, hidden };

// The canonical text with a question mark for each literal, and each name, that `hides`; hidden literals are as in the
// normalised text.
std::string redacted_text(const Node& root, std::string_view text, const Dialect& dialect,
                          const std::function<bool(const Node& leaf)>& hides, Literals literals = Literals::shown);

}  // namespace sallyport::sql
