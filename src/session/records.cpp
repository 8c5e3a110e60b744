#include "session/records.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "audit/record.h"

namespace sallyport::session {
namespace {

using audit::RecordWriter;

// The line buffer is given back when a long record has blown it up: most are of 250 to 400 bytes.
constexpr std::size_t line_bytes_kept = 64U << 10;

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
void write_value(const Place& place, const wire::SentAsLongData& /*value*/) {
  place.record.json("long_data", "true");
}
template <typename Place>
void write_value(const Place& place, std::uint64_t value) {
  place.json(std::to_string(value));
}
template <typename Place>
void write_value(const Place& place, std::int64_t value) {
  place.json(std::to_string(value));
}
template <typename Place>
void write_value(const Place& place, Bytes value) {
  place.text(text_of(value));
}

template <typename Place>
void write_value(const Place& place, double value) {
  std::array<char, 40> digits{};
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  if (std::isfinite(value)) {
    place.json(text);
  } else {
    place.text(text);
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

void write_parameters(RecordWriter& record, std::string_view name, const std::vector<wire::Parameter>& parameters) {
  record.begin_array(name);
  for (const wire::Parameter& parameter : parameters) {
    record.begin_element();
    record.text_if_any("name", parameter.name);
    record.number("type", parameter.type.type);
    std::visit([&](const auto& value) { write_value(ValueMember{record}, value); }, parameter.value);
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
    record.text("type", object.type_name);
    record.text_if_any("schema", object.schema);
    record.text("name", object.name);
    record.begin_array("access");
    for (std::size_t bit = 0; bit < lineage::access_names.size(); ++bit) {
      if ((object.access >> bit & 1) != 0) {
        record.text_element(lineage::access_names[bit]);
      }
    }
    record.end_array();
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
  record.begin_array("parameter_types");
  for (const wire::ParameterType& type : *bulk.types) {
    record.json_element(std::to_string(type.type));
  }
  record.end_array();
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
}

void write_attributes(RecordWriter& record, const ClientHello& hello) {
  if (hello.attributes.empty()) {
    return;
  }
  record.begin_array("client_attributes");
  for (const auto& [key, value] : hello.attributes) {
    record.begin_element();
    record.text("name", key);
    record.text("value", value);
    record.end_element();
  }
  record.end_array();
}

void write_principal(RecordWriter& record, const identity::Principal& principal) {
  record.begin_object("principal");
  record.text("issuer_name", principal.issuer_name);
  record.text("issuer", principal.issuer);
  record.text("subject", principal.subject);
  record.text_if_any("client_id", principal.client_id);
  record.text_if_any("token_id", principal.token_id);
  record.text_if_any("key_id", principal.key_id);
  record.text("algorithm", crypto::name_of(principal.algorithm));
  if (principal.issued_at) {
    record.time("issued_at", *principal.issued_at);
  }
  record.time("expires_at", principal.expires_at);
  record.end_object();
}

void write_login(RecordWriter& record, const SessionOrigin& origin, const LoginRecord& login) {
  record.text("client", origin.client_address);
  record.number("connection_id", origin.connection_id);
  record.text_if_any("previous_session", origin.previous_session_id);
  record.text("listener", login.listener->name);
  record.text_if_any("user", login.hello->user);
  record.text_if_any("auth_plugin", login.hello->auth_plugin);
  if (*login.tls) {
    record.begin_object("tls");
    record.text("version", (*login.tls)->version);
    record.text("cipher", (*login.tls)->cipher);
    record.text_if_any("server_name", (*login.tls)->server_name);
    record.end_object();
  }
  write_attributes(record, *login.hello);
  if (login.principal != nullptr) {
    write_principal(record, *login.principal);
  }
  record.text_if_any("account", login.account);
  record.text_if_any("connection", login.connection);
  record.text_if_any("role", login.role);
}

}  // namespace

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

void SessionRecords::begin_session() {
  seq_ = 0;
  lost_ = 0;
}

bool SessionRecords::login_accepted(const LoginRecord& login, WallTime now) {
  RecordWriter record{sink_->line(),
                      {.type = "login_accepted", .session = origin_->session_id, .seq = ++seq_, .time = now}};
  write_login(record, *origin_, login);
  record.end();
  return finish();
}

bool SessionRecords::login_refused(const LoginRecord& login, std::string_view reason, std::string_view detail,
                                   WallTime now) {
  RecordWriter record{sink_->line(),
                      {.type = "login_refused", .session = origin_->session_id, .seq = ++seq_, .time = now}};
  record.text("reason", reason);
  record.text_if_any("detail", detail);
  write_login(record, *origin_, login);
  record.end();
  return finish();
}

bool SessionRecords::session_start(const LoginRecord& login, const Start& start, WallTime now) {
  RecordWriter record{sink_->line(),
                      {.type = "session_start", .session = origin_->session_id, .seq = ++seq_, .time = now}};
  record.text("account", login.account);
  record.text("subject", login.principal->subject);
  record.text("connection", login.connection);
  record.text_if_any("role", login.role);
  record.text("database_login", start.login);
  record.text_if_any("database_role", start.set_role);
  record.text_if_any("schema", start.schema);
  record.text("server", start.server);
  record.text("server_version", start.server_version);
  record.number("server_connection_id", start.server_connection_id);
  record.text("server_connection", start.server_connection);
  record.text("client_compression", wire::name_of(start.client_compression));
  record.text("server_compression", wire::name_of(start.server_compression));
  record.end();
  return finish();
}

bool SessionRecords::command(const CommandRecord& command, WallTime now) {
  RecordWriter record{sink_->line(), {.type = "command", .session = origin_->session_id, .seq = ++seq_, .time = now}};
  record.text("command", name_of(command.command));
  if (command.command == wire::Command::unknown) {
    record.number("opcode", command.opcode);
  }
  record.text_if_any("schema", command.schema);
  if (command.text) {
    record.text("text", *command.text);
  }
  if (command.sent) {
    record.text("sent", *command.sent);
  }
  record.text_if_any("kind", command.kind);
  if (command.objects != nullptr) {
    write_objects(record, *command.objects);
    if (!command.objects_certain) {
      record.json("objects_certain", "false");
    }
  }
  if (command.part != 0) {
    record.number("part", command.part);
  }
  if (command.statement_id) {
    record.number("statement_id", *command.statement_id);
  }
  if (command.prepared_seq) {
    record.number("prepared_seq", *command.prepared_seq);
  }
  if (command.parameters != nullptr) {
    write_parameters(record, "parameters", *command.parameters);
  }
  if (command.bulk) {
    write_bulk(record, *command.bulk);
  }
  if (command.attributes != nullptr && !command.attributes->empty()) {
    write_parameters(record, "query_attributes", *command.attributes);
  }
  if (command.parameter_index) {
    record.number("parameter", *command.parameter_index);
  }
  if (command.long_data) {
    record.text("value", text_of(*command.long_data));
  }
  record.text_if_any("target_session", command.target_session);
  record.text_if_any("rule", command.rule);
  record.end();
  return finish();
}

bool SessionRecords::outcome(const OutcomeRecord& outcome, WallTime now) {
  RecordWriter record{sink_->line(), {.type = "outcome", .session = origin_->session_id, .seq = ++seq_, .time = now}};
  record.number("of", outcome.of);
  record.text("status", outcome.status);
  record.text_if_any("reason", outcome.reason);
  if (outcome.error != nullptr) {
    record.number("error_code", outcome.error->code);
    record.text("sql_state", outcome.error->sql_state);
    record.text("error", outcome.error->message);
  }
  record.number("rows", outcome.rows);
  record.number("affected_rows", outcome.affected_rows);
  record.number("results", outcome.results);
  record.number("warnings", outcome.warnings);
  record.number("bytes", outcome.bytes);
  if (outcome.uploaded_bytes > 0) {
    record.number("uploaded_bytes", outcome.uploaded_bytes);
  }
  if (outcome.statement_id) {
    record.number("statement_id", *outcome.statement_id);
  }
  record.number("duration_us", static_cast<std::uint64_t>(outcome.duration.count() / 1000));
  record.end();
  return finish();
}

bool SessionRecords::kill(const Kill& kill, WallTime now) {
  RecordWriter record{sink_->line(), {.type = "kill", .session = origin_->session_id, .seq = ++seq_, .time = now}};
  record.number("of", kill.of);
  record.text("reason", kill.reason);
  record.text("text", kill.text);
  record.end();
  return finish();
}

bool SessionRecords::kill_outcome(const KillResult& result, WallTime now) {
  append_kill_outcome(sink_->line(), {.session = origin_->session_id, .seq = ++seq_, .result = result}, now);
  return finish();
}

void append_kill_outcome(std::string& line, const KillOutcomeRecord& outcome, WallTime now) {
  RecordWriter record{line, {.type = "kill_outcome", .session = outcome.session, .seq = outcome.seq, .time = now}};
  record.number("of", outcome.result.of);
  record.text("status", outcome.result.status);
  record.text_if_any("detail", outcome.result.detail);
  record.end();
}

bool SessionRecords::session_end(std::string_view account, std::string_view reason, std::string_view detail,
                                 WallTime now) {
  RecordWriter record{sink_->line(),
                      {.type = "session_end", .session = origin_->session_id, .seq = ++seq_, .time = now}};
  record.text("account", account);
  record.text("reason", reason);
  record.text_if_any("detail", detail);
  if (lost_ > 0) {
    record.number("records_lost", lost_);
  }
  record.end();
  return finish();
}

}  // namespace sallyport::session
