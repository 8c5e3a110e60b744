#include "review/session_story.h"

#include <charconv>
#include <unordered_map>

#include "audit/record_members.h"
#include "base/bytes.h"
#include "base/hex.h"
#include "crypto/base64.h"

namespace sallyport::review {
namespace {

namespace json = boost::json;

const json::value* find(const json::object& record, std::string_view name) {
  return record.if_contains(name);
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    out += c == '\'' ? "''" : std::string(1, c);
  }
  return out + "'";
}

}  // namespace

std::string text_of(const json::object& record, std::string_view name) {
  const json::value* plain = find(record, name);
  if (plain != nullptr && plain->is_string()) {
    return std::string(plain->get_string());
  }
  const json::value* encoded = find(record, std::string(name) + "_base64");
  if (encoded == nullptr || !encoded->is_string()) {
    return "";
  }
  auto bytes = crypto::base64_decode(encoded->get_string());
  return bytes ? std::string(sallyport::text_of(*bytes)) : "";
}

bool has_text(const json::object& record, std::string_view name) {
  return find(record, name) != nullptr || find(record, std::string(name) + "_base64") != nullptr;
}

std::uint64_t number_of(const json::object& record, std::string_view name) {
  const json::value* value = find(record, name);
  if (value == nullptr) {
    return 0;
  }
  if (value->is_string()) {
    std::string_view text = value->get_string();
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  return value->is_uint64()                            ? value->get_uint64()
         : value->is_int64() && value->get_int64() > 0 ? static_cast<std::uint64_t>(value->get_int64())
                                                       : 0;
}

std::int64_t time_of(const json::object& record) {
  auto time = audit::parse_time(text_of(record, "time"));
  return time ? time->time_since_epoch().count() : 0;
}

Result<SessionStory, std::string> tell_story(const std::string& id, const std::vector<store::LogRecord>& records) {
  SessionStory story{.id = id, .login = {}, .start = {}, .end = {}, .events = {}};
  std::unordered_map<std::uint64_t, std::size_t> commands;  // by seq
  for (const store::LogRecord& record : records) {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = 64;
    json::value value = json::parse(record.text, error, {}, options);
    if (error || !value.is_object()) {
      return Unexpected("record " + std::to_string(record.number) + " is no JSON object");
    }
    json::object& object = value.get_object();
    std::string type = text_of(object, "type");
    if (type == "outcome") {
      auto place = commands.find(number_of(object, "of"));
      if (place != commands.end()) {
        story.events[place->second].outcome = std::move(object);
        story.events[place->second].outcome_number = record.number;
        continue;
      }
    }
    if (type == "login_accepted" || (type == "login_refused" && story.login.empty())) {
      story.login = object;
    } else if (type == "session_start") {
      story.start = object;
    } else if (type == "session_end") {
      story.end = object;
    } else if (type == "command") {
      commands[number_of(object, "seq")] = story.events.size();
    }
    story.events.push_back({.kind = type == "command" ? StoryEvent::Kind::command : StoryEvent::Kind::other,
                            .number = record.number,
                            .record = std::move(object),
                            .outcome = std::nullopt});
  }
  return story;
}

std::string shown_value(const json::value& value) {
  if (value.is_string()) {
    return quoted(value.get_string());
  }
  if (!value.is_object()) {
    return value.is_null() ? "NULL" : json::serialize(value);
  }
  const json::object& object = value.get_object();
  if (object.contains("long_data")) {
    return "(sent before)";
  }
  if (object.contains("default")) {
    return "DEFAULT";
  }
  if (object.contains("ignore")) {
    return "IGNORE";
  }
  if (object.contains("value_base64")) {
    return "X'" + to_hex(bytes_of(text_of(object, "value")), upper_hex_digits) + "'";
  }
  const json::value* inner = find(object, "value");
  return inner == nullptr ? "?" : shown_value(*inner);
}

std::string shown_parameters(const json::object& command) {
  std::string out;
  const json::value* parameters = find(command, "parameters");
  if (parameters != nullptr && parameters->is_array()) {
    for (const json::value& one : parameters->get_array()) {
      out += out.empty() ? "" : ", ";
      std::string name = one.is_object() ? text_of(one.get_object(), "name") : "";
      out += (name.empty() ? "" : name + " = ") + shown_value(one);
    }
  }
  const json::value* rows = find(command, "parameter_rows");
  if (rows != nullptr && rows->is_array()) {
    for (const json::value& row : rows->get_array()) {
      std::string cells;
      for (const json::value& cell : row.is_array() ? row.get_array() : json::array{}) {
        cells += (cells.empty() ? "" : ", ") + shown_value(cell);
      }
      out += (out.empty() ? "(" : ", (") + cells + ")";
    }
  }
  return out;
}

}  // namespace sallyport::review
