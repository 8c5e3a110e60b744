#include "review/csv.h"

#include <array>

#include "review/display_text.h"
#include "review/session_story.h"

namespace sallyport::review {
namespace {

namespace json = boost::json;

constexpr std::string_view line_end = "\r\n";

struct Column {
  std::string_view heading;
  std::string_view member;
  enum class Of : unsigned char { record, outcome } of;
};
constexpr std::array<Column, 16> columns{{{"type", "type", Column::Of::record},
                                          {"command", "command", Column::Of::record},
                                          {"kind", "kind", Column::Of::record},
                                          {"schema", "schema", Column::Of::record},
                                          {"text", "text", Column::Of::record},
                                          {"status", "status", Column::Of::outcome},
                                          {"reason", "reason", Column::Of::outcome},
                                          {"error_code", "error_code", Column::Of::outcome},
                                          {"error", "error", Column::Of::outcome},
                                          {"rows", "rows", Column::Of::outcome},
                                          {"affected_rows", "affected_rows", Column::Of::outcome},
                                          {"warnings", "warnings", Column::Of::outcome},
                                          {"bytes", "bytes", Column::Of::outcome},
                                          {"duration_us", "duration_us", Column::Of::outcome},
                                          {"seq", "seq", Column::Of::record},
                                          {"digest", "digest", Column::Of::record}}};

json::object parse(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return !error && value.is_object() ? value.get_object() : json::object{};
}

std::string member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_number() ? json::serialize(*value) : csv_field(text_of(object, name));
}

}  // namespace

std::string csv_field(std::string_view text) {
  std::string safe = for_terminal(text, Lines::kept);
  if (!text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) != std::string_view::npos) {
    safe.insert(0, "'");
  }
  if (safe.find_first_of("\",\n") == std::string::npos) {
    return safe;
  }
  std::string out = "\"";
  for (char c : safe) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + "\"";
}

std::string csv_heading() {
  std::string out = "number,time,session,account,subject,connection,role,client";
  for (const Column& column : columns) {
    out += "," + std::string(column.heading);
  }
  return out + ",parameters" + std::string(line_end);
}

std::string csv_row(const store::LogHit& hit) {
  json::object record = parse(hit.record.text);
  json::object outcome = hit.outcome ? parse(hit.outcome->text) : json::object{};
  bool is_command = text_of(record, "type") == "command";
  const store::SessionSummary& who = hit.session;
  std::string out = std::to_string(hit.record.number) + "," + csv_field(text_of(record, "time"));
  for (const std::string* text : {&who.id, &who.account, &who.subject, &who.connection, &who.role, &who.client}) {
    out += "," + csv_field(*text);
  }
  for (const Column& column : columns) {
    out += "," + member(column.of == Column::Of::outcome && is_command ? outcome : record, column.member);
  }
  return out + "," + csv_field(shown_parameters(record)) + std::string(line_end);
}

}  // namespace sallyport::review
