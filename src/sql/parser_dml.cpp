// Statements on rows.
#include <utility>

#include "sql/parser.h"

namespace sallyport::sql {

// INSERT and REPLACE.
Node* Parser::insert() {
  bool replaces = is(K::replace);
  Production made(*this, replaces ? NodeKind::replace : NodeKind::insert);
  advance();
  if (is(TokenKind::hint)) {
    made.add(Role::hint, leaf(NodeKind::hint));
  }
  if (is_one_of({K::low_priority, K::delayed}) || (is(K::high_priority) && !replaces)) {
    made.add(Role::option, keyword_leaf());
  }
  if (!replaces && is(K::ignore)) {
    made.set(node_flag::ignore);
    advance();
  }
  accept(K::into);
  made.add(Role::table, object_name(K::table));
  if (is(K::partition)) {
    made.add(Role::partition, partition_selection());
  }
  insert_source(made);
  if (!replaces && is(K::on)) {
    made.add(Role::on_duplicate, on_duplicate());
  }
  returning(made);
  return made.done();
}

// [(columns)] VALUES ... | SET ... | query, with MySQL's row alias.
void Parser::insert_source(Production& into) {
  if (is(Symbol::parenthesis_open) && !is_parenthesised_query()) {
    Production columns(*this, NodeKind::column_list);
    advance();
    if (!is(Symbol::parenthesis_close)) {
      comma_list(columns, Role::column, [&] { return column_reference(); });
    }
    expect(Symbol::parenthesis_close);
    into.add(Role::columns, columns.done());
  }
  auto row_alias = [&] {
    if (is_mysql_since(80019) && is(K::as)) {
      Production alias(*this, NodeKind::row_alias);
      advance();
      alias.add(Role::name, identifier_leaf());
      if (accept(Symbol::parenthesis_open)) {
        name_list(alias, Role::column);
        expect(Symbol::parenthesis_close);
      }
      into.add(Role::alias, alias.done());
    }
  };
  if (is_one_of({K::values, K::value})) {
    // VALUES ROW(1) is MySQL's query.
    if (is_mysql() && is(K::values) && next_is(K::row)) {
      into.add(Role::query, source_query());
      row_alias();
      return;
    }
    Production values(*this, NodeKind::insert_values);
    advance();
    comma_list(values, Role::element, [&] {
      Production row(*this, NodeKind::row);
      value_row(row, Role::element);
      return row.done();
    });
    into.add(Role::values, values.done());
    row_alias();
    return;
  }
  if (accept(K::set)) {
    comma_list(into, Role::assignment, [&] { return assignment(); });
    row_alias();
    return;
  }
  if (!is_query_start() && !is_parenthesised_query()) {
    fail();
    return;
  }
  into.add(Role::query, source_query());
  row_alias();
  return;
}

void Parser::value_row(Production& into, Role role) {
  expect(Symbol::parenthesis_open);
  if (!is(Symbol::parenthesis_close)) {
    comma_list(into, role, [&] { return value_or_default(); });
  }
  expect(Symbol::parenthesis_close);
}

Node* Parser::value_or_default() {
  bool is_special = is(K::default_) || (is_mariadb() && is(K::ignore));
  return is_special && !next_is(Symbol::parenthesis_open) ? keyword_leaf() : expression();
}

// a = x.
Node* Parser::assignment() {
  Production made(*this, NodeKind::assignment);
  made.add(Role::target, column_reference());
  if (!accept(Symbol::equal)) {
    expect(Symbol::assign);
  }
  made.add(Role::value, value_or_default());
  return made.done();
}

Node* Parser::on_duplicate() {
  Production made(*this, NodeKind::on_duplicate);
  expect(K::on);
  expect(K::duplicate);
  expect(K::key);
  expect(K::update);
  int before = std::exchange(duplicate_update_at_, inner_queries_);
  comma_list(made, Role::assignment, [&] { return assignment(); });
  duplicate_update_at_ = before;
  return made.done();
}

// MariaDB's RETURNING a, b.
void Parser::returning(Production& into) {
  if (is_mariadb() && accept(K::returning)) {
    comma_list(into, Role::item, [&] { return select_item(); });
  }
}

Node* Parser::update() {
  Production made(*this, NodeKind::update);
  expect(K::update);
  if (is(TokenKind::hint)) {
    made.add(Role::hint, leaf(NodeKind::hint));
  }
  if (accept(K::low_priority)) {
    made.set(node_flag::low_priority);
  }
  if (accept(K::ignore)) {
    made.set(node_flag::ignore);
  }
  made.add(Role::from, table_references());
  if (is_mariadb() && is(K::for_)) {
    made.add(Role::portion, period_portion());
  }
  expect(K::set);
  comma_list(made, Role::assignment, [&] { return assignment(); });
  if (accept(K::where)) {
    made.add(Role::where, expression());
  }
  if (is(K::order)) {
    made.add(Role::order_by, order_by());
  }
  if (is(K::limit)) {
    made.add(Role::limit, row_limit());
  }
  return made.done();
}

// FOR PORTION OF p FROM x TO y.
Node* Parser::period_portion() {
  Production made(*this, NodeKind::period_portion);
  expect(K::for_);
  expect(K::portion);
  expect(K::of);
  made.add(Role::name, identifier_leaf());
  expect(K::from);
  made.add(Role::low, bit_expression());
  expect(K::to);
  made.add(Role::high, expression());
  return made.done();
}

// DELETE FROM t ..., DELETE t, u FROM ..., DELETE FROM t, u USING ....
Node* Parser::delete_() {
  Production made(*this, NodeKind::delete_);
  expect(K::delete_);
  if (is(TokenKind::hint)) {
    made.add(Role::hint, leaf(NodeKind::hint));
  }
  if (is_mariadb() && accept(K::history)) {
    made.set(node_flag::history);
  }
  while (is_one_of({K::low_priority, K::quick, K::ignore})) {
    made.add(Role::option, keyword_leaf());
  }
  auto target = [&] {
    Production named(*this, NodeKind::object_name, K::table);
    Node* name = identifier_leaf();
    if (is(Symbol::dot) && !next_is(Symbol::star)) {
      advance();
      named.add(Role::qualifier, name);
      name = identifier_behind_dot();
    }
    named.add(Role::name, name);
    if (is(Symbol::dot)) {  // t.*
      advance();
      expect(Symbol::star);
    }
    return named.done();
  };
  if (!is(K::from)) {
    comma_list(made, Role::target, target);
    expect(K::from);
    made.add(Role::from, table_references());
    if (accept(K::where)) {
      made.add(Role::where, expression());
    }
    return made.done();
  }
  advance();
  Position before = mark();
  Production single(*this, NodeKind::table);
  Node* first = target();
  if (is(Symbol::comma) || is(K::using_)) {
    made.add(Role::target, first);
    while (accept(Symbol::comma)) {
      made.add(Role::target, target());
    }
    expect(K::using_);
    made.add(Role::from, table_references());
    if (accept(K::where)) {
      made.add(Role::where, expression());
    }
    return made.done();
  }
  go_back(before);
  Production tables(*this, NodeKind::table_references);
  single.add(Role::name, object_name(K::table));
  if (!is(K::partition) && (is(K::as) || (is_identifier() && is_mysql_since(80016)))) {
    single.add(Role::alias, alias());
  }
  if (is(K::partition)) {
    single.add(Role::partition, partition_selection());
  }
  if (is_mariadb() && (is(K::use) || is(K::force) || is(K::ignore)) && next_is(K::index)) {
    single.add(Role::hint, index_hint());
  }
  tables.add(Role::element, single.done());
  made.add(Role::from, tables.done());
  if (is_mariadb() && is(K::for_)) {
    made.add(Role::portion, period_portion());
  } else if (is_mariadb() && accept(K::before)) {
    expect(K::system_time);
    if (is(K::transaction)) {  // the number of one, not a time
      made.add(Role::unit, keyword_leaf());
    } else {
      accept(K::timestamp);
    }
    made.add(Role::before, expression());
  }
  if (accept(K::where)) {
    made.add(Role::where, expression());
  }
  if (is(K::order)) {
    made.add(Role::order_by, order_by());
  }
  if (is(K::limit)) {
    made.add(Role::limit, row_limit());
  }
  returning(made);
  return made.done();
}

Node* Parser::do_() {
  Production made(*this, NodeKind::do_);
  expect(K::do_);
  comma_list(made, Role::item, [&] { return select_item(); });
  return made.done();
}

Node* Parser::call() {
  Production made(*this, NodeKind::call);
  expect(K::call);
  made.add(Role::routine, object_name(K::procedure));
  if (accept(Symbol::parenthesis_open)) {
    if (!is(Symbol::parenthesis_close)) {
      expression_list(made, Role::argument);
    }
    expect(Symbol::parenthesis_close);
  }
  return made.done();
}

// LOAD DATA | XML [LOCAL] INFILE 'x' INTO TABLE t ....
Node* Parser::load() {
  Production made(*this, NodeKind::load);
  expect(K::load);
  made.variant(current().keyword);
  bool is_data = is(K::data);
  expect_one_of({K::data, K::xml});
  while (is_one_of({K::low_priority, K::concurrent, K::local}) || (is_mysql() && (is(K::from) || is(K::url)))) {
    if (is(K::local)) {
      made.set(node_flag::local);
    }
    advance();
  }
  expect(K::infile);
  made.add(Role::file, text_literal());
  if (is_mysql_since(80100) && accept_word("COUNT")) {
    made.add(Role::count, integer_number());
  }
  if (is_mysql_since(80100) && accept(K::in)) {
    expect(K::primary, K::key);
    expect(K::order);
  }
  if (is_one_of({K::replace, K::ignore})) {
    made.add(Role::option, keyword_leaf());
  }
  expect(K::into);
  expect(K::table);
  made.add(Role::table, object_name(K::table));
  if (is(K::partition)) {
    made.add(Role::partition, partition_selection());
  }
  if (is(K::charset) || is_one_of({K::char_, K::character})) {
    charset_and_collation(made);
  }
  if (!is_data && accept(K::rows)) {
    expect(K::identified);
    expect(K::by);
    made.add(Role::rows, text_literal());
  }
  export_options(made);
  if (accept(K::ignore)) {
    made.add(Role::skipped, unsigned_number());
    expect_one_of({K::lines, K::rows});
  }
  if (is(Symbol::parenthesis_open)) {
    Production columns(*this, NodeKind::column_list);
    advance();
    if (!is(Symbol::parenthesis_close)) {
      comma_list(columns, Role::column, [&] { return is(Symbol::at) ? variable() : column_reference(); });
    }
    expect(Symbol::parenthesis_close);
    made.add(Role::columns, columns.done());
  }
  if (accept(K::set)) {
    comma_list(made, Role::assignment, [&] { return assignment(); });
  }
  return made.done();
}

// HANDLER t OPEN | READ ... | CLOSE.
Node* Parser::handler() {
  Production made(*this, NodeKind::handler);
  expect(K::handler);
  Node* table = object_name(K::table);
  if (table != nullptr && table->child(Role::qualifier) != nullptr && !is(K::open)) {
    fail();
  }
  made.add(Role::table, table);
  made.variant(current().keyword);
  if (accept(K::open)) {
    if (is_alias_start()) {
      made.add(Role::alias, alias());
    }
    return made.done();
  }
  if (accept(K::close)) {
    return made.done();
  }
  expect(K::read);
  if (is_one_of({K::first, K::next}) && !next_is(Symbol::equal)) {
    made.add(Role::position, keyword_leaf());
  } else {
    made.add(Role::index, identifier_leaf());
    if (is_one_of({K::first, K::next, K::prev, K::last})) {
      made.add(Role::position, keyword_leaf());
    } else {
      if (!is(Symbol::equal) && !is(Symbol::less) && !is(Symbol::greater) && !is(Symbol::less_or_equal) &&
          !is(Symbol::greater_or_equal)) {
        fail();
      }
      advance();
      Production row(*this, NodeKind::row);
      value_row(row, Role::element);
      made.add(Role::values, row.done());
    }
  }
  if (accept(K::where)) {
    made.add(Role::where, expression());
  }
  if (is(K::limit)) {
    made.add(Role::limit, limit());
  }
  return made.done();
}

// EXPLAIN, DESCRIBE and DESC of a table or a statement; MariaDB's ANALYZE of a statement.
Node* Parser::explain() {
  Level level(*this);
  Production made(*this, NodeKind::explain, current().keyword);
  bool analyzes = is(K::analyze);
  advance();
  if (!level) {
    return nullptr;
  }
  auto is_explainable = [&] {
    return is_query_start() || is_parenthesised_query() ||
           is_one_of({K::insert, K::replace, K::update, K::delete_, K::for_});
  };
  if (!analyzes && is_mysql() && accept(K::analyze)) {
    made.set(node_flag::analyze);
  }
  if (!analyzes && is_one_of({K::extended, K::partitions}) && !is_mysql_since(80000)) {
    bool may_have_all = is(K::extended) && is_mariadb();
    made.add(Role::option, keyword_leaf());
    if (may_have_all && is(K::all)) {
      made.add(Role::option, keyword_leaf());
    }
  }
  if (is(K::format) && next_is(Symbol::equal)) {
    advance();
    advance();
    made.add(Role::format, identifier_or_text());
    if (is_mysql() && accept(K::into)) {
      made.add(Role::target, variable());
    }
    if (is_mysql() && accept(K::for_)) {
      if (is_one_of({K::database, K::schema})) {
        advance();
        made.add(Role::schema, identifier_leaf());
      } else {
        expect(K::connection);
        made.add(Role::connection, is_mysql() ? unsigned_number() : expression());
        return made.done();
      }
    }
    if (!is_explainable()) {
      fail();
    }
  }
  if (is(K::for_)) {
    advance();
    if (is_mysql() && is_one_of({K::database, K::schema})) {
      advance();
      made.add(Role::schema, identifier_leaf());
    } else {
      expect(K::connection);
      made.add(Role::connection, is_mysql() ? unsigned_number() : expression());
      return made.done();
    }
  }
  if (is_explainable()) {
    switch (current().keyword) {
      case K::insert:
      case K::replace:
        made.add(Role::statement, insert());
        break;
      case K::update:
        made.add(Role::statement, update());
        break;
      case K::delete_:
        made.add(Role::statement, delete_());
        break;
      default:
        made.add(Role::statement, query_statement());
    }
    return made.done();
  }
  if (analyzes) {
    fail();
    return nullptr;
  }
  made.add(Role::table, object_name(K::table));
  if (is_text()) {
    made.add(Role::pattern, text_literal());
  } else if (is_identifier()) {
    made.add(Role::column, identifier_leaf());
  }
  return made.done();
}

Node* Parser::truncate() {
  Production made(*this, NodeKind::truncate);
  expect(K::truncate);
  accept(K::table);
  made.add(Role::table, object_name(K::table));
  if (is_mariadb() && is_one_of({K::wait, K::nowait})) {
    if (accept(K::wait)) {
      made.add(Role::wait, unsigned_number());
    } else {
      made.add(Role::wait, keyword_leaf());
    }
  }
  return made.done();
}

}  // namespace sallyport::sql
