// Replication: its sources, filters and threads.
#include "sql/parser.h"

namespace sallyport::sql {

// [FOR CHANNEL 'x'].
void Parser::for_channel(Production& into) {
  if (is(K::for_) && next_is(K::channel)) {
    advance();
    advance();
    into.add(Role::channel, text_token());
  }
}

// CHANGE MASTER ['name'] TO ..., CHANGE REPLICATION SOURCE TO ..., CHANGE REPLICATION FILTER ....
Node* Parser::change() {
  expect(K::change);
  Production made(*this, NodeKind::change_source);
  if (is_mysql() && accept(K::replication)) {
    if (accept(K::filter)) {
      return change_filter(made);
    }
    expect(K::source);
  } else {
    if (is_mysql_since(80400)) {
      fail();
    }
    expect(K::master);
    if (is_mariadb() && is_text()) {
      made.add(Role::connection, text_token());
    }
  }
  expect(K::to);
  comma_list(made, Role::option, [&] { return source_option(); });
  for_channel(made);
  return made.done();
}

Parser::SourceValue Parser::source_value() const {
  switch (current().keyword) {
    case K::master_host:
    case K::master_user:
    case K::master_ssl_ca:
    case K::master_ssl_capath:
    case K::master_ssl_cert:
    case K::master_ssl_cipher:
    case K::master_ssl_key:
    case K::master_ssl_crl:
    case K::master_ssl_crlpath:
    case K::master_log_file:
      return SourceValue::text;
    case K::relay_log_file:
      return SourceValue::text;
    case K::master_password:
      return SourceValue::secret;
    case K::master_port:
    case K::master_connect_retry:
    case K::master_ssl:
    case K::master_ssl_verify_server_cert:
    case K::master_log_pos:
    case K::master_heartbeat_period:
    case K::master_delay:
    case K::relay_log_pos:
      return SourceValue::number;
    case K::ignore_server_ids:
      return SourceValue::numbers;
    default:
      return is_mariadb() ? mariadb_source_value() : mysql_source_value();
  }
}

Parser::SourceValue Parser::mariadb_source_value() const {
  switch (current().keyword) {
    case K::do_domain_ids:
    case K::ignore_domain_ids:
      return SourceValue::numbers;
    case K::master_use_gtid:
    case K::master_demote_to_slave:
    case K::master_demote_to_replica:
      return SourceValue::word;
    case K::master_retry_count:
      return is_mariadb_since(110800) ? SourceValue::number : SourceValue::none;
    default:
      return SourceValue::none;
  }
}

Parser::SourceValue Parser::mysql_source_value() const {
  switch (current().keyword) {
    case K::source_host:
    case K::source_user:
    case K::source_bind:
    case K::source_ssl_ca:
    case K::source_ssl_capath:
    case K::source_ssl_cert:
    case K::source_ssl_cipher:
    case K::source_ssl_key:
    case K::source_ssl_crl:
    case K::source_ssl_crlpath:
    case K::source_log_file:
    case K::source_tls_version:
    case K::source_public_key_path:
    case K::source_compression_algorithms:
    case K::network_namespace:
    case K::master_bind:
    case K::master_tls_version:
    case K::master_public_key_path:
    case K::master_compression_algorithms:
      return SourceValue::text;
    case K::source_tls_ciphersuites:
    case K::master_tls_ciphersuites:
      return SourceValue::text_or_null;
    case K::source_password:
      return SourceValue::secret;
    case K::source_port:
    case K::source_connect_retry:
    case K::source_retry_count:
    case K::source_ssl:
    case K::source_ssl_verify_server_cert:
    case K::source_log_pos:
    case K::source_heartbeat_period:
    case K::source_delay:
    case K::source_auto_position:
    case K::source_zstd_compression_level:
    case K::source_connection_auto_failover:
    case K::get_source_public_key:
    case K::get_master_public_key:
    case K::master_auto_position:
    case K::master_retry_count:
    case K::master_zstd_compression_level:
    case K::require_row_format:
    case K::gtid_only:
      return SourceValue::number;
    case K::privilege_checks_user:
      return SourceValue::account;
    case K::require_table_primary_key_check:
    case K::assign_gtids_to_anonymous_transactions:
      return SourceValue::word;
    default:
      return SourceValue::none;
  }
}

// MASTER_HOST = 'x'.
Node* Parser::source_option() {
  Production made(*this, NodeKind::option, current().keyword);
  Keyword name = current().keyword;
  SourceValue value = source_value();
  bool is_old_name = text_of(name).starts_with("MASTER_") || name == K::get_master_public_key;
  if (value == SourceValue::none || (is_old_name && is_mysql_since(80400))) {
    fail();
    return nullptr;
  }
  advance();
  expect(Symbol::equal);
  switch (value) {
    case SourceValue::none:
      break;
    case SourceValue::text:
      made.add(Role::value, text_token());
      break;
    case SourceValue::text_or_null:
      made.add(Role::value, is(K::null) ? literal() : text_token());
      break;
    case SourceValue::secret:
      made.add(Role::secret, text_token());
      break;
    case SourceValue::number:
      made.add(Role::value,
               is(Symbol::plus) && name == K::master_heartbeat_period ? signed_number() : unsigned_number());
      break;
    case SourceValue::numbers:
      number_list(made);
      break;
    case SourceValue::account:
      if (is(K::current_user)) {
        fail();
      }
      made.add(Role::value, is(K::null) ? literal() : account());
      break;
    case SourceValue::word:
      made.add(Role::value, source_word(name));
      break;
  }
  return made.done();
}

// (1, 2), or ().
void Parser::number_list(Production& into) {
  expect(Symbol::parenthesis_open);
  if (!is(Symbol::parenthesis_close)) {
    comma_list(into, Role::element, [&] { return unsigned_number(); });
  }
  expect(Symbol::parenthesis_close);
}

Node* Parser::source_word(Keyword option) {
  bool fits = false;
  switch (option) {
    case K::master_use_gtid:
      fits = is_one_of({K::no, K::current_pos, K::slave_pos, K::replica_pos});
      break;
    case K::master_demote_to_slave:
    case K::master_demote_to_replica:
      return unsigned_number();
    case K::require_table_primary_key_check:
      fits = is_one_of({K::stream, K::on, K::off, K::generate});
      break;
    default:
      if (is_text()) {
        return text_token();
      }
      fits = is_one_of({K::off, K::local});
  }
  if (!fits) {
    fail();
  }
  return keyword_leaf();
}

// REPLICATE_DO_DB = (a, b), ....
Node* Parser::change_filter(Production& made) {
  made.variant(K::filter);
  comma_list(made, Role::option, [&] {
    Production option(*this, NodeKind::option, current().keyword);
    Keyword name = current().keyword;
    advance();
    expect(Symbol::equal);
    expect(Symbol::parenthesis_open);
    auto element = [&]() -> Node* {
      switch (name) {
        case K::replicate_do_db:
        case K::replicate_ignore_db:
          return identifier_leaf();
        case K::replicate_do_table:
        case K::replicate_ignore_table: {
          Node* table = object_name(K::table);
          if (table != nullptr && table->child(Role::qualifier) == nullptr) {
            fail();
          }
          return table;
        }
        case K::replicate_wild_do_table:
        case K::replicate_wild_ignore_table:
          return text_token();
        case K::replicate_rewrite_db: {
          Production pair(*this, NodeKind::row);
          expect(Symbol::parenthesis_open);
          pair.add(Role::schema, identifier_leaf());
          expect(Symbol::comma);
          pair.add(Role::target, identifier_leaf());
          expect(Symbol::parenthesis_close);
          return pair.done();
        }
        default:
          fail();
          return nullptr;
      }
    };
    if (!is(Symbol::parenthesis_close)) {
      comma_list(option, Role::element, element);
    }
    expect(Symbol::parenthesis_close);
    return option.done();
  });
  for_channel(made);
  return made.done();
}

// START and STOP of what replicates.
Node* Parser::start_or_stop() {
  bool starts = is(K::start);
  Production made(*this, starts ? NodeKind::start_replica : NodeKind::stop_replica);
  advance();
  if (is_mysql() && is(K::group_replication)) {
    made.variant(K::group_replication);
    advance();
    if (starts && is_connection_option()) {
      comma_list(made, Role::option, [&] { return connection_option(); });
    }
    return made.done();
  }
  made.variant(K::replica);
  if (is_mariadb() && accept(K::all)) {
    made.variant(K::all);
    expect_one_of({K::slaves, K::replicas});
    replica_threads(made);
    return made.done();
  }
  if (is_mysql_since(80400) && is(K::slave)) {
    fail();
  }
  expect_one_of({K::slave, K::replica});
  if (is_mariadb() && is_text()) {
    made.add(Role::connection, text_token());
  }
  replica_threads(made);
  if (starts) {
    if (accept(K::until)) {
      comma_list(made, Role::until, [&] { return until_option(); });
    }
    while (is_mysql() && is_connection_option()) {
      made.add(Role::option, connection_option());
    }
  }
  for_channel(made);
  return made.done();
}

// [SQL_THREAD], [IO_THREAD]; each may be nothing to MariaDB.
void Parser::replica_threads(Production& into) {
  auto thread = [&] {
    bool found = is_one_of({K::sql_thread, K::io_thread, K::relay_thread});
    if (found) {
      into.add(Role::part, keyword_leaf());
    }
    return found;
  };
  bool found = thread();
  while ((found || is_mariadb()) && accept(Symbol::comma)) {
    found = thread();
    if (!found && is_mysql()) {
      fail();
    }
  }
}

// SOURCE_LOG_FILE = 'x', SQL_AFTER_GTIDS = 'x', SQL_AFTER_MTS_GAPS.
Node* Parser::until_option() {
  Production made(*this, NodeKind::option, current().keyword);
  bool of_source = is_mysql_since(80022) && is_one_of({K::source_log_file, K::source_log_pos});
  bool of_master = !is_mysql_since(80400) && is_one_of({K::master_log_file, K::master_log_pos});
  bool of_gtids = is_mysql() && is_one_of({K::sql_before_gtids, K::sql_after_gtids});
  if (is_mysql() && accept(K::sql_after_mts_gaps)) {
    return made.done();
  }
  if (is_mariadb() && is_one_of({K::sql_before_gtids, K::sql_after_gtids})) {
    of_gtids = is_mariadb_since(110300);
  }
  bool is_number = is_one_of({K::source_log_pos, K::master_log_pos, K::relay_log_pos});
  if (!of_source && !of_master && !of_gtids && !is_one_of({K::relay_log_file, K::relay_log_pos}) &&
      !(is_mariadb() && is(K::master_gtid_pos))) {
    fail();
  }
  advance();
  expect(Symbol::equal);
  made.add(Role::value, is_number ? unsigned_number() : text_token());
  return made.done();
}

bool Parser::is_connection_option() const {
  return is_one_of({K::user, K::password, K::default_auth, K::plugin_dir});
}

// USER = 'x', PASSWORD = 'x', DEFAULT_AUTH = 'x', PLUGIN_DIR = 'x'.
Node* Parser::connection_option() {
  Production made(*this, NodeKind::option, current().keyword);
  bool is_secret = is(K::password);
  if (!is_connection_option()) {
    fail();
  }
  advance();
  expect(Symbol::equal);
  made.add(is_secret ? Role::secret : Role::value, text_token());
  return made.done();
}

}  // namespace sallyport::sql
