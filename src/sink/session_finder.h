// Who sessions are whose logins a sink has not seen, because it began, or goes on, behind them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "sink/ocsf.h"

namespace sallyport::sink {

// Looks into the log, with its indexes, no more often than every `interval`: what is not found then is unknown for as
// long. What it says of a session is what the log's search says.
class SessionFinder {
 public:
  static constexpr Seconds interval{60};
  static constexpr std::size_t sessions_max = 100'000;

  explicit SessionFinder(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::optional<OcsfSession> find(const std::string& session);

 private:
  void look();

  std::filesystem::path directory_;
  std::unordered_map<std::string, OcsfSession> found_;
  std::optional<MonoTime> looked_at_;
};

}  // namespace sallyport::sink
