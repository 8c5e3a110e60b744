#include "base/counters.h"

#include <algorithm>

namespace sallyport {

namespace {

// The index of `name`, or of the last entry, which stands for everything else.
template <std::size_t size>
std::size_t index_of(const std::array<std::string_view, size>& names, std::string_view name) {
  const auto* found = std::find(names.begin(), names.end() - 1, name);
  return static_cast<std::size_t>(found - names.begin());
}

template <typename T, std::size_t size>
void sum(std::array<T, size>& totals, const std::array<std::atomic<T>, size>& cells) {
  for (std::size_t i = 0; i < size; ++i) {
    totals[i] += cells[i].load(std::memory_order_relaxed);
  }
}

}  // namespace

void LoopCounters::add_connection_refused(std::string_view reason) {
  bump(connections_refused_[index_of(connection_refusal_reasons, reason)], std::uint64_t{1});
}

void LoopCounters::add_login_refused(std::string_view reason) {
  bump(logins_refused_[index_of(login_refusal_reasons, reason)], std::uint64_t{1});
}

void LoopCounters::add_session_ended(std::string_view reason) {
  bump(sessions_ended_[index_of(session_end_reasons, reason)], std::uint64_t{1});
}

void LoopCounters::add_command(std::uint8_t opcode) {
  bump(commands_[command_index(opcode)], std::uint64_t{1});
}

void LoopCounters::observe(Duration duration, std::chrono::nanoseconds elapsed) {
  auto elapsed_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed.count(), 0));
  const auto* bound = std::find_if(duration_bounds_us.begin(), duration_bounds_us.end(),
                                   [&](std::uint64_t bound_us) { return elapsed_ns <= bound_us * 1000; });
  Histogram& histogram = durations_[static_cast<std::size_t>(duration)];
  bump(histogram.buckets[static_cast<std::size_t>(bound - duration_bounds_us.begin())], std::uint64_t{1});
  bump(histogram.sum_ns, elapsed_ns);
}

void LoopCounters::add_to(CounterTotals& totals) const {
  sum(totals.metrics, metrics_);
  sum(totals.levels, levels_);
  sum(totals.connections_refused, connections_refused_);
  sum(totals.logins_refused, logins_refused_);
  sum(totals.sessions_ended, sessions_ended_);
  sum(totals.commands, commands_);
  for (std::size_t i = 0; i < durations_.size(); ++i) {
    sum(totals.durations[i].buckets, durations_[i].buckets);
    totals.durations[i].sum_ns += durations_[i].sum_ns.load(std::memory_order_relaxed);
  }
}

}  // namespace sallyport
