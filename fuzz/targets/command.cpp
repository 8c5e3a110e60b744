// Commands: a query's parts are the packet without remainder; an execution reads the same with the types that it
// brings and with those remembered.
#include "wire/command.h"

#include <cstring>

#include "base/check.h"
#include "fuzz/targets.h"
#include "wire/encoding.h"
#include "wire/local_infile.h"
#include "wire/parameters.h"

namespace sallyport::fuzz {
namespace {

bool same(const wire::Value& a, const wire::Value& b) {
  if (a.index() != b.index()) {
    return false;
  }
  if (const auto* text = std::get_if<Bytes>(&a)) {
    return text_of(*text) == text_of(std::get<Bytes>(b));
  }
  if (const auto* number = std::get_if<double>(&a)) {
    return std::memcmp(number, &std::get<double>(b), sizeof *number) == 0;  // also when it is no number
  }
  if (const auto* number = std::get_if<std::int64_t>(&a)) {
    return *number == std::get<std::int64_t>(b);
  }
  if (const auto* number = std::get_if<std::uint64_t>(&a)) {
    return *number == std::get<std::uint64_t>(b);
  }
  return true;
}

void check_query(Bytes payload, wire::Capabilities negotiated) {
  auto query = wire::parse_query(payload, negotiated);
  if (!query) {
    return;
  }
  SALLYPORT_CHECK(query->text.data() + query->text.size() == text_of(payload).data() + payload.size());
  if (auto file = wire::local_file_of(query->text)) {
    auto at = static_cast<std::size_t>(file->data() - query->text.data());
    SALLYPORT_CHECK(at > 0 && query->text[at - 1] == '\'' && query->text[at + file->size()] == '\'');
    SALLYPORT_CHECK(!file->empty() && file->find_first_of("'\\") == std::string_view::npos);
  }
  if (query->attribute_count == 0) {
    SALLYPORT_CHECK(query->attributes.empty());
    return;
  }
  SALLYPORT_CHECK(query->attributes.data() + query->attributes.size() == bytes_of(query->text).data());
  SALLYPORT_CHECK(wire::parse_query_attributes(query->attributes, query->attribute_count).size() ==
                  query->attribute_count);
}

// The packet without its types, as a client sends it from the second time on.
std::vector<std::uint8_t> without_types(Bytes payload, const wire::ExecuteCommand& command,
                                        const wire::PreparedShape& shape) {
  Bytes head = payload.first(command.types_flag_at);
  Bytes tail = payload.subspan(command.types_flag_at + 1 + shape.type_block.size());
  std::vector<std::uint8_t> out(head.begin(), head.end());
  out.push_back(0);
  out.insert(out.end(), tail.begin(), tail.end());
  return out;
}

void check_execute(Bytes payload, wire::Capabilities negotiated, const wire::PreparedShape& prepared) {
  wire::PreparedShape shape = prepared;
  auto command = wire::parse_execute(payload, negotiated, shape);
  if (!command) {
    SALLYPORT_CHECK(shape.types.size() == prepared.types.size());
    SALLYPORT_CHECK(shape.type_block == prepared.type_block);
    return;
  }
  SALLYPORT_CHECK(command->parameters.size() >= shape.parameter_count);
  if (!command->types_follow || command->parameters.size() != shape.parameter_count) {
    return;
  }
  SALLYPORT_CHECK(shape.types.size() == shape.parameter_count);
  std::vector<std::uint8_t> second_payload = without_types(payload, *command, shape);
  auto second = wire::parse_execute(second_payload, negotiated, shape);
  SALLYPORT_CHECK(second && second->parameters.size() == command->parameters.size());
  for (std::size_t i = 0; i < command->parameters.size(); ++i) {
    SALLYPORT_CHECK(same(second->parameters[i].value, command->parameters[i].value));
  }
}

// Its rows are read again as they were, also with the types remembered.
void check_bulk_execute(Bytes payload, const wire::PreparedShape& prepared) {
  wire::PreparedShape shape = prepared;
  shape.sent_as_long_data.clear();
  auto command = wire::parse_bulk_execute(payload, shape);
  if (!command) {
    SALLYPORT_CHECK(shape.types.size() == prepared.types.size());
    return;
  }
  SALLYPORT_CHECK(command->row_count > 0 && shape.types.size() == shape.parameter_count);
  ByteReader rows{command->rows};
  std::vector<wire::BulkValue> row;
  for (std::size_t i = 0; i < command->row_count; ++i) {
    SALLYPORT_CHECK(wire::read_bulk_row(rows, shape.types, row) && row.size() == shape.parameter_count);
  }
  SALLYPORT_CHECK(rows.at_end());
  std::vector<std::uint8_t> second(payload.begin(), payload.begin() + wire::bulk_flags_at);
  second.insert(second.end(), {0, 0});
  second.insert(second.end(), command->rows.begin(), command->rows.end());
  auto again = wire::parse_bulk_execute(second, shape);
  SALLYPORT_CHECK(again && again->row_count == command->row_count);
}

}  // namespace

void fuzz_command(Bytes input) {
  ByteReader reader{input};
  wire::Capabilities negotiated = (reader.u8() & 1) != 0 ? wire::capability::query_attributes : 0;
  wire::PreparedShape shape;
  shape.parameter_count = reader.u8();
  std::uint8_t long_data = reader.u8();
  for (int i = 0; i < 8; ++i) {
    shape.sent_as_long_data.push_back((long_data >> i & 1) != 0);
  }
  Bytes payload = reader.rest();
  if (payload.empty()) {
    return;
  }
  SALLYPORT_CHECK(!wire::name_of(wire::command_from_byte(payload[0])).empty());
  check_query(payload, negotiated);
  check_execute(payload, negotiated, shape);
  check_bulk_execute(payload, shape);
  auto statement_id = wire::parse_statement_id(payload);
  auto long_data_command = wire::parse_long_data(payload);
  SALLYPORT_CHECK(!long_data_command || long_data_command->statement_id == *statement_id);
  SALLYPORT_CHECK(!long_data_command || long_data_command->value.size() + 7 == payload.size());
}

}  // namespace sallyport::fuzz
