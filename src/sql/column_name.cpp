#include "sql/column_name.h"

#include <algorithm>
#include <array>

#include "sql/lexer.h"
#include "sql/printer.h"
#include "sql/text_literal.h"

namespace sallyport::sql {
namespace {

bool is_text(const Node& node) {
  return node.is(NodeKind::literal) &&
         (node.as<LiteralKind>() == LiteralKind::text || node.as<LiteralKind>() == LiteralKind::national_text);
}

// {d '2020-01-01'} is a value of its own, {D '2020-01-01'} is not. With a text that is no date it would be the text,
// which is not looked at here.
bool is_time(const Node& odbc_escape, std::string_view text) {
  constexpr std::array<std::string_view, 3> marks{"d", "t", "ts"};
  std::string mark = identifier(*odbc_escape.child(Role::name), text);
  return is_text(without_parentheses(*odbc_escape.child(Role::operand))) &&
         std::find(marks.begin(), marks.end(), mark) != marks.end();
}

// What the node is but another way of writing; null where it is something of its own.
const Node* wrapped_by(const Node& node, std::string_view text) {
  bool is_wrapper = (node.is(NodeKind::unary) && node.as<Operator>() == Operator::plus) ||
                    (node.is(NodeKind::odbc_escape) && !is_time(node, text));
  return is_wrapper ? node.child(Role::operand) : in_parentheses(node);
}

const Node& unwrapped(const Node& expression, std::string_view text) {
  const Node* node = &expression;
  while (const Node* inner = wrapped_by(*node, text)) {
    node = inner;
  }
  return *node;
}

bool names_itself(const Node& literal, bool is_wrapped, const Dialect& dialect) {
  switch (literal.as<LiteralKind>()) {
    case LiteralKind::text:
    case LiteralKind::national_text:
    case LiteralKind::integer:
    case LiteralKind::decimal:
    case LiteralKind::real:
    case LiteralKind::null:
      return true;
    case LiteralKind::introduced:
      return literal.child(Role::value)->is(NodeKind::literal);  // and no literal_part, which is hexadecimal or of bits
    case LiteralKind::true_:
    case LiteralKind::false_:
      return !is_wrapped || dialect.server == Server::mariadb;
    case LiteralKind::hexadecimal:
    case LiteralKind::bits:
      return false;
  }
  return false;
}

// Without the blanks at its beginning. MySQL takes the first of several texts.
std::string name_of_text(std::string_view literal, const Dialect& dialect) {
  std::string name;
  Lexer lexer(literal, dialect);
  for (Token token = lexer.next_code(); token.kind != TokenKind::end && token.kind != TokenKind::error;
       token = lexer.next_code()) {
    if (token.kind == TokenKind::introducer) {
      continue;
    }
    append_text_value(name, token.in(literal).substr(token.kind == TokenKind::national_text ? 1 : 0), dialect);
    if (dialect.server == Server::mysql) {
      break;
    }
  }
  return name.substr(std::min(name.find_first_not_of(" \t\n\v\f\r"), name.size()));
}

}  // namespace

const Node* self_named(const Node& expression, std::string_view text, const Dialect& dialect) {
  const Node& node = unwrapped(expression, text);
  bool is_self_named = node.is(NodeKind::column_reference) ||
                       (node.is(NodeKind::literal) && names_itself(node, &node != &expression, dialect));
  return is_self_named ? &node : nullptr;
}

std::string column_name(const Node* before, const Node& expression, std::string_view text, const Dialect& dialect) {
  const Node* named = self_named(expression, text, dialect);
  if (named == nullptr) {
    return expression_name(before, expression, text, dialect);
  }
  if (named->is(NodeKind::column_reference)) {
    return identifier(*named->child(Role::name), text);
  }
  switch (named->as<LiteralKind>()) {
    case LiteralKind::null:
      return "NULL";
    case LiteralKind::true_:
      return "TRUE";
    case LiteralKind::false_:
      return "FALSE";
    case LiteralKind::text:
    case LiteralKind::national_text:
    case LiteralKind::introduced:
      return name_of_text(named->in(text), dialect);
    case LiteralKind::integer:
    case LiteralKind::decimal:
    case LiteralKind::real:
    case LiteralKind::hexadecimal:
    case LiteralKind::bits:
      break;
  }
  return std::string(named->in(text));
}

}  // namespace sallyport::sql
