// The command phase, client to server: command codes, and the parts of commands that the gateway reads.
//
// Source: MySQL source documentation, "Command Phase"; MariaDB knowledge base, "2 - Text/Binary protocol".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "wire/capabilities.h"

namespace sallyport::wire {

// In the order of command_names.
enum class Command : std::uint8_t {
  sleep,
  quit,
  init_db,
  query,
  field_list,
  create_db,
  drop_db,
  refresh,
  shutdown,
  statistics,
  process_info,
  connect,
  process_kill,
  debug,
  ping,
  time,
  delayed_insert,
  change_user,
  binlog_dump,
  table_dump,
  connect_out,
  register_replica,
  stmt_prepare,
  stmt_execute,
  stmt_send_long_data,
  stmt_close,
  stmt_reset,
  set_option,
  stmt_fetch,
  daemon,
  binlog_dump_gtid,
  reset_connection,
  clone,
  subscribe_group_replication_stream,
  stmt_bulk_execute,  // 0xFA, MariaDB
  mariadb_multi,      // 0xFE
  unknown
};

// The command of the first payload byte; Command::unknown for a byte that is none.
Command command_from_byte(std::uint8_t byte);

// Snake-case name, as it stands in audit records and metrics: that of command_names.
std::string_view name_of(Command command);

// The statement id that MariaDB reads as "the one prepared last on this connection".
inline constexpr std::uint32_t last_prepared_statement_id = 0xFFFFFFFF;

// The options of COM_SET_OPTION.
inline constexpr std::uint16_t option_multi_statements_on = 0;
inline constexpr std::uint16_t option_multi_statements_off = 1;

// COM_QUERY: the text, behind the query attributes if those were negotiated.
struct QueryCommand {
  std::uint64_t attribute_count = 0;
  Bytes attributes;  // undecoded: bitmap, types, names and values
  std::string_view text;
};

// `payload` includes the command byte. Nothing when malformed.
std::optional<QueryCommand> parse_query(Bytes payload, Capabilities negotiated);

// COM_STMT_SEND_LONG_DATA.
struct LongDataCommand {
  std::uint32_t statement_id;
  std::uint16_t parameter;
  Bytes value;
};
std::optional<LongDataCommand> parse_long_data(Bytes payload);

// The statement id of COM_STMT_EXECUTE, _CLOSE, _RESET, _FETCH, _SEND_LONG_DATA and bulk execute.
std::optional<std::uint32_t> parse_statement_id(Bytes payload);

}  // namespace sallyport::wire
