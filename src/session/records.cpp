#include "session/records.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include "audit/canonical.h"
#include "audit/record.h"
#include "base/json_text.h"

namespace sallyport::session {
namespace {

using audit::RecordWriter;

// The line buffer is given back when a long record has blown it up: most are of 250 to 400 bytes.
constexpr std::size_t line_bytes_kept = 64U << 10;
// Of larger members none are sealed: with the seal a record is to stay below what readers take for one line.
constexpr std::size_t sealed_bytes_max = 256U << 20;

// A value as the member "value" of an object, or as an element of an array.
struct ValueMember {
  RecordWriter& record;
  void json(std::string_view value) const { record.json("value", value); }
  void text(std::string_view value) const { record.text("value", value); }
};
struct ValueElement {
  RecordWriter& record;
  void json(std::string_view value) const { record.json_element(value); }
  void text(std::string_view value) const { record.text_element(value); }
};

template <typename Place>
void write_value(const Place& place, const wire::Null& /*value*/) {
  place.json("null");
}
template <typename Place>
void write_value(const Place& /*place*/, const wire::SentAsLongData& /*value*/) {}
template <typename Place, typename Integer>
requires std::is_integral_v<Integer>
void write_value(const Place& place, Integer value) {
  std::string text;
  append_json_integer(text, value);
  place.json(text);
}
template <typename Place>
void write_value(const Place& place, Bytes value) {
  place.text(text_of(value));
}

// What JSON can't say of a double is a text: NaN, the infinities, and the sign of a zero.
template <typename Place>
void write_value(const Place& place, double value) {
  if (std::isnan(value)) {
    place.text("nan");
  } else if (std::isinf(value)) {
    place.text(value < 0 ? "-inf" : "inf");
  } else if (value == 0 && std::signbit(value)) {
    place.text("-0");
  } else {
    std::string text;
    append_json_double(text, value);
    place.json(text);
  }
}

template <typename Place>
void write_value(const Place& place, const wire::DateTime& value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04u-%02u-%02u %02u:%02u:%02u.%06u", unsigned{value.year},
                unsigned{value.month}, unsigned{value.day}, unsigned{value.hour}, unsigned{value.minute},
                unsigned{value.second}, static_cast<unsigned>(value.microsecond));
  place.text(text.data());
}

template <typename Place>
void write_value(const Place& place, const wire::TimeSpan& value) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s%llu:%02u:%02u.%06u", value.is_negative ? "-" : "",
                static_cast<unsigned long long>(value.days) * 24 + value.hour, unsigned{value.minute},
                unsigned{value.second}, static_cast<unsigned>(value.microsecond));
  place.text(text.data());
}

enum class Values : std::uint8_t { shown, hidden };

void write_parameters(RecordWriter& record, std::string_view name, const std::vector<wire::Parameter>& parameters,
                      Values values = Values::shown) {
  record.begin_array(name);
  for (const wire::Parameter& parameter : parameters) {
    record.begin_element();
    if (std::holds_alternative<wire::SentAsLongData>(parameter.value)) {
      record.json("long_data", "true");
    }
    record.text_if_any("name", parameter.name);
    record.number("type", parameter.type.type);
    if (values == Values::shown) {
      std::visit([&](const auto& value) { write_value(ValueMember{record}, value); }, parameter.value);
    }
    record.end_element();
  }
  record.end_array();
}

void write_objects(RecordWriter& record, const std::vector<lineage::Object>& objects) {
  if (objects.empty()) {
    return;
  }
  record.begin_array("objects");
  for (const lineage::Object& object : objects) {
    record.begin_element();
    record.begin_array("access");
    for (std::size_t bit = 0; bit < lineage::access_names.size(); ++bit) {
      if ((object.access >> bit & 1) != 0) {
        record.text_element(lineage::access_names[bit]);
      }
    }
    record.end_array();
    record.text("name", object.name);
    record.text_if_any("schema", object.schema);
    record.text("type", object.type_name);
    record.end_element();
  }
  record.end_array();
}

void write_bulk_value(RecordWriter& record, const wire::BulkValue& cell) {
  switch (cell.indicator) {
    case wire::Indicator::value:
      std::visit([&](const auto& value) { write_value(ValueElement{record}, value); }, cell.value);
      return;
    case wire::Indicator::null:
      record.json_element("null");
      return;
    case wire::Indicator::default_:
      record.json_element(R"({"default":true})");
      return;
    case wire::Indicator::ignore:
      record.json_element(R"({"ignore":true})");
      return;
  }
}

