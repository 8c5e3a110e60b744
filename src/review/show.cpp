#include "review/show.h"

#include "review/display_text.h"
#include "review/time_range.h"

namespace sallyport::review {
namespace {

namespace json = boost::json;

std::string safe(std::string_view text) {
  return for_terminal(text, Lines::escaped);
}

// "name: value", for members that are there.
class Lists {
 public:
  void add(std::string_view name, const std::string& value) {
    constexpr std::size_t name_width = 16;
    if (!value.empty()) {
      out_ += std::string(name) + std::string(name_width - name.size(), ' ') + safe(value) + "\n";
    }
  }
  const std::string& text() const { return out_; }

 private:
  std::string out_;
};

json::object object_of(const json::object& record, std::string_view name) {
  const json::value* value = record.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : json::object{};
}

std::string joined(const std::string& left, std::string_view separator, const std::string& right) {
  return left.empty() || right.empty() ? left + right : left + std::string(separator) + right;
}

std::string plural(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string attributes(const json::object& login) {
  std::string out;
  const json::value* list = login.if_contains("client_attributes");
  for (const json::value& one : list != nullptr && list->is_array() ? list->get_array() : json::array{}) {
    if (one.is_object()) {
      out = joined(out, ", ", text_of(one.get_object(), "name") + "=" + text_of(one.get_object(), "value"));
    }
  }
  return out;
}

std::string indented(std::string_view text, std::string_view by) {
  std::string out;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    out += std::string(by) + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

std::string objects_of(const json::object& command) {
  std::string out;
  const json::value* objects = command.if_contains("objects");
  for (const json::value& one : objects != nullptr && objects->is_array() ? objects->get_array() : json::array{}) {
    if (!one.is_object()) {
      continue;
    }
    const json::object& object = one.get_object();
    std::string access;
    const json::value* list = object.if_contains("access");
    for (const json::value& kind : list != nullptr && list->is_array() ? list->get_array() : json::array{}) {
      access = joined(access, " ", kind.is_string() ? std::string(kind.get_string()) : "");
    }
    out = joined(out, ", ", joined(text_of(object, "schema"), ".", text_of(object, "name")) + " (" + access + ")");
  }
  return out;
}

// Members of records that are not commands, in one line; what the heading has is left out.
std::string other_members(const json::object& record) {
  std::string out;
  for (const auto& [name, value] : record) {
    if (name == "time" || name == "type" || name == "session" || name == "seq" || value.is_structured()) {
      continue;
    }
    out = joined(
        out, ", ",
        std::string(name) + " " + (value.is_string() ? std::string(value.get_string()) : json::serialize(value)));
  }
  return out;
}

}  // namespace

std::string show_heading(const SessionStory& story) {
  Lists lists;
  const json::object& login = story.login;
  json::object principal = object_of(login, "principal");
  json::object tls = object_of(login, "tls");
  lists.add("session", story.id);
  lists.add("previous", text_of(login, "previous_session"));
  lists.add("account", joined(text_of(login, "account"), "",
                              text_of(login, "account").empty() ? text_of(story.end, "account") : ""));
  lists.add("subject", joined(text_of(principal, "subject"), " of ", text_of(principal, "issuer")));
  lists.add("client id", text_of(principal, "client_id"));
  lists.add("token", joined(text_of(principal, "token_id"), ", expires ", text_of(principal, "expires_at")));
  lists.add("client", text_of(login, "client"));
  lists.add("client says", attributes(login));
  lists.add("tls", joined(text_of(tls, "version"), " ", text_of(tls, "cipher")));
  lists.add("connection", joined(text_of(login, "connection"), ".", text_of(login, "role")));
  lists.add("database login",
            joined(text_of(story.start, "database_login"), ", role ", text_of(story.start, "database_role")));
  lists.add("server", joined(text_of(story.start, "server"), ", ", text_of(story.start, "server_version")));
  lists.add("began", login.empty() ? "before what the log holds" : shown_time(time_of(login)) + " UTC");
  if (!story.end.empty()) {
    lists.add("ended", shown_time(time_of(story.end)) + " UTC, " +
                           joined(text_of(story.end, "reason"), ": ", text_of(story.end, "detail")));
  } else if (text_of(login, "type") != "login_refused") {
    lists.add("ended", "not on record");
  }
  std::uint64_t lost = number_of(story.end, "records_lost");
  lists.add("lost", lost == 0 ? "" : plural(lost, "record") + " that the log did not take");
  return lists.text();
}

std::string show_outcome(const json::object& outcome) {
  std::string out = text_of(outcome, "status");
  out = joined(out, " ", text_of(outcome, "reason"));
  if (has_text(outcome, "error")) {
    out += " " + std::to_string(number_of(outcome, "error_code")) + " (" + text_of(outcome, "sql_state") + ") " +
           text_of(outcome, "error");
  }
  out += ", " + plural(number_of(outcome, "rows"), "row");
  std::uint64_t affected = number_of(outcome, "affected_rows");
  out += affected == 0 ? "" : ", " + std::to_string(affected) + " affected";
  std::uint64_t warnings = number_of(outcome, "warnings");
  out += warnings == 0 ? "" : ", " + plural(warnings, "warning");
  out += ", " + plural(number_of(outcome, "bytes"), "byte");
  out += ", " + shown_duration(static_cast<std::int64_t>(number_of(outcome, "duration_us")) * 1000);
  return safe(out);
}

std::string show_event(const StoryEvent& event) {
  const json::object& record = event.record;
  std::string head = "#" + std::to_string(event.number) + "  " + shown_time(time_of(record)) + "  ";
  if (event.kind == StoryEvent::Kind::other) {
    return head + safe(text_of(record, "type")) + ": " + safe(other_members(record)) + "\n";
  }
  std::string out = head + safe(text_of(record, "command"));
  std::string kind = text_of(record, "kind");
  out += kind.empty() ? "" : " " + safe(kind);
  std::string schema = text_of(record, "schema");
  out += schema.empty() ? "" : "  in " + safe(schema);
  out += record.contains("statement_id") ? "  statement " + std::to_string(number_of(record, "statement_id")) : "";
  out += record.contains("part") ? "  part " + std::to_string(number_of(record, "part")) : "";
  out += "\n";
  out += indented(for_terminal(text_of(record, "text"), Lines::kept), "    ");
  if (has_text(record, "runs")) {
    out += "    the server was to run:\n" + indented(for_terminal(text_of(record, "runs"), Lines::kept), "      ");
  }
  if (has_text(record, "sent")) {
    out += "    the server was sent:\n" + indented(for_terminal(text_of(record, "sent"), Lines::kept), "      ");
  }
  std::string parameters = shown_parameters(record);
  out += parameters.empty() ? "" : "    parameters: " + safe(parameters) + "\n";
  std::string objects = objects_of(record);
  out += objects.empty() ? "" : "    objects: " + safe(objects) + "\n";
  out += "    => " + (event.outcome ? show_outcome(*event.outcome) : std::string("no outcome on record")) + "\n";
  return out;
}

}  // namespace sallyport::review
