#include "sink/ocsf.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "audit/record.h"
#include "audit/record_members.h"
#include "base/check.h"
#include "crypto/hash.h"
#include "sink/native_format.h"

namespace sallyport::sink {
namespace {

// Class uids, which have their category's number in the thousands.
constexpr int authentication = 3002;
constexpr int application_lifecycle = 6002;
constexpr int datastore_activity = 6005;

constexpr int activity_other = 99;
constexpr int status_unknown = 0;
constexpr int status_success = 1;
constexpr int status_failure = 2;
constexpr int severity_informational = 1;
constexpr int severity_medium = 3;
constexpr int severity_high = 4;
constexpr int user_type_other = 99;
constexpr int database_type_relational = 1;
constexpr int auth_protocol_oauth = 6;
constexpr int logon_type_network = 3;
constexpr int datastore_type_database = 1;
constexpr int datastore_type_table = 3;

constexpr std::size_t cut_text_bytes_max = 64;  // of any text but the statement's, in an event that is cut
constexpr std::string_view product_name = "Sallyport";

struct What {
  int class_uid = application_lifecycle;
  int activity = activity_other;
  std::string activity_name;  // where the activity is "other"
  int status = status_unknown;
  int severity = severity_informational;
};

struct TypeRow {
  std::string_view type;
  int class_uid;
  int activity;
  int status;
  int severity;
};
// Those of one activity; commands and outcomes have what the statement does.
constexpr std::array<TypeRow, 12> types{{
    {"login_accepted", authentication, 1, status_success, severity_informational},
    {"login_refused", authentication, 1, status_failure, severity_medium},
    {"session_start", datastore_activity, 3, status_success, severity_informational},
    {"session_end", authentication, 2, status_success, severity_informational},
    {"configuration_loaded", application_lifecycle, 8, status_success, severity_informational},
    {"configuration_refused", application_lifecycle, 8, status_failure, severity_medium},
    {"audit_start", application_lifecycle, 3, status_success, severity_informational},
    {"audit_stop", application_lifecycle, 4, status_success, severity_informational},
    {"audit_gap", application_lifecycle, activity_other, status_failure, severity_high},
    {"audit_sink_dropped", application_lifecycle, activity_other, status_failure, severity_high},
    {"audit_pruned", application_lifecycle, activity_other, status_success, severity_informational},
    {"audit_key_changed", application_lifecycle, activity_other, status_success, severity_medium},
}};

struct KindRow {
  std::string_view kind;  // what a statement's kind is, or begins with
  int activity;
};
constexpr std::array<KindRow, 14> kinds{{{"select", 4},
                                         {"insert", 5},
                                         {"replace", 5},
                                         {"load", 5},
                                         {"update", 2},
                                         {"delete", 7},
                                         {"truncate", 7},
                                         {"create_", 6},
                                         {"alter_", 2},
                                         {"rename", 2},
                                         {"drop_", 7},
                                         {"show", 8},
                                         {"describe", 8},
                                         {"table", 4}}};

int activity_of(std::string_view kind) {
  for (const KindRow& row : kinds) {
    if (row.kind.ends_with('_') ? kind.starts_with(row.kind) : kind == row.kind) {
      return row.activity;
    }
  }
  return activity_other;
}

std::string text_of(std::string_view record, std::string_view name) {
  return audit::string_of(audit::member_value(record, name));
}

What what_command(std::string_view record, OcsfSession& session) {
  std::string kind = text_of(record, "kind");
  std::string command = text_of(record, "command");
  What what{.class_uid = datastore_activity, .activity = activity_of(kind)};
  what.activity_name = kind.empty() ? command : kind;
  if (auto seq = audit::number_of(audit::member_value(record, "seq"))) {
    session.commands[*seq] = {.activity = what.activity, .kind = what.activity_name};
    while (session.commands.size() > OcsfSessions::commands_max) {
      session.commands.erase(session.commands.begin());
    }
  }
  return what;
}

What what_outcome(std::string_view record, OcsfSession& session) {
  What what{.class_uid = datastore_activity, .activity_name = "outcome"};
  auto of = audit::number_of(audit::member_value(record, "of"));
  if (auto command = session.commands.find(of.value_or(0)); command != session.commands.end()) {
    what.activity = command->second.activity;
    what.activity_name = command->second.kind;
  }
  std::string status = text_of(record, "status");
  what.status = status == "ok" || status == "done" ? status_success : status_failure;
  what.severity = status == "denied" ? severity_medium : severity_informational;
  return what;
}

What what_is(std::string_view type, std::string_view record, OcsfSession& session) {
  if (type == "command") {
    return what_command(record, session);
  }
  if (type == "outcome") {
    return what_outcome(record, session);
  }
  auto row = std::find_if(types.begin(), types.end(), [&](const TypeRow& one) { return one.type == type; });
  if (row != types.end()) {
    return {.class_uid = row->class_uid,
            .activity = row->activity,
            .activity_name = std::string(type),
            .status = row->status,
            .severity = row->severity};
  }
  bool has_session = !audit::member_value(record, "session").empty();
  return {.class_uid = has_session ? datastore_activity : application_lifecycle, .activity_name = std::string(type)};
}

struct Endpoint {
  std::string ip;
  std::uint16_t port = 0;
};
// Of "ADDRESS:PORT", an IPv6 address in brackets or not.
Endpoint endpoint_of(std::string_view client) {
  Endpoint endpoint;
  std::size_t colon = client.rfind(':');
  if (colon == std::string_view::npos) {
    return endpoint;
  }
  const char* end = client.data() + client.size();
  auto [at, fault] = std::from_chars(client.data() + colon + 1, end, endpoint.port);
  std::string_view address = client.substr(0, colon);
  if (fault != std::errc{} || at != end ||
      address.find_first_not_of("0123456789abcdefABCDEF.:[]") != std::string_view::npos) {
    return {};
  }
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  endpoint.ip = address;
  return endpoint;
}

// The only table that a statement names; empty where it names none or several.
struct TableName {
  std::string schema;
  std::string name;
};
TableName table_of(std::string_view record) {
  TableName table;
  std::string_view objects = audit::member_value(record, "objects");
  if (!objects.starts_with('[')) {
    return table;
  }
  audit::ElementReader reader{objects};
  while (reader.next()) {
    if (text_of(reader.value(), "type") != "table") {
      continue;
    }
    if (!table.name.empty()) {
      return {};
    }
    table = {.schema = text_of(reader.value(), "schema"), .name = text_of(reader.value(), "name")};
  }
  return table;
}

// Members that an event has in a place of its own; all others are in `unmapped`.
constexpr std::array<std::string_view, 7> mapped{"error", "seq", "session", "text", "time", "type", "user"};

class Event {
 public:
  enum class Size : std::uint8_t { whole, cut };

