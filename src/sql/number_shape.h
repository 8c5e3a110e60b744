// What statements have in common that differ in whole numbers only, where these are what columns are compared with or
// rows are limited to: SELECT c FROM t WHERE id = 7. All that is known of such a statement is the same for any numbers,
// which lets its reading be remembered for all of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sql/ast.h"

namespace sallyport::sql {

// What stands in the shape for a number; no text that has a shape has this byte itself.
inline constexpr char number_mark = '\x01';

// Puts the text with a mark for each whole number into `shape`, and returns how many there are. 0, and nothing of use
// in `shape`: it has none, or has something that only a lexer could tell what it is. Two texts of one shape that parse
// have the same tokens, and the same trees but for where their nodes lie, whatever the dialect; where any numbers do,
// both parse or none.
std::size_t number_shape(std::string_view text, std::string& shape);

// Whether all `numbers` of the statement's shape stand where any others would do: of a comparison of a column in a
// conjunction, or in LIMIT, of a query or a change of rows.
bool any_numbers_do(const Node& root, std::size_t numbers);

}  // namespace sallyport::sql
