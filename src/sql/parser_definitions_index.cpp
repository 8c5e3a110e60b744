// Indexes and constraints of a table.
#include "sql/parser.h"

namespace sallyport::sql {

// CONSTRAINT [name].
Node* Parser::constraint_name() {
  expect(K::constraint);
  return is_identifier() ? local_name(K::constraint) : nullptr;
}

// CHECK (x) [[NOT] ENFORCED].
Node* Parser::check_constraint(Production& made) {
  made.variant(K::check);
  expect(K::check);
  expect(Symbol::parenthesis_open);
  made.add(Role::condition, expression());
  expect(Symbol::parenthesis_close);
  if (is_mysql_since(80016) && is(K::not_) && next_is(K::enforced)) {
    made.set(node_flag::not_enforced);
    advance();
    advance();
  } else if (is_mysql_since(80016)) {
    accept(K::enforced);
  }
  return made.done();
}

Node* Parser::table_constraint() {
  Production made(*this, NodeKind::table_constraint);
  bool is_named = is(K::constraint);
  if (is_named && is_mariadb() && next_is(K::if_)) {
    advance();
    if_not_exists(made);
    made.add(Role::constraint, local_name(K::constraint));
  } else if (is_named) {
    made.add(Role::constraint, constraint_name());
  }
  Keyword type = is(K::key) ? K::index : current().keyword;
  made.variant(type);
  switch (current().keyword) {
    case K::check:
      return check_constraint(made);
    case K::foreign:
      advance();
      expect(K::key);
      if (is_mariadb()) {
        if_not_exists(made);
      }
      if (is_identifier()) {
        made.add(Role::index, local_name(K::index));
      }
      key_parts(made, K::foreign);
      made.add(Role::references, references());
      return made.done();
    case K::primary:
      advance();
      expect(K::key);
      index_tail(made, K::primary);
      return made.done();
    case K::unique:
      advance();
      accept_one_of({K::key, K::index});
      index_tail(made, K::unique);
      return made.done();
    case K::key:
    case K::index:
      advance();
      break;
    case K::fulltext:
    case K::spatial:
    case K::vector:
      advance();
      accept_one_of({K::key, K::index});
      break;
    default:
      fail();
  }
  if (is_named) {
    fail();
  }
  index_tail(made, type);
  return made.done();
}

// [name] [USING type] (a, b) options.
void Parser::index_tail(Production& into, Keyword type) {
  if (is_mariadb()) {
    if_not_exists(into);
  }
  if (is_identifier()) {
    into.add(Role::index, local_name(K::index));
  }
  bool has_type = type == K::primary || type == K::unique || type == K::index;
  if (has_type && is_one_of({K::using_, K::type})) {
    into.add(Role::option, index_type());
  }
  key_parts(into, type);
  index_options(into, type);
}

// USING BTREE.
Node* Parser::index_type() {
  Production made(*this, NodeKind::option, K::using_);
  expect_one_of({K::using_, K::type});
  if (!is_one_of({K::btree, K::rtree, K::hash})) {
    fail();
  }
  made.add(Role::value, keyword_leaf());
  return made.done();
}

// (a, b (10) DESC, (x)), and MariaDB's WITHOUT OVERLAPS.
void Parser::key_parts(Production& into, Keyword type) {
  Production parts(*this, NodeKind::key_parts);
  expect(Symbol::parenthesis_open);
  comma_list(parts, Role::column, [&] { return key_part(type); });
  expect(Symbol::parenthesis_close);
  into.add(Role::columns, parts.done());
}

Node* Parser::key_part(Keyword type) {
  Production made(*this, NodeKind::key_part);
  if (is_mysql_since(80013) && type != K::foreign && accept(Symbol::parenthesis_open)) {
    made.add(Role::operand, expression());
    expect(Symbol::parenthesis_close);
  } else {
    made.add(Role::name, identifier_leaf());
    if (accept(Symbol::parenthesis_open)) {
      made.add(Role::length, integer_number());
      expect(Symbol::parenthesis_close);
    } else if (is_mariadb() && (type == K::unique || type == K::primary) && accept(K::without)) {
      made.set(node_flag::without_overlaps);
      expect(K::overlaps);
    }
  }
  if (is_one_of({K::asc, K::desc})) {
    made.variant(current().keyword);
    advance();
  }
  return made.done();
}

void Parser::index_options(Production& into, Keyword type) {
  while (Node* option = index_option(type)) {
    into.add(Role::option, option);
  }
}

// Nothing where none begins.
Node* Parser::index_option(Keyword type) {
  switch (current().keyword) {
    case K::key_block_size:
      return valued_option(OptionValue::number);
    case K::using_:
    case K::type:
      return type == K::fulltext || type == K::spatial || type == K::vector ? nullptr : index_type();
    case K::comment: {
      Production made(*this, NodeKind::option, K::comment);
      advance();
      made.add(Role::value, text_token());
      return made.done();
    }
    case K::with: {
      if (type != K::fulltext || !next_is(K::parser)) {
        return nullptr;
      }
      Production made(*this, NodeKind::option, K::parser);
      advance();
      advance();
      made.add(Role::value, identifier_leaf());
      return made.done();
    }
    case K::invisible:
      if (is_mariadb()) {
        return nullptr;
      }
      [[fallthrough]];
    case K::visible:
      return flag_option();
    case K::engine_attribute:
    case K::secondary_engine_attribute:
      if (is_mariadb()) {
        return named_option();
      }
      return is_mysql_since(80021) ? valued_option(OptionValue::text) : nullptr;
    case K::ignored:
      return is_mariadb_since(100600) ? flag_option() : nullptr;
    case K::not_: {
      if (!is_mariadb_since(100600) || !next_is(K::ignored)) {
        return nullptr;
      }
      Production made(*this, NodeKind::option, K::ignored);
      made.set(node_flag::negated);
      advance();
      advance();
      return made.done();
    }
    default:
      return is_mariadb() && is_identifier() && next_is(Symbol::equal) ? named_option() : nullptr;
  }
}

// REFERENCES t [(a, b)] [MATCH x] [ON DELETE x] [ON UPDATE x].
Node* Parser::references() {
  Production made(*this, NodeKind::references);
  expect(K::references);
  made.add(Role::table, object_name(K::table));
  if (accept(Symbol::parenthesis_open)) {
    name_list(made, Role::column);
    expect(Symbol::parenthesis_close);
  }
  if (accept(K::match)) {
    if (!is_one_of({K::full, K::partial, K::simple})) {
      fail();
    }
    made.add(Role::match, keyword_leaf());
  }
  Keyword first_event = K::no_keyword;
  for (int actions = 0; actions < 2 && is(K::on) && !next_is(first_event); ++actions) {
    first_event = peek(1).keyword;
    made.add(Role::on, referential_action());
  }
  return made.done();
}

// ON DELETE | UPDATE, and what is done then.
Node* Parser::referential_action() {
  Production made(*this, NodeKind::referential_action);
  expect(K::on);
  made.variant(current().keyword);
  expect_one_of({K::delete_, K::update});
  bool is_action = is_one_of({K::restrict, K::cascade});
  if (accept(K::no)) {
    is_action = is(K::action);
  } else if (accept(K::set)) {
    is_action = is_one_of({K::null, K::default_});
  }
  if (!is_action) {
    fail();
  }
  made.add(Role::action, keyword_leaf());
  return made.done();
}

// PERIOD FOR p (a, b).
Node* Parser::period_definition() {
  Production made(*this, NodeKind::period_definition);
  expect(K::period);
  if_not_exists(made);
  expect(K::for_);
  made.add(Role::name, period_name());
  expect(Symbol::parenthesis_open);
  made.add(Role::low, identifier_leaf());
  expect(Symbol::comma);
  made.add(Role::high, identifier_leaf());
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::period_name() {
  return is(K::system_time) ? keyword_leaf() : identifier_leaf();
}

}  // namespace sallyport::sql
