// The record of a command, whatever its texts and parameters are: it is one line in canonical form, and what went into
// it can be read from it again.
//
// Input: a byte of options, the number of parameters, the lengths of two texts, the texts, then an execution's payload.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "audit/canonical.h"
#include "base/check.h"
#include "crypto/base64.h"
#include "fuzz/targets.h"
#include "identity/json.h"
#include "session/records.h"
#include "wire/parameters.h"

namespace sallyport::fuzz {
namespace {

class LastLine final : public audit::Sink {
 public:
  bool append(std::string_view line) override {
    text = line;
    return true;
  }
  std::string text;
};

// The text of a member, or of its form in base64; fails where there is none.
std::string text_of_member(const identity::JsonValue& object, std::string_view name) {
  if (const auto* member = object.member(name)) {
    SALLYPORT_CHECK(member->as_string() != nullptr);
    return *member->as_string();
  }
  const auto* member = object.member(std::string(name) + "_base64");
  SALLYPORT_CHECK(member != nullptr && member->as_string() != nullptr);
  auto bytes = crypto::base64_decode(*member->as_string());
  SALLYPORT_CHECK(bytes.has_value());
  return std::string(text_of(*bytes));
}

// Such a name is not recorded as it is.
bool may_be_token(std::string_view name) {
  return name.find("eyJ") != std::string_view::npos && std::count(name.begin(), name.end(), '.') >= 2;
}

// Integers beyond 2^53-1 are texts.
template <typename Integer>
void check_integer(const identity::JsonValue& object, Integer expected) {
  const auto* member = object.member("value");
  SALLYPORT_CHECK(member != nullptr);
  const auto* number = std::get_if<std::int64_t>(&member->content());
  SALLYPORT_CHECK(number != nullptr ? std::cmp_equal(*number, expected)
                                    : *member->as_string() == std::to_string(expected));
}

void check_double(const identity::JsonValue& object, double expected) {
  const auto* member = object.member("value");
  SALLYPORT_CHECK(member != nullptr);
  if (const auto* text = member->as_string()) {
    SALLYPORT_CHECK(!std::isfinite(expected) || (expected == 0 && std::signbit(expected)));
    double value = std::strtod(text->c_str(), nullptr);
    SALLYPORT_CHECK(std::isnan(expected) ? std::isnan(value)
                                         : value == expected && std::signbit(value) == std::signbit(expected));
  } else if (const auto* number = std::get_if<std::int64_t>(&member->content())) {
    SALLYPORT_CHECK(static_cast<double>(*number) == expected);
  } else {
    // The reader of this test may be off by a digit, as its library is.
    double value = std::get<double>(member->content());
    SALLYPORT_CHECK(std::abs(value - expected) <= std::abs(expected) * 1e-14 + 1e-320);
  }
}

void check_parameter(const identity::JsonValue& object, const wire::Parameter& parameter) {
  if (!parameter.name.empty()) {
    SALLYPORT_CHECK(text_of_member(object, "name") == parameter.name);
  }
  if (const auto* text = std::get_if<Bytes>(&parameter.value)) {
    SALLYPORT_CHECK(text_of_member(object, "value") == text_of(*text));
  } else if (const auto* number = std::get_if<std::int64_t>(&parameter.value)) {
    check_integer(object, *number);
  } else if (const auto* large = std::get_if<std::uint64_t>(&parameter.value)) {
    check_integer(object, *large);
  } else if (const auto* real = std::get_if<double>(&parameter.value)) {
    check_double(object, *real);
  } else if (std::holds_alternative<wire::Null>(parameter.value)) {
    const auto* member = object.member("value");
    SALLYPORT_CHECK(member != nullptr && std::holds_alternative<std::nullptr_t>(member->content()));
  } else if (std::holds_alternative<wire::SentAsLongData>(parameter.value)) {
    SALLYPORT_CHECK(object.member("long_data") != nullptr && object.member("value") == nullptr);
  } else {
    SALLYPORT_CHECK(!text_of_member(object, "value").empty());
  }
}

}  // namespace

void fuzz_audit_record(Bytes input) {
  ByteReader reader{input};
  std::uint8_t options = reader.u8();
  wire::PreparedShape shape;
  shape.parameter_count = reader.u8() % 32;
  shape.sent_as_long_data.assign(shape.parameter_count, (options & 2) != 0);
  std::size_t schema_bytes = reader.u8();
  std::size_t text_bytes = reader.u8();
  Bytes rest = reader.rest();
  std::string_view schema = text_of(rest.first(std::min(schema_bytes, rest.size())));
  rest = rest.subspan(schema.size());
  std::string_view text = text_of(rest.first(std::min(text_bytes, rest.size())));
  rest = rest.subspan(text.size());
  auto execution = wire::parse_execute(rest, (options & 1) != 0 ? wire::capability::query_attributes : 0, shape);
  wire::PreparedShape bulk_shape{.parameter_count = shape.parameter_count, .types = {}, .type_block = {}};
  auto bulk = wire::parse_bulk_execute(rest, bulk_shape);

  LastLine sink;
  session::SessionOrigin origin{.session_id = "s", .connection_id = 1, .client_address = "127.0.0.1:1"};
  session::SessionRecords records{origin, sink};
  session::CommandRecord command{.command = rest.empty() ? wire::Command::unknown : wire::command_from_byte(rest[0]),
                                 .opcode = options,
                                 .schema = schema,
                                 .text = text,
                                 .parameters = execution ? &execution->parameters : nullptr,
                                 .sent = schema,
                                 .rule = text};
  if (bulk) {
    command.bulk = {.rows = bulk->rows, .types = &bulk_shape.types};
  }
  command.long_data = rest;
  SALLYPORT_CHECK(records.command(command, wall_from_unix_seconds(1'800'000'000)));

  SALLYPORT_CHECK(sink.text.ends_with('\n') && sink.text.find('\n') == sink.text.size() - 1);
  SALLYPORT_CHECK(audit::canonical_json(sink.text) == sink.text.substr(0, sink.text.size() - 1));
  auto record = identity::parse_json(sink.text, {.bytes_max = 1U << 30, .depth_max = 16});
  SALLYPORT_CHECK(record && record->is_object());
  SALLYPORT_CHECK(schema.empty() || text_of_member(*record, "schema") == schema);
  SALLYPORT_CHECK(text_of_member(*record, "sent") == schema);
  std::string recorded = text_of_member(*record, "text");
  SALLYPORT_CHECK(recorded == text || (recorded == "(a token)" && may_be_token(text)));
  SALLYPORT_CHECK(text_of_member(*record, "value") == text_of(rest));
  if (execution) {
    const auto* parameters = record->member("parameters");
    SALLYPORT_CHECK(parameters != nullptr && parameters->as_array()->size() == execution->parameters.size());
    for (std::size_t i = 0; i < execution->parameters.size(); ++i) {
      check_parameter((*parameters->as_array())[i], execution->parameters[i]);
    }
  }
  if (bulk) {
    SALLYPORT_CHECK(record->member("parameter_rows")->as_array()->size() == bulk->row_count);
  }
}

}  // namespace sallyport::fuzz
