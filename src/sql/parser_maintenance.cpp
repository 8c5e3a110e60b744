// What keeps tables in order: ANALYZE, CHECK, CHECKSUM, OPTIMIZE, REPAIR, the key caches, FLUSH.
#include "sql/parser.h"

namespace sallyport::sql {

// ANALYZE, CHECK, OPTIMIZE and REPAIR of tables.
Node* Parser::table_maintenance() {
  Keyword verb = current().keyword;
  Production made(*this, NodeKind::table_maintenance, verb);
  advance();
  if (verb != K::check && is_one_of({K::local, K::no_write_to_binlog})) {
    made.set(node_flag::no_binlog);
    advance();
  }
  if (is_mariadb() && is(K::view) && (verb == K::check || verb == K::repair)) {
    return view_maintenance(made);
  }
  expect_one_of({K::table, K::tables});
  do {
    made.add(Role::table, object_name(K::table));
    if (verb == K::analyze && is_mariadb() && is(K::persistent)) {
      made.add(Role::option, persistent_for());
    }
  } while (accept(Symbol::comma));
  switch (verb) {
    case K::analyze:
      if (is_mysql() && is_one_of({K::update, K::drop})) {
        made.add(Role::option, histogram());
      }
      break;
    case K::check:
      while (is_one_of({K::quick, K::fast, K::medium, K::extended, K::changed}) ||
             (is(K::for_) && next_is(K::upgrade))) {
        accept(K::for_);
        made.add(Role::option, keyword_leaf());
      }
      break;
    case K::repair:
      while (is_one_of({K::quick, K::extended, K::use_frm}) || (is_mariadb_since(110500) && is(K::force))) {
        made.add(Role::option, keyword_leaf());
      }
      break;
    default:
      if (is_mariadb() && is(K::nowait)) {
        made.add(Role::wait, keyword_leaf());
      } else if (is_mariadb() && accept(K::wait)) {
        made.add(Role::wait, unsigned_number());
      }
  }
  return made.done();
}

// MariaDB's CHECK VIEW v [FOR UPGRADE], REPAIR VIEW v [FROM MYSQL].
Node* Parser::view_maintenance(Production& made) {
  expect(K::view);
  comma_list(made, Role::table, [&] { return object_name(K::view); });
  if (is(K::for_)) {
    advance();
    made.add(Role::option, option_of({K::upgrade}));
  } else if (accept(K::from)) {
    made.add(Role::option, option_of({K::mysql}));
  }
  return made.done();
}

// MariaDB's PERSISTENT FOR ALL | COLUMNS (a, b) | ALL INDEXES (i) | ALL.
Node* Parser::persistent_for() {
  Production made(*this, NodeKind::option, K::persistent);
  expect(K::persistent);
  expect(K::for_);
  if (is(K::all)) {
    made.add(Role::value, keyword_leaf());
    return made.done();
  }
  auto names = [&](Keyword of) {
    Production list(*this, NodeKind::option, of);
    expect(of);
    if (is(K::all)) {
      list.add(Role::value, keyword_leaf());
    } else {
      name_list_or_none(list, of == K::columns ? Role::column : Role::index);
    }
    made.add(Role::option, list.done());
  };
  names(K::columns);
  names(K::indexes);
  return made.done();
}

// (a, b), or (); PRIMARY is a name here.
void Parser::name_list_or_none(Production& into, Role role) {
  expect(Symbol::parenthesis_open);
  if (!is(Symbol::parenthesis_close)) {
    comma_list(into, role, [&] { return is(K::primary) ? keyword_leaf() : identifier_leaf(); });
  }
  expect(Symbol::parenthesis_close);
}

// MySQL's UPDATE HISTOGRAM ON a, b [WITH n BUCKETS] [AUTO UPDATE] | USING DATA 'x', DROP HISTOGRAM ON a.
Node* Parser::histogram() {
  Production made(*this, NodeKind::histogram, current().keyword);
  bool drops = is(K::drop);
  advance();
  expect(K::histogram);
  expect(K::on);
  name_list(made, Role::column);
  if (drops) {
    return made.done();
  }
  if (accept(K::using_)) {
    expect(K::data);
    made.add(Role::value, text_token());
    return made.done();
  }
  if (accept(K::with)) {
    if (!is(TokenKind::integer)) {
      fail();
    }
    made.add(Role::count, literal());
    expect(K::buckets);
  }
  if (is_mysql_since(80200) && is_one_of({K::auto_, K::manual})) {
    made.add(Role::option, keyword_leaf());
    expect(K::update);
  }
  return made.done();
}

Node* Parser::checksum() {
  Production made(*this, NodeKind::table_maintenance, K::checksum);
  expect(K::checksum);
  expect_one_of({K::table, K::tables});
  comma_list(made, Role::table, [&] { return object_name(K::table); });
  if (is_one_of({K::quick, K::extended})) {
    made.add(Role::option, keyword_leaf());
  }
  return made.done();
}

// CACHE INDEX t KEY (i), ... IN cache; LOAD INDEX INTO CACHE t KEY (i) [IGNORE LEAVES], ....
Node* Parser::index_cache() {
  bool loads = is(K::load);
  Production made(*this, NodeKind::index_cache, current().keyword);
  advance();
  expect(K::index);
  if (loads) {
    expect(K::into);
    expect(K::cache);
  }
  bool has_partition = false;
  do {
    Production table(*this, NodeKind::table);
    table.add(Role::name, object_name(K::table));
    if (is(K::partition) && made.is_empty()) {
      has_partition = true;
      table.add(Role::partition, cached_partitions());
    }
    if (accept_one_of({K::key, K::index})) {
      name_list_or_none(table, Role::index);
    }
    if (loads && is(K::ignore)) {
      table.add(Role::option, option_of({K::ignore, K::leaves}));
    }
    made.add(Role::table, table.done());
  } while (!has_partition && accept(Symbol::comma));
  if (!loads) {
    expect(K::in);
    made.add(Role::target, is(K::default_) ? keyword_leaf() : identifier_leaf());
  }
  return made.done();
}

// PARTITION (p, q) | PARTITION (ALL).
Node* Parser::cached_partitions() {
  Production made(*this, NodeKind::partition_selection);
  expect(K::partition);
  expect(Symbol::parenthesis_open);
  if (is(K::all)) {
    made.add(Role::name, keyword_leaf());
  } else {
    name_list(made, Role::name);
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::flush() {
  Production made(*this, NodeKind::flush);
  expect(K::flush);
  if (accept_one_of({K::local, K::no_write_to_binlog})) {
    made.set(node_flag::no_binlog);
  }
  if (is_one_of({K::table, K::tables})) {
    return flush_tables(made);
  }
  comma_list(made, Role::option, [&] { return flush_option(); });
  return made.done();
}

// TABLES [t, u] [WITH READ LOCK | FOR EXPORT].
Node* Parser::flush_tables(Production& made) {
  made.variant(K::tables);
  advance();
  bool has_tables = !at_statement_end() && !is(K::with);
  if (has_tables) {
    comma_list(made, Role::table, [&] { return object_name(K::table); });
  }
  if (accept(K::with)) {
    made.add(Role::option, option_of({K::read, K::lock}));
    if (is_mariadb() && !has_tables && accept(K::and_)) {
      made.add(Role::option, option_of({K::disable, K::checkpoint}));
    }
  } else if (has_tables && accept(K::for_)) {
    made.add(Role::option, option_of({K::export_}));
  }
  return made.done();
}

Node* Parser::flush_option() {
  Production made(*this, NodeKind::option, current().keyword);
  if (is_one_of({K::error, K::engine, K::general, K::slow, K::binary, K::relay})) {
    bool of_relay = is(K::relay);
    bool of_binary = is(K::binary);
    advance();
    expect(K::logs);
    if (of_relay && is_mariadb() && is_text()) {
      made.add(Role::connection, text_token());
    }
    if (of_relay) {
      for_channel(made);
    }
    if (of_binary && is_mariadb() && accept(K::delete_domain_id)) {
      expect(Symbol::equal);
      number_list(made);
    }
    return made.done();
  }
  if (accept_one_of({K::privileges, K::logs, K::status, K::user_resources}) ||
      (is_mysql() && accept(K::optimizer_costs)) || (!is_mysql_since(80400) && accept(K::hosts))) {
    return made.done();
  }
  if (is_mariadb()) {
    return mariadb_flush_option(made);
  }
  fail();
  return nullptr;
}

Node* Parser::mariadb_flush_option(Production& made) {
  if (accept(K::query)) {
    expect(K::cache);
    return made.done();
  }
  if (accept_one_of({K::slave, K::replica})) {
    made.variant(K::replica);
    if (is_text()) {
      made.add(Role::connection, text_token());
    }
    for_channel(made);
    return made.done();
  }
  if (accept_one_of({K::master, K::ssl, K::des_key_file})) {
    return made.done();
  }
  if (is_mariadb_since(110500) && is_one_of({K::global, K::session, K::local}) && next_is(K::status)) {
    made.add(Role::scope, keyword_leaf());
    made.variant(K::status);
    advance();
    return made.done();
  }
  // Tables of the information schema that are reset.
  static constexpr std::array names{"CLIENT_STATISTICS", "INDEX_STATISTICS", "TABLE_STATISTICS",  "USER_STATISTICS",
                                    "USER_VARIABLES",    "THREADS",          "THREAD_POOL_STATS", "THREAD_POOL_WAITS"};
  bool is_known = std::any_of(names.begin(), names.end(), [&](const char* name) { return is_word(name); });
  if (!is_known) {
    fail();
    return nullptr;
  }
  made.variant(K::plugins);
  made.add(Role::name, identifier_leaf());
  return made.done();
}

}  // namespace sallyport::sql
