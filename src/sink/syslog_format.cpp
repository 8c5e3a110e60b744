#include "sink/syslog_format.h"

#include <algorithm>
#include <array>

#include "audit/record.h"

namespace sallyport::sink {
namespace {

constexpr unsigned severity_warning = 4;
constexpr unsigned severity_informational = 6;
constexpr std::size_t host_bytes_max = 255;
constexpr std::size_t type_bytes_max = 32;
constexpr std::size_t session_bytes_max = 128;
// RFC 5424 has microseconds at most: "2026-01-31T12:34:56.000000".
constexpr std::size_t time_bytes = 26;

constexpr std::array<std::string_view, 5> warnings{"login_refused", "configuration_refused", "audit_gap",
                                                   "audit_sink_dropped", "audit_pruned"};

unsigned severity_of(std::string_view type) {
  return std::find(warnings.begin(), warnings.end(), type) != warnings.end() ? severity_warning
                                                                             : severity_informational;
}

bool is_graphic(char c) {
  return c > ' ' && c < 0x7F;
}

void append_header_field(std::string& out, std::string_view value, std::size_t bytes_max) {
  std::size_t begin = out.size();
  for (char c : value.substr(0, bytes_max)) {
    out += is_graphic(c) ? c : '?';
  }
  out += out.size() == begin ? "- " : " ";
}

void append_parameter(std::string& out, std::string_view name, std::string_view value) {
  out.append(" ").append(name).append("=\"");
  for (char c : value) {
    if (c == '"' || c == '\\' || c == ']') {
      out += '\\';
    }
    out += c;
  }
  out += '"';
}

}  // namespace

void append_syslog_message(std::string& out, const SyslogSettings& settings, const Message& message) {
  out.append("<").append(std::to_string(settings.facility * 8U + severity_of(message.type))).append(">1 ");
  std::size_t begin = out.size();
  audit::append_time(out, message.time);
  out.resize(begin + time_bytes);
  out += "Z ";
  append_header_field(out, settings.host_name, host_bytes_max);
  append_header_field(out, settings.app_name, type_bytes_max + 16);
  out += "- ";
  append_header_field(out, message.type, type_bytes_max);
  out.append("[sallyport@").append(std::to_string(settings.enterprise_number));
  append_parameter(out, "index", std::to_string(message.index));
  // A gateway's sessions are named by letters and digits: what has other characters did not come from one.
  if (!message.session.empty() && message.session.size() <= session_bytes_max / 2 &&
      std::all_of(message.session.begin(), message.session.end(), is_graphic)) {
    append_parameter(out, "session", message.session);
  }
  out.append("] ").append(message.text);
}

void append_counted_syslog_message(std::string& out, const SyslogSettings& settings, const Message& message) {
  std::string one;
  append_syslog_message(one, settings, message);
  out.append(std::to_string(one.size())).append(" ").append(one);
}

}  // namespace sallyport::sink
