// What a server answers: OK, ERR, EOF, prepare-OK, column definitions, rows, and session-track data.
//
// All functions take or give payloads, without frame headers. Parsed views borrow from the payload.
// Source: MySQL source documentation, "Generic Response Packets", "Protocol::ColumnDefinition41",
// "COM_STMT_PREPARE_OK", "Text Resultset Row", "Binary Protocol Resultset Row".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "wire/capabilities.h"
#include "wire/encoding.h"
#include "wire/parameters.h"

namespace sallyport::wire {

inline constexpr std::uint8_t ok_header = 0x00;
inline constexpr std::uint8_t eof_header = 0xFE;
inline constexpr std::uint8_t err_header = 0xFF;
inline constexpr std::uint8_t local_infile_header = 0xFB;

struct OkPacket {
  std::uint8_t header = ok_header;  // eof_header where an OK ends rows under CLIENT_DEPRECATE_EOF
  std::uint64_t affected_rows = 0;
  std::uint64_t last_insert_id = 0;
  std::uint16_t status_flags = 0;
  std::uint16_t warnings = 0;
  std::string_view info;
  Bytes session_track;  // undecoded; empty unless status::session_state_changed
};

// `negotiated` with the server that sent it.
std::optional<OkPacket> parse_ok(Bytes payload, Capabilities negotiated);
// Writes session-track data only when `negotiated` has it and status::session_state_changed is set.
void write_ok(PacketWriter& writer, const OkPacket& ok, Capabilities negotiated);

struct EofPacket {
  std::uint16_t warnings = 0;
  std::uint16_t status_flags = 0;
};

std::optional<EofPacket> parse_eof(Bytes payload);
void write_eof(PacketWriter& writer, const EofPacket& eof);

struct ErrPacket {
  std::uint16_t code = 0;
  std::string_view sql_state;  // five characters; empty where the server sent none (before the handshake response)
  std::string_view message;
};

std::optional<ErrPacket> parse_err(Bytes payload);
// `sql_state` empty writes the form without one.
void write_err(PacketWriter& writer, const ErrPacket& err);

// Of a long statement, between the packets of its answer, under mariadb_progress only: the header and the code 0xFFFF
// of an ERR, but a number of texts in the place of the '#' before an SQL state.
// Source: MariaDB, sql/protocol.cc, net_send_progress_packet().
struct ProgressReport {
  std::uint8_t stage = 0;  // from 1
  std::uint8_t stages = 0;
  std::uint32_t progress = 0;  // within the stage, in thousandths of a percent
  std::string_view text;
};

// The server writes them to a buffer of 200 bytes, behind the header and the code.
inline constexpr std::size_t progress_report_bytes_max = 256;

// Whether a packet with an ERR's header is a progress report: it has the code 0xFFFF and no SQL state.
bool is_progress_report(Bytes payload);
std::optional<ProgressReport> parse_progress_report(Bytes payload);

// What a result set begins with. Source: measured, MySQL 9.7 (`SET resultset_metadata=NONE`) and MariaDB 10.11.
struct ResultHeader {
  std::uint64_t columns = 0;
  bool definitions_follow = true;
};

// A table's limit (4,096) is none of a result's: MariaDB answers SELECT 1, 1, ... with as many as the text names.
inline constexpr std::uint64_t result_columns_max = 1U << 24;

// Nothing when malformed, also when there are no columns.
std::optional<ResultHeader> parse_result_header(Bytes payload, Capabilities negotiated);
// The byte stands there where `negotiated` has it.
void write_result_header(PacketWriter& writer, const ResultHeader& header, Capabilities negotiated);

struct PrepareOk {
  std::uint32_t statement_id = 0;
  std::uint16_t columns = 0;
  std::uint16_t parameters = 0;
  std::uint16_t warnings = 0;
  bool definitions_follow = true;  // false under capability::optional_resultset_metadata only
};

std::optional<PrepareOk> parse_prepare_ok(Bytes payload, Capabilities negotiated);

struct ColumnDefinition {
  std::string_view catalog, schema, table, org_table, name, org_name;
  std::uint16_t collation_id = 0;
  std::uint32_t length = 0;
  ColumnType type = ColumnType::null;
  std::uint16_t flags = 0;
  std::uint8_t decimals = 0;
  // With MARIADB_CLIENT_EXTENDED_METADATA: type name and format, undecoded.
  std::string_view extended = {};
};

// Source: "Protocol::ColumnDefinition41"; MariaDB's "Column definition packet" for what mariadb_extended_metadata adds.
std::optional<ColumnDefinition> parse_column_definition(Bytes payload, Capabilities negotiated);
void write_column_definition(PacketWriter& writer, const ColumnDefinition& column, Capabilities negotiated);

// A row's cells; nothing stands for NULL. False when malformed.
bool parse_text_row(Bytes payload, std::size_t columns, std::vector<std::optional<Bytes>>& cells);
bool parse_binary_row(Bytes payload, const std::vector<ParameterType>& columns, std::vector<Value>& cells);

// One entry of session-track data. Source: "Protocol::OK_Packet", enum_session_state_type.
struct SessionTrackEntry {
  enum class Kind : std::uint8_t {
    system_variable,
    schema,
    state_change,
    gtids,
    transaction_characteristics,
    transaction_state,
    unknown
  };
  Kind kind = Kind::unknown;
  std::uint8_t raw_kind = 0;
  std::string_view name;   // system_variable: its name
  std::string_view value;  // system_variable, schema: the new value; others: undecoded
  Bytes raw;               // the whole entry
};

// Nothing when malformed, also when the entry of a variable or schema holds more than that.
std::optional<std::vector<SessionTrackEntry>> parse_session_track(Bytes session_track);

}  // namespace sallyport::wire
