// What event loops, the sequencer and readers of the log know of each other: whether the log can be written and may
// grow, how far it is on the disk, and whether the sequencer sleeps.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "audit/settings.h"
#include "base/clock.h"

namespace sallyport::store {

// How far the log is on the disk: nothing before this is ever written anew.
struct LogEnd {
  std::uint64_t records = 0;
  std::uint64_t segment = 0;  // index of the open segment's first record
  std::uint64_t bytes = 0;    // of the open segment's records
};

// How far the log may get before statements are refused, which is for the sake of those that read it.
struct LogAllowance {
  std::uint64_t refuse_beyond = UINT64_MAX;  // records
  std::uint64_t resume_at = UINT64_MAX;      // when they are refused: until the log has no more than this
  std::string reader;                        // who is that far behind, for a person
};

class LogState {
 public:
  LogState();
  ~LogState();
  LogState(const LogState&) = delete;
  LogState& operator=(const LogState&) = delete;

  // From any thread.
  audit::Durability durability() const { return durability_.load(std::memory_order_relaxed); }
  // Whether nothing may be forwarded now: the last attempt to write failed, one takes longer than the stall limit, or
  // the log is beyond its allowance.
  bool failing(MonoTime now) const {
    std::int64_t began = io_began_.load(std::memory_order_relaxed);
    return obstacles_.load(std::memory_order_acquire) != 0 ||
           (began != 0 && now.time_since_epoch().count() - began > stall_limit_.load(std::memory_order_relaxed));
  }
  // Whether the last attempt to write was good.
  bool can_be_written() const { return (obstacles_.load(std::memory_order_acquire) & cannot_be_written) == 0; }
  // Whether what has waited since then for the disk waits in vain: it is failing, or no request has been answered for
  // longer than the stall limit. As long as some are, the log gets on, however much is to be written before.
  bool stalls(MonoTime waiting_since, MonoTime now) const;
  Milliseconds stall_limit() const;
  // Why; empty when it is not failing.
  std::string failure(MonoTime now) const;
  // Wakes the sequencer if it sleeps.
  void wake() {
    if (sleeps_.load(std::memory_order_seq_cst)) {
      ring_bell();
    }
  }
  // Whether it sleeps or not: the next wait_for_bell() returns at once.
  void ring_bell();

  // From the supervisor's thread.
  void configure(audit::Durability durability, Milliseconds stall_limit);

  // From any thread. Of several readers the one that allows least is to be given.
  void allow(LogAllowance allowance);
  LogEnd end() const;
  // Returns when there are more records than that on the disk, or after the time.
  LogEnd wait_for_more(std::uint64_t records, Milliseconds at_most) const;

  // The sequencer's thread.
  void synced(const LogEnd& end);
  void fails(std::string error);
  void works();
  // Around each request to the disk. They nest not.
  void io_begins(MonoTime now) { io_began_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
  void io_ended(MonoTime now) {
    io_answered_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    io_began_.store(0, std::memory_order_relaxed);
  }
  // Between these, wake() rings. What might ring is looked at once more after sleep_begins().
  void sleep_begins() { sleeps_.store(true, std::memory_order_seq_cst); }
  void sleep_ended() { sleeps_.store(false, std::memory_order_relaxed); }
  void wait_for_bell(Milliseconds at_most);

 private:
  // Why nothing may be forwarded, a bit each.
  static constexpr std::uint8_t cannot_be_written = 1;
  static constexpr std::uint8_t readers_are_behind = 2;
  void weigh_allowance();

  std::atomic<audit::Durability> durability_{audit::Durability::normal};
  std::atomic<std::int64_t> stall_limit_{0};  // nanoseconds
  std::atomic<std::int64_t> io_began_{0};     // of the monotonic clock; 0: no request is under way
  std::atomic<std::int64_t> io_answered_{0};  // likewise: when the last one was
  std::atomic<std::uint8_t> obstacles_{0};
  std::atomic<bool> sleeps_{false};
  int bell_;  // an eventfd
  mutable std::mutex error_mutex_;
  std::string error_;
  mutable std::mutex end_mutex_;
  mutable std::condition_variable end_moved_;
  LogEnd end_;
  LogAllowance allowance_;
};

}  // namespace sallyport::store
