// Query expressions: WITH, set operations, ORDER BY and LIMIT, locking, INTO.
#include "sql/parser.h"

namespace sallyport::sql {
namespace {

// Whether the query that ends with `node` has INTO or PROCEDURE, which are of a whole query.
bool has_outer_clause(const Node* node) {
  while (node != nullptr) {
    if (node->child(Role::into) != nullptr || node->child(Role::procedure) != nullptr) {
      return true;
    }
    const Node* inner = nullptr;
    for (const Node& child : children(*node)) {
      bool goes_on = child.role == Role::operand || child.role == Role::body || child.role == Role::query;
      inner = goes_on ? &child : inner;
    }
    bool is_query = node->is(NodeKind::query) || node->is(NodeKind::subquery) || node->is(NodeKind::set_operation);
    node = is_query ? inner : nullptr;
  }
  return false;
}

// Whether INTO of a set operation's last operand can be the whole's: to MariaDB where it ends the text, to MySQL also
// before FROM or, without FROM, in parentheses.
bool may_end_the_whole(const Node& operand, Server server) {
  const Node* inner = operand.child(Role::query);
  if (server == Server::mariadb) {
    return inner == nullptr && operand.child(Role::from) == nullptr;
  }
  return inner == nullptr || inner->child(Role::into) == nullptr;
}

}  // namespace

// A query with everything that can stand around its body.
Node* Parser::query_expression() {
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  if (!is(K::with)) {
    return query_from(query_primary());
  }
  Production made(*this, NodeKind::query);
  made.add(Role::with, with_clause());
  made.add(Role::body, set_operation_from(query_primary(), 1));
  query_tail(made);
  return made.done();
}

// The rest of a query whose first operand was read already. Nothing is wrapped around what stands alone.
Node* Parser::query_from(Node* body) {
  body = set_operation_from(body, 1);
  Production made(*this, NodeKind::query, 0, Role::body, body);
  query_tail(made);
  return made.done();
}

void Parser::query_tail(Production& into) {
  if (is(K::order)) {
    into.add(Role::order_by, order_by());
  }
  if (is(K::limit) || (is_mariadb() && is_one_of({K::offset, K::fetch}))) {
    into.add(Role::limit, limit());
  }
  bool has_into = is_mariadb() && has_outer_clause(into.child(Role::body));
  if (has_into && is_one_of({K::into, K::procedure})) {
    fail();
  }
  if (is_mariadb() && is(K::procedure)) {
    refuse_in_inner_query();
    into.add(Role::procedure, procedure_clause());
    if (is(K::into)) {
      fail();
    }
  }
  if (is(K::into)) {
    into.add(Role::into, into_clause());
    has_into = true;
  }
  while ((is(K::for_) && (next_is(K::update) || (is_mysql() && next_is(K::share)))) ||
         (is(K::lock) && next_is(K::in))) {
    into.add(Role::locking, locking_clause());
  }
  if (!has_into && is(K::into)) {
    into.add(Role::into, into_clause());
  }
}

// UNION and EXCEPT bind alike, INTERSECT closer.
Node* Parser::set_operation_from(Node* left, int precedence_min) {
  auto current_operation = [&]() -> Keyword {
    switch (current().keyword) {
      case K::union_:
        return K::union_;
      case K::except:
        return is_mariadb() || is_mysql_since(80031) ? K::except : K::no_keyword;
      case K::intersect:
        return is_mariadb() || is_mysql_since(80031) ? K::intersect : K::no_keyword;
      case K::minus:
        return is_mariadb() && has_mode(sql_mode::oracle) ? K::except : K::no_keyword;
      default:
        return K::no_keyword;
    }
  };
  while (!failed()) {
    Keyword operation = current_operation();
    int precedence = operation == K::intersect ? 2 : 1;
    if (operation == K::no_keyword || precedence < precedence_min) {
      break;
    }
    Production made(*this, NodeKind::set_operation, static_cast<std::uint16_t>(operation), Role::operand, left);
    Keyword quantifier = K::no_keyword;
    bool alike = true;
    const Node* before = left;
    do {
      if (has_outer_clause(before)) {
        fail();
      }
      advance();
      quantifier = is_one_of({K::all, K::distinct}) ? current().keyword : K::no_keyword;
      if (quantifier != K::no_keyword) {
        advance();
      }
      if (quantifier == K::all) {
        made.set(node_flag::all);
      }
      Node* operand = set_operation_from(query_primary(), precedence + 1);
      if (has_outer_clause(operand) && !may_end_the_whole(*operand, dialect_.server)) {
        fail();
      }
      made.add(Role::operand, operand);
      before = operand;
      // Operands of the same kind share a node: the next one is looked at before it is read.
      Keyword next_quantifier = next_is(K::all) ? K::all : next_is(K::distinct) ? K::distinct : K::no_keyword;
      alike = current_operation() == operation && (next_quantifier == K::all) == (quantifier == K::all);
    } while (alike && !failed());
    left = made.done();
  }
  return left;
}

Node* Parser::query_primary() {
  switch (current().keyword) {
    case K::select:
      return select();
    case K::values:
      return values_query();
    case K::table:
      if (is_mysql_since(80019)) {
        return table_query();
      }
      break;
    default:
      if (is_parenthesised_query()) {
        return parenthesised_query();
      }
  }
  fail();
  return nullptr;
}

// A query within a statement that gives no result, where MariaDB has no INTO.
Node* Parser::source_query() {
  std::optional<InnerQuery> inner_query;
  if (is_mariadb()) {
    inner_query.emplace(*this);
  }
  return query_expression();
}

Node* Parser::parenthesised_query() {
  Level level(*this);
  std::optional<InnerQuery> inner_query;
  if (is_mariadb()) {
    inner_query.emplace(*this);
  }
  Production made(*this, NodeKind::subquery);
  expect(Symbol::parenthesis_open);
  if (!level) {
    return nullptr;
  }
  made.add(Role::query, query_expression());
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::with_clause() {
  Production made(*this, NodeKind::with);
  expect(K::with);
  if (accept(K::recursive)) {
    made.set(node_flag::recursive);
  }
  comma_list(made, Role::element, [&] { return common_table_expression(); });
  bool has_cycle = false;
  for (const Node* element = made.child(Role::element); element != nullptr; element = element->next) {
    has_cycle = has_cycle || element->child(Role::cycle) != nullptr;
  }
  if (has_cycle && !made.has(node_flag::recursive)) {
    fail();
  }
  return made.done();
}

// name [(a, b)] AS (query), and MariaDB's CYCLE a, b RESTRICT.
Node* Parser::common_table_expression() {
  InnerQuery inner_query(*this);
  Production made(*this, NodeKind::common_table_expression);
  made.add(Role::name, identifier_leaf());
  if (accept(Symbol::parenthesis_open)) {
    name_list(made, Role::column);
    expect(Symbol::parenthesis_close);
  }
  expect(K::as);
  if (!is_parenthesised_query()) {
    fail();
    return nullptr;
  }
  made.add(Role::query, parenthesised_query());
  if (is_mariadb() && accept(K::cycle)) {
    name_list(made, Role::cycle);
    expect(K::restrict);
  }
  return made.done();
}

// VALUES ROW(1), ROW(2) of MySQL; VALUES (1), (2) of MariaDB.
Node* Parser::values_query() {
  Production made(*this, NodeKind::values_query);
  expect(K::values);
  comma_list(made, Role::element, [&] {
    Production row(*this, NodeKind::row);
    if (is_mysql()) {
      expect(K::row);
    }
    expect(Symbol::parenthesis_open);
    if (!is(Symbol::parenthesis_close)) {
      comma_list(row, Role::element, [&] { return value_or_default(); });
    }
    expect(Symbol::parenthesis_close);
    return row.done();
  });
  return made.done();
}

Node* Parser::table_query() {
  Production made(*this, NodeKind::table_query);
  expect(K::table);
  made.add(Role::table, object_name(K::table));
  return made.done();
}

Node* Parser::order_by() {
  Production made(*this, NodeKind::order_by);
  expect(K::order, K::by);
  comma_list(made, Role::element, [&] { return order_item(); });
  return made.done();
}

Node* Parser::order_item() {
  Production made(*this, NodeKind::order_item);
  made.add(Role::operand, expression());
  if (is_one_of({K::asc, K::desc})) {
    made.variant(current().keyword);
    advance();
  }
  return made.done();
}

// MySQL has no order in GROUP BY since 8.0.13.
Node* Parser::group_item() {
  if (!is_mysql_since(80013)) {
    return order_item();
  }
  Production made(*this, NodeKind::order_item);
  made.add(Role::operand, expression());
  return made.done();
}

// LIMIT 1, LIMIT 1, 2, LIMIT 1 OFFSET 2; MariaDB's ROWS EXAMINED and OFFSET ... FETCH.
Node* Parser::limit() {
  Production made(*this, NodeKind::limit);
  if (accept(K::limit)) {
    if (is_mariadb() && accept(K::rows, K::examined)) {
      made.add(Role::examined, number_or_parameter());
      return made.done();
    }
    Node* first = number_or_parameter();
    if (accept(Symbol::comma)) {
      made.add(Role::offset, first);
      made.add(Role::count, number_or_parameter());
    } else {
      made.add(Role::count, first);
      if (accept(K::offset)) {
        made.add(Role::offset, number_or_parameter());
      }
    }
    if (is_mariadb() && accept(K::rows, K::examined)) {
      made.add(Role::examined, number_or_parameter());
    }
    return made.done();
  }
  if (accept(K::offset)) {
    made.add(Role::offset, number_or_parameter());
    expect_one_of({K::row, K::rows});
    if (!is(K::fetch)) {
      return made.done();
    }
  }
  expect(K::fetch);
  expect_one_of({K::first, K::next});
  if (!is_one_of({K::row, K::rows})) {
    made.add(Role::count, number_or_parameter());
  }
  expect_one_of({K::row, K::rows});
  if (accept(K::with)) {
    expect(K::ties);
    made.set(node_flag::with_ties);
  } else {
    expect(K::only);
  }
  return made.done();
}

// LIMIT 1 of UPDATE and DELETE.
Node* Parser::row_limit() {
  Production made(*this, NodeKind::limit);
  expect(K::limit);
  made.add(Role::count, number_or_parameter());
  return made.done();
}

// FOR UPDATE [OF t] [NOWAIT | SKIP LOCKED | WAIT 1], FOR SHARE, LOCK IN SHARE MODE.
Node* Parser::locking_clause() {
  Production made(*this, NodeKind::locking);
  if (accept(K::lock)) {
    made.variant(K::share);
    expect(K::in);
    expect(K::share);
    expect(K::mode);
    if (is_mysql()) {
      return made.done();
    }
  } else {
    expect(K::for_);
    made.variant(current().keyword);
    advance();
  }
  if (is_mysql() && accept(K::of)) {
    comma_list(made, Role::table, [&] { return object_name(K::table); });
  }
  if (is(K::nowait)) {
    made.add(Role::wait, keyword_leaf());
  } else if (is(K::skip)) {
    made.add(Role::wait, keyword_leaf());
    expect(K::locked);
  } else if (is_mariadb() && accept(K::wait)) {
    made.add(Role::wait, unsigned_number());
  }
  return made.done();
}

// INTO and PROCEDURE are the outermost query's.
void Parser::refuse_in_inner_query() {
  if (inner_queries_ > 0) {
    fail();
  }
}

// INTO @x, y; INTO OUTFILE 'x' ...; INTO DUMPFILE 'x'.
Node* Parser::into_clause() {
  Production made(*this, NodeKind::into, K::no_keyword);
  refuse_in_inner_query();
  expect(K::into);
  if (is_one_of({K::outfile, K::dumpfile})) {
    bool exports = is(K::outfile);
    made.variant(current().keyword);
    advance();
    made.add(Role::file, text_literal());
    if (exports) {
      if (is(K::charset) || is_one_of({K::char_, K::character})) {
        charset_and_collation(made);
      }
      export_options(made);
    }
    return made.done();
  }
  comma_list(made, Role::target, [&] { return is(Symbol::at) ? variable() : column_reference(); });
  return made.done();
}

// FIELDS TERMINATED BY 'x' [OPTIONALLY] ENCLOSED BY 'x' ESCAPED BY 'x', LINES STARTING BY 'x' TERMINATED BY 'x'.
void Parser::export_options(Production& into) {
  auto texts = [&](std::initializer_list<Keyword> starts, Role role) {
    bool any = false;
    while (is_one_of(starts)) {
      Production option(*this, NodeKind::option, current().keyword);
      if (accept(K::optionally)) {
        expect(K::enclosed);
      } else {
        advance();
      }
      expect(K::by);
      option.add(Role::value, literal());
      into.add(role, option.done());
      any = true;
    }
    if (!any) {
      fail();
    }
  };
  if (accept_one_of({K::fields, K::columns})) {
    texts({K::terminated, K::optionally, K::enclosed, K::escaped}, Role::option);
  }
  if (accept(K::lines)) {
    texts({K::starting, K::terminated}, Role::rows);
  }
}

// PROCEDURE ANALYSE(10, 100).
Node* Parser::procedure_clause() {
  Production made(*this, NodeKind::procedure_clause);
  expect(K::procedure);
  made.add(Role::name, identifier_leaf());
  expect(Symbol::parenthesis_open);
  if (!is(Symbol::parenthesis_close)) {
    expression_list(made, Role::argument);
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

}  // namespace sallyport::sql