void write_bulk(RecordWriter& record, const CommandRecord::BulkParameters& bulk) {
  record.begin_array("parameter_rows");
  ByteReader rows{bulk.rows};
  std::vector<wire::BulkValue> row;
  while (!rows.at_end() && wire::read_bulk_row(rows, *bulk.types, row)) {
    record.begin_array_element();
    for (const wire::BulkValue& cell : row) {
      write_bulk_value(record, cell);
    }
    record.end_array();
  }
  record.end_array();
  record.begin_array("parameter_types");
  for (const wire::ParameterType& type : *bulk.types) {
    record.json_element(std::to_string(type.type));
  }
  record.end_array();
}

Values shown_if(bool shown) {
  return shown ? Values::shown : Values::hidden;
}

// From "parameter" to "query_attributes".
void write_parts_and_parameters(RecordWriter& record, const CommandRecord& command) {
  if (command.parameter_index) {
    record.number("parameter", *command.parameter_index);
  }
  if (command.bulk && !command.hides_values) {
    write_bulk(record, *command.bulk);
  }
  if (command.parameters != nullptr) {
    write_parameters(record, "parameters", *command.parameters, shown_if(!command.hides_values));
  }
  record.number_if_any("part", command.part);
  if (command.prepared_seq) {
    record.number("prepared_seq", *command.prepared_seq);
  }
  if (command.attributes != nullptr && !command.attributes->empty()) {
    write_parameters(record, "query_attributes", *command.attributes, shown_if(!command.hides_values));
  }
}

// The members of a command's record that it has otherwise, or not at all, for those who may not open the seal.
std::string sealed_members(const CommandRecord& command) {
  const CommandRecord::Sealed& sealed = *command.sealed;
  std::string members;
  RecordWriter record{members};
  if (!sealed.hides_values) {
    if (command.bulk) {
      write_bulk(record, *command.bulk);
    }
    if (command.parameters != nullptr) {
      write_parameters(record, "parameters", *command.parameters);
    }
    if (command.attributes != nullptr && !command.attributes->empty()) {
      write_parameters(record, "query_attributes", *command.attributes);
    }
  }
  if (sealed.is_redacted) {
    record.json("redacted", "true");
  }
  if (sealed.runs) {
    record.text("runs", *sealed.runs);
  }
  if (sealed.sent) {
    record.text("sent", *sealed.sent);
  }
  if (sealed.text) {
    record.text("text", *sealed.text);
  }
  if (command.long_data && !sealed.hides_values) {
    record.text("value", text_of(*command.long_data));
  }
  record.end();
  members.pop_back();  // the line end
  return members;
}

// A client that is configured wrongly gives its token where it is not asked for: a JWT begins with {" in base64url, and
// has two dots.
constexpr std::string_view token_instead = "(a token)";
bool looks_like_token(std::string_view text) {
  std::size_t begin = text.find("eyJ");
  return begin != std::string_view::npos &&
         std::count(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), '.') >= 2;
}

void write_attributes(RecordWriter& record, const ClientHello& hello) {
  if (hello.attributes.empty()) {
    return;
  }
  record.begin_array("client_attributes");
  for (const auto& [key, value] : hello.attributes) {
    record.begin_element();
    record.text("name", looks_like_token(key) ? token_instead : std::string_view(key));
    record.text("value", looks_like_token(value) ? token_instead : std::string_view(value));
    record.end_element();
  }
  record.end_array();
}

struct JsonWriter {
  std::string& out;
  void write(const identity::JsonValue& value) {
    std::visit([this](const auto& content) { write(content); }, value.content());
  }
  void write(std::nullptr_t /*null*/) { out += "null"; }
  void write(bool value) { out += value ? "true" : "false"; }
  void write(std::int64_t value) { append_json_integer(out, value); }
  void write(double value) {
    std::isfinite(value) ? append_json_double(out, value) : append_json_string(out, value < 0 ? "-inf" : "inf");
  }
  void write(const std::string& value) { append_json_string(out, value); }
  void write(const identity::JsonArray& values) {
    out += '[';
    for (const identity::JsonValue& value : values) {
      out += out.back() == '[' ? "" : ",";
      write(value);
    }
    out += ']';
  }
  void write(const identity::JsonObject& members) {
    out += '{';
    for (const auto& [name, value] : members) {
      out += out.back() == '{' ? "" : ",";
      append_json_string(out, name);
      out += ':';
      write(value);
    }
    out += '}';
  }
};

