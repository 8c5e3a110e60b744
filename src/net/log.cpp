#include "net/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <mutex>
#include <utility>

#include "audit/record.h"
#include "base/json_text.h"
#include "net/line_writer.h"

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

// What the event loops wait for must not depend on who reads the log.
class Log::Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(int descriptor) : writer_(descriptor) {}

  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }
  // Lines that were lost, once there is room for lines again; none else.
  std::uint64_t take_unsaid() {
    std::lock_guard lock(mutex_);
    return has_room_ ? std::exchange(unsaid_, 0) : 0;
  }
  // A line was written that says so of these, unless it was lost too.
  void said(std::uint64_t lines) {
    std::lock_guard lock(mutex_);
    unsaid_ += has_room_ ? 0 : lines;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    has_room_ = writer_.write({line.data(), line.size()});
    if (!has_room_) {
      ++unsaid_;
      lost_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  void flush_() override {}

 private:
  LineWriter writer_;
  bool has_room_ = true;
  std::uint64_t unsaid_ = 0;
  std::atomic<std::uint64_t> lost_{0};
};

Log::Log(LogSettings settings, int descriptor)
    : style_(settings.style),
      sink_(std::make_shared<Sink>(descriptor)),
      logger_(std::make_shared<spdlog::logger>("sallyport", sink_)) {
  logger_->set_pattern("%v");
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
  write_line(severity, event, fields);
  if (std::uint64_t lost = sink_->take_unsaid(); lost > 0) {
    write_line(severity, "lines of this log were lost: what reads it is too slow", {{"lines", std::to_string(lost)}});
    sink_->said(lost);
  }
}

std::uint64_t Log::lost_lines() const {
  return sink_->lost();
}

void Log::write_line(Severity severity, std::string_view event, std::initializer_list<LogField> fields) {
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
