#include "wire/command.h"

#include "base/command_names.h"
#include "wire/encoding.h"
#include "wire/parameters.h"

namespace sallyport::wire {
namespace {

static_assert(static_cast<std::size_t>(Command::unknown) == command_names.size());
static_assert(command_index(0x21) == static_cast<std::size_t>(Command::subscribe_group_replication_stream));
static_assert(command_index(0xFA) == static_cast<std::size_t>(Command::stmt_bulk_execute));
static_assert(command_index(0xFE) == static_cast<std::size_t>(Command::mariadb_multi));

}  // namespace

Command command_from_byte(std::uint8_t byte) {
  return static_cast<Command>(command_index(byte));
}

std::string_view name_of(Command command) {
  auto index = static_cast<std::size_t>(command);
  return index < command_names.size() ? command_names[index].name : unknown_command_name;
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
