// What a block declares: variables, conditions, handlers, cursors.
#include "sql/parser.h"

namespace sallyport::sql {

Node* Parser::declaration() {
  Keyword first = peek(1).keyword;
  bool is_handler = first == K::continue_ || first == K::exit;
  NodeKind kind = is_handler                 ? NodeKind::declare_handler
                  : next_is(K::condition, 2) ? NodeKind::declare_condition
                  : next_is(K::cursor, 2)    ? NodeKind::declare_cursor
                                             : NodeKind::declare_variable;
  Production made(*this, kind);
  expect(K::declare);
  switch (kind) {
    case NodeKind::declare_handler:
      return declare_handler(made);
    case NodeKind::declare_condition:
      return declare_condition(made);
    case NodeKind::declare_cursor:
      return declare_cursor(made);
    default:
      return declare_variable(made);
  }
}

// a, b INT [DEFAULT 1].
Node* Parser::declare_variable(Production& made) {
  name_list(made, Role::name);
  made.add(Role::type, variable_type());
  if (accept(K::default_)) {
    made.add(Role::value, expression());
  }
  return made.done();
}

// A data type; MariaDB's TYPE OF t.a, ROW TYPE OF t, ROW (a INT, b TEXT).
Node* Parser::variable_type() {
  if (is_mysql() || !(is(K::type) || is(K::row)) || (is(K::type) && !next_is(K::of))) {
    return program_data_type();
  }
  Production made(*this, NodeKind::data_type, current().keyword);
  bool is_row = accept(K::row);
  if (is_row && accept(Symbol::parenthesis_open)) {
    comma_list(made, Role::element, [&] { return row_type_element(); });
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  expect(K::type, K::of);
  if (is_row) {
    made.add(Role::table, object_name(K::table));
  } else {
    made.add(Role::column, column_reference());
  }
  return made.done();
}

// SERIAL is a column's type only, to MariaDB.
Node* Parser::program_data_type() {
  if (is_mariadb() && is(K::serial)) {
    fail();
  }
  return data_type();
}

Node* Parser::row_type_element() {
  Production made(*this, NodeKind::declare_variable);
  made.add(Role::name, identifier_leaf());
  made.add(Role::type, program_data_type());
  return made.done();
}

// c CONDITION FOR 1062, or FOR SQLSTATE '23000'.
Node* Parser::declare_condition(Production& made) {
  made.add(Role::name, identifier_leaf());
  expect(K::condition, K::for_);
  made.add(Role::condition, is(K::sqlstate) ? sqlstate() : unsigned_number());
  return made.done();
}

// CONTINUE | EXIT HANDLER FOR conditions statement.
Node* Parser::declare_handler(Production& made) {
  made.variant(current().keyword);
  advance();
  expect(K::handler, K::for_);
  comma_list(made, Role::condition, [&] { return handled_condition(); });
  made.add(Role::body, program_statement());
  return made.done();
}

// c CURSOR [(a INT, b INT)] FOR query.
Node* Parser::declare_cursor(Production& made) {
  made.add(Role::name, identifier_leaf());
  expect(K::cursor);
  if (is_mariadb() && accept(Symbol::parenthesis_open)) {
    comma_list(made, Role::parameter, [&] {
      Production parameter(*this, NodeKind::routine_parameter, K::in);
      accept(K::in);
      parameter.add(Role::name, identifier_leaf());
      parameter.add(Role::type, variable_type());
      return parameter.done();
    });
    expect(Symbol::parenthesis_close);
  }
  expect(K::for_);
  made.add(Role::query, query_expression());
  return made.done();
}

}  // namespace sallyport::sql
