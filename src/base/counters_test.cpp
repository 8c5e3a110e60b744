#include "base/counters.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace sallyport {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

CounterTotals totals_of(const LoopCounters& counters) {
  CounterTotals totals;
  counters.add_to(totals);
  return totals;
}

template <std::size_t size>
std::uint64_t count_of(const std::array<std::uint64_t, size>& counts, const std::array<std::string_view, size>& names,
                       std::string_view name) {
  for (std::size_t i = 0; i < size; ++i) {
    if (names[i] == name) {
      return counts[i];
    }
  }
  ADD_FAILURE() << name << " is not in the table";
  return 0;
}

TEST(LoopCounters, SumOverLoopsAtScrape) {
  LoopCounters one;
  LoopCounters two;
  one.add(Metric::client_bytes_received, 100);
  two.add(Metric::client_bytes_received, 23);
  one.raise(Level::sessions_open);
  two.raise(Level::sessions_open);
  two.lower(Level::sessions_open);
  CounterTotals totals;
  one.add_to(totals);
  two.add_to(totals);
  EXPECT_EQ(totals.metrics[static_cast<std::size_t>(Metric::client_bytes_received)], 123U);
  EXPECT_EQ(totals.levels[static_cast<std::size_t>(Level::sessions_open)], 1);
}

TEST(LoopCounters, ASessionThatEndsOnAnotherLoopThanItBeganOnStillSumsToZero) {
  LoopCounters one;
  LoopCounters two;
  one.raise(Level::sessions_open);
  two.lower(Level::sessions_open);
  CounterTotals totals;
  one.add_to(totals);
  two.add_to(totals);
  EXPECT_EQ(totals.levels[static_cast<std::size_t>(Level::sessions_open)], 0);
}

TEST(LoopCounters, ReasonsAreCountedByNameAndUnknownOnesAsOther) {
  LoopCounters counters;
  counters.add_login_refused("token_expired");
  counters.add_login_refused("token_expired");
  counters.add_login_refused("never heard of");
  counters.add_login_refused("other");
  counters.add_session_ended("drained");
  counters.add_connection_refused("draining");
  auto totals = totals_of(counters);
  EXPECT_EQ(count_of(totals.logins_refused, login_refusal_reasons, "token_expired"), 2U);
  EXPECT_EQ(count_of(totals.logins_refused, login_refusal_reasons, "other"), 2U);
  EXPECT_EQ(count_of(totals.sessions_ended, session_end_reasons, "drained"), 1U);
  EXPECT_EQ(count_of(totals.connections_refused, connection_refusal_reasons, "draining"), 1U);
}

TEST(LoopCounters, CommandsAreCountedByOpcode) {
  struct Case {
    std::uint8_t opcode;
    std::string_view kind;
  };
  for (const auto& [opcode, kind] :
       {Case{0x01, "quit"}, Case{0x03, "query"}, Case{0x0e, "ping"}, Case{0x16, "stmt_prepare"},
        Case{0x17, "stmt_execute"}, Case{0x1c, "stmt_fetch"}, Case{0x1f, "reset_connection"}, Case{0x20, "clone"},
        Case{0x22, "unknown"}, Case{0xfa, "stmt_bulk_execute"}, Case{0xff, "unknown"}}) {
    LoopCounters counters;
    counters.add_command(opcode);
    EXPECT_EQ(count_of(totals_of(counters).commands, command_kinds, kind), 1U) << int{opcode};
  }
}

TEST(LoopCounters, DurationsFallIntoTheBucketWhoseInclusiveBoundTheyReach) {
  LoopCounters counters;
  counters.observe(Duration::command, nanoseconds{-5});
  counters.observe(Duration::command, microseconds{50});
  counters.observe(Duration::command, microseconds{50} + nanoseconds{1});
  counters.observe(Duration::command, std::chrono::hours{1});
  auto totals = totals_of(counters);
  const auto& histogram = totals.durations[static_cast<std::size_t>(Duration::command)];
  EXPECT_EQ(histogram.buckets.front(), 2U);
  EXPECT_EQ(histogram.buckets[1], 1U);
  EXPECT_EQ(histogram.buckets.back(), 1U);
  EXPECT_EQ(histogram.sum_ns, 50'000U + 50'001U + 3'600'000'000'000U);
}

TEST(LoopCounters, ShareNoCacheLine) {
  EXPECT_EQ(alignof(LoopCounters), 64U);
  EXPECT_EQ(sizeof(LoopCounters) % 64, 0U);
}

TEST(LoopCounters, MayBeReadWhileTheLoopCounts) {
  LoopCounters counters;
  std::jthread loop([&] {
    for (int i = 0; i < 100'000; ++i) {
      counters.add(Metric::audit_records);
    }
  });
  std::uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    auto seen = totals_of(counters).metrics[static_cast<std::size_t>(Metric::audit_records)];
    EXPECT_GE(seen, last);
    last = seen;
  }
  loop.join();
  EXPECT_EQ(totals_of(counters).metrics[static_cast<std::size_t>(Metric::audit_records)], 100'000U);
}

}  // namespace
}  // namespace sallyport
