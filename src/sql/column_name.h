// How the servers name the column of a select item that has no alias. Asked of MySQL 9.7 and MariaDB 10.11.
#pragma once

#include <string>
#include <string_view>

#include "sql/ast.h"
#include "sql/dialect.h"

namespace sallyport::sql {

// What names the column by itself, whatever parentheses, unary pluses and ODBC braces stand around it: a column, or a
// literal that is no hexadecimal or bit one. Null: the column is named by the expression's text, its expression_name().
const Node* self_named(const Node& expression, std::string_view text, const Dialect& dialect);

// `before`: the select item before this one, null for the first.
std::string column_name(const Node* before, const Node& expression, std::string_view text, const Dialect& dialect);

}  // namespace sallyport::sql