  Event(const OcsfInput& input, const OcsfSession& session, What what)
      : input_(input), record_(input.record), session_(session), what_(std::move(what)) {}

  // `query`: what is given of the statement's text.
  std::string write(Size size, std::string_view query) const;

 private:
  void actor(audit::RecordWriter& out) const;
  void user(audit::RecordWriter& out, std::string_view otherwise) const;
  void source(audit::RecordWriter& out) const;
  std::string correlation() const;
  void metadata(audit::RecordWriter& out) const;
  void status(audit::RecordWriter& out) const;
  void datastore(audit::RecordWriter& out, std::string_view query) const;
  void datastore_behind_query(audit::RecordWriter& out) const;
  void unmapped(audit::RecordWriter& out) const;

  void text(audit::RecordWriter& out, std::string_view name, std::string_view value) const {
    out.text_if_any(name, size_ == Size::cut ? fitting_beginning(value, cut_text_bytes_max) : value);
  }
  std::string member(std::string_view name) const { return text_of(record_, name); }
  bool is(int class_uid) const { return what_.class_uid == class_uid; }

  const OcsfInput& input_;
  std::string_view record_;
  const OcsfSession& session_;
  What what_;
  mutable Size size_ = Size::whole;
};

void Event::user(audit::RecordWriter& out, std::string_view otherwise) const {
  out.begin_object("user");
  text(out, "name", session_.account.empty() ? otherwise : std::string_view(session_.account));
  text(out, "type", "Service account");
  out.number("type_id", user_type_other);
  text(out, "uid", session_.subject);
  out.end_object();
}

void Event::actor(audit::RecordWriter& out) const {
  out.begin_object("actor");
  if (!session_.issuer.empty()) {
    out.begin_object("idp");
    text(out, "issuer", session_.issuer);
    text(out, "name", session_.issuer_name);
    out.end_object();
  }
  out.begin_object("session");
  text(out, "issuer", session_.issuer);
  text(out, "uid", member("session"));
  out.end_object();
  user(out, "unknown");
  out.end_object();
}

void Event::source(audit::RecordWriter& out) const {
  Endpoint endpoint = endpoint_of(session_.client);
  out.begin_object("src_endpoint");
  if (endpoint.ip.empty()) {
    text(out, "name", session_.client.empty() ? "unknown" : std::string_view(session_.client));
  } else {
    text(out, "ip", endpoint.ip);
    out.number_if_any("port", endpoint.port);
  }
  out.end_object();
}

// The same of a command and of its outcome; empty where there is no session.
std::string Event::correlation() const {
  std::string session = member("session");
  std::string_view of = audit::member_value(record_, "of");
  std::string seq(of.empty() ? audit::member_value(record_, "seq") : of);
  return session.empty() ? "" : session + "/" + seq;
}

void Event::metadata(audit::RecordWriter& out) const {
  out.begin_object("metadata");
  text(out, "correlation_uid", correlation());
  text(out, "event_code", member("type"));
  if (size_ == Size::cut) {
    out.begin_array("labels");
    out.text_element("cut");
    out.end_array();
  }
  text(out, "log_name", input_.origin);
  text(out, "original_time", member("time"));
  out.begin_object("product");
  text(out, "name", product_name);
  text(out, "vendor_name", product_name);
  out.end_object();
  out.number("sequence", input_.index);
  text(out, "uid", std::string(input_.origin) + "/" + std::to_string(input_.index));
  text(out, "version", ocsf_version);
  out.end_object();
}

void Event::datastore(audit::RecordWriter& out, std::string_view query) const {
  if (!query.empty()) {
    out.begin_object("query_info");
    out.text("query_string", query);
    std::string digest = member("digest");
    text(out, "uid", digest.empty() ? correlation() : digest);
    out.end_object();
  }
}

void Event::datastore_behind_query(audit::RecordWriter& out) const {
  TableName table = table_of(record_);
  if (!table.name.empty()) {
    out.begin_object("table");
    text(out, "name", table.name);
    text(out, "uid", table.schema + "." + table.name);
    out.end_object();
  }
}

void Event::status(audit::RecordWriter& out) const {
  std::string detail = member("detail");
  detail = detail.empty() ? member("error") : detail;
  std::string code = member("reason");
  code = code.empty() ? std::string(audit::member_value(record_, "error_code")) : code;
  text(out, "status_code", code);
  text(out, "status_detail", detail);
  out.number("status_id", static_cast<std::uint64_t>(what_.status));
}

void Event::unmapped(audit::RecordWriter& out) const {
  out.begin_object("unmapped");
  if (size_ == Size::cut) {
    out.number("record_bytes", record_.size());
    out.hex("record_sha256", crypto::sha256({bytes_of(record_)}));
    out.end_object();
    return;
  }
  constexpr std::size_t name_bytes_max = 60;  // our own are shorter
  audit::MemberReader reader{record_};
  while (reader.next()) {
    if (std::find(mapped.begin(), mapped.end(), reader.name()) == mapped.end() &&
        reader.name().size() <= name_bytes_max) {
      out.json(reader.name(), reader.value());
    }
  }
  out.end_object();
}

// Members are in the order of their names.
std::string Event::write(Size size, std::string_view query) const {
  size_ = size;
  std::string event;
  audit::RecordWriter out{event};
  auto number = [&](std::string_view name, int value) { out.number(name, static_cast<std::uint64_t>(value)); };
  number("activity_id", what_.activity);
  text(out, "activity_name", what_.activity == activity_other ? std::string_view(what_.activity_name) : "");
  if (!is(application_lifecycle)) {
    actor(out);
  } else {
    out.begin_object("app");
    text(out, "name", product_name);
    text(out, "vendor_name", product_name);
    text(out, "version", member("version"));
    out.end_object();
  }
  if (is(authentication)) {
    number("auth_protocol_id", auth_protocol_oauth);
  }
  number("category_uid", what_.class_uid / 1000);
  number("class_uid", what_.class_uid);
  std::string schema = member("schema");
  if (is(datastore_activity)) {
    out.begin_object("database");
    text(out, "name", schema.empty() ? std::string_view(session_.connection) : schema);
    number("type_id", database_type_relational);
    text(out, "uid", session_.connection.empty() ? "unknown" : std::string_view(session_.connection));
    out.end_object();
    out.begin_object("dst_endpoint");
    text(out, "name", session_.server.empty() ? "unknown" : std::string_view(session_.server));
    text(out, "svc_name", session_.connection);
    out.end_object();
  }
  if (auto duration = audit::number_of(audit::member_value(record_, "duration_us"))) {
    out.number("duration", *duration / 1000);
  }
  if (is(authentication)) {
    out.json("is_remote", "true");
    number("logon_type_id", logon_type_network);
  }
  metadata(out);
  if (is(datastore_activity)) {
    datastore(out, query);
  }
  if (is(authentication)) {
    out.begin_object("service");
    text(out, "name", session_.connection.empty() ? product_name : std::string_view(session_.connection));
    out.end_object();
    out.begin_object("session");
    text(out, "issuer", session_.issuer);
    text(out, "uid", member("session"));
    out.end_object();
  }
  number("severity_id", what_.severity);
  if (!is(application_lifecycle)) {
    source(out);
  }
  status(out);
  if (is(datastore_activity)) {
    datastore_behind_query(out);
  }
  auto time = audit::parse_time(member("time")).value_or(WallTime{});
  out.number("time", static_cast<std::uint64_t>(
                         std::max<std::int64_t>(0, std::chrono::floor<Milliseconds>(time.time_since_epoch()).count())));
  if (is(datastore_activity)) {
    number("type_id", table_of(record_).name.empty() ? datastore_type_database : datastore_type_table);
  }
  number("type_uid", what_.class_uid * 100 + what_.activity);
  unmapped(out);
  if (is(authentication)) {
    std::string name = member("user");
    user(out, name.empty() ? "unknown" : std::string_view(name));
  }
  out.end();
  event.pop_back();
  return event;
}

}  // namespace

std::string ocsf_event(const OcsfInput& input, OcsfSession& session) {
  SALLYPORT_CHECK(input.bytes_max >= ocsf_bytes_least);
  std::string type = text_of(input.record, "type");
  Event event(input, session, what_is(type, input.record, session));
  std::string query = text_of(input.record, "text");
  std::string whole = event.write(Event::Size::whole, query);
  if (whole.size() <= input.bytes_max) {
    return whole;
  }
  constexpr std::size_t shortest = 1;  // so that the place of the text is counted
  std::size_t besides = event.write(Event::Size::cut, fitting_beginning(query, shortest + 8)).size();
  std::size_t room = input.bytes_max - std::min(besides, input.bytes_max);
  return event.write(Event::Size::cut, fitting_beginning(query, room));
}

}  // namespace sallyport::sink
