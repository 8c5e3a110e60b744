// The administration of a server: its threads, logs, caches, plugins and backups.
#include "sql/parser.h"

namespace sallyport::sql {

// A statement that begins with a word of this part.
Node* Parser::administration_statement() {
  switch (current().keyword) {
    case K::set:
      return set_statement();
    case K::show:
      return show();
    case K::use:
      return use();
    case K::help:
      return help();
    case K::kill:
      return kill();
    case K::flush:
      return flush();
    case K::reset:
      return reset();
    case K::purge:
      return purge();
    case K::change:
      return change();
    case K::start:
    case K::stop:
      return start_or_stop();
    case K::binlog:
      return binlog();
    case K::install:
      return install();
    case K::uninstall:
      return uninstall();
    case K::analyze: {
      bool of_tables = next_is(K::table) || next_is(K::tables) || next_is(K::local) || next_is(K::no_write_to_binlog);
      return of_tables || is_mysql() ? table_maintenance() : explain();
    }
    case K::check:
    case K::optimize:
    case K::repair:
      return table_maintenance();
    case K::checksum:
      return checksum();
    case K::cache:
      return index_cache();
    case K::shutdown:
      return shutdown();
    case K::clone:
      return clone();
    case K::restart:
      return restart();
    case K::backup:
      return backup();
    case K::rename:
      return rename_user();
    case K::grant:
      return grant();
    case K::revoke:
      return revoke();
    default:
      fail();
      return nullptr;
  }
}

Node* Parser::use() {
  Production made(*this, NodeKind::use);
  expect(K::use);
  made.add(Role::schema, identifier_leaf());
  return made.done();
}

Node* Parser::help() {
  Production made(*this, NodeKind::help);
  expect(K::help);
  made.add(Role::pattern, identifier_or_text());
  return made.done();
}

// KILL [HARD | SOFT] [CONNECTION | QUERY [ID]] id | USER account. The variant is CONNECTION, QUERY or, where the number
// is one of a query, ID.
Node* Parser::kill() {
  Production made(*this, NodeKind::kill, K::connection);
  expect(K::kill);
  if (is_mariadb() && !accept(K::hard) && is(K::soft)) {
    made.add(Role::option, keyword_leaf());
  }
  if (!accept(K::connection) && accept(K::query)) {
    made.variant(K::query);
    if (is_mariadb() && accept(K::id)) {
      made.variant(K::id);
    }
  }
  if (is_mariadb() && is(K::user) && !next_is(Symbol::parenthesis_open)) {
    advance();
    made.add(Role::user, account());
  } else {
    made.add(Role::connection, expression());
  }
  return made.done();
}

// RESET what is listed: MASTER, REPLICA, QUERY CACHE, BINARY LOGS AND GTIDS; MySQL's PERSIST.
Node* Parser::reset() {
  Production made(*this, NodeKind::reset);
  expect(K::reset);
  if (is_mysql() && is(K::persist)) {
    made.variant(K::persist);
    advance();
    if_exists(made);
    if (!at_statement_end() || made.has(node_flag::if_exists)) {
      made.add(Role::name, variable_name());
    }
    return made.done();
  }
  comma_list(made, Role::option, [&] { return reset_option(); });
  return made.done();
}

Node* Parser::reset_option() {
  Production made(*this, NodeKind::option, current().keyword);
  if (is_mariadb() && accept(K::query)) {
    expect(K::cache);
    return made.done();
  }
  bool of_logs = is_mysql_since(80400) ? is(K::binary) : is(K::master);
  if (of_logs) {
    made.variant(K::binary);
    if (accept(K::binary)) {
      expect(K::logs);
      expect(K::and_, K::gtids);
    } else {
      advance();
    }
    if (accept(K::to)) {
      if (!is(TokenKind::integer) && !is(TokenKind::hexadecimal)) {
        fail();
      }
      made.add(Role::position, literal());
    }
    return made.done();
  }
  made.variant(K::replica);
  if (!is(K::slave) || is_mysql_since(80400)) {
    expect(K::replica);
  } else {
    advance();
  }
  if (is_mariadb() && is_text()) {
    made.add(Role::connection, text_token());
  }
  if (is(K::all)) {
    made.add(Role::part, keyword_leaf());
  }
  for_channel(made);
  return made.done();
}

// PURGE BINARY LOGS TO 'x' | BEFORE time.
Node* Parser::purge() {
  Production made(*this, NodeKind::purge);
  expect(K::purge);
  if (is_mysql_since(80400)) {
    expect(K::binary);
  } else {
    expect_one_of({K::binary, K::master});
  }
  expect(K::logs);
  if (accept(K::to)) {
    made.add(Role::file, text_token());
  } else {
    expect(K::before);
    made.add(Role::before, expression());
  }
  return made.done();
}

// BINLOG 'events'; MariaDB's BINLOG @fragment, @fragment.
Node* Parser::binlog() {
  Production made(*this, NodeKind::binlog);
  expect(K::binlog);
  if (is_mariadb() && is(Symbol::at)) {
    made.add(Role::value, variable());
    expect(Symbol::comma);
    made.add(Role::value, variable());
  } else {
    made.add(Role::value, text_token());
  }
  return made.done();
}

// INSTALL PLUGIN p SONAME 'x'; MariaDB's INSTALL SONAME 'x'; MySQL's INSTALL COMPONENT 'x', ... [SET ...].
Node* Parser::install() {
  Production made(*this, NodeKind::install);
  expect(K::install);
  made.variant(current().keyword);
  if (accept(K::plugin)) {
    if (is_mariadb()) {
      if_not_exists(made);
    }
    made.add(Role::plugin, identifier_leaf());
    expect(K::soname);
    made.add(Role::file, text_token());
    return made.done();
  }
  if (is_mariadb()) {
    expect(K::soname);
    made.add(Role::file, text_token());
    return made.done();
  }
  expect(K::component);
  comma_list(made, Role::file, [&] { return text_token(); });
  if (is_mysql_since(80033) && accept(K::set)) {
    comma_list(made, Role::assignment, [&] { return component_assignment(); });
  }
  return made.done();
}

// [GLOBAL | PERSIST] x = 1.
Node* Parser::component_assignment() {
  Production made(*this, NodeKind::variable_assignment);
  if (is_one_of({K::global, K::persist})) {
    made.variant(current().keyword);
    made.add(Role::scope, keyword_leaf());
  }
  made.add(Role::target, variable_name());
  expect_assign();
  made.add(Role::value, is(K::on) ? keyword_leaf() : expression());
  return made.done();
}

Node* Parser::uninstall() {
  Production made(*this, NodeKind::uninstall);
  expect(K::uninstall);
  made.variant(current().keyword);
  if (is_mysql() && accept(K::component)) {
    comma_list(made, Role::file, [&] { return text_token(); });
    return made.done();
  }
  bool by_file = is_mariadb() && accept(K::soname);
  if (!by_file) {
    expect(K::plugin);
  }
  if (is_mariadb()) {
    if_exists(made);
  }
  made.add(by_file ? Role::file : Role::plugin, by_file ? text_token() : identifier_leaf());
  return made.done();
}

// MySQL's CLONE LOCAL DATA DIRECTORY 'x', CLONE INSTANCE FROM account:port IDENTIFIED BY 'x' [DATA DIRECTORY 'x'].
Node* Parser::clone() {
  if (is_mariadb()) {
    fail();
  }
  Production made(*this, NodeKind::clone);
  expect(K::clone);
  made.variant(current().keyword);
  auto directory = [&] {
    expect(K::directory);
    accept(Symbol::equal);
    made.add(Role::file, text_token());
  };
  if (accept(K::local)) {
    expect(K::data);
    directory();
    return made.done();
  }
  expect(K::instance);
  expect(K::from);
  made.add(Role::user, account());
  expect(Symbol::colon);
  made.add(Role::port, unsigned_number());
  expect(K::identified, K::by);
  made.add(Role::secret, text_token());
  if (accept(K::data)) {
    directory();
  }
  if (accept(K::require)) {
    made.add(Role::option, is(K::no) ? option_of({K::no, K::ssl}) : option_of({K::ssl}));
  }
  return made.done();
}

// SHUTDOWN; MariaDB's SHUTDOWN WAIT FOR ALL SLAVES.
Node* Parser::shutdown() {
  Production made(*this, NodeKind::shutdown);
  expect(K::shutdown);
  if (is_mariadb() && is(K::wait)) {
    made.add(Role::wait, keyword_leaf());
    expect(K::for_);
    expect(K::all);
    expect_one_of({K::slaves, K::replicas});
  }
  return made.done();
}

// MySQL's RESTART.
Node* Parser::restart() {
  if (is_mariadb()) {
    fail();
  }
  Production made(*this, NodeKind::restart);
  expect(K::restart);
  return made.done();
}

// MariaDB's BACKUP STAGE x, BACKUP LOCK t, BACKUP UNLOCK.
Node* Parser::backup() {
  if (is_mysql()) {
    fail();
  }
  Production made(*this, NodeKind::backup);
  expect(K::backup);
  made.variant(current().keyword);
  if (accept(K::stage)) {
    made.add(Role::name, identifier_leaf());
  } else if (accept(K::lock)) {
    made.add(Role::table, object_name(K::table));
  } else {
    expect(K::unlock);
  }
  return made.done();
}

}  // namespace sallyport::sql
