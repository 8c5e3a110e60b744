#include "wire/parameters.h"

#include <bit>

#include "wire/encoding.h"

namespace sallyport::wire {
namespace {

constexpr std::uint64_t parameter_count_max = 0xFFFF;
constexpr std::uint16_t unsigned_flag = 0x8000;

bool is_set(Bytes bitmap, std::size_t bit) { return (bitmap[bit / 8] >> (bit % 8) & 1) != 0; }

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

ParameterType read_type(ByteReader& reader) {
  std::uint16_t raw = reader.u16();
  return {.type = static_cast<std::uint8_t>(raw), .is_unsigned = (raw & unsigned_flag) != 0};
}

struct ValueBlock {
  std::size_t count;
  bool with_names;
  std::vector<ParameterType>* types;  // remembered types, replaced when the block brings its own
  const std::vector<bool>* sent_as_long_data;
  std::vector<std::uint8_t>* type_block = nullptr;
};

// NULL bitmap, "types follow" flag, types, values. False when malformed.
bool read_value_block(ByteReader& reader, const ValueBlock& block, std::vector<Parameter>* out) {
  Bytes nulls = reader.take((block.count + 7) / 8);
  bool types_follow = reader.u8() == 1;
  std::vector<std::string_view> names(types_follow && block.with_names ? block.count : 0);
  if (types_follow) {
    Bytes before = reader.rest();
    block.types->clear();
    for (std::size_t i = 0; i < block.count && reader.ok(); ++i) {
      block.types->push_back(read_type(reader));
      if (block.with_names) {
        names[i] = text_of(read_lenenc_bytes(reader));
      }
    }
    if (block.type_block != nullptr && reader.ok()) {
      Bytes sent = before.first(before.size() - reader.remaining());
      block.type_block->assign(sent.begin(), sent.end());
    }
  }
  if (!reader.ok() || block.types->size() < block.count) {
    return false;
  }
  for (std::size_t i = 0; i < block.count && reader.ok(); ++i) {
    Parameter parameter{.name = i < names.size() ? names[i] : std::string_view{}, .type = (*block.types)[i], .value = {}};
    if (i < block.sent_as_long_data->size() && (*block.sent_as_long_data)[i]) {
      parameter.value = SentAsLongData{};
    } else if (is_set(nulls, i)) {
      parameter.value = Null{};
    } else {
      parameter.value = read_value(reader, parameter.type);
    }
    if (out != nullptr) {
      out->push_back(parameter);
    }
  }
  return reader.ok();
}

}  // namespace

Value read_value(ByteReader& reader, ParameterType type) {
  switch (static_cast<ColumnType>(type.type)) {
    case ColumnType::null:
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
      return read_lenenc_bytes(reader);
  }
  return read_lenenc_bytes(reader);
}

std::optional<ExecuteCommand> parse_execute(Bytes payload, Capabilities negotiated, PreparedShape& shape) {
  ByteReader reader{payload};
  reader.u8();
  ExecuteCommand command;
  command.statement_id = reader.u32();
  command.flags = reader.u8();
  reader.u32();  // iteration count, always 1 and not read by servers
  bool with_names = has(negotiated, capability::query_attributes);
  bool count_follows = with_names && (command.flags & flag_parameter_count_available) != 0;
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
  command.types_follow = command.types_flag_at < payload.size() && payload[command.types_flag_at] == 1;
  if (!read_value_block(reader,
                        {.count = static_cast<std::size_t>(count), .with_names = with_names, .types = &shape.types,
                         .sent_as_long_data = &shape.sent_as_long_data, .type_block = &shape.type_block},
                        &command.parameters)) {
    return std::nullopt;
  }
  return command;
}

bool skip_query_attributes(ByteReader& reader, std::uint64_t count) {
  std::vector<ParameterType> types;
  const std::vector<bool> none;
  return count <= parameter_count_max &&
         read_value_block(reader,
                          {.count = static_cast<std::size_t>(count), .with_names = true, .types = &types,
                           .sent_as_long_data = &none},
                          nullptr);
}

std::vector<Parameter> parse_query_attributes(Bytes attributes, std::uint64_t count) {
  ByteReader reader{attributes};
  std::vector<ParameterType> types;
  const std::vector<bool> none;
  std::vector<Parameter> parameters;
  if (count > parameter_count_max ||
      !read_value_block(reader,
                        {.count = static_cast<std::size_t>(count), .with_names = true, .types = &types,
                         .sent_as_long_data = &none},
                        &parameters)) {
    parameters.clear();
  }
  return parameters;
}

}  // namespace sallyport::wire
