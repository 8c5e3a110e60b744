// The names of the protocol's commands: in audit records, metrics and documentation. src/wire has their meaning.
//
// Source: enum_server_command of MySQL 9 (include/my_command.h) and of MariaDB 11 (include/mysql_com.h).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sallyport {

struct CommandName {
  std::uint8_t opcode;  // the first byte of the command's packet
  std::string_view name;
};

inline constexpr std::array<CommandName, 36> command_names{{
    {0x00, "sleep"},
    {0x01, "quit"},
    {0x02, "init_db"},
    {0x03, "query"},
    {0x04, "field_list"},
    {0x05, "create_db"},
    {0x06, "drop_db"},
    {0x07, "refresh"},
    {0x08, "shutdown"},
    {0x09, "statistics"},
    {0x0A, "process_info"},
    {0x0B, "connect"},
    {0x0C, "process_kill"},
    {0x0D, "debug"},
    {0x0E, "ping"},
    {0x0F, "time"},
    {0x10, "delayed_insert"},
    {0x11, "change_user"},
    {0x12, "binlog_dump"},
    {0x13, "table_dump"},
    {0x14, "connect_out"},
    {0x15, "register_replica"},
    {0x16, "stmt_prepare"},
    {0x17, "stmt_execute"},
    {0x18, "stmt_send_long_data"},
    {0x19, "stmt_close"},
    {0x1A, "stmt_reset"},
    {0x1B, "set_option"},
    {0x1C, "stmt_fetch"},
    {0x1D, "daemon"},
    {0x1E, "binlog_dump_gtid"},
    {0x1F, "reset_connection"},
    {0x20, "clone"},
    {0x21, "subscribe_group_replication_stream"},
    {0xFA, "stmt_bulk_execute"},  // MariaDB
    {0xFE, "multi"}               // MariaDB 10.2 reserved it
}};

// Any other first byte.
inline constexpr std::string_view unknown_command_name = "unknown";

// The index of an opcode in command_names; that size for one that is not there.
constexpr std::size_t command_index(std::uint8_t opcode) {
  std::size_t index = opcode;
  if (index < command_names.size() && command_names[index].opcode == opcode) {
    return index;
  }
  for (index = 0; index < command_names.size() && command_names[index].opcode != opcode;) {
    ++index;
  }
  return index;
}

// command_names and, behind them, unknown_command_name.
constexpr std::array<std::string_view, command_names.size() + 1> command_kind_names() {
  std::array<std::string_view, command_names.size() + 1> names{};
  for (std::size_t i = 0; i < command_names.size(); ++i) {
    names[i] = command_names[i].name;
  }
  names.back() = unknown_command_name;
  return names;
}

}  // namespace sallyport
