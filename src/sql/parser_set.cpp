// SET of every kind.
#include "sql/parser.h"

namespace sallyport::sql {

Node* Parser::set_statement() {
  Production made(*this, NodeKind::set);
  expect(K::set);
  Node* lone = lone_set_item();
  if (lone != nullptr || failed()) {
    made.add(Role::item, lone);
    return made.done();
  }
  comma_list(made, Role::item, [&] { return set_item(); });
  return made.done();
}

// What stands in no list with others; null when it is none of these.
Node* Parser::lone_set_item() {
  if (is(K::transaction) && !is_assigned()) {
    return set_transaction();
  }
  if (is_one_of({K::global, K::session, K::local}) && next_is(K::transaction) && peek(2).keyword != K::no_keyword) {
    return set_transaction();
  }
  if (is_mariadb()) {
    return nullptr;
  }
  if (is(K::password)) {
    return set_password();
  }
  if ((is(K::role) && !is_assigned()) || (is(K::default_) && next_is(K::role))) {
    return set_role();
  }
  if (is(K::resource) && next_is(K::group)) {
    return set_resource_group();
  }
  return nullptr;
}

// One element of the list: a variable, NAMES, CHARACTER SET; MariaDB's ROLE, DEFAULT ROLE and PASSWORD.
Node* Parser::set_item() {
  if (is(K::names)) {
    return set_names();
  }
  if (is(K::charset) || (is_one_of({K::char_, K::character}) && next_is(K::set))) {
    Production made(*this, NodeKind::set_charset);
    if (!accept(K::charset)) {
      advance();
      advance();
    }
    made.add(Role::charset, is(K::default_) ? keyword_leaf() : charset_name());
    return made.done();
  }
  if (is_mariadb()) {
    if ((is(K::role) && !is_assigned()) || (is(K::default_) && next_is(K::role))) {
      return set_role();
    }
    if (is(K::password)) {
      return set_password();
    }
  }
  return set_assignment();
}

// The token behind the current one is "=" or ":=".
bool Parser::is_assigned() {
  return next_is(Symbol::equal) || next_is(Symbol::assign);
}

void Parser::expect_assign() {
  if (!accept(Symbol::equal)) {
    expect(Symbol::assign);
  }
}

// One variable: [GLOBAL] x = 1, @@global.x = 1, @x = 1, NEW.x = 1. A scope that is a word of its own is a child of the
// assignment: by MySQL's manual it holds for those behind it, too, and one that is part of the name does not.
Node* Parser::set_assignment() {
  Production made(*this, NodeKind::variable_assignment);
  if (is(Symbol::at)) {
    Node* target = variable();
    made.add(Role::target, target);
    expect_assign();
    bool of_server = target != nullptr && target->is(NodeKind::system_variable);
    made.add(Role::value, of_server ? variable_value() : expression());
    return made.done();
  }
  bool is_scope =
      is_one_of({K::global, K::session, K::local}) || (is_mysql() && is_one_of({K::persist, K::persist_only}));
  if (is_scope && (is_mysql() || (!is_assigned() && !next_is(Symbol::dot)))) {
    made.variant(current().keyword == K::local ? K::session : current().keyword);
    made.add(Role::scope, keyword_leaf());
  }
  made.add(Role::target, variable_name());
  expect_assign();
  made.add(Role::value, variable_value());
  return made.done();
}

// x, x.y, DEFAULT.x: of a stored program, of a row's column in a trigger, or of the server.
Node* Parser::variable_name() {
  Production made(*this, NodeKind::variable_name);
  // Before a dot the lexer gives a name, and MySQL refuses these there all the same.
  Keyword written = is(TokenKind::quoted_name) ? K::no_keyword : find_keyword(text_of_current());
  bool is_scope = written == K::global || written == K::session || written == K::local || written == K::persist ||
                  written == K::persist_only;
  if (is_mysql() && is_scope) {
    fail();
  }
  Node* first = is(K::default_) && next_is(Symbol::dot) ? keyword_leaf() : identifier_leaf();
  if (accept(Symbol::dot)) {
    made.add(Role::qualifier, first);
    first = identifier_behind_dot();
  }
  made.add(Role::name, first);
  return made.done();
}

// An expression, or a word that is none.
Node* Parser::variable_value() {
  if (is_one_of({K::default_, K::row}) && next_is(Symbol::parenthesis_open)) {
    return expression();
  }
  if (is_one_of({K::default_, K::on, K::all, K::row})) {
    return keyword_leaf();
  }
  if (is_one_of({K::binary, K::system})) {
    bool is_last = next_is(Symbol::comma) || next_is(Symbol::semicolon) || next_is(K::for_) ||
                   peek(1).token.kind == TokenKind::end;
    if (is_last) {
      return keyword_leaf();
    }
  }
  return expression();
}

// NAMES x [COLLATE y].
Node* Parser::set_names() {
  Production made(*this, NodeKind::set_names);
  expect(K::names);
  bool by_default = is(K::default_);
  made.add(Role::charset, by_default ? keyword_leaf() : charset_name());
  if ((is_mariadb() || !by_default) && accept(K::collate)) {
    made.add(Role::collation, is(K::default_) && is_mariadb() ? keyword_leaf() : collation_name());
  }
  return made.done();
}

// [GLOBAL | SESSION] TRANSACTION ISOLATION LEVEL x, READ ONLY.
Node* Parser::set_transaction() {
  Production made(*this, NodeKind::set_transaction, K::no_keyword);
  if (!is(K::transaction)) {
    made.variant(is(K::global) ? K::global : K::session);
    made.add(Role::scope, keyword_leaf());
  }
  expect(K::transaction);
  bool has_level = false;
  bool has_access = false;
  do {
    if (is(K::isolation) && !has_level) {
      has_level = true;
      advance();
      expect(K::level);
      made.add(Role::level, isolation_level());
    } else if (is(K::read) && !has_access) {
      has_access = true;
      advance();
      if (!is(K::write) && !is(K::only)) {
        fail();
      }
      made.add(Role::option, keyword_leaf());
    } else {
      fail();
    }
  } while (accept(Symbol::comma));
  return made.done();
}

// Its last word is the variant: READ is of REPEATABLE READ.
Node* Parser::isolation_level() {
  Production made(*this, NodeKind::option, current().keyword);
  if (accept(K::repeatable)) {
    expect(K::read);
    made.variant(K::repeatable);
  } else if (accept(K::read)) {
    made.variant(current().keyword);
    expect_one_of({K::committed, K::uncommitted});
  } else {
    expect(K::serializable);
  }
  return made.done();
}

// PASSWORD [FOR account] = 'x'; MySQL's TO RANDOM, REPLACE and RETAIN; MariaDB's PASSWORD('x').
Node* Parser::set_password() {
  Production made(*this, NodeKind::set_password, K::no_keyword);
  expect(K::password);
  if (accept(K::for_)) {
    made.add(Role::user, account());
  }
  if (is_mysql_since(80018) && accept(K::to)) {
    made.variant(K::random);
    expect(K::random);
    current_password(made);
    return made.done();
  }
  expect_assign();
  if (is_mariadb() && is_one_of({K::password, K::old_password})) {
    made.variant(current().keyword);
    advance();
    expect(Symbol::parenthesis_open);
    made.add(Role::secret, text_token());
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  made.add(Role::secret, text_token());
  current_password(made);
  return made.done();
}

// ROLE r | NONE; MySQL's lists, ALL EXCEPT and DEFAULT ROLE ... TO; MariaDB's DEFAULT ROLE r FOR u.
Node* Parser::set_role() {
  bool is_default = is(K::default_);
  Production made(*this, is_default ? NodeKind::set_default_role : NodeKind::set_role);
  accept(K::default_);
  expect(K::role);
  if (is_mariadb()) {
    made.add(Role::role, is(K::none) ? keyword_leaf() : role_name());
    if (is_default && accept(K::for_)) {
      made.add(Role::user, account());
    }
    return made.done();
  }
  if (is_default) {
    if (is_one_of({K::none, K::all})) {
      made.add(Role::role, keyword_leaf());
    } else {
      comma_list(made, Role::role, [&] { return role_name(); });
    }
    expect(K::to);
    comma_list(made, Role::user, [&] { return account(); });
    return made.done();
  }
  active_roles(made);
  return made.done();
}

// NONE | DEFAULT | ALL [EXCEPT r, s] | r, s.
void Parser::active_roles(Production& into) {
  if (!is_one_of({K::none, K::default_, K::all})) {
    comma_list(into, Role::role, [&] { return role_name(); });
    return;
  }
  bool all = is(K::all);
  into.add(Role::role, keyword_leaf());
  if (all && accept(K::except)) {
    comma_list(into, Role::exclude, [&] { return role_name(); });
  }
}

// RESOURCE GROUP g [FOR 1, 2].
Node* Parser::set_resource_group() {
  Production made(*this, NodeKind::set_resource_group);
  expect(K::resource, K::group);
  made.add(Role::name, identifier_leaf());
  if (accept(K::for_)) {
    do {
      made.add(Role::connection, unsigned_number());
    } while (accept(Symbol::comma) || is(TokenKind::integer));
  }
  return made.done();
}

}  // namespace sallyport::sql
