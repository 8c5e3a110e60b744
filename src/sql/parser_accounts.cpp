// Users, roles, resource groups and the instance: what CREATE, ALTER, DROP and RENAME do with them.
#include <limits>

#include "sql/parser.h"

namespace sallyport::sql {

// One token: the servers join adjacent texts in expressions only.
// r; MySQL's r@h; MariaDB's CURRENT_ROLE.
Node* Parser::role_name() {
  if (is_mariadb() && is(K::current_role)) {
    return account();
  }
  if (is_identifier() && is(TokenKind::word) && (name_use() & name_use::no_role) != 0) {
    fail();
    return nullptr;
  }
  if (is(K::current_user)) {
    fail();
    return nullptr;
  }
  if (is_mysql()) {
    return account();
  }
  Production made(*this, NodeKind::account);
  made.add(Role::name, identifier_or_text());
  return made.done();
}

// USER | ROLE | RESOURCE GROUP, behind CREATE.
Node* Parser::create_account_object(Production& made) {
  if (accept(K::resource)) {
    return resource_group(made, K::create);
  }
  bool is_role = is(K::role);
  advance();
  if_not_exists(made);
  if (is_role) {
    comma_list(made, Role::role, [&] { return role_name(); });
    if (is_mariadb() && accept(K::with)) {
      expect(K::admin);
      made.add(Role::user, account());
    }
    return made.done();
  }
  comma_list(made, Role::user, [&] { return user_specification(); });
  if (is_mysql() && accept(K::default_)) {
    Production roles(*this, NodeKind::option, K::role);
    expect(K::role);
    comma_list(roles, Role::role, [&] { return role_name(); });
    made.add(Role::option, roles.done());
  }
  account_options(made);
  return made.done();
}

Node* Parser::alter_account_object(Production& made) {
  if (is(K::instance)) {
    return alter_instance(made);
  }
  if (accept(K::resource)) {
    return resource_group(made, K::alter);
  }
  if (is(K::role)) {
    fail();
    return nullptr;
  }
  advance();
  if_exists(made);
  if (is_mysql() && is(K::user) && next_is(Symbol::parenthesis_open)) {  // USER(): oneself
    made.add(Role::user, altered_user());
    return made.done();
  }
  Node* first = altered_user();
  made.add(Role::user, first);
  bool is_bare = first != nullptr && first->first != nullptr && first->first->next == nullptr;
  if (is_mysql() && is_bare && accept(K::default_)) {
    Production roles(*this, NodeKind::option, K::role);
    expect(K::role);
    if (is_one_of({K::none, K::all})) {
      roles.add(Role::role, keyword_leaf());
    } else {
      comma_list(roles, Role::role, [&] { return role_name(); });
    }
    made.add(Role::option, roles.done());
    return made.done();
  }
  if (accept(Symbol::comma)) {
    comma_list(made, Role::user, [&] { return altered_user(); });
  }
  account_options(made);
  return made.done();
}

Node* Parser::drop_account_object(Production& made) {
  if (accept(K::resource)) {
    return resource_group(made, K::drop);
  }
  bool is_role = is(K::role);
  advance();
  if_exists(made);
  if (is_role) {
    comma_list(made, Role::role, [&] { return role_name(); });
  } else {
    comma_list(made, Role::user, [&] { return account(); });
  }
  return made.done();
}

// RENAME USER a TO b, ...: pairs.
Node* Parser::rename_user() {
  Production made(*this, NodeKind::rename_user);
  expect(K::rename, K::user);
  do {
    made.add(Role::user, account());
    expect(K::to);
    made.add(Role::target, account());
  } while (accept(Symbol::comma));
  return made.done();
}

// account [IDENTIFIED ...], of CREATE USER and GRANT.
Node* Parser::user_specification() {
  Production made(*this, NodeKind::user_specification);
  made.add(Role::user, account());
  if (!is(K::identified)) {
    return made.done();
  }
  if (is_mariadb()) {
    mariadb_authentication(made);
    return made.done();
  }
  made.add(Role::authentication, authentication());
  if (accept(K::initial)) {
    expect(K::authentication);
    Node* initial = authentication();
    made.add(Role::initial, initial);
    return made.done();
  }
  for (int factors = 1; factors < 3 && is_mysql_since(80027) && accept(K::and_); ++factors) {
    made.add(Role::authentication, authentication());
  }
  return made.done();
}

// IDENTIFIED BY 'x' | BY PASSWORD 'hash' | VIA plugin [USING 'hash' | USING PASSWORD('x')] [OR plugin ...].
void Parser::mariadb_authentication(Production& into) {
  expect(K::identified);
  if (accept(K::by)) {
    Production made(*this, NodeKind::authentication, is(K::password) ? K::as : K::by);
    accept(K::password);
    made.add(Role::secret, text_token());
    into.add(Role::authentication, made.done());
    return;
  }
  expect_one_of({K::via, K::with});
  do {
    Production made(*this, NodeKind::authentication, K::no_keyword);
    made.add(Role::plugin, identifier_or_text());
    if (accept_one_of({K::using_, K::as})) {
      if (accept(K::password)) {
        made.variant(K::by);
        expect(Symbol::parenthesis_open);
        made.add(Role::secret, text_token());
        expect(Symbol::parenthesis_close);
      } else {
        made.variant(K::as);
        made.add(Role::secret, text_token());
      }
    }
    into.add(Role::authentication, made.done());
  } while (accept(K::or_));
}

// MySQL's IDENTIFIED BY 'x' | BY RANDOM PASSWORD | WITH plugin [BY ... | AS 'hash']. The variant says what the secret
// is: BY, AS, RANDOM, or none.
Node* Parser::authentication() {
  Production made(*this, NodeKind::authentication, K::no_keyword);
  expect(K::identified);
  if (accept(K::with)) {
    made.add(Role::plugin, identifier_or_text());
  } else if (!is(K::by)) {
    fail();
  }
  if (accept(K::by)) {
    if (accept(K::random, K::password)) {
      made.variant(K::random);
    } else {
      made.variant(K::by);
      made.add(Role::secret, text_token());
    }
  } else if (accept(K::as)) {
    made.variant(K::as);
    made.add(Role::secret, is(TokenKind::hexadecimal) ? literal() : text_token());
  }
  return made.done();
}

// MySQL's [REPLACE 'current'] [RETAIN CURRENT PASSWORD].
void Parser::current_password(Production& into) {
  if (is_mysql() && is(K::replace)) {
    Production old(*this, NodeKind::option, K::replace);
    advance();
    old.add(Role::secret, text_token());
    into.add(Role::option, old.done());
  }
  if (is_mysql() && is(K::retain)) {
    Production retained(*this, NodeKind::option, K::retain);
    advance();
    expect(K::current, K::password);
    into.add(Role::option, retained.done());
  }
}

// One account of ALTER USER.
Node* Parser::altered_user() {
  Production made(*this, NodeKind::user_specification);
  bool is_oneself = is_mysql() && is(K::user) && next_is(Symbol::parenthesis_open);
  if (is_oneself) {
    Production self(*this, NodeKind::account, K::current_user);
    self.add(Role::special, keyword_leaf());
    expect(Symbol::parenthesis_open);
    expect(Symbol::parenthesis_close);
    made.add(Role::user, self.done());
  } else {
    made.add(Role::user, account());
  }
  if (is_mariadb()) {
    if (is(K::identified)) {
      mariadb_authentication(made);
    }
    return made.done();
  }
  switch (current().keyword) {
    case K::identified: {
      if (is_oneself && next_is(K::with)) {
        fail();
      }
      Node* by = authentication();
      made.add(Role::authentication, by);
      if (by != nullptr && is(K::replace) && by->keyword() != K::by && by->keyword() != K::random) {
        fail();
      }
      current_password(made);
      for (int factors = 1; factors < 3 && is_mysql_since(80027) && accept(K::and_); ++factors) {
        made.add(Role::authentication, authentication());
      }
      break;
    }
    case K::discard: {
      Production discarded(*this, NodeKind::option, K::discard);
      advance();
      expect(K::old, K::password);
      made.add(Role::option, discarded.done());
      break;
    }
    case K::add:
    case K::modify:
    case K::drop:
      factor_changes(made);
      break;
    default:
      if (is(TokenKind::integer)) {
        made.add(Role::option, factor_registration());
      } else if (is_oneself) {
        fail();
      }
  }
  return made.done();
}

// ADD 2 FACTOR IDENTIFIED ..., MODIFY 2 FACTOR IDENTIFIED ..., DROP 2 FACTOR, at most two of one kind.
void Parser::factor_changes(Production& into) {
  Keyword change = current().keyword;
  for (int factors = 0; factors < 2 && is(change); ++factors) {
    Production made(*this, NodeKind::factor, change);
    advance();
    made.add(Role::count, unsigned_number());
    expect(K::factor);
    if (change != K::drop) {
      made.add(Role::authentication, authentication());
    }
    into.add(Role::option, made.done());
  }
}

// 2 FACTOR INITIATE REGISTRATION | UNREGISTER | FINISH REGISTRATION SET CHALLENGE_RESPONSE AS 'x'.
Node* Parser::factor_registration() {
  Production made(*this, NodeKind::factor);
  made.add(Role::count, unsigned_number());
  expect(K::factor);
  made.variant(current().keyword);
  if (accept(K::unregister)) {
    return made.done();
  }
  if (accept(K::initiate)) {
    expect(K::registration);
    return made.done();
  }
  expect(K::finish, K::registration);
  expect(K::set, K::challenge_response);
  expect(K::as);
  made.add(Role::secret, text_token());
  return made.done();
}

// [REQUIRE ...] [WITH limits] [PASSWORD and ACCOUNT options] [COMMENT | ATTRIBUTE].
void Parser::account_options(Production& into) {
  require_clause(into);
  if (accept(K::with)) {
    do {
      into.add(Role::option, resource_limit());
    } while (is_resource_limit());
  }
  bool has_password = false;
  bool has_account = false;
  while (is_one_of({K::password, K::account, K::failed_login_attempts, K::password_lock_time})) {
    bool& seen = is(K::account) ? has_account : has_password;
    if (is_mariadb() && seen) {
      fail();
    }
    seen = true;
    into.add(Role::option, password_option());
  }
  if (is_mysql_since(80021) && is_one_of({K::comment, K::attribute})) {
    Production made(*this, NodeKind::option, current().keyword);
    advance();
    made.add(Role::value, text_token());
    into.add(Role::option, made.done());
  }
}

// REQUIRE NONE | SSL | X509 | SUBJECT 'x' [AND] ISSUER 'x' [AND] CIPHER 'x'.
void Parser::require_clause(Production& into) {
  if (!is(K::require)) {
    return;
  }
  Production made(*this, NodeKind::option, K::require);
  advance();
  if (is_one_of({K::none, K::ssl, K::x509})) {
    made.add(Role::value, keyword_leaf());
  } else {
    do {
      Production part(*this, NodeKind::option, current().keyword);
      expect_one_of({K::subject, K::issuer, K::cipher});
      part.add(Role::value, text_token());
      made.add(Role::option, part.done());
      accept(K::and_);
    } while (is_one_of({K::subject, K::issuer, K::cipher}));
  }
  into.add(Role::option, made.done());
}

bool Parser::is_resource_limit() const {
  return is_one_of({K::max_queries_per_hour, K::max_updates_per_hour, K::max_connections_per_hour,
                    K::max_user_connections}) ||
         (is_mariadb() && is(K::max_statement_time));
}

// MAX_QUERIES_PER_HOUR 1 and the like.
Node* Parser::resource_limit() {
  Production made(*this, NodeKind::option, current().keyword);
  if (!is_resource_limit()) {
    fail();
  }
  bool may_be_negative = is_mariadb() && is(K::max_user_connections);
  advance();
  made.add(Role::value, may_be_negative ? signed_number() : unsigned_number());
  return made.done();
}

Node* Parser::password_option() {
  Production made(*this, NodeKind::option, current().keyword);
  if (accept(K::account)) {
    made.variant(current().keyword);
    expect_one_of({K::lock, K::unlock});
    return made.done();
  }
  if (is_mysql() && accept(K::failed_login_attempts)) {
    made.add(Role::value, unsigned_number());
    return made.done();
  }
  if (is_mysql() && accept(K::password_lock_time)) {
    made.add(Role::value, is(K::unbounded) ? keyword_leaf() : unsigned_number());
    return made.done();
  }
  expect(K::password);
  made.variant(current().keyword);
  auto days = [&] {
    expect(K::interval);
    made.add(Role::value, number_within(0, std::numeric_limits<std::uint64_t>::max()));
    expect(K::day);
  };
  if (accept(K::expire)) {
    if (is_one_of({K::default_, K::never})) {
      made.add(Role::value, keyword_leaf());
    } else if (is(K::interval)) {
      days();
    }
    return made.done();
  }
  if (is_mariadb()) {
    fail();
  }
  if (accept(K::history)) {
    made.add(Role::value, is(K::default_) ? keyword_leaf() : unsigned_number());
  } else if (accept(K::reuse)) {
    expect(K::interval);
    if (is(K::default_)) {
      made.add(Role::value, keyword_leaf());
    } else {
      made.add(Role::value, unsigned_number());
      expect(K::day);
    }
  } else {
    expect(K::require, K::current);
    if (is_one_of({K::default_, K::optional})) {
      made.add(Role::value, keyword_leaf());
    }
  }
  return made.done();
}

}  // namespace sallyport::sql
