#include "net/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>

#include "audit/record.h"
#include "base/json_text.h"

namespace sallyport::net {
namespace {

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return spdlog::level::debug;
    case Severity::info:
      return spdlog::level::info;
    case Severity::warning:
      return spdlog::level::warn;
    case Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return "debug";
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "error";
}

// What a peer sent may be any bytes; a log line is UTF-8 without control characters.
std::string printable(std::string_view text) {
  std::string out(text);
  bool well_formed = is_utf8(text);
  for (char& c : out) {
    auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F || (!well_formed && byte >= 0x80)) {
      c = '?';
    }
  }
  return out;
}

}  // namespace

Log::Log(LogSettings settings)
    : style_(settings.style),
      logger_(std::make_shared<spdlog::logger>("sallyport", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  logger_->set_pattern("%v");
  logger_->flush_on(spdlog::level::debug);
  configure(settings);
}

Log::~Log() = default;

void Log::configure(LogSettings settings) {
  style_.store(settings.style, std::memory_order_relaxed);
  logger_->set_level(level_of(settings.lowest));
}

void Log::write(Severity severity, std::string_view event, std::initializer_list<LogField> fields) {
  if (!logger_->should_log(level_of(severity))) {
    return;
  }
  auto now = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
  std::string line;
  if (style_.load(std::memory_order_relaxed) == LogStyle::text) {
    audit::append_time(line, now);
    line.append(" ").append(name_of(severity)).append(" ").append(event);
    for (const LogField& field : fields) {
      line.append(" ").append(field.name).append("=");
      append_json_string(line, printable(field.value));
    }
  } else {
    line += "{\"time\":\"";
    audit::append_time(line, now);
    line.append("\",\"level\":\"").append(name_of(severity)).append("\",\"event\":");
    append_json_string(line, event);
    for (const LogField& field : fields) {
      line += ',';
      append_json_string(line, field.name);
      line += ':';
      append_json_string(line, printable(field.value));
    }
    line += '}';
  }
  logger_->log(level_of(severity), line);
}

}  // namespace sallyport::net
