#include "wire/command.h"

#include <array>

#include "wire/encoding.h"
#include "wire/parameters.h"

namespace sallyport::wire {
namespace {

constexpr std::uint8_t subscribe_group_replication_stream_byte = 0x21;

constexpr std::array<std::string_view, static_cast<std::size_t>(Command::unknown) + 1> names{
    "sleep",
    "quit",
    "init_db",
    "query",
    "field_list",
    "create_db",
    "drop_db",
    "refresh",
    "shutdown",
    "statistics",
    "process_info",
    "connect",
    "process_kill",
    "debug",
    "ping",
    "time",
    "delayed_insert",
    "change_user",
    "binlog_dump",
    "table_dump",
    "connect_out",
    "register_replica",
    "stmt_prepare",
    "stmt_execute",
    "stmt_send_long_data",
    "stmt_close",
    "stmt_reset",
    "set_option",
    "stmt_fetch",
    "daemon",
    "binlog_dump_gtid",
    "reset_connection",
    "clone",
    "subscribe_group_replication_stream",
    "mariadb_multi",
    "mariadb_bulk_execute",
    "unknown"};

}  // namespace

Command command_from_byte(std::uint8_t byte) {
  if (byte <= subscribe_group_replication_stream_byte) {
    return static_cast<Command>(byte);  // the enumerators up to there stand in the order of the protocol
  }
  switch (byte) {
    case 0xFE:
      return Command::mariadb_multi;
    case 0xFA:
      return Command::mariadb_bulk_execute;
    default:
      return Command::unknown;
  }
}

std::string_view name_of(Command command) {
  return names[static_cast<std::size_t>(command)];
}

std::optional<QueryCommand> parse_query(Bytes payload, Capabilities negotiated) {
  ByteReader reader{payload};
  reader.u8();
  QueryCommand query;
  if (has(negotiated, capability::query_attributes)) {
    query.attribute_count = read_lenenc(reader);
    std::uint64_t sets = read_lenenc(reader);
    if (!reader.ok() || sets != 1) {
      return std::nullopt;
    }
    if (query.attribute_count > 0) {
      Bytes before = reader.rest();
      if (!skip_query_attributes(reader, query.attribute_count)) {
        return std::nullopt;
      }
      query.attributes = before.first(before.size() - reader.remaining());
    }
  }
  if (!reader.ok()) {
    return std::nullopt;
  }
  query.text = text_of(reader.rest());
  return query;
}

std::optional<LongDataCommand> parse_long_data(Bytes payload) {
  ByteReader reader{payload};
  reader.u8();
  LongDataCommand command{.statement_id = reader.u32(), .parameter = reader.u16(), .value = {}};
  if (!reader.ok()) {
    return std::nullopt;
  }
  command.value = reader.rest();
  return command;
}

std::optional<std::uint32_t> parse_statement_id(Bytes payload) {
  ByteReader reader{payload};
  reader.u8();
  std::uint32_t id = reader.u32();
  if (!reader.ok()) {
    return std::nullopt;
  }
  return id;
}

}  // namespace sallyport::wire
