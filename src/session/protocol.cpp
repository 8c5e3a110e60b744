#include "session/protocol.h"

#include <array>
#include <bit>

#include "base/check.h"
#include "base/command_names.h"
#include "base/hex.h"
#include "sql/dialect.h"

namespace sallyport::session {
namespace {

using wire::Command;
namespace capability = wire::capability;

using enum CommandHandling;

constexpr std::string_view internal_command = "of servers' own threads: none answers it";
constexpr std::string_view replication = "replication: whole tables, by no statement that could be decided about";

constexpr std::array<CommandRule, static_cast<std::size_t>(Command::unknown) + 1> commands{{
    {Command::sleep, refused, internal_command},
    {Command::quit, handled, "both connections are closed; a transaction is rolled back"},
    {Command::init_db, forwarded, "the schema is on record"},
    {Command::query, forwarded, "text and query attributes are on record"},
    {Command::field_list, forwarded, "table and pattern are on record"},
    {Command::create_db, refused, "no server has it any more: CREATE DATABASE does it"},
    {Command::drop_db, refused, "no server has it any more: DROP DATABASE does it"},
    {Command::refresh, refused, "administration without a text: FLUSH does it"},
    {Command::shutdown, refused, "administration without a text: SHUTDOWN does it"},
    {Command::statistics, forwarded, "a line of text of the server's"},
    {Command::process_info, refused, "administration without a text: SHOW PROCESSLIST does it"},
    {Command::connect, refused, internal_command},
    {Command::process_kill, handled,
     "as the statement KILL: for a session of the same account only, by the gateway's number or the server's"},
    {Command::debug, refused, "writes the server's internals to its log"},
    {Command::ping, forwarded, "so that an OK says that the server answers ([ADR 0013](adr/0013-ping.md))"},
    {Command::time, refused, internal_command},
    {Command::delayed_insert, refused, internal_command},
    {Command::change_user, handled,
     "a login as the first: a token is asked for, another server connection taken, a new session on record; a login "
     "that is refused ends the connection, one with a collation beyond 255 is refused as a command"},
    {Command::binlog_dump, refused, replication},
    {Command::table_dump, refused, replication},
    {Command::connect_out, refused, internal_command},
    {Command::register_replica, refused, replication},
    {Command::stmt_prepare, forwarded, "the text is on record; limited by `limits.prepared_statements_max`"},
    {Command::stmt_execute, forwarded,
     "the parameters are on record; types that a refused execution brought are sent with the next. Moments with a time "
     "zone (MySQL's form of 13 bytes) and the types BIT, YEAR, INT24 and GEOMETRY (MariaDB takes them, MySQL does not) "
     "are refused (`command_malformed`). Cursors, OUT parameters and several results "
     "pass"},
    {Command::stmt_send_long_data, forwarded, "the value is on record; unanswered, as the protocol has it"},
    {Command::stmt_close, forwarded, "unanswered, as the protocol has it"},
    {Command::stmt_reset, forwarded, ""},
    {Command::set_option, handled, "answered here: the server gets one statement a text, whatever the client may send"},
    {Command::stmt_fetch, forwarded, "rows of a cursor"},
    {Command::daemon, refused, internal_command},
    {Command::binlog_dump_gtid, refused, replication},
    {Command::reset_connection, handled,
     "forwarded; role and session tracking are set again before the client gets its OK"},
    {Command::clone, refused, "copies the server's files"},
    {Command::subscribe_group_replication_stream, refused, replication},
    {Command::stmt_bulk_execute, forwarded,
     "MariaDB's; the parameters of all rows are on record; limited by `limits.bulk_values_max`"},
    {Command::mariadb_multi, refused, "no server has it any more"},
    {Command::unknown, refused, "any other opcode"},
}};

using Offer = ClientOffer;
using Wish = BackendWish;

constexpr std::string_view unused = "means nothing any more";

// As in sql::parse_server_version().
constexpr std::uint32_t first_with_unit_results = 110'501;

constexpr std::array<CapabilityRule, 38> capabilities{{
    {capability::long_password, "LONG_PASSWORD", Offer::by_mysql_listeners, Wish::always,
     "CLIENT_MYSQL to MariaDB: left out, it says that extended capabilities follow"},
    {capability::found_rows, "FOUND_ROWS", Offer::always, Wish::same, "what counts as affected"},
    {capability::long_flag, "LONG_FLAG", Offer::always, Wish::always, "column flags of two bytes"},
    {capability::connect_with_db, "CONNECT_WITH_DB", Offer::always, Wish::never,
     "the gateway chooses the schema by COM_INIT_DB, when the role is set"},
    {capability::no_schema, "NO_SCHEMA", Offer::always, Wish::same, "`schema.table.column` is an error"},
    {capability::compress, "COMPRESS", Offer::always, Wish::by_compression,
     "zlib, unless the listener's `compression` leaves it out; see below"},
    {capability::odbc, "ODBC", Offer::always, Wish::same, "no effect on today's servers"},
    {capability::local_files, "LOCAL_FILES", Offer::always, Wish::by_grant,
     "LOAD DATA LOCAL, off unless the grant has `local_infile`; see below"},
    {capability::ignore_space, "IGNORE_SPACE", Offer::always, Wish::same, "sets that sql_mode"},
    {capability::protocol_41, "PROTOCOL_41", Offer::always, Wish::always, "required of clients"},
    {capability::interactive, "INTERACTIVE", Offer::always, Wish::same, "the server's interactive_timeout holds"},
    {capability::ssl, "SSL", Offer::always, Wish::by_tls_mode, "required of clients, but on a Unix socket"},
    {capability::ignore_sigpipe, "IGNORE_SIGPIPE", Offer::always, Wish::never, "the client's own affair"},
    {capability::transactions, "TRANSACTIONS", Offer::always, Wish::always, "status flags in OK and EOF"},
    {1ULL << 14, "RESERVED", Offer::never, Wish::never, unused},
    {capability::secure_connection, "SECURE_CONNECTION", Offer::always, Wish::always,
     "RESERVED2 to MySQL 8; the length of the authentication's answer is sent"},
    {capability::multi_statements, "MULTI_STATEMENTS", Offer::always, Wish::never,
     "several statements in a text: the server gets one after the other; COM_SET_OPTION changes it"},
    {capability::multi_results, "MULTI_RESULTS", Offer::always, Wish::same, "several results of a query"},
    {capability::ps_multi_results, "PS_MULTI_RESULTS", Offer::always, Wish::same,
     "several results of an execution, and OUT parameters"},
    {capability::plugin_auth, "PLUGIN_AUTH", Offer::always, Wish::always, "required of clients and servers"},
    {capability::connect_attrs, "CONNECT_ATTRS", Offer::always, Wish::always,
     "the client's are on record; the server gets the gateway's"},
    {capability::plugin_auth_lenenc_data, "PLUGIN_AUTH_LENENC_CLIENT_DATA", Offer::always, Wish::always,
     "tokens longer than 255 bytes in the client's first answer"},
    {capability::can_handle_expired_passwords, "CAN_HANDLE_EXPIRED_PASSWORDS", Offer::never, Wish::never,
     "database logins are the gateway's; expired ones fail"},
    {capability::session_track, "SESSION_TRACK", Offer::always, Wish::always,
     "the client is told what the server tells, by what the client has set"},
    {capability::deprecate_eof, "DEPRECATE_EOF", Offer::always, Wish::as_client, "EOF and OK are translated"},
    {capability::optional_resultset_metadata, "OPTIONAL_RESULTSET_METADATA", Offer::by_mysql_listeners, Wish::same,
     "`SET resultset_metadata=NONE`: results without column definitions; see below"},
    {capability::zstd_compression, "ZSTD_COMPRESSION_ALGORITHM", Offer::by_mysql_listeners, Wish::by_compression,
     "the same with zstd; with both flags it is zlib"},
    {capability::query_attributes, "QUERY_ATTRIBUTES", Offer::by_mysql_listeners, Wish::same, "MySQL only"},
    {capability::multi_factor, "MULTI_FACTOR_AUTHENTICATION", Offer::never, Wish::never, "the token is the one factor"},
    {1ULL << 29, "CAPABILITY_EXTENSION", Offer::never, Wish::never, "reserved for more flags"},
    {1ULL << 30, "SSL_VERIFY_SERVER_CERT", Offer::never, Wish::never, "the client's own affair"},
    {1ULL << 31, "REMEMBER_OPTIONS", Offer::never, Wish::never, "the client's own affair"},
    {capability::mariadb_progress, "MARIADB PROGRESS", Offer::by_mariadb_listeners, Wish::optional,
     "progress reports of ALTER TABLE and the like, before the answer or amid it"},
    {1ULL << 33, "MARIADB COM_MULTI", Offer::never, Wish::never, unused},
    {capability::mariadb_bulk_operations, "MARIADB STMT_BULK_OPERATIONS", Offer::by_mariadb_listeners, Wish::same,
     "COM_STMT_BULK_EXECUTE"},
    {capability::mariadb_extended_metadata, "MARIADB EXTENDED_METADATA", Offer::by_mariadb_listeners, Wish::same,
     "type names and formats in column definitions"},
    {capability::mariadb_cache_metadata, "MARIADB CACHE_METADATA", Offer::by_mariadb_listeners, Wish::never,
     "column definitions left out where they did not change: by the gateway, the server always sends them "
     "([ADR 0020](adr/0020-cached-definitions.md))"},
    {capability::mariadb_bulk_unit_results, "MARIADB BULK_UNIT_RESULTS", Offer::by_mariadb_11_5_listeners, Wish::same,
     "id and count of affected rows for each row of a bulk execution"},
}};

std::string_view text_of(CommandHandling handling) {
  switch (handling) {
    case forwarded:
      return "forwarded";
    case handled:
      return "handled";
    case refused:
      return "refused";
  }
  return {};
}

std::string_view text_of(ClientOffer offer) {
  switch (offer) {
    case Offer::always:
      return "offered";
    case Offer::by_mysql_listeners:
      return "offered, `flavor: mysql`";
    case Offer::by_mariadb_listeners:
      return "offered, `flavor: mariadb`";
    case Offer::by_mariadb_11_5_listeners:
      return "offered, `server_version` of MariaDB 11.5.1 or later";
    case Offer::never:
      return "not offered";
  }
  return {};
}

std::string_view text_of(BackendWish wish) {
  switch (wish) {
    case Wish::always:
      return "asked for";
    case Wish::as_client:
      return "as the client, translated";
    case Wish::optional:
      return "as the client, where the server has it";
    case Wish::same:
      return "as the client";
    case Wish::by_grant:
      return "as the client, by `local_infile` of the grant";
    case Wish::by_tls_mode:
      return "by `tls.mode`";
    case Wish::by_compression:
      return "by the connection's `compression`";
    case Wish::never:
      return "never";
  }
  return {};
}

std::string hexadecimal(std::uint8_t byte) {
  return "0x" + to_hex({&byte, 1}, upper_hex_digits);
}

}  // namespace

std::span<const CommandRule> command_rules() {
  return commands;
}

const CommandRule& rule_of(Command command) {
  return commands[static_cast<std::size_t>(command)];
}

std::span<const CapabilityRule> capability_rules() {
  return capabilities;
}

sql::Dialect dialect_of_version(std::string_view server_version) {
  bool is_mariadb = server_version.find("MariaDB") != std::string_view::npos;
  if (is_mariadb && server_version.starts_with(mariadb_version_prefix)) {
    server_version.remove_prefix(mariadb_version_prefix.size());
  }
  return {.server = is_mariadb ? sql::Server::mariadb : sql::Server::mysql,
          .version = sql::parse_server_version(server_version)};
}

wire::Capabilities offered_capabilities(Flavor flavor, std::string_view server_version) {
  if (server_version.starts_with(mariadb_version_prefix)) {
    server_version.remove_prefix(mariadb_version_prefix.size());
  }
  bool is_mariadb = flavor == Flavor::mariadb;
  bool is_11_5 = is_mariadb && sql::parse_server_version(server_version) >= first_with_unit_results;
  auto offers = [&](Offer offer) {
    switch (offer) {
      case Offer::always:
        return true;
      case Offer::by_mysql_listeners:
        return !is_mariadb;
      case Offer::by_mariadb_listeners:
        return is_mariadb;
      case Offer::by_mariadb_11_5_listeners:
        return is_11_5;
      case Offer::never:
        return false;
    }
    return false;
  };
  wire::Capabilities set = 0;
  for (const CapabilityRule& rule : capabilities) {
    set |= offers(rule.offer) ? rule.flag : 0;
  }
  return set;
}

wire::Capabilities wished_capabilities(BackendWish wish) {
  wire::Capabilities set = 0;
  for (const CapabilityRule& rule : capabilities) {
    set |= rule.wish == wish ? rule.flag : 0;
  }
  return set;
}

std::string command_table() {
  std::string table = "| opcode | command | what happens | |\n| --- | --- | --- | --- |\n";
  for (const CommandRule& rule : commands) {
    auto index = static_cast<std::size_t>(rule.command);
    table += "| ";
    table += index < command_names.size() ? hexadecimal(command_names[index].opcode) : std::string("other");
    table.append(" | `").append(wire::name_of(rule.command)).append("` | ").append(text_of(rule.handling));
    table.append(" | ").append(rule.note).append(rule.note.empty() ? "|\n" : " |\n");
  }
  return table;
}

std::string capability_table() {
  std::string table = "| bit | capability | to clients | to servers | |\n| --- | --- | --- | --- | --- |\n";
  for (const CapabilityRule& rule : capabilities) {
    table.append("| ").append(std::to_string(std::countr_zero(rule.flag)));
    table.append(" | `").append(rule.name).append("` | ").append(text_of(rule.offer));
    table.append(" | ").append(text_of(rule.wish)).append(" | ").append(rule.note).append(" |\n");
  }
  return table;
}

}  // namespace sallyport::session
