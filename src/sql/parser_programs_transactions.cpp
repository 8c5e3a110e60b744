// Transactions, XA, locks on tables, prepared statements, SET STATEMENT.
#include <limits>

#include "sql/parser.h"

namespace sallyport::sql {
namespace {

// Of each part of a transaction's name. Source: "XA Transaction SQL Statements", MySQL's manual.
constexpr std::size_t transaction_name_bytes_max = 64;

// At least so many bytes has the value of 'x', x'00' or 0x00, in the text's own character set.
std::size_t value_bytes(TokenKind kind, std::string_view token) {
  switch (kind) {
    case TokenKind::hexadecimal:
      return (token.size() - 2) / 2;
    case TokenKind::text: {
      std::size_t bytes = 0;
      for (std::size_t at = 1; at + 1 < token.size(); ++at) {
        at += token[at] == '\\' || token[at] == token[0] ? std::size_t{1} : std::size_t{0};
        ++bytes;
      }
      return bytes;
    }
    default:
      return 0;
  }
}

}  // namespace

// Several words that say one thing: `meaning`.
Node* Parser::keyword_phrase(Keyword meaning, std::initializer_list<Keyword> words) {
  Production made(*this, NodeKind::keyword, meaning);
  for (Keyword word : words) {
    expect(word);
  }
  return made.done();
}

// START TRANSACTION [WITH CONSISTENT SNAPSHOT, READ ONLY | READ WRITE].
Node* Parser::start_transaction() {
  Production made(*this, NodeKind::transaction, K::start);
  expect(K::start, K::transaction);
  if (!is_one_of({K::with, K::read})) {
    return made.done();
  }
  Keyword access = K::no_keyword;
  comma_list(made, Role::option, [&] {
    if (is(K::with)) {
      return keyword_phrase(K::consistent, {K::with, K::consistent, K::snapshot});
    }
    Keyword asked = next_is(K::only) ? K::only : K::write;
    if (access != K::no_keyword && access != asked) {
      fail();
    }
    access = asked;
    return keyword_phrase(asked, {K::read, asked});
  });
  return made.done();
}

// COMMIT and ROLLBACK, [WORK] [AND [NO] CHAIN] [[NO] RELEASE] or ROLLBACK TO a savepoint.
Node* Parser::end_transaction() {
  Production made(*this, NodeKind::transaction, current().keyword);
  bool rolls_back = is(K::rollback);
  advance();
  accept(K::work);
  if (rolls_back && accept(K::to)) {
    accept(K::savepoint);
    made.add(Role::name, identifier_leaf());
    return made.done();
  }
  bool chains = false;
  if (accept(K::and_)) {
    Production chain(*this, NodeKind::option, K::chain);
    chains = !accept(K::no);
    if (!chains) {
      chain.set(node_flag::negated);
    }
    expect(K::chain);
    made.add(Role::option, chain.done());
  }
  if (is(K::no) || (is(K::release) && !chains)) {
    Production release(*this, NodeKind::option, K::release);
    if (accept(K::no)) {
      release.set(node_flag::negated);
    }
    expect(K::release);
    made.add(Role::option, release.done());
  }
  return made.done();
}

// SAVEPOINT a, RELEASE SAVEPOINT a.
Node* Parser::savepoint() {
  Production made(*this, NodeKind::transaction, current().keyword);
  accept(K::release);
  expect(K::savepoint);
  made.add(Role::name, identifier_leaf());
  return made.done();
}

Node* Parser::xa() {
  Production made(*this, NodeKind::xa);
  expect(K::xa);
  Keyword action = is(K::begin) ? K::start : current().keyword;
  made.variant(action);
  expect_one_of({K::start, K::begin, K::end, K::prepare, K::commit, K::rollback, K::recover});
  if (action == K::recover) {
    if (is_mysql() && is(K::convert)) {
      made.add(Role::option, keyword_phrase(K::convert, {K::convert, K::xid}));
    } else if (is_mariadb() && accept(K::format)) {
      expect(Symbol::equal);
      made.add(Role::format, single_text());
    }
    return made.done();
  }
  transaction_identifier(made);
  if (action == K::start && is_one_of({K::join, K::resume})) {
    made.add(Role::option, keyword_leaf());
  } else if (action == K::end && is(K::suspend)) {
    made.add(Role::option,
             next_is(K::for_) ? keyword_phrase(K::migrate, {K::suspend, K::for_, K::migrate}) : keyword_leaf());
  } else if (action == K::commit && is(K::one)) {
    made.add(Role::option, keyword_phrase(K::one, {K::one, K::phase}));
  }
  return made.done();
}

// 'global', 'branch', 1.
void Parser::transaction_identifier(Production& into) {
  auto text = [&] {
    if (value_bytes(current().token.kind, text_of_current()) > transaction_name_bytes_max) {
      fail();
    }
    return is(TokenKind::hexadecimal) || is(TokenKind::bits) ? literal() : single_text();
  };
  into.add(Role::argument, text());
  if (accept(Symbol::comma)) {
    into.add(Role::argument, text());
    if (accept(Symbol::comma)) {
      into.add(Role::argument, is_mariadb() ? number_within(0, std::numeric_limits<std::int32_t>::max())
                                            : number_within(0, std::numeric_limits<std::int64_t>::max()));
    }
  }
}

// LOCK TABLES t READ, u AS v WRITE; LOCK INSTANCE FOR BACKUP.
Node* Parser::lock() {
  Production made(*this, NodeKind::lock, K::tables);
  expect(K::lock);
  if (is_mysql() && accept(K::instance)) {
    made.variant(K::instance);
    expect(K::for_, K::backup);
    return made.done();
  }
  expect_one_of({K::table, K::tables});
  comma_list(made, Role::table, [&] { return locked_table(); });
  if (is_mariadb() && is(K::nowait)) {
    made.add(Role::wait, keyword_leaf());
  } else if (is_mariadb() && accept(K::wait)) {
    made.add(Role::wait, unsigned_number());
  }
  return made.done();
}

Node* Parser::locked_table() {
  Production made(*this, NodeKind::table);
  made.add(Role::name, object_name(K::table));
  if (accept(K::as) || is_identifier()) {
    made.add(Role::alias, identifier_leaf());
  }
  if (is_mariadb() && is(K::low_priority)) {
    made.add(Role::locking, keyword_phrase(K::low_priority, {K::low_priority, K::write}));
  } else if (is(K::read) && next_is(K::local)) {
    made.add(Role::locking, keyword_phrase(K::local, {K::read, K::local}));
  } else if (is_mariadb() && is(K::write) && next_is(K::concurrent)) {
    made.add(Role::locking, keyword_phrase(K::concurrent, {K::write, K::concurrent}));
  } else if (is_one_of({K::read, K::write})) {
    made.add(Role::locking, keyword_leaf());
  } else {
    fail();
  }
  return made.done();
}

Node* Parser::unlock() {
  Production made(*this, NodeKind::unlock, K::tables);
  expect(K::unlock);
  if (is_mysql() && accept(K::instance)) {
    made.variant(K::instance);
  } else {
    expect_one_of({K::table, K::tables});
  }
  return made.done();
}

// PREPARE s FROM 'x', or @x; of MariaDB any expression.
Node* Parser::prepare() {
  Production made(*this, NodeKind::prepare);
  expect(K::prepare);
  made.add(Role::name, identifier_leaf());
  expect(K::from);
  made.add(Role::value, is_mariadb() ? expression() : is_text() ? single_text() : user_variable());
  return made.done();
}

Node* Parser::user_variable() {
  Node* found = variable();
  if (found != nullptr && !found->is(NodeKind::user_variable)) {
    fail();
  }
  return found;
}

// EXECUTE s [USING @a, @b]; MariaDB's EXECUTE IMMEDIATE 'x' [USING a, b].
Node* Parser::execute() {
  bool is_immediate = is_mariadb() && next_is(K::immediate) && peek(2).token.kind != TokenKind::end &&
                      !next_is(K::using_, 2) && !next_is(Symbol::semicolon, 2);
  Production made(*this, is_immediate ? NodeKind::execute_immediate : NodeKind::execute);
  expect(K::execute);
  if (is_immediate) {
    advance();
    made.add(Role::value, expression());
  } else {
    made.add(Role::name, identifier_leaf());
  }
  if (accept(K::using_)) {
    comma_list(made, Role::argument, [&] { return is_mariadb() ? value_or_default() : user_variable(); });
  }
  return made.done();
}

// DEALLOCATE PREPARE s; DROP PREPARE s is another way to say it.
Node* Parser::deallocate() {
  Production made(*this, NodeKind::deallocate);
  expect(K::deallocate, K::prepare);
  made.add(Role::name, identifier_leaf());
  return made.done();
}

// MariaDB's SET STATEMENT a = 1, b = 2 FOR statement; else "statement" is the variable that SET sets.
bool Parser::is_set_for_statement() {
  if (!is_mariadb() || !is(K::set) || !next_is(K::statement)) {
    return false;
  }
  TokenKind behind = peek(2).token.kind;
  return behind == TokenKind::word || behind == TokenKind::name || behind == TokenKind::quoted_name;
}

Node* Parser::set_for_statement() {
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  Production made(*this, NodeKind::set_statement);
  expect(K::set, K::statement);
  comma_list(made, Role::assignment, [&] { return statement_assignment(); });
  expect(K::for_);
  made.add(Role::statement, statement());
  return made.done();
}

// a = 1, a.b := DEFAULT.
Node* Parser::statement_assignment() {
  Production made(*this, NodeKind::variable_assignment);
  Production target(*this, NodeKind::variable_name);
  Node* name = identifier_leaf();
  if (accept(Symbol::dot)) {
    target.add(Role::qualifier, name);
    name = identifier_behind_dot();
  }
  target.add(Role::name, name);
  made.add(Role::target, target.done());
  if (!accept(Symbol::equal)) {
    expect(Symbol::assign);
  }
  made.add(Role::value, is_one_of({K::default_, K::on, K::all, K::row, K::system}) ||
                                (is(K::binary) && (next_is(Symbol::comma) || next_is(K::for_)))
                            ? keyword_leaf()
                            : expression());
  return made.done();
}

}  // namespace sallyport::sql
