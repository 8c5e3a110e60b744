// SHOW of every kind.
#include "sql/parser.h"

namespace sallyport::sql {

// The variant is the subject's keyword, with what a keyword leaf (Role::part) adds to it.
Node* Parser::show() {
  Production made(*this, NodeKind::show);
  expect(K::show);
  show_options(made);
  made.variant(current().keyword);
  switch (current().keyword) {
    case K::create:
      return show_create(made);
    case K::columns:
    case K::fields:
    case K::index:
    case K::indexes:
    case K::keys:
    case K::tables:
    case K::triggers:
    case K::events:
    case K::table:
    case K::open:
      return show_objects(made);
    case K::procedure:
    case K::function:
    case K::library:
    case K::package:
      return show_routines(made);
    case K::count:
    case K::warnings:
    case K::errors:
      return show_diagnostics(made);
    case K::profile:
      return show_profile(made);
    case K::grants:
      return show_grants(made);
    case K::global:
    case K::session:
    case K::local:
    case K::variables:
    case K::status:
      return show_variables(made);
    case K::master:
    case K::binary:
    case K::binlog:
    case K::relaylog:
    case K::slave:
    case K::replica:
    case K::replicas:
    case K::all:
      return show_replication(made);
    default:
      return show_named(made);
  }
}

// [EXTENDED] [FULL].
void Parser::show_options(Production& into) {
  if (is_mysql() && is(K::extended)) {
    into.add(Role::option, keyword_leaf());
    if (!is_one_of({K::full, K::tables, K::columns, K::fields, K::index, K::indexes, K::keys})) {
      fail();
    }
  }
  if (is(K::full)) {
    into.add(Role::option, keyword_leaf());
    if (!is_one_of({K::tables, K::columns, K::fields, K::triggers, K::processlist})) {
      fail();
    }
  }
}

// [LIKE 'x' | WHERE x].
void Parser::like_or_where(Production& into) {
  if (accept(K::like)) {
    into.add(Role::pattern, text_token());
  } else if (accept(K::where)) {
    into.add(Role::where, expression());
  }
}

void Parser::from_schema(Production& into) {
  if (accept_one_of({K::from, K::in})) {
    into.add(Role::schema, identifier_leaf());
  }
}

// Of a table or of a schema.
Node* Parser::show_objects(Production& made) {
  bool of_indexes = is_one_of({K::index, K::indexes, K::keys});
  if (of_indexes || is_one_of({K::columns, K::fields})) {
    made.variant(of_indexes ? K::index : K::columns);
    advance();
    expect_one_of({K::from, K::in});
    made.add(Role::table, object_name(K::table));
    from_schema(made);
    if (!of_indexes || !is(K::like)) {
      like_or_where(made);
    }
    return made.done();
  }
  if (is_one_of({K::table, K::open})) {
    bool of_open = is(K::open);
    advance();
    expect(of_open ? K::tables : K::status);
  } else {
    advance();
  }
  from_schema(made);
  like_or_where(made);
  return made.done();
}

// PROCEDURE | FUNCTION | ... STATUS, CODE.
Node* Parser::show_routines(Production& made) {
  Keyword type = current().keyword;
  if (type == (is_mysql() ? K::package : K::library)) {
    fail();
  }
  advance();
  bool is_body = type == K::package && is(K::body);
  if (is_body) {
    made.add(Role::option, keyword_leaf());
  }
  bool of_code = is(K::code) && type != K::library && (type != K::package || is_body);
  if (!of_code && !is(K::status)) {
    fail();
  }
  made.add(Role::part, keyword_leaf());
  if (of_code) {
    made.add(Role::routine, object_name(type));
  } else {
    like_or_where(made);
  }
  return made.done();
}

// CREATE TABLE t and the like.
Node* Parser::show_create(Production& made) {
  expect(K::create);
  Keyword type = current().keyword;
  switch (type) {
    case K::database:
    case K::schema:
      made.add(Role::part, keyword_leaf());
      if_not_exists(made);
      made.add(Role::schema, identifier_leaf());
      return made.done();
    case K::user:
      made.add(Role::part, keyword_leaf());
      if (is_mysql() || !at_statement_end()) {
        made.add(Role::user, account());
      }
      return made.done();
    case K::package:
    case K::sequence:
    case K::library:
      if (is_mysql() != (type == K::library)) {
        fail();
      }
      made.add(Role::part, keyword_leaf());
      if (type == K::package && is(K::body)) {
        made.add(Role::option, keyword_leaf());
      }
      break;
    case K::masking:
      if (!is_mysql_since(90000)) {
        fail();
      }
      made.add(Role::part, keyword_leaf());
      expect(K::policy);
      made.add(Role::name, identifier_leaf());
      return made.done();
    case K::server:
      if (!is_mariadb_since(110800)) {
        fail();
      }
      made.add(Role::part, keyword_leaf());
      made.add(Role::name, identifier_or_text());
      return made.done();
    default:
      if (!is_one_of({K::table, K::view, K::procedure, K::function, K::trigger, K::event})) {
        fail();
      }
      made.add(Role::part, keyword_leaf());
  }
  made.add(Role::object, object_name(type));
  return made.done();
}

// WARNINGS | ERRORS [LIMIT], COUNT(*) WARNINGS | ERRORS.
Node* Parser::show_diagnostics(Production& made) {
  if (accept(K::count)) {
    expect(Symbol::parenthesis_open);
    expect(Symbol::star);
    expect(Symbol::parenthesis_close);
    if (!is_one_of({K::warnings, K::errors})) {
      fail();
    }
    made.add(Role::part, keyword_leaf());
    return made.done();
  }
  advance();
  if (is(K::limit)) {
    made.add(Role::limit, limit());
  }
  return made.done();
}

// PROFILE [CPU, BLOCK IO, ...] [FOR QUERY 1] [LIMIT].
Node* Parser::show_profile(Production& made) {
  expect(K::profile);
  auto kind = [&] {
    Node* found = keyword_leaf();
    if (found == nullptr) {
      return found;
    }
    switch (found->keyword()) {
      case K::block:
        expect(K::io);
        break;
      case K::context:
        expect(K::switches);
        break;
      case K::page:
        expect(K::faults);
        break;
      case K::all:
      case K::cpu:
      case K::ipc:
      case K::memory:
      case K::source:
      case K::swaps:
        break;
      default:
        fail();
    }
    return found;
  };
  if (!at_statement_end() && !is(K::for_) && !is(K::limit)) {
    comma_list(made, Role::part, kind);
  }
  if (accept(K::for_)) {
    expect(K::query);
    made.add(Role::query, unsigned_number());
  }
  if (is(K::limit)) {
    made.add(Role::limit, limit());
  }
  return made.done();
}

// GRANTS [FOR account [USING roles]].
Node* Parser::show_grants(Production& made) {
  expect(K::grants);
  if (accept(K::for_)) {
    made.add(Role::user, account());
    if (is_mysql() && accept(K::using_)) {
      comma_list(made, Role::role, [&] { return role_name(); });
    }
  }
  return made.done();
}

// [GLOBAL | SESSION] VARIABLES | STATUS.
Node* Parser::show_variables(Production& made) {
  if (is(K::global)) {
    made.add(Role::scope, keyword_leaf());
  } else {
    accept_one_of({K::session, K::local});
  }
  made.variant(current().keyword);
  expect_one_of({K::variables, K::status});
  like_or_where(made);
  return made.done();
}

// Binary logs, relay logs, and who replicates from or to this server.
Node* Parser::show_replication(Production& made) {
  Keyword subject = current().keyword;
  auto part = [&](std::initializer_list<Keyword> words) {
    if (!is_one_of(words)) {
      fail();
    }
    made.add(Role::part, keyword_leaf());
  };
  advance();
  switch (subject) {
    case K::master:
      if (is_mysql_since(80400)) {
        fail();
      }
      made.variant(K::binary);
      part({K::status, K::logs});
      return made.done();
    case K::binary:
      if (is_mysql_since(80200) && accept(K::log)) {
        part({K::status});
      } else {
        part({K::logs});
      }
      return made.done();
    case K::binlog:
    case K::relaylog:
      if (is_mariadb() && subject == K::binlog && is(K::status)) {
        made.variant(K::binary);
        part({K::status});
        return made.done();
      }
      if (is_mariadb() && subject == K::relaylog && is_text()) {
        made.add(Role::connection, text_token());
      }
      return show_log_events(made);
    case K::replicas:
      if (is_mariadb()) {
        fail();
      }
      return made.done();
    case K::all:
      if (is_mysql()) {
        fail();
      }
      expect_one_of({K::slaves, K::replicas});
      part({K::status});
      return made.done();
    default:
      return show_replica(made, subject);
  }
}

// SLAVE | REPLICA [name] STATUS [FOR CHANNEL 'x'], HOSTS.
Node* Parser::show_replica(Production& made, Keyword word) {
  made.variant(K::replica);
  if (is_mysql_since(80400) && word == K::slave) {
    fail();
  }
  if (is_mariadb() && is_text()) {
    made.add(Role::connection, text_token());
  } else if (is(K::hosts) && (is_mariadb() || word == K::slave)) {
    made.variant(K::replicas);
    advance();
    return made.done();
  }
  if (!is(K::status)) {
    fail();
  }
  made.add(Role::part, keyword_leaf());
  for_channel(made);
  return made.done();
}

// EVENTS [IN 'file'] [FROM 4] [LIMIT].
Node* Parser::show_log_events(Production& made) {
  expect(K::events);
  if (accept(K::in)) {
    made.add(Role::file, text_token());
  }
  if (accept(K::from)) {
    made.add(Role::position, unsigned_number());
  }
  if (is(K::limit)) {
    made.add(Role::limit, limit());
  }
  if (made.is_variant(K::relaylog)) {
    for_channel(made);
  }
  return made.done();
}

// What is named by a word or two and takes nothing, or little.
Node* Parser::show_named(Production& made) {
  if (accept(K::engine)) {
    made.add(Role::name, is(K::all) ? keyword_leaf() : identifier_or_text());
    if (!is_one_of({K::status, K::mutex, K::logs})) {
      fail();
    }
    made.add(Role::part, keyword_leaf());
    return made.done();
  }
  if (accept_one_of({K::databases, K::schemas})) {
    made.variant(K::databases);
    like_or_where(made);
    return made.done();
  }
  if (accept_one_of({K::collation, K::charset})) {
    like_or_where(made);
    return made.done();
  }
  if (accept_one_of({K::char_, K::character})) {
    made.variant(K::charset);
    expect(K::set);
    like_or_where(made);
    return made.done();
  }
  if (accept(K::storage)) {
    made.variant(K::engines);
    expect(K::engines);
    return made.done();
  }
  if (accept_one_of({K::engines, K::privileges, K::profiles, K::processlist})) {
    return made.done();
  }
  if (accept(K::plugins)) {
    if (is_mariadb() && is(K::soname)) {
      made.add(Role::part, keyword_leaf());
      if (is_text()) {
        made.add(Role::file, text_token());
      } else {
        like_or_where(made);
      }
    }
    return made.done();
  }
  if (is_mysql()) {
    fail();
    return nullptr;
  }
  return show_of_mariadb(made);
}

Node* Parser::show_of_mariadb(Production& made) {
  if (accept_one_of({K::authors, K::contributors})) {
    return made.done();
  }
  if (accept_one_of({K::explain, K::analyze})) {
    if (accept(K::format)) {
      expect(Symbol::equal);
      made.add(Role::format, identifier_or_text());
    }
    expect(K::for_);
    made.add(Role::connection, expression());
    return made.done();
  }
  return show_plugin_table(made);
}

// One of the information schema's tables that has a SHOW by its name.
Node* Parser::show_plugin_table(Production& made) {
  static constexpr std::array names{"CLIENT_STATISTICS", "INDEX_STATISTICS", "TABLE_STATISTICS", "USER_STATISTICS",
                                    "USER_VARIABLES"};
  bool is_known = std::any_of(names.begin(), names.end(), [&](const char* name) { return is_word(name); });
  if (!is_known) {
    fail();
    return nullptr;
  }
  made.variant(K::plugins);
  made.add(Role::name, identifier_leaf());
  like_or_where(made);
  return made.done();
}

}  // namespace sallyport::sql
