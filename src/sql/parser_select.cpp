// SELECT, from its options to its windows.
#include "sql/parser.h"

namespace sallyport::sql {

Node* Parser::select() {
  Production made(*this, NodeKind::select);
  expect(K::select);
  if (is(TokenKind::hint)) {
    made.add(Role::hint, leaf(NodeKind::hint));
  }
  select_options(made);
  comma_list(made, Role::item, [&] { return select_item(); });
  if (is(K::into)) {
    made.add(Role::into, into_clause());
  }
  if (accept(K::from)) {
    if (is(K::dual) && !next_is(Symbol::dot)) {
      made.add(Role::dual, keyword_leaf());
    } else {
      made.add(Role::from, table_references());
    }
  }
  if (accept(K::where)) {
    made.add(Role::where, expression());
  }
  if (is(K::group)) {
    made.add(Role::group_by, group_by());
  }
  if (accept(K::having)) {
    made.add(Role::having, expression());
  }
  if (is(K::window) && !failed()) {
    advance();
    comma_list(made, Role::window, [&] { return window_definition(); });
  }
  if (is_mysql_since(90000) && accept(K::qualify)) {
    made.add(Role::qualify, expression());
  }
  return made.done();
}

void Parser::select_options(Production& into) {
  while (true) {
    switch (current().keyword) {
      case K::all:
      case K::high_priority:
      case K::straight_join:
      case K::sql_small_result:
      case K::sql_big_result:
      case K::sql_buffer_result:
      case K::sql_no_cache:
      case K::sql_calc_found_rows:
        break;
      case K::distinct:
      case K::distinctrow:
        into.set(node_flag::distinct);
        break;
      case K::sql_cache:
        if (!is_mariadb()) {
          return;
        }
        break;
      default:
        return;
    }
    into.add(Role::option, keyword_leaf());
  }
}

// *, t.*, db.t.*, x [AS] y.
Node* Parser::select_item() {
  if (is(Symbol::star)) {
    return leaf(NodeKind::star);
  }
  bool may_be_wildcard = (is_identifier() || is(Symbol::dot)) && (is(Symbol::dot) || next_is(Symbol::dot));
  if (may_be_wildcard) {
    Position before = mark();
    Production wildcard(*this, NodeKind::star);
    if (!is(Symbol::dot)) {
      wildcard.add(Role::qualifier, identifier_leaf());
    }
    while (is(Symbol::dot) && !failed()) {
      advance();
      if (is(Symbol::star)) {
        advance();
        return wildcard.done();
      }
      wildcard.add(Role::qualifier, is_identifier() || is(TokenKind::word) ? identifier_behind_dot() : nullptr);
      if (!is(Symbol::dot)) {
        break;
      }
    }
    go_back(before);
  }
  Production made(*this, NodeKind::select_item);
  made.add(Role::operand, expression());
  if (is(K::as) || is_text() || (is_identifier() && !is(K::into))) {
    made.add(Role::alias, alias());
  }
  return made.done();
}

// GROUP BY a, b [WITH ROLLUP]; MySQL's GROUP BY ROLLUP (a, b).
Node* Parser::group_by() {
  Production made(*this, NodeKind::group_by);
  expect(K::group, K::by);
  if (is_mysql() && is_one_of({K::rollup, K::cube}) && next_is(Symbol::parenthesis_open)) {
    made.set(node_flag::with_rollup);
    advance();
    expect(Symbol::parenthesis_open);
    comma_list(made, Role::element, [&] { return group_item(); });
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  if (is_mysql_since(90500) && accept(K::grouping, K::sets)) {
    expect(Symbol::parenthesis_open);
    comma_list(made, Role::element, [&] { return grouping_set(); });
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  comma_list(made, Role::element, [&] { return group_item(); });
  if (is(K::with) && (next_is(K::rollup) || (is_mariadb() && next_is(K::cube)))) {
    advance();
    advance();
    made.set(node_flag::with_rollup);
  }
  return made.done();
}

// (), (a, b).
Node* Parser::grouping_set() {
  Production made(*this, NodeKind::order_item);
  Production row(*this, NodeKind::row);
  expect(Symbol::parenthesis_open);
  if (!is(Symbol::parenthesis_close)) {
    expression_list(row, Role::element);
  }
  expect(Symbol::parenthesis_close);
  made.add(Role::operand, row.done());
  return made.done();
}

// name AS (specification).
Node* Parser::window_definition() {
  Production made(*this, NodeKind::window_definition);
  made.add(Role::name, identifier_leaf());
  expect(K::as);
  made.add(Role::window, window_specification());
  return made.done();
}

}  // namespace sallyport::sql
