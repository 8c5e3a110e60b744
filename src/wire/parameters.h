// Binary values: the parameters of COM_STMT_EXECUTE and COM_STMT_BULK_EXECUTE, and the query attributes before
// COM_QUERY's text.
//
// Source: MySQL source documentation, "Binary Protocol Value" and "COM_STMT_EXECUTE"; MariaDB knowledge base,
// "COM_STMT_BULK_EXECUTE". Views borrow from the payload.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "wire/capabilities.h"

namespace sallyport::wire {

struct ParameterType {
  std::uint8_t type = 0;  // a ColumnType, or a byte that is none
  bool is_unsigned = false;
};

struct SentAsLongData {};  // the value came with COM_STMT_SEND_LONG_DATA
struct Null {};
struct DateTime {  // DATE, DATETIME and TIMESTAMP
  std::uint16_t year;
  std::uint8_t month, day, hour, minute, second;
  std::uint32_t microsecond;
};
struct TimeSpan {  // TIME
  bool is_negative;
  std::uint32_t days;
  std::uint8_t hour, minute, second;
  std::uint32_t microsecond;
};
using Value = std::variant<Null, SentAsLongData, std::int64_t, std::uint64_t, double, Bytes, DateTime, TimeSpan>;

// How much of the length behind 0xFE counts. Of a placeholder's value servers read the low four bytes only, and
// node-mysql2 sends rubbish in the others.
enum class LengthRule : std::uint8_t { eight_bytes, low_four_bytes };

// Reads one non-NULL value of a binary row. Bytes for every type sent as a length-encoded string, also one that is not
// known. Fails the reader when the value is malformed.
Value read_value(ByteReader& reader, ParameterType type, LengthRule rule = LengthRule::eight_bytes);

struct Parameter {
  std::string_view name;  // empty for placeholders
  ParameterType type;
  Value value;
};

inline constexpr std::uint8_t flag_read_only_cursor = 0x01;
inline constexpr std::uint8_t flag_parameter_count_available = 0x08;

struct ExecuteCommand {
  std::uint32_t statement_id = 0;
  std::uint8_t flags = 0;
  std::vector<Parameter> parameters;  // the placeholders', then attributes
  std::size_t types_flag_at = 0;      // offset in the payload of the byte that says whether types follow; 0: none
  bool types_follow = false;
};

// What of a prepared statement decides how its execution reads.
struct PreparedShape {
  std::uint16_t parameter_count = 0;
  std::vector<ParameterType> types;      // of the placeholders, of the last execution that sent types
  std::vector<std::uint8_t> type_block;  // the same as they were sent, with names
  std::vector<bool> sent_as_long_data;   // by parameter; may be shorter than parameter_count
};

// `payload` includes the command byte. Updates the types of `shape` when the payload brings types and is well-formed.
// Nothing when malformed, when the types are due and missing, and when MySQL and MariaDB would read it differently.
std::optional<ExecuteCommand> parse_execute(Bytes payload, Capabilities negotiated, PreparedShape& shape);

// COM_STMT_BULK_EXECUTE: an execution for each row of parameters.
inline constexpr std::size_t bulk_flags_at = 5;  // offset in the payload of the two bytes of flags
inline constexpr std::uint16_t bulk_flag_unit_results = 64;
inline constexpr std::uint16_t bulk_flag_types_follow = 128;

enum class Indicator : std::uint8_t {
  value = 0,
  null = 1,
  default_ = 2,  // the column's default
  ignore = 3     // INSERT: the default; UPDATE: the column stays as it is
};

struct BulkValue {
  Indicator indicator = Indicator::null;
  Value value;  // where that is what the indicator says
};

struct BulkExecuteCommand {
  std::uint32_t statement_id = 0;
  std::uint16_t flags = 0;
  Bytes rows;  // whole ones, at least one: read_bulk_row()
  std::size_t row_count = 0;
  bool types_follow() const { return (flags & bulk_flag_types_follow) != 0; }
};

// As parse_execute(). Nothing also where the statement has no parameters, or has some that were sent as long data: of
// neither MariaDB makes an execution (Prepared_statement::execute_bulk_loop() and insert_bulk_params() in its
// sql/sql_prepare.cc).
std::optional<BulkExecuteCommand> parse_bulk_execute(Bytes payload, PreparedShape& shape);

// Takes one row off; `row` gets a value for each of `types`. False when malformed.
bool read_bulk_row(ByteReader& rows, const std::vector<ParameterType>& types, std::vector<BulkValue>& row);

// Skips the query attributes behind their two counts. False when malformed, also when a type's size is not certain:
// the text of the query begins behind them.
bool skip_query_attributes(ByteReader& reader, std::uint64_t count);

// Decodes what QueryCommand::attributes holds; empty when malformed.
std::vector<Parameter> parse_query_attributes(Bytes attributes, std::uint64_t count);

}  // namespace sallyport::wire
