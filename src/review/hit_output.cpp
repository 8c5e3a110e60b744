#include "review/hit_output.h"

#include "audit/record.h"
#include "audit/record_members.h"
#include "base/json_text.h"
#include "review/display_text.h"
#include "review/time_range.h"

namespace sallyport::review {
namespace {

using audit::member_value;
using audit::string_of;
using Align = TableColumn::Align;

// Wide enough for a statement's beginning, narrow enough for a terminal's line.
constexpr std::size_t text_width_max = 80;
constexpr std::size_t name_width_max = 24;

class Object {
 public:
  void text(std::string_view name, std::string_view value) {
    begin(name);
    append_json_string(out_, value);
  }
  void text_if_any(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      text(name, value);
    }
  }
  void number(std::string_view name, std::uint64_t value) { json(name, std::to_string(value)); }
  void time_if_any(std::string_view name, std::int64_t nanoseconds) {
    if (nanoseconds != 0) {
      std::string text;
      audit::append_time(text, WallTime{Nanoseconds{nanoseconds}});
      this->text(name, text);
    }
  }
  void json(std::string_view name, std::string_view value) {
    begin(name);
    out_ += value;
  }
  std::string end() { return out_ + "}"; }

 private:
  void begin(std::string_view name) {
    out_ += out_.size() == 1 ? "" : ",";
    append_json_string(out_, name);
    out_ += ":";
  }
  std::string out_ = "{";
};

std::string member(std::string_view record, std::string_view name) {
  return string_of(member_value(record, name));
}

std::string what_it_says(const store::LogHit& hit) {
  const std::string& record = hit.record.text;
  for (std::string_view name : {"text", "detail", "reason"}) {
    auto text = audit::text_member(record, name);
    if (text && !text->empty()) {
      return *text;
    }
  }
  return "";
}

}  // namespace

std::string json_of(const store::LogHit& hit) {
  Object who;
  who.text_if_any("account", hit.session.account);
  who.text_if_any("client", hit.session.client);
  who.text_if_any("connection", hit.session.connection);
  who.text_if_any("role", hit.session.role);
  who.text_if_any("session", hit.session.id);
  who.text_if_any("subject", hit.session.subject);
  who.text_if_any("user", hit.session.user);
  Object object;
  object.number("number", hit.record.number);
  object.json("who", who.end());
  object.json("record", hit.record.text);
  if (hit.outcome) {
    object.number("outcome_number", hit.outcome->number);
    object.json("outcome", hit.outcome->text);
  }
  return json_for_terminal(object.end());
}

std::string json_of(const store::SessionSummary& session) {
  using End = store::SessionSummary::End;
  Object object;
  object.text("session", session.id);
  object.text_if_any("account", session.account);
  object.text_if_any("subject", session.subject);
  object.text_if_any("connection", session.connection);
  object.text_if_any("role", session.role);
  object.text_if_any("user", session.user);
  object.text_if_any("client", session.client);
  object.time_if_any("began", session.began);
  object.time_if_any("first_record_at", session.time_min);
  object.time_if_any("last_record_at", session.time_max);
  object.text("end", session.end == End::open    ? (session.is_carried_on ? "open" : "lost")
                     : session.end == End::ended ? "ended"
                                                 : "refused");
  object.text_if_any("end_reason", session.end_reason);
  object.number("first_record", session.first_record);
  object.number("records", session.records);
  object.number("statements", session.commands);
  object.number("denied", session.denied);
  object.number("errors", session.errors);
  object.number("aborted", session.aborted);
  object.number("rows", session.rows);
  object.number("bytes", session.bytes);
  return json_for_terminal(object.end());
}

std::vector<TableColumn> hit_columns() {
  return {{.heading = "NUMBER", .align = Align::right},        {.heading = "TIME"},
          {.heading = "ACCOUNT", .width_max = name_width_max}, {.heading = "SESSION"},
          {.heading = "WHAT", .width_max = name_width_max},    {.heading = "STATUS"},
          {.heading = "REASON", .width_max = name_width_max},  {.heading = "ROWS", .align = Align::right},
          {.heading = "TEXT", .width_max = text_width_max}};
}

std::vector<std::string> hit_row(const store::LogHit& hit) {
  const std::string& record = hit.record.text;
  std::string outcome = hit.outcome ? hit.outcome->text : std::string{};
  std::string type = member(record, "type");
  bool is_command = type == "command";
  std::string kind = member(record, "kind");
  std::string reason = is_command ? member(outcome, "reason") : member(record, "reason");
  if (reason.empty() && !outcome.empty()) {
    reason = member_value(outcome, "error_code");
  }
  return {std::to_string(hit.record.number),
          shown_time(hit.time),
          hit.session.account.empty() ? member(record, "account") : hit.session.account,
          hit.session.id.substr(0, short_id_bytes),
          !is_command    ? type
          : kind.empty() ? member(record, "command")
                         : kind,
          is_command ? member(outcome, "status") : member(record, "status"),
          reason,
          std::string(member_value(outcome, "rows")),
          what_it_says(hit)};
}

std::vector<TableColumn> session_columns() {
  return {{.heading = "BEGAN"},
          {.heading = "SESSION"},
          {.heading = "ACCOUNT", .width_max = name_width_max},
          {.heading = "SUBJECT", .width_max = name_width_max},
          {.heading = "CONNECTION", .width_max = name_width_max},
          {.heading = "CLIENT"},
          {.heading = "LASTED", .align = Align::right},
          {.heading = "STATEMENTS", .align = Align::right},
          {.heading = "DENIED", .align = Align::right},
          {.heading = "ERRORS", .align = Align::right},
          {.heading = "END"}};
}

std::vector<std::string> session_row(const store::SessionSummary& session) {
  using End = store::SessionSummary::End;
  std::int64_t began = session.began == 0 ? session.time_min : session.began;
  std::string connection = session.connection + (session.role.empty() ? "" : "." + session.role);
  // One that is not carried on has ended without its record: its gateway has gone.
  std::string end = session.end == End::open      ? (session.is_carried_on ? "open" : "lost")
                    : session.end == End::refused ? "refused: " + session.end_reason
                                                  : session.end_reason;
  return {shown_time(began),
          session.id.substr(0, short_id_bytes),
          session.account,
          session.subject,
          connection,
          session.client,
          shown_duration(session.time_max - began),
          std::to_string(session.commands),
          std::to_string(session.denied),
          std::to_string(session.errors),
          end};
}

}  // namespace sallyport::review