// As canonical JSON, whatever it is: integers that readers would round are texts, and so is a number that is infinite.
std::string json_of(const identity::JsonValue& value) {
  std::string text;
  JsonWriter{text}.write(value);
  return audit::canonical_json(text).value_or("null");
}

void write_principal(RecordWriter& record, const identity::Principal& principal,
                     std::span<const std::string> recorded_claims) {
  record.begin_object("principal");
  if (const auto* actor = principal.claims.member("act")) {
    record.json("act", json_of(*actor));
  }
  record.text("algorithm", crypto::name_of(principal.algorithm));
  if (!recorded_claims.empty()) {
    record.begin_array("claims");
    for (const std::string& name : recorded_claims) {
      if (const auto* claim = principal.claims.find(name)) {
        record.begin_element();
        record.text("name", name);
        record.json("value", json_of(*claim));
        record.end_element();
      }
    }
    record.end_array();
  }
  record.text_if_any("client_id", principal.client_id);
  record.time("expires_at", principal.expires_at);
  if (principal.issued_at) {
    record.time("issued_at", *principal.issued_at);
  }
  record.text("issuer", principal.issuer);
  record.text("issuer_name", principal.issuer_name);
  record.text_if_any("key_id", principal.key_id);
  record.text("subject", principal.subject);
  record.text_if_any("token_id", principal.token_id);
  record.end_object();
}

std::uint64_t microseconds(Nanoseconds time) {
  return static_cast<std::uint64_t>(time.count() / 1000);
}

void write_recorded(RecordWriter& record, const AnswerTrace::Recorded& recorded) {
  record.begin_object("answer_recorded");
  record.number("bytes", recorded.bytes);
  if (recorded.failed) {
    record.json("failed", "true");
  }
  record.hex("sha256", recorded.digest);
  record.end_object();
}

// Which configuration it is; the record of its loading has the whole digest.
std::uint64_t short_digest(const crypto::Sha256Digest& digest) {
  std::uint64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return number;
}
void write_configuration(RecordWriter& record, const crypto::Sha256Digest& digest) {
  record.hex("configuration", Bytes{digest}.first(sizeof(std::uint64_t)));
}

void write_tls(RecordWriter& record, const TlsDetails& tls) {
  record.begin_object("tls");
  record.text("cipher", tls.cipher);
  record.text_if_any("server_name", tls.server_name);
  record.text("version", tls.version);
  record.end_object();
}

}  // namespace

struct SessionRecords::LoginRefusal {
  std::string_view reason;
  std::string_view detail;
};

// Members stand in the order of their names, in each record and each object of it.
struct SessionRecords::Head {
  RecordWriter& record;
  std::string_view session;
  std::uint64_t seq;
  WallTime time;

  void write_seq() const { record.number("seq", seq); }
  void write_session() const { record.text("session", session); }
  void write_time_and_type(std::string_view type) const {
    record.time("time", time);
    record.text("type", type);
  }
};

bool SessionRecords::finish() {
  std::string& line = sink_->line();
  bool taken = sink_->append(line);
  bytes_ += taken ? line.size() : 0;
  lost_ += taken ? 0 : 1;
  line.clear();
  if (line.capacity() > line_bytes_kept) {
    std::string{}.swap(line);
  }
  return taken;
}

void SessionRecords::write_sealed(RecordWriter& record, std::string_view members) {
  std::string seal;
  if (members.size() <= sealed_bytes_max && sink_->seal(seal, {.session = origin_->session_id, .seq = seq_}, members)) {
    record.text("sealed", seal);
  }
}

SessionRecords::Head SessionRecords::begin(RecordWriter& record, WallTime now) {
  return {.record = record, .session = origin_->session_id, .seq = ++seq_, .time = now};
}

void SessionRecords::begin_session() {
  seq_ = 0;
  lost_ = 0;
  totals_ = {};
}

