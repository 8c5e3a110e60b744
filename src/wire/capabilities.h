// Capability flags, status flags and the column types of the MySQL protocol.
//
// Source: MySQL 9.7 "Capabilities Flags" (include/mysql_com.h of the source documentation) and the MariaDB knowledge
// base, "Connecting: capabilities". MariaDB's extended capabilities are the upper 32 bits: they are exchanged in bytes
// that are otherwise reserved, between ends that both leave out long_password.
#pragma once

#include <cstdint>

namespace sallyport::wire {

using Capabilities = std::uint64_t;

namespace capability {
inline constexpr Capabilities long_password = 1U
                                              << 0;  // MariaDB reads it, when absent, as "extended capabilities follow"
inline constexpr Capabilities found_rows = 1U << 1;
inline constexpr Capabilities long_flag = 1U << 2;
inline constexpr Capabilities connect_with_db = 1U << 3;
inline constexpr Capabilities no_schema = 1U << 4;
inline constexpr Capabilities compress = 1U << 5;
inline constexpr Capabilities odbc = 1U << 6;
inline constexpr Capabilities local_files = 1U << 7;
inline constexpr Capabilities ignore_space = 1U << 8;
inline constexpr Capabilities protocol_41 = 1U << 9;
inline constexpr Capabilities interactive = 1U << 10;
inline constexpr Capabilities ssl = 1U << 11;
inline constexpr Capabilities ignore_sigpipe = 1U << 12;
inline constexpr Capabilities transactions = 1U << 13;
inline constexpr Capabilities secure_connection = 1U << 15;
inline constexpr Capabilities multi_statements = 1U << 16;
inline constexpr Capabilities multi_results = 1U << 17;
inline constexpr Capabilities ps_multi_results = 1U << 18;
inline constexpr Capabilities plugin_auth = 1U << 19;
inline constexpr Capabilities connect_attrs = 1U << 20;
inline constexpr Capabilities plugin_auth_lenenc_data = 1U << 21;
inline constexpr Capabilities can_handle_expired_passwords = 1U << 22;
inline constexpr Capabilities session_track = 1U << 23;
inline constexpr Capabilities deprecate_eof = 1U << 24;
inline constexpr Capabilities optional_resultset_metadata = 1U << 25;
inline constexpr Capabilities zstd_compression = 1U << 26;
inline constexpr Capabilities query_attributes = 1U << 27;
inline constexpr Capabilities multi_factor = 1U << 28;
inline constexpr Capabilities mariadb_progress = 1ULL << 32;           // progress reports before an answer
inline constexpr Capabilities mariadb_bulk_operations = 1ULL << 34;    // COM_STMT_BULK_EXECUTE
inline constexpr Capabilities mariadb_extended_metadata = 1ULL << 35;  // type names and formats in column definitions
inline constexpr Capabilities mariadb_cache_metadata = 1ULL << 36;     // an execution's answer may lack definitions
inline constexpr Capabilities mariadb_bulk_unit_results = 1ULL << 37;  // bulk_flag_unit_results may be set
}  // namespace capability

// Capabilities that change what the other end sends or does and that this module understands.
inline constexpr Capabilities understood_capabilities =
    capability::long_password | capability::found_rows | capability::long_flag | capability::connect_with_db |
    capability::no_schema | capability::compress | capability::zstd_compression | capability::odbc |
    capability::local_files | capability::ignore_space | capability::protocol_41 | capability::interactive |
    capability::ssl | capability::ignore_sigpipe | capability::transactions | capability::secure_connection |
    capability::multi_statements | capability::multi_results | capability::ps_multi_results | capability::plugin_auth |
    capability::connect_attrs | capability::plugin_auth_lenenc_data | capability::session_track |
    capability::deprecate_eof | capability::optional_resultset_metadata | capability::query_attributes |
    capability::mariadb_progress | capability::mariadb_bulk_operations | capability::mariadb_extended_metadata |
    capability::mariadb_cache_metadata | capability::mariadb_bulk_unit_results;

// Whether the packet that begins a result set ends with a byte that says whether column definitions follow.
inline constexpr Capabilities tells_of_definitions =
    capability::optional_resultset_metadata | capability::mariadb_cache_metadata;

constexpr bool has(Capabilities set, Capabilities flag) {
  return (set & flag) != 0;
}

namespace status {
inline constexpr std::uint16_t in_transaction = 0x0001;
inline constexpr std::uint16_t autocommit = 0x0002;
inline constexpr std::uint16_t more_results_exist = 0x0008;
inline constexpr std::uint16_t cursor_exists = 0x0040;
inline constexpr std::uint16_t last_row_sent = 0x0080;
inline constexpr std::uint16_t ps_out_params = 0x1000;
inline constexpr std::uint16_t session_state_changed = 0x4000;
}  // namespace status

// Types in column definitions and of parameters (enum_field_types). A byte that is none of these is kept as it came.
enum class ColumnType : std::uint8_t {
  decimal = 0,
  tiny = 1,
  short_ = 2,
  long_ = 3,
  float_ = 4,
  double_ = 5,
  null = 6,
  timestamp = 7,
  longlong = 8,
  int24 = 9,
  date = 10,
  time = 11,
  datetime = 12,
  year = 13,
  varchar = 15,
  bit = 16,
  timestamp2 = 17,
  datetime2 = 18,
  time2 = 19,
  vector = 242,
  json = 245,
  newdecimal = 246,
  enum_ = 247,
  set = 248,
  tiny_blob = 249,
  medium_blob = 250,
  long_blob = 251,
  blob = 252,
  var_string = 253,
  string = 254,
  geometry = 255
};

}  // namespace sallyport::wire
