#include "session/kill_budget.h"

#include <algorithm>

namespace sallyport::session {
namespace {

// How long a server that could not be reached is left alone: doubled with each failure.
constexpr Milliseconds first_pause{100};
constexpr Milliseconds longest_pause{10'000};
constexpr std::uint32_t doublings_max = 7;
// Servers whose faults are kept; of more, those that may be tried again are forgotten.
constexpr std::size_t servers_max = 1000;

}  // namespace

bool KillBudget::too_soon(const std::string& server, MonoTime now) {
  auto fault = faults_.find(server);
  return fault != faults_.end() && now < fault->second.until;
}

KillBudget::Verdict KillBudget::ask(const std::string& server, const Limits& limits, MonoTime now) {
  std::lock_guard lock{mutex_};
  if (too_soon(server, now)) {
    return Verdict::too_soon;
  }
  if (counts_.open < limits.side_connections_max && counts_.waiting == 0) {
    ++counts_.open;
    return Verdict::begin;
  }
  if (counts_.waiting >= limits.kills_waiting_max) {
    return Verdict::too_many;
  }
  ++counts_.waiting;
  return Verdict::wait;
}

KillBudget::Verdict KillBudget::ask_again(const std::string& server, const Limits& limits, MonoTime now) {
  std::lock_guard lock{mutex_};
  if (too_soon(server, now)) {
    --counts_.waiting;
    return Verdict::too_soon;
  }
  if (counts_.open >= limits.side_connections_max) {
    return Verdict::wait;
  }
  --counts_.waiting;
  ++counts_.open;
  return Verdict::begin;
}

void KillBudget::withdraw() {
  std::lock_guard lock{mutex_};
  --counts_.waiting;
}

void KillBudget::end(const std::string& server, Reached reached, MonoTime now) {
  std::lock_guard lock{mutex_};
  --counts_.open;
  if (reached == Reached::yes) {
    faults_.erase(server);
  }
  if (reached != Reached::no) {
    return;
  }
  if (faults_.size() >= servers_max) {
    std::erase_if(faults_, [&](const auto& entry) { return now >= entry.second.until; });
  }
  if (faults_.size() >= servers_max && !faults_.contains(server)) {
    return;
  }
  Fault& fault = faults_[server];
  // Those that had begun before the first failure are one with it.
  if (now >= fault.until) {
    fault.until = now + std::min(first_pause * (1U << std::min(fault.failures, doublings_max)), longest_pause);
    ++fault.failures;
  }
}

KillBudget::Counts KillBudget::counts() {
  std::lock_guard lock{mutex_};
  return counts_;
}

}  // namespace sallyport::session