bool SessionRecords::write_login(std::string_view type, const LoginRecord& login, const LoginRefusal* refusal,
                                 WallTime now) {
  RecordWriter record{sink_->line()};
  Head head = begin(record, now);
  record.text_if_any("account", login.account);
  record.text_if_any("auth_plugin", login.hello->auth_plugin);
  record.text("client", origin_->client_address);
  write_attributes(record, *login.hello);
  write_configuration(record, login.configuration);
  record.text_if_any("connection", login.connection);
  record.number("connection_id", origin_->connection_id);
  record.text_if_any("detail", refusal != nullptr ? refusal->detail : std::string_view{});
  record.text("listener", login.listener->name);
  record.text_if_any("previous_session", origin_->previous_session_id);
  if (login.principal != nullptr) {
    write_principal(record, *login.principal, login.recorded_claims);
  }
  if (refusal != nullptr) {
    record.text("reason", refusal->reason);
  }
  record.text_if_any("role", login.role);
  head.write_seq();
  head.write_session();
  record.time("time", now);
  if (*login.tls) {
    write_tls(record, **login.tls);
  }
  record.text("type", type);
  record.text_if_any("user", looks_like_token(login.hello->user) ? token_instead : std::string_view(login.hello->user));
  record.end();
  return finish();
}

bool SessionRecords::login_accepted(const LoginRecord& login, WallTime now) {
  configuration_ = short_digest(login.configuration);
  totals_.began = now;
  return write_login("login_accepted", login, nullptr, now);
}

bool SessionRecords::login_refused(const LoginRecord& login, std::string_view reason, std::string_view detail,
                                   WallTime now) {
  LoginRefusal refusal{.reason = reason, .detail = detail};
  return write_login("login_refused", login, &refusal, now);
}

bool SessionRecords::session_start(const LoginRecord& login, const Start& start, WallTime now) {
  RecordWriter record{sink_->line()};
  Head head = begin(record, now);
  record.text("account", login.account);
  record.number("client_capabilities", start.client_capabilities);
  record.text("client_compression", wire::name_of(start.client_compression));
  record.text("connection", login.connection);
  record.text("database_login", start.login);
  record.text_if_any("database_role", start.set_role);
  record.text_if_any("role", login.role);
  record.text_if_any("schema", start.schema);
  head.write_seq();
  record.text("server", start.server);
  record.text("server_compression", wire::name_of(start.server_compression));
  record.text("server_connection", start.server_connection);
  record.number("server_connection_id", start.server_connection_id);
  record.text("server_version", start.server_version);
  head.write_session();
  record.text("subject", login.principal->subject);
  head.write_time_and_type("session_start");
  record.end();
  return finish();
}

bool SessionRecords::command(const CommandRecord& command, WallTime now) {
  RecordWriter record{sink_->line()};
  Head head = begin(record, now);
  record.text("command", name_of(command.command));
  if (short_digest(command.configuration) != configuration_) {
    configuration_ = short_digest(command.configuration);
    write_configuration(record, command.configuration);
  }
  record.text_if_any("digest", command.digest);
  record.text_if_any("kind", command.kind);
  if (command.objects != nullptr) {
    write_objects(record, *command.objects);
    if (!command.objects_certain) {
      record.json("objects_certain", "false");
    }
  }
  if (command.command == wire::Command::unknown) {
    record.number("opcode", command.opcode);
  }
  write_parts_and_parameters(record, command);
  if (command.is_redacted) {
    record.json("redacted", "true");
  }
  record.text_if_any("rule", command.rule);
  if (command.runs) {
    record.text("runs", *command.runs);
  }
  record.text_if_any("schema", command.schema);
  if (command.sealed) {
    write_sealed(record, sealed_members(command));
  }
  if (command.sent) {
    record.text("sent", *command.sent);
  }
  head.write_seq();
  head.write_session();
  if (command.statement_id) {
    record.number("statement_id", *command.statement_id);
  }
  record.text_if_any("target_session", command.target_session);
  if (command.text) {
    bool is_name = command.command == wire::Command::change_user || command.command == wire::Command::init_db ||
                   command.command == wire::Command::field_list;
    record.text("text", is_name && looks_like_token(*command.text) ? token_instead : *command.text);
  }
  head.write_time_and_type("command");
  if (command.long_data && !command.hides_values) {
    record.text("value", text_of(*command.long_data));
  }
  record.end();
  return finish();
}

