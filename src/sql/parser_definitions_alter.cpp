// ALTER TABLE.
#include "sql/parser.h"

namespace sallyport::sql {

// TABLE [IF EXISTS] t [actions].
Node* Parser::alter_table(Production& made) {
  made.variant(K::table);
  expect(K::table);
  if (is_mariadb()) {
    if_exists(made);
  }
  made.add(Role::name, object_name(K::table));
  if (is_mariadb()) {
    lock_wait(made);
  }
  if (at_end()) {
    return made.done();
  }
  if (!is_partitioning()) {
    alter_actions(made);
  }
  if (is(K::remove) && next_is(K::partitioning)) {
    Production action(*this, NodeKind::alter_action, K::remove);
    expect(K::remove, K::partitioning);
    made.add(Role::action, action.done());
  } else if (is(K::partition)) {
    made.add(Role::partition_by, partitioning());
  }
  return made.done();
}

bool Parser::is_partitioning() {
  return is(K::partition) || (is(K::remove) && next_is(K::partitioning));
}

// MariaDB's WAIT 10 | NOWAIT.
void Parser::lock_wait(Production& into) {
  if (accept(K::wait)) {
    into.add(Role::wait, unsigned_number());
  } else if (is(K::nowait)) {
    into.add(Role::wait, keyword_leaf());
  }
}

// What stands alone may follow only how it is to be done.
void Parser::alter_actions(Production& into) {
  bool only_modifiers = true;
  do {
    if (only_modifiers && is_standalone_action()) {
      into.add(Role::action, standalone_action());
      return;
    }
    if (Node* modifier = alter_modifier()) {
      into.add(Role::option, modifier);
      only_modifiers = only_modifiers && is_mysql();
      continue;
    }
    only_modifiers = false;
    if (Node* option = table_option()) {
      into.add(Role::option, option);
      while (Node* another = table_option()) {
        into.add(Role::option, another);
      }
      continue;
    }
    into.add(Role::action, alter_action());
  } while (accept(Symbol::comma));
}

// ALGORITHM, LOCK, VALIDATION; nothing where none begins.
Node* Parser::alter_modifier() {
  if (is_one_of({K::algorithm, K::lock})) {
    return valued_option(OptionValue::word_or_default);
  }
  if (is_mysql() && is_one_of({K::with, K::without}) && next_is(K::validation)) {
    return validation();
  }
  return nullptr;
}

// WITH | WITHOUT VALIDATION.
Node* Parser::validation() {
  Production made(*this, NodeKind::option, K::validation);
  if (is(K::without)) {
    made.set(node_flag::negated);
  }
  expect_one_of({K::with, K::without});
  expect(K::validation);
  return made.done();
}

Node* Parser::alter_action() {
  Production made(*this, NodeKind::alter_action, current().keyword);
  switch (current().keyword) {
    case K::add:
      advance();
      return alter_add(made);
    case K::change:
    case K::modify: {
      bool renames = is(K::change);
      advance();
      accept(K::column);
      if (is_mariadb()) {
        if_exists(made);
      }
      if (renames) {
        column_name(made, Role::column);
      }
      made.add(Role::element, column_definition());
      column_place(made);
      return made.done();
    }
    case K::drop:
      advance();
      return alter_drop(made);
    case K::alter:
      advance();
      return alter_alter(made);
    case K::rename:
      advance();
      return alter_rename(made);
    case K::enable:
    case K::disable:
      advance();
      expect(K::keys);
      return made.done();
    case K::force:
      advance();
      return made.done();
    case K::convert:
      advance();
      expect(K::to);
      return convert_charset(made);
    case K::order:
      advance();
      expect(K::by);
      comma_list(made, Role::element, [&] {
        Production item(*this, NodeKind::order_item);
        item.add(Role::operand, column_reference());
        if (is_one_of({K::asc, K::desc})) {
          item.variant(current().keyword);
          advance();
        }
        return item.done();
      });
      return made.done();
    default:
      fail();
      return nullptr;
  }
}

Node* Parser::alter_add(Production& made) {
  if (is_mariadb() && is(K::system) && next_is(K::versioning)) {
    advance();
    made.add(Role::option, flag_option());
    return made.done();
  }
  if (is_mariadb() && is(K::period) && (next_is(K::for_) || next_is(K::if_))) {
    made.add(Role::element, period_definition());
    return made.done();
  }
  bool is_column = accept(K::column);
  if (is_mariadb()) {
    if_not_exists(made);
  }
  if (accept(Symbol::parenthesis_open)) {
    comma_list(made, Role::element, [&] { return table_element(); });
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  Node* element = is_column ? column_definition() : table_element();
  made.add(Role::element, element);
  if (element != nullptr && element->is(NodeKind::column_definition)) {
    column_place(made);
  }
  return made.done();
}

// [FIRST | AFTER a].
void Parser::column_place(Production& into) {
  if (is(K::first)) {
    into.add(Role::position, keyword_leaf());
  } else if (accept(K::after)) {
    into.add(Role::position, identifier_leaf());
  }
}

// DROP, of a column where nothing else is said.
Node* Parser::alter_drop(Production& made) {
  Keyword type = K::column;
  switch (current().keyword) {
    case K::primary:
      made.add(Role::target, keyword_leaf());
      expect(K::key);
      return made.done();
    case K::system:
      if (is_mariadb() && next_is(K::versioning)) {
        advance();
        made.add(Role::target, keyword_leaf());
        return made.done();
      }
      break;
    case K::period:
      if (is_mariadb() && (next_is(K::for_) || next_is(K::if_))) {
        Production period(*this, NodeKind::period_definition);
        advance();
        if_exists(made);
        expect(K::for_);
        period.add(Role::name, period_name());
        made.add(Role::target, period.done());
        return made.done();
      }
      break;
    case K::foreign:
      advance();
      type = K::foreign;
      expect(K::key);
      break;
    case K::key:
    case K::index:
      type = K::index;
      advance();
      break;
    case K::check:
      if (!is_mysql_since(80016)) {
        fail();
      }
      type = K::check;
      advance();
      break;
    case K::constraint:
      type = K::constraint;
      advance();
      if (is_mariadb() && is(K::primary)) {
        made.add(Role::target, keyword_leaf());
        expect(K::key);
        return made.done();
      }
      break;
    default:
      accept(K::column);
  }
  if (is_mariadb()) {
    if_exists(made);
  }
  made.add(Role::target, local_name(type));
  if (type == K::column) {
    accept_one_of({K::restrict, K::cascade});
  }
  return made.done();
}

// ALTER [COLUMN] a SET DEFAULT x | DROP DEFAULT, ALTER INDEX i IGNORED, ALTER CHECK c NOT ENFORCED.
Node* Parser::alter_alter(Production& made) {
  if (is(K::index) || (is(K::key) && is_mariadb())) {
    advance();
    if (is_mariadb()) {
      if_exists(made);
    }
    made.add(Role::target, local_name(K::index));
    if (is_mysql() ? is_one_of({K::visible, K::invisible}) : is_one_of({K::ignored, K::not_})) {
      made.add(Role::option, index_option(K::index));
      return made.done();
    }
    fail();
    return nullptr;
  }
  if (is_mysql_since(80016) && is_one_of({K::check, K::constraint})) {
    Keyword type = current().keyword;
    advance();
    made.add(Role::target, local_name(type));
    if (accept(K::not_)) {
      made.set(node_flag::not_enforced);
    }
    expect(K::enforced);
    return made.done();
  }
  accept(K::column);
  if (is_mariadb()) {
    if_exists(made);
  }
  made.add(Role::target, local_name(K::column));
  if (is(K::drop)) {
    made.add(Role::action, keyword_leaf());
    if (is_mysql_since(90000) && is(K::masking)) {
      made.add(Role::option, flag_option());
      expect(K::policy);
    } else {
      expect(K::default_);
    }
    return made.done();
  }
  expect(K::set);
  if (is_mysql_since(90000) && is(K::masking)) {
    made.add(Role::option, masking_policy());
    return made.done();
  }
  if (accept(K::default_)) {
    bool is_function =
        is_mysql() && !is(Symbol::parenthesis_open) && !is(Symbol::minus) && !is(Symbol::plus) && !is_literal();
    if (is_function && !is_one_of({K::date, K::time, K::timestamp})) {
      fail();
    }
    made.add(Role::value, column_default());
    return made.done();
  }
  if (is_mysql_since(80023) && is_one_of({K::visible, K::invisible})) {
    made.add(Role::option, flag_option());
    return made.done();
  }
  fail();
  return nullptr;
}

// RENAME COLUMN a TO b, RENAME INDEX a TO b, RENAME [TO | AS | =] t.
Node* Parser::alter_rename(Production& made) {
  if (is_one_of({K::column, K::index, K::key})) {
    Keyword type = is(K::column) ? K::column : K::index;
    advance();
    if (is_mariadb()) {
      if_exists(made);
    }
    made.add(Role::target, local_name(type));
    expect(K::to);
    made.add(Role::into, local_name(type));
    return made.done();
  }
  if (!accept_one_of({K::to, K::as})) {
    accept(Symbol::equal);
  }
  made.add(Role::into, object_name(K::table));
  return made.done();
}

// CONVERT TO CHARACTER SET x [COLLATE x].
Node* Parser::convert_charset(Production& made) {
  if (!accept(K::charset)) {
    expect_one_of({K::character, K::char_});
    expect(K::set);
  }
  made.add(Role::charset, is(K::default_) ? keyword_leaf() : charset_name());
  if (accept(K::collate)) {
    made.add(Role::collation, is(K::default_) && is_mariadb() ? keyword_leaf() : collation_name());
  }
  return made.done();
}

}  // namespace sallyport::sql
