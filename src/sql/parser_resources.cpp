// MySQL's resource groups and its instance.
#include "sql/parser.h"

namespace sallyport::sql {

// GROUP g ..., of CREATE, ALTER and DROP.
Node* Parser::resource_group(Production& made, Keyword verb) {
  if (is_mariadb()) {
    fail();
    return nullptr;
  }
  expect(K::group);
  made.add(Role::name, identifier_leaf());
  if (verb == K::create) {
    made.add(Role::option, keyword_option_of(K::type, {K::user, K::system}));
  }
  if (verb != K::drop) {
    if (is(K::vcpu)) {
      made.add(Role::option, cpu_list());
    }
    if (is(K::thread_priority)) {
      Production priority(*this, NodeKind::option, K::thread_priority);
      advance();
      accept(Symbol::equal);
      priority.add(Role::value, signed_number());
      made.add(Role::option, priority.done());
    }
    if (is_one_of({K::enable, K::disable})) {
      made.add(Role::option, keyword_leaf());
    }
  }
  if (verb != K::create && is(K::force)) {
    made.add(Role::option, keyword_leaf());
  }
  return made.done();
}

Node* Parser::keyword_option_of(Keyword name, std::initializer_list<Keyword> values) {
  if (!is(name)) {
    fail();
    return nullptr;
  }
  return keyword_option(values);
}

// VCPU = 0-3, 5.
Node* Parser::cpu_list() {
  Production made(*this, NodeKind::option, K::vcpu);
  advance();
  accept(Symbol::equal);
  do {
    Production range(*this, NodeKind::between);
    range.add(Role::low, unsigned_number());
    if (accept(Symbol::minus)) {
      range.add(Role::high, unsigned_number());
    }
    made.add(Role::element, range.done());
  } while (accept(Symbol::comma) || is(TokenKind::integer));
  return made.done();
}

// ALTER INSTANCE ROTATE x MASTER KEY | RELOAD TLS | RELOAD KEYRING | ENABLE INNODB REDO_LOG.
Node* Parser::alter_instance(Production& made) {
  if (is_mariadb()) {
    fail();
  }
  expect(K::instance);
  Production action(*this, NodeKind::option, current().keyword);
  if (accept(K::rotate)) {
    if (!is(K::binlog) && !is_word("INNODB")) {
      fail();
    }
    action.add(Role::name, identifier_leaf());
    expect(K::master, K::key);
  } else if (accept(K::reload)) {
    if (accept(K::keyring)) {
      action.variant(K::keyring);
    } else {
      action.variant(K::tls);
      expect(K::tls);
      if (accept(K::for_)) {
        expect(K::channel);
        action.add(Role::channel, identifier_leaf());
      }
      if (is(K::no)) {
        advance();
        action.add(Role::option, keyword_leaf());
        expect(K::on, K::error);
      }
    }
  } else {
    expect_one_of({K::enable, K::disable});
    if (!is_word("INNODB")) {
      fail();
    }
    action.add(Role::name, identifier_leaf());
    if (!is_word("REDO_LOG")) {
      fail();
    }
    action.add(Role::part, identifier_leaf());
  }
  made.add(Role::option, action.done());
  return made.done();
}

}  // namespace sallyport::sql
