// Conditions: what handlers handle, SIGNAL and RESIGNAL, GET DIAGNOSTICS.
#include "sql/parser.h"

namespace sallyport::sql {

// SQLSTATE [VALUE] '23000'.
Node* Parser::sqlstate() {
  Production made(*this, NodeKind::sqlstate);
  expect(K::sqlstate);
  accept(K::value);
  if (!is_text()) {
    fail();
  }
  made.add(Role::value, text_literal());
  return made.done();
}

Node* Parser::named_or_numbered_condition() {
  return is(K::sqlstate) ? sqlstate() : identifier_leaf();
}

Node* Parser::handled_condition() {
  if (is_one_of({K::sqlwarning, K::sqlexception})) {
    return keyword_leaf();
  }
  if (is(K::not_)) {
    return keyword_phrase(K::found, {K::not_, K::found});
  }
  return is_identifier() || is(K::sqlstate) ? named_or_numbered_condition() : unsigned_number();
}

// SIGNAL and RESIGNAL.
Node* Parser::signal() {
  bool again = is(K::resignal);
  Production made(*this, NodeKind::signal, current().keyword);
  advance();
  if (!again || is(K::sqlstate) || is_identifier()) {
    made.add(Role::condition, named_or_numbered_condition());
  }
  if (accept(K::set)) {
    comma_list(made, Role::option, [&] { return signal_item(); });
  }
  return made.done();
}

bool Parser::is_condition_item() const {
  return is_one_of({K::class_origin, K::subclass_origin, K::constraint_catalog, K::constraint_schema,
                    K::constraint_name, K::catalog_name, K::schema_name, K::table_name, K::column_name, K::cursor_name,
                    K::message_text, K::mysql_errno}) ||
         (is_mariadb_since(100700) && is(K::row_number));
}

Node* Parser::signal_item() {
  Production made(*this, NodeKind::option, current().keyword);
  if (!is_condition_item()) {
    fail();
  }
  advance();
  expect(Symbol::equal);
  made.add(Role::value, simple_value());
  return made.done();
}

// A literal or a variable.
Node* Parser::simple_value() {
  if (is(Symbol::at)) {
    return variable();
  }
  if (is_one_of({K::date, K::time, K::timestamp}) && peek(1).token.kind == TokenKind::text) {
    return primary();
  }
  return is_literal() ? literal() : column_reference();
}

// GET [CURRENT | STACKED] DIAGNOSTICS @a = NUMBER, or CONDITION 1 @a = MESSAGE_TEXT.
Node* Parser::get_diagnostics() {
  Production made(*this, NodeKind::diagnostics, K::current);
  expect(K::get);
  if (is_mysql() && accept(K::stacked)) {
    made.variant(K::stacked);
  } else {
    accept(K::current);
  }
  expect(K::diagnostics);
  Keyword of = is(K::condition) ? K::condition : K::statement;
  if (accept(K::condition)) {
    made.add(Role::condition, simple_value());
  }
  comma_list(made, Role::item, [&] { return diagnostics_item(of); });
  return made.done();
}

// a = NUMBER.
Node* Parser::diagnostics_item(Keyword of) {
  Production made(*this, NodeKind::assignment);
  made.add(Role::target, is(Symbol::at) ? user_variable() : local_variable());
  expect(Symbol::equal);
  bool is_item =
      of == K::condition ? is_condition_item() || is(K::returned_sqlstate) : is_one_of({K::number, K::row_count});
  if (!is_item) {
    fail();
  }
  made.add(Role::value, keyword_leaf());
  return made.done();
}

}  // namespace sallyport::sql
