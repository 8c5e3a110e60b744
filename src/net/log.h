// The gateway's own log: one line an event on standard error, as JSON or as text. Never a secret. Nobody waits for
// what reads it: where there is no room for a line it is lost, which a later line says.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace sallyport::net {

enum class Severity : std::uint8_t { debug, info, warning, error };
enum class LogStyle : std::uint8_t { json, text };

struct LogField {
  std::string_view name;
  std::string value;
};

struct LogSettings {
  Severity lowest = Severity::info;
  LogStyle style = LogStyle::json;
};

// May be used from several threads at once.
class Log {
 public:
  // The descriptor stays the caller's.
  explicit Log(LogSettings settings, int descriptor = STDERR_FILENO);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // `event`: what happened, as a short sentence that is the same for each occurrence.
  void write(Severity severity, std::string_view event, std::initializer_list<LogField> fields = {});
  void configure(LogSettings settings);
  std::uint64_t lost_lines() const;

 private:
  class Sink;

  void write_line(Severity severity, std::string_view event, std::initializer_list<LogField> fields);

  std::atomic<LogStyle> style_;
  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace sallyport::net