bool SessionRecords::outcome(const OutcomeRecord& outcome, WallTime now) {
  count(outcome);
  RecordWriter record{sink_->line()};
  Head head = begin(record, now);
  std::optional<crypto::Sha256Digest> digest = outcome.answer->digest();
  std::optional<AnswerTrace::Recorded> recorded = outcome.answer->recorded();
  record.number("affected_rows", outcome.affected_rows);
  if (recorded) {
    write_recorded(record, *recorded);
  }
  if (digest) {
    record.hex("answer_sha256", *digest);
  }
  record.number("bytes", outcome.answer->bytes());
  record.number("duration_us", microseconds(outcome.duration));
  if (outcome.error != nullptr) {
    record.text_if_any("error", outcome.error->message);
    record.number("error_code", outcome.error->code);
  }
  if (outcome.first_byte_after) {
    record.number("first_byte_us", microseconds(*outcome.first_byte_after));
  }
  if (outcome.forwarded_after) {
    record.number("forwarded_us", microseconds(*outcome.forwarded_after));
  }
  record.number("of", outcome.of);
  record.text_if_any("reason", outcome.reason);
  record.number("results", outcome.results);
  record.number("rows", outcome.rows);
  if (!outcome.sealed_error.empty()) {
    std::string members;
    RecordWriter sealed{members};
    sealed.text("error", outcome.sealed_error);
    sealed.end();
    members.pop_back();  // the line end
    write_sealed(record, members);
  }
  head.write_seq();
  head.write_session();
  if (outcome.error != nullptr) {
    record.text("sql_state", outcome.error->sql_state);
  }
  if (outcome.statement_id) {
    record.number("statement_id", *outcome.statement_id);
  }
  record.text("status", outcome.status);
  head.write_time_and_type("outcome");
  record.number_if_any("uploaded_bytes", outcome.uploaded_bytes);
  record.number("warnings", outcome.warnings);
  record.end();
  return finish();
}

void SessionRecords::count(const OutcomeRecord& outcome) {
  ++totals_.commands;
  totals_.denied += outcome.status == "denied" ? 1U : 0U;
  totals_.failed += outcome.status == "error" ? 1U : 0U;
  totals_.rows += outcome.rows;
  totals_.affected_rows += outcome.affected_rows;
  totals_.bytes += outcome.answer->bytes();
  totals_.uploaded_bytes += outcome.uploaded_bytes;
}

bool SessionRecords::kill(const Kill& kill, WallTime now) {
  RecordWriter record{sink_->line()};
  Head head = begin(record, now);
  record.number("of", kill.of);
  record.text("reason", kill.reason);
  head.write_seq();
  head.write_session();
  record.text("text", kill.text);
  head.write_time_and_type("kill");
  record.end();
  return finish();
}

bool SessionRecords::kill_outcome(const KillResult& result, WallTime now) {
  append_kill_outcome(sink_->line(), {.session = origin_->session_id, .seq = ++seq_, .result = result}, now);
  return finish();
}

void append_kill_outcome(std::string& line, const KillOutcomeRecord& outcome, WallTime now) {
  RecordWriter record{line};
  record.text_if_any("detail", outcome.result.detail);
  record.number("of", outcome.result.of);
  record.number("seq", outcome.seq);
  record.text("session", outcome.session);
  record.text("status", outcome.result.status);
  record.time("time", now);
  record.text("type", "kill_outcome");
  record.end();
}

bool SessionRecords::session_end(std::string_view account, std::string_view reason, std::string_view detail,
                                 WallTime now) {
  RecordWriter record{sink_->line()};
  Head head = begin(record, now);
  record.text("account", account);
  record.number("affected_rows", totals_.affected_rows);
  record.number("bytes", totals_.bytes);
  record.number("commands", totals_.commands);
  record.number("commands_denied", totals_.denied);
  record.number("commands_failed", totals_.failed);
  record.text_if_any("detail", detail);
  record.number("duration_us", microseconds(std::max(Nanoseconds{0}, Nanoseconds{now - totals_.began})));
  record.text("reason", reason);
  record.number_if_any("records_lost", lost_);
  record.number("rows", totals_.rows);
  head.write_seq();
  head.write_session();
  head.write_time_and_type("session_end");
  record.number_if_any("uploaded_bytes", totals_.uploaded_bytes);
  record.end();
  return finish();
}

}  // namespace sallyport::session
