#include "wire/parameters.h"

#include <bit>

#include "wire/encoding.h"

namespace sallyport::wire {
namespace {

constexpr std::uint64_t parameter_count_max = 0xFFFF;
constexpr std::uint16_t unsigned_flag = 0x8000;

bool is_set(Bytes bitmap, std::size_t bit) {
  return (bitmap[bit / 8] >> (bit % 8) & 1) != 0;
}

Value signed_or_unsigned(std::uint64_t raw, int bits, ParameterType type) {
  if (type.is_unsigned) {
    return raw;
  }
  int shift = 64 - bits;
  return static_cast<std::int64_t>(raw << shift) >> shift;
}

Value read_date_time(ByteReader& reader) {
  std::uint8_t length = reader.u8();
  ByteReader body{reader.take(length)};
  if (length != 0 && length != 4 && length != 7 && length != 11) {
    reader.fail();
  }
  DateTime value{};
  if (length >= 4) {
    value.year = body.u16();
    value.month = body.u8();
    value.day = body.u8();
  }
  if (length >= 7) {
    value.hour = body.u8();
    value.minute = body.u8();
    value.second = body.u8();
  }
  if (length == 11) {
    value.microsecond = body.u32();
  }
  return value;
}

Value read_time_span(ByteReader& reader) {
  std::uint8_t length = reader.u8();
  ByteReader body{reader.take(length)};
  if (length != 0 && length != 8 && length != 12) {
    reader.fail();
  }
  TimeSpan value{};
  if (length >= 8) {
    value.is_negative = body.u8() != 0;
    value.days = body.u32();
    value.hour = body.u8();
    value.minute = body.u8();
    value.second = body.u8();
  }
  if (length == 12) {
    value.microsecond = body.u32();
  }
  return value;
}

// MySQL takes fifteen bits of type, MariaDB eight: those between are refused.
ParameterType read_type(ByteReader& reader) {
  std::uint16_t raw = reader.u16();
  if ((raw & ~unsigned_flag) > 0xFF) {
    reader.fail();
  }
  return {.type = static_cast<std::uint8_t>(raw), .is_unsigned = (raw & unsigned_flag) != 0};
}

Bytes read_text(ByteReader& reader, LengthRule rule) {
  if (rule == LengthRule::eight_bytes || reader.peek() != std::uint8_t{0xFE}) {
    return read_lenenc_bytes(reader);
  }
  reader.u8();
  std::uint32_t length = reader.u32();
  reader.u32();
  return reader.take(length);
}

// Whether the servers agree how many bytes a parameter of this type takes. Seen with MySQL 9.7 and MariaDB 10.11: of
// INT24, YEAR and BIT MariaDB takes no byte and MySQL a length-encoded string; NULL without its bit, geometry and
// unknown types are a length-encoded string in a query attribute and an error elsewhere.
bool is_parameter_type(std::uint8_t type) {
  switch (static_cast<ColumnType>(type)) {
    case ColumnType::decimal:
    case ColumnType::tiny:
    case ColumnType::short_:
    case ColumnType::long_:
    case ColumnType::float_:
    case ColumnType::double_:
    case ColumnType::timestamp:
    case ColumnType::longlong:
    case ColumnType::date:
    case ColumnType::time:
    case ColumnType::datetime:
    case ColumnType::varchar:
    case ColumnType::vector:
    case ColumnType::json:
    case ColumnType::newdecimal:
    case ColumnType::enum_:
    case ColumnType::set:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::var_string:
    case ColumnType::string:
      return true;
    case ColumnType::null:
    case ColumnType::int24:
    case ColumnType::year:
    case ColumnType::bit:
    case ColumnType::timestamp2:
    case ColumnType::datetime2:
    case ColumnType::time2:
    case ColumnType::geometry:
      return false;
  }
  return false;
}

struct ValueBlock {
  std::size_t count;
  bool with_names;
  const PreparedShape& shape;  // its types are used when the block brings none
};

struct ValueBlockContent {
  bool has_types = false;
  Bytes type_block;  // of the placeholders, with names
  std::vector<Parameter> parameters;
};

// Types, and names if those were negotiated.
void read_types(ByteReader& reader, const ValueBlock& block, ValueBlockContent& content) {
  Bytes before = reader.rest();
  for (std::size_t i = 0; i < block.count && reader.ok(); ++i) {
    content.parameters[i].type = read_type(reader);
    if (block.with_names) {
      content.parameters[i].name = text_of(read_lenenc_bytes(reader));
    }
    if (i + 1 == block.shape.parameter_count) {
      content.type_block = before.first(before.size() - reader.remaining());
    }
  }
}

void read_values(ByteReader& reader, Bytes nulls, const PreparedShape& shape, std::vector<Parameter>& parameters) {
  for (std::size_t i = 0; i < parameters.size() && reader.ok(); ++i) {
    Parameter& parameter = parameters[i];
    bool is_long_data = i < shape.parameter_count && i < shape.sent_as_long_data.size() && shape.sent_as_long_data[i];
    if (is_long_data) {
      parameter.value = SentAsLongData{};  // PHP's mysqlnd sets the NULL bit besides; no byte follows either way
    } else if (is_set(nulls, i)) {
      parameter.value = Null{};
    } else if (is_parameter_type(parameter.type.type)) {
      parameter.value = read_value(reader, parameter.type,
                                   i < shape.parameter_count ? LengthRule::low_four_bytes : LengthRule::eight_bytes);
    } else {
      reader.fail();
    }
  }
}

// NULL bitmap, "types follow" flag (any byte but zero), types, values. Nothing when malformed.
std::optional<ValueBlockContent> read_value_block(ByteReader& reader, const ValueBlock& block) {
  Bytes nulls = reader.take((block.count + 7) / 8);
  ValueBlockContent content;
  content.has_types = reader.u8() != 0;
  if (!reader.ok() || (!content.has_types && block.shape.types.size() < block.count)) {
    return std::nullopt;
  }
  content.parameters.resize(block.count);
  if (content.has_types) {
    read_types(reader, block, content);
  } else {
    for (std::size_t i = 0; i < block.count; ++i) {
      content.parameters[i].type = block.shape.types[i];
    }
  }
  read_values(reader, nulls, block.shape, content.parameters);
  return reader.ok() ? std::optional(std::move(content)) : std::nullopt;
}

// Attributes bring their types each time, so that those of placeholders alone are remembered.
void remember_types(const ValueBlockContent& content, PreparedShape& shape) {
  shape.types.clear();
  for (std::size_t i = 0; i < shape.parameter_count; ++i) {
    shape.types.push_back(content.parameters[i].type);
  }
  shape.type_block.assign(content.type_block.begin(), content.type_block.end());
}

// Behind an indicator that is none of these MariaDB reads no value and takes that of the row before.
void read_bulk_value(ByteReader& rows, ParameterType type, BulkValue& cell) {
  std::uint8_t indicator = rows.u8();
  cell = {.indicator = static_cast<Indicator>(indicator), .value = Null{}};
  bool is_value = cell.indicator == Indicator::value;
  if (indicator > static_cast<std::uint8_t>(Indicator::ignore) || (is_value && !is_parameter_type(type.type))) {
    rows.fail();
  } else if (is_value) {
    cell.value = read_value(rows, type, LengthRule::low_four_bytes);
  }
}

}  // namespace

Value read_value(ByteReader& reader, ParameterType type, LengthRule rule) {
  switch (static_cast<ColumnType>(type.type)) {
    case ColumnType::null:
      reader.fail();  // stands in the bitmap only
      return Null{};
    case ColumnType::tiny:
      return signed_or_unsigned(reader.u8(), 8, type);
    case ColumnType::short_:
    case ColumnType::year:
      return signed_or_unsigned(reader.u16(), 16, type);
    case ColumnType::long_:
    case ColumnType::int24:
      return signed_or_unsigned(reader.u32(), 32, type);
    case ColumnType::longlong:
      return signed_or_unsigned(reader.u64(), 64, type);
    case ColumnType::float_:
      return static_cast<double>(std::bit_cast<float>(reader.u32()));
    case ColumnType::double_:
      return std::bit_cast<double>(reader.u64());
    case ColumnType::date:
    case ColumnType::datetime:
    case ColumnType::timestamp:
      return read_date_time(reader);
    case ColumnType::time:
      return read_time_span(reader);
    case ColumnType::decimal:
    case ColumnType::varchar:
    case ColumnType::bit:
    case ColumnType::timestamp2:
    case ColumnType::datetime2:
    case ColumnType::time2:
    case ColumnType::vector:
    case ColumnType::json:
    case ColumnType::newdecimal:
    case ColumnType::enum_:
    case ColumnType::set:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::geometry:
      return read_text(reader, rule);
  }
  return read_text(reader, rule);
}

std::optional<ExecuteCommand> parse_execute(Bytes payload, Capabilities negotiated, PreparedShape& shape) {
  ByteReader reader{payload};
  reader.u8();
  ExecuteCommand command;
  command.statement_id = reader.u32();
  command.flags = reader.u8();
  reader.u32();  // iteration count, always 1 and not read by servers
  bool with_names = has(negotiated, capability::query_attributes);
  // The flag decides only where there are no placeholders (parse_packet() in MySQL's sql/protocol_classic.cc).
  bool count_follows =
      with_names && (shape.parameter_count > 0 || (command.flags & flag_parameter_count_available) != 0);
  std::uint64_t count = shape.parameter_count;
  if (count_follows) {
    count = read_lenenc(reader);
  }
  if (!reader.ok() || count > parameter_count_max || count < shape.parameter_count) {
    return std::nullopt;
  }
  if (count == 0) {
    return command;
  }
  command.types_flag_at = payload.size() - reader.remaining() + (static_cast<std::size_t>(count) + 7) / 8;
  auto content =
      read_value_block(reader, {.count = static_cast<std::size_t>(count), .with_names = with_names, .shape = shape});
  if (!content) {
    return std::nullopt;
  }
  command.types_follow = content->has_types;
  if (content->has_types) {
    remember_types(*content, shape);
  }
  command.parameters = std::move(content->parameters);
  return command;
}

bool read_bulk_row(ByteReader& rows, const std::vector<ParameterType>& types, std::vector<BulkValue>& row) {
  row.resize(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    read_bulk_value(rows, types[i], row[i]);
  }
  return rows.ok();
}

std::optional<BulkExecuteCommand> parse_bulk_execute(Bytes payload, PreparedShape& shape) {
  ByteReader reader{payload};
  reader.u8();
  BulkExecuteCommand command;
  command.statement_id = reader.u32();
  command.flags = reader.u16();
  bool is_known = (command.flags & ~(bulk_flag_unit_results | bulk_flag_types_follow)) == 0;
  bool has_long_data = !shape.sent_as_long_data.empty();
  if (!reader.ok() || !is_known || shape.parameter_count == 0 || has_long_data) {
    return std::nullopt;
  }
  std::vector<ParameterType> types = shape.types;
  Bytes before = reader.rest();
  if (command.types_follow()) {
    types.clear();
    for (std::size_t i = 0; i < shape.parameter_count; ++i) {
      types.push_back(read_type(reader));
    }
  }
  Bytes type_block = before.first(before.size() - reader.remaining());
  if (!reader.ok() || types.size() < shape.parameter_count || reader.at_end()) {
    return std::nullopt;
  }
  command.rows = reader.rest();
  std::vector<BulkValue> row;
  while (!reader.at_end()) {
    if (!read_bulk_row(reader, types, row)) {
      return std::nullopt;
    }
    ++command.row_count;
  }
  if (command.types_follow()) {
    shape.types = std::move(types);
    shape.type_block.assign(type_block.begin(), type_block.end());
  }
  return command;
}

bool skip_query_attributes(ByteReader& reader, std::uint64_t count) {
  const PreparedShape none;
  return count <= parameter_count_max &&
         read_value_block(reader, {.count = static_cast<std::size_t>(count), .with_names = true, .shape = none})
             .has_value();
}

std::vector<Parameter> parse_query_attributes(Bytes attributes, std::uint64_t count) {
  if (count > parameter_count_max) {
    return {};
  }
  ByteReader reader{attributes};
  const PreparedShape none;
  auto content =
      read_value_block(reader, {.count = static_cast<std::size_t>(count), .with_names = true, .shape = none});
  return content ? std::move(content->parameters) : std::vector<Parameter>{};
}

}  // namespace sallyport::wire
