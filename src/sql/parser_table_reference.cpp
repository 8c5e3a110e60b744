// FROM: tables, joins, derived tables, JSON_TABLE.
#include "sql/parser.h"

namespace sallyport::sql {

// a, b JOIN c: the comma binds weaker.
Node* Parser::table_references() {
  Production made(*this, NodeKind::table_references);
  comma_list(made, Role::element, [&] { return joined_table(); });
  return made.done();
}

Node* Parser::joined_table() {
  Level level(*this);
  InnerQuery inner_query(*this);
  return level ? joined_table_from(table_factor()) : nullptr;
}

// A join's right operand takes what follows, so that a JOIN b JOIN c ON x ON y has its conditions where they belong; a
// join that is left without a condition binds to the left after all.
Node* Parser::joined_table_from(Node* left) {
  while (!failed()) {
    bool is_natural = is(K::natural);
    Keyword first = is_natural ? peek(1).keyword : current().keyword;
    bool is_outer = first == K::left || first == K::right;
    if (is_natural && (first == K::cross || (first == K::straight_join && is_mysql()))) {
      fail();
      break;
    }
    bool is_inner = first == K::join || first == K::inner || first == K::cross || first == K::straight_join;
    if (!is_outer && !is_inner) {
      break;
    }
    Production made(*this, NodeKind::join, static_cast<std::uint16_t>(first), Role::operand, left);
    if (is_natural) {
      advance();
      made.set(node_flag::natural);
    }
    advance();
    if (is_outer) {
      accept(K::outer);
    }
    if (first != K::join && first != K::straight_join) {
      expect(K::join);
    }
    if (is_natural) {
      made.add(Role::operand, table_factor());
      left = made.done();
      continue;
    }
    Node* right = joined_table();
    bool has_condition = is_one_of({K::on, K::using_});
    if (has_condition) {
      made.add(Role::operand, right);
      join_condition(made);
      left = made.done();
    } else if (is_outer) {
      fail();
    } else {
      left = join_leftmost(made, left, right);
    }
  }
  return left;
}

// `join`, which has its left operand, gets the leftmost table of `right` as its other, and its place there.
Node* Parser::join_leftmost(Production& join, Node* left, Node* right) {
  if (right == nullptr || left == nullptr || !right->is(NodeKind::join)) {
    join.add(Role::operand, right);
    return join.done();
  }
  Node* parent = right;
  while (parent->first != nullptr && parent->first->is(NodeKind::join)) {
    parent->begin = left->begin;
    parent = parent->first;
  }
  parent->begin = left->begin;
  Node* table = parent->first;
  Node* rest = table->next;
  table->next = nullptr;
  join.add(Role::operand, table);
  Node* made = join.done();
  made->end = table->end;
  made->role = Role::operand;
  made->next = rest;
  parent->first = made;
  return right;
}

void Parser::join_condition(Production& into) {
  if (accept(K::on)) {
    into.add(Role::on, expression());
  } else if (accept(K::using_)) {
    expect(Symbol::parenthesis_open);
    name_list(into, Role::column);
    expect(Symbol::parenthesis_close);
  }
}

Node* Parser::table_factor() {
  if (is(Symbol::parenthesis_open)) {
    Node* found = parenthesised_table_factor();
    // In the mode ORACLE MariaDB makes one of its own.
    bool lacks_alias = found != nullptr && found->is(NodeKind::derived_table) && found->child(Role::alias) == nullptr;
    if (lacks_alias && !has_mode(sql_mode::oracle)) {
      fail();
    }
    return found;
  }
  if (is(Symbol::brace_open)) {  // {oj t LEFT JOIN u ON x}
    Production made(*this, NodeKind::odbc_join);
    advance();
    if (is_mysql() && !is_word("OJ")) {
      fail();
    }
    made.add(Role::name, identifier_leaf());
    made.add(Role::operand, joined_table());
    expect(Symbol::brace_close);
    return made.done();
  }
  if (is(K::lateral) && is_mysql()) {
    Production made(*this, NodeKind::derived_table);
    made.set(node_flag::lateral);
    advance();
    made.add(Role::query, parenthesised_query());
    made.add(Role::alias, alias());
    if (accept(Symbol::parenthesis_open)) {
      name_list(made, Role::column);
      expect(Symbol::parenthesis_close);
    }
    return made.done();
  }
  if (is(K::json_table) && next_is(Symbol::parenthesis_open)) {
    return json_table();
  }
  return base_table();
}

// (query) alias, (t JOIN u), (t, u), and these in more parentheses.
Node* Parser::parenthesised_table_factor() {
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  if (!is_parenthesised_query() || next_is(K::table, 1)) {
    if (!(is_parenthesised_query() && is_mysql())) {
      Production made(*this, NodeKind::table_references);
      expect(Symbol::parenthesis_open);
      comma_list(made, Role::element, [&] { return joined_table(); });
      return end_of_table_list(made);
    }
  }
  if (!next_is(Symbol::parenthesis_open)) {
    return derived_table(parenthesised_query());
  }
  // ((SELECT 1) UNION SELECT 2) a, ((SELECT 1) a JOIN t), ((SELECT 1)) a.
  Production list(*this, NodeKind::table_references);
  Production outer(*this, NodeKind::subquery);
  expect(Symbol::parenthesis_open);
  Node* inner = parenthesised_table_factor();
  bool is_query = inner != nullptr && inner->is(NodeKind::derived_table) && inner->child(Role::alias) == nullptr;
  if (is_query) {
    Node* query = inner->first;
    if (!is(Symbol::parenthesis_close)) {
      query = query_from(query);
    }
    outer.add(Role::query, query);
    expect(Symbol::parenthesis_close);
    return derived_table(outer.done());
  }
  list.add(Role::element, joined_table_from(inner));
  while (accept(Symbol::comma)) {
    list.add(Role::element, joined_table());
  }
  return end_of_table_list(list);
}

// MySQL has a table in parentheses, a join or a list, but no derived table alone.
Node* Parser::end_of_table_list(Production& list) {
  const Node* first = list.child(Role::element);
  bool is_alone = first != nullptr && first->next == nullptr;
  if (is_mysql() && is_alone && (first->is(NodeKind::derived_table) || first->is(NodeKind::json_table))) {
    fail();
  }
  expect(Symbol::parenthesis_close);
  return list.done();
}

// The alias is missing where the parentheses turn out to be the query's own.
Node* Parser::derived_table(Node* query) {
  Production made(*this, NodeKind::derived_table, 0, Role::query, query);
  if (is_mariadb() && is(K::for_) && next_is(K::system_time)) {
    made.add(Role::system_time, system_time());
  }
  bool ends = is_one_of({K::union_, K::except, K::intersect, K::order, K::limit, K::for_, K::lock, K::into, K::window});
  if (!ends && begins_table_alias()) {
    made.add(Role::alias, table_alias());
    if ((is_mysql() || is_mariadb_since(110700)) && accept(Symbol::parenthesis_open)) {
      name_list(made, Role::column);
      expect(Symbol::parenthesis_close);
    }
  }
  return made.done();
}

// t [PARTITION (p)] [FOR SYSTEM_TIME ...] [[AS] alias] [TABLESAMPLE ...] [index hints].
Node* Parser::base_table() {
  Production made(*this, NodeKind::table);
  made.add(Role::name, object_name(K::table));
  if (is(K::partition) && next_is(Symbol::parenthesis_open)) {
    made.add(Role::partition, partition_selection());
  }
  if (is_mariadb() && is(K::for_) && next_is(K::system_time)) {
    made.add(Role::system_time, system_time());
  }
  bool is_hint = is_one_of({K::use, K::force, K::ignore}) && (next_is(K::index) || next_is(K::key));
  bool ends = is_hint || (is(K::window) && is_mariadb() && peek(2).keyword == K::as);
  if (!ends && begins_table_alias()) {
    made.add(Role::alias, table_alias());
  }
  if (is_mysql_since(80400) && accept(K::tablesample)) {
    expect_one_of({K::system, K::bernoulli});
    expect(Symbol::parenthesis_open);
    made.add(Role::sample, number_or_parameter());
    expect(Symbol::parenthesis_close);
  }
  while (is_one_of({K::use, K::force, K::ignore}) && (next_is(K::index) || next_is(K::key))) {
    made.add(Role::hint, index_hint());
  }
  return made.done();
}

// WINDOW, which MariaDB does not reserve, begins a clause behind a table.
// MariaDB takes an equal sign for AS.
bool Parser::begins_table_alias() const {
  return is(K::as) || is_identifier() || (is_mariadb() && is(Symbol::equal));
}

Node* Parser::table_alias() {
  if (!accept(K::as) && is(Symbol::equal)) {
    advance();
  }
  if (is(K::window) && is(TokenKind::word)) {
    fail();
  }
  return identifier_or_text();
}

Node* Parser::partition_selection() {
  Production made(*this, NodeKind::partition_selection);
  expect(K::partition);
  expect(Symbol::parenthesis_open);
  name_list(made, Role::partition);
  expect(Symbol::parenthesis_close);
  return made.done();
}

// USE | FORCE | IGNORE INDEX [FOR JOIN | ORDER BY | GROUP BY] (a, b).
Node* Parser::index_hint() {
  Production made(*this, NodeKind::index_hint, current().keyword);
  advance();
  advance();
  if (accept(K::for_)) {
    if (accept_one_of({K::order, K::group})) {
      expect(K::by);
    } else {
      expect(K::join);
    }
  }
  expect(Symbol::parenthesis_open);
  bool may_be_empty = made.is_variant(K::use);
  if (!may_be_empty || !is(Symbol::parenthesis_close)) {
    comma_list(made, Role::index, [&] { return is(K::primary) ? keyword_leaf() : identifier_leaf(); });
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

// FOR SYSTEM_TIME ALL | AS OF x | BETWEEN x AND y | FROM x TO y.
Node* Parser::system_time() {
  Production made(*this, NodeKind::system_time);
  auto point = [&] {
    if (is(K::transaction)) {  // the number of one, not a time
      made.add(Role::unit, keyword_leaf());
    }
    if (is(K::timestamp) && !next_is(Symbol::parenthesis_open) && peek(1).token.kind != TokenKind::text) {
      advance();
    }
    return bit_expression();
  };
  expect(K::for_, K::system_time);
  made.variant(current().keyword);
  if (accept(K::all)) {
    return made.done();
  }
  if (accept(K::as)) {
    expect(K::of);
    made.add(Role::low, point());
  } else if (accept(K::between)) {
    made.add(Role::low, point());
    expect(K::and_);
    made.add(Role::high, point());
  } else {
    expect(K::from);
    made.add(Role::low, point());
    expect(K::to);
    made.add(Role::high, point());
  }
  return made.done();
}

// JSON_TABLE(x, path COLUMNS (...)) alias.
Node* Parser::json_table() {
  Production made(*this, NodeKind::json_table);
  advance();
  expect(Symbol::parenthesis_open);
  made.add(Role::operand, expression());
  expect(Symbol::comma);
  made.add(Role::path, json_path());
  made.add(Role::columns, json_table_columns());
  expect(Symbol::parenthesis_close);
  made.add(Role::alias, alias());
  return made.done();
}

Node* Parser::json_table_columns() {
  Level level(*this);
  Production made(*this, NodeKind::json_table_columns);
  expect(K::columns);
  expect(Symbol::parenthesis_open);
  if (!level) {
    return nullptr;
  }
  comma_list(made, Role::column, [&] { return json_table_column(); });
  expect(Symbol::parenthesis_close);
  return made.done();
}

// a FOR ORDINALITY; a type [EXISTS] PATH path [... ON EMPTY] [... ON ERROR]; NESTED [PATH] path COLUMNS (...).
Node* Parser::json_table_column() {
  Production made(*this, NodeKind::json_table_column);
  bool is_path =
      next_is(K::path) || peek(1).token.kind == TokenKind::text || peek(1).token.kind == TokenKind::introducer;
  if (is(K::nested) && is_path) {
    advance();
    accept(K::path);
    made.variant(K::nested);
    made.add(Role::path, json_path());
    made.add(Role::columns, json_table_columns());
    return made.done();
  }
  made.add(Role::name, identifier_leaf());
  if (accept(K::for_)) {
    expect(K::ordinality);
    made.variant(K::ordinality);
    return made.done();
  }
  if (is_mariadb() && is_one_of({K::enum_, K::set})) {
    fail();
  }
  made.add(Role::type, data_type());
  if (is_mysql() && is(K::collate)) {
    charset_and_collation(made);
  }
  if (accept(K::exists)) {
    made.variant(K::exists);
  }
  expect(K::path);
  made.add(Role::path, json_path());
  json_on_response(made, JsonOf::table);
  return made.done();
}

// 'x', N'x', _utf8mb4'x'.
Node* Parser::json_path() {
  return is(TokenKind::introducer) && peek(1).token.kind == TokenKind::text ? literal() : text_literal();
}

}  // namespace sallyport::sql
