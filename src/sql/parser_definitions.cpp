// CREATE, ALTER and DROP: what stands before the object's keyword, and whose statement it is then.
#include "sql/parser.h"

namespace sallyport::sql {

// [ALGORITHM = x] [DEFINER = account] [SQL SECURITY x], of a view or a stored program.
Parser::ObjectPrefix Parser::object_prefix(Production& into) {
  ObjectPrefix found;
  if (is(K::algorithm)) {
    found.has_view_attribute = true;
    if (!next_is(Symbol::equal)) {
      fail();
    }
    into.add(Role::option, keyword_option({K::undefined, K::merge, K::temptable}));
  }
  if (is(K::definer)) {
    found.has_definer = true;
    advance();
    expect(Symbol::equal);
    into.add(Role::definer, account());
  }
  if (is(K::sql)) {
    found.has_view_attribute = true;
    advance();
    if (!is(K::security) || next_is(Symbol::equal)) {
      fail();
    }
    into.add(Role::option, keyword_option({K::definer, K::invoker}));
  }
  return found;
}

// NAME [=] one of the values, all keywords.
Node* Parser::keyword_option(std::initializer_list<Keyword> values) {
  Production made(*this, NodeKind::option, current().keyword);
  advance();
  accept(Symbol::equal);
  if (!is_one_of(values)) {
    fail();
  }
  made.add(Role::value, keyword_leaf());
  return made.done();
}

void Parser::if_exists(Production& of) {
  if (accept(K::if_)) {
    expect(K::exists);
    of.set(node_flag::if_exists);
  }
}

void Parser::if_not_exists(Production& of) {
  if (accept(K::if_)) {
    expect(K::not_, K::exists);
    of.set(node_flag::if_not_exists);
  }
}

Node* Parser::create() {
  Production made(*this, NodeKind::create);
  expect(K::create);
  bool replaces = accept(K::or_, K::replace);
  if (replaces) {
    made.set(node_flag::or_replace);
  }
  ObjectPrefix prefix = object_prefix(made);
  Keyword type = current().keyword;
  made.variant(type);
  switch (type) {
    case K::view:
      if (replaces && is_mysql() && next_is(K::if_)) {
        fail();
      }
      return view_statement(made, K::create);
    case K::json:
      return view_statement(made, K::create);
    case K::materialized:
      if (prefix.has_definer) {
        fail();
      }
      return view_statement(made, K::create);
    case K::procedure:
    case K::function:
    case K::aggregate:
    case K::trigger:
    case K::event:
    case K::package:
    case K::library:
      if (prefix.has_view_attribute || (replaces && is_mysql())) {
        fail();
      }
      return create_routine_trigger_or_event(made);
    default:
      break;
  }
  if (prefix.has_definer || prefix.has_view_attribute) {
    fail();
    return nullptr;
  }
  if (replaces && is_mysql() && !(type == K::spatial && next_is(K::reference))) {
    fail();
    return nullptr;
  }
  switch (type) {
    case K::user:
    case K::role:
    case K::resource:
      return create_account_object(made);
    default:
      return create_data_object(made);
  }
}

Node* Parser::alter() {
  Production made(*this, NodeKind::alter);
  expect(K::alter);
  ObjectPrefix prefix = object_prefix(made);
  Keyword type = current().keyword;
  made.variant(type);
  switch (type) {
    case K::view:
    case K::json:
    case K::materialized:
      return view_statement(made, K::alter);
    case K::event:
      if (prefix.has_view_attribute) {
        fail();
      }
      return alter_routine_or_event(made);
    default:
      break;
  }
  if (prefix.has_definer || prefix.has_view_attribute) {
    fail();
    return nullptr;
  }
  switch (type) {
    case K::procedure:
    case K::function:
    case K::library:
      return alter_routine_or_event(made);
    case K::user:
    case K::role:
    case K::resource:
    case K::instance:
      return alter_account_object(made);
    default:
      return alter_data_object(made);
  }
}

Node* Parser::drop() {
  Production made(*this, NodeKind::drop);
  expect(K::drop);
  made.variant(current().keyword);
  switch (current().keyword) {
    case K::procedure:
    case K::function:
    case K::trigger:
    case K::event:
    case K::package:
    case K::library:
    case K::prepare:
      return drop_program(made);
    case K::user:
    case K::role:
    case K::resource:
      return drop_account_object(made);
    default:
      return drop_data_object(made);
  }
}

// TABLE, INDEX, DATABASE and what else holds data or is part of what does.
Node* Parser::create_data_object(Production& made) {
  switch (current().keyword) {
    case K::table:
      return create_table(made);
    case K::temporary:
      advance();
      made.set(node_flag::temporary);
      return is(K::sequence) && is_mariadb() ? sequence_statement(made, K::create) : create_table(made);
    case K::database:
    case K::schema:
      return create_database(made);
    case K::index:
    case K::unique:
    case K::fulltext:
      return create_index(made);
    case K::spatial:
      return is_mysql() && next_is(K::reference) ? reference_system_statement(made, K::create) : create_index(made);
    case K::server:
      return server_statement(made, K::create);
    default:
      break;
  }
  if (is_mariadb()) {
    if (is(K::sequence)) {
      return sequence_statement(made, K::create);
    }
    if (is(K::vector)) {
      return create_index(made);
    }
    fail();
    return nullptr;
  }
  switch (current().keyword) {
    case K::external:
      if (!is_mysql_since(90000)) {
        fail();
      }
      advance();
      made.set(node_flag::external);
      return create_table(made);
    case K::tablespace:
    case K::undo:
    case K::logfile:
      return tablespace_statement(made, K::create);
    case K::masking:
      if (is_mysql_since(90000)) {
        return create_masking_policy(made);
      }
      fail();
      return nullptr;
    default:
      fail();
      return nullptr;
  }
}

Node* Parser::alter_data_object(Production& made) {
  switch (current().keyword) {
    case K::table:
      return alter_table(made);
    case K::online:
    case K::ignore:
      if (!is_mariadb()) {
        break;
      }
      if (is(K::online)) {
        made.add(Role::option, flag_option());
      }
      if (is(K::ignore)) {
        made.add(Role::option, flag_option());
      }
      return alter_table(made);
    case K::database:
    case K::schema:
      return alter_database(made);
    case K::server:
      return server_statement(made, K::alter);
    case K::sequence:
      if (is_mariadb()) {
        return sequence_statement(made, K::alter);
      }
      break;
    case K::tablespace:
    case K::undo:
    case K::logfile:
      if (is_mysql()) {
        return tablespace_statement(made, K::alter);
      }
      break;
    default:
      break;
  }
  fail();
  return nullptr;
}

Node* Parser::drop_data_object(Production& made) {
  if (accept(K::temporary)) {
    made.set(node_flag::temporary);
    made.variant(current().keyword);
    if (!is_one_of({K::table, K::tables}) && !(is(K::sequence) && is_mariadb())) {
      fail();
    }
  }
  switch (current().keyword) {
    case K::table:
    case K::tables:
      return drop_names(made, K::table);
    case K::view:
      return drop_names(made, K::view);
    case K::sequence:
      if (is_mariadb()) {
        return drop_names(made, K::sequence);
      }
      break;
    case K::database:
    case K::schema:
      made.variant(K::database);
      advance();
      if_exists(made);
      made.add(Role::name, local_name(K::database));
      return made.done();
    case K::index:
      return drop_index(made);
    case K::server:
      advance();
      if_exists(made);
      made.add(Role::name, server_name());
      return made.done();
    case K::masking:
      if (is_mysql_since(90000)) {
        advance();
        expect(K::policy);
        if_exists(made);
        made.add(Role::name, local_name(K::masking));
        return made.done();
      }
      break;
    case K::spatial:
    case K::tablespace:
    case K::undo:
    case K::logfile:
      if (is_mysql()) {
        return is(K::spatial) ? reference_system_statement(made, K::drop) : tablespace_statement(made, K::drop);
      }
      break;
    default:
      break;
  }
  fail();
  return nullptr;
}

// [IF EXISTS] a, b [WAIT 10 | NOWAIT] [RESTRICT | CASCADE]: the last two say nothing.
Node* Parser::drop_names(Production& made, Keyword type) {
  made.variant(type);
  advance();
  if_exists(made);
  comma_list(made, Role::name, [&] { return object_name(type); });
  if (type == K::table && is_mariadb()) {
    lock_wait(made);
  }
  if (type != K::sequence) {
    accept_one_of({K::restrict, K::cascade});
  }
  return made.done();
}

}  // namespace sallyport::sql
