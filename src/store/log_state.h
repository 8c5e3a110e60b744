// What event loops and the sequencer know of each other: whether the log can be written, and whether the sequencer
// sleeps.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "audit/settings.h"
#include "base/clock.h"

namespace sallyport::store {

class LogState {
 public:
  LogState();
  ~LogState();
  LogState(const LogState&) = delete;
  LogState& operator=(const LogState&) = delete;

  // From any thread.
  audit::Durability durability() const { return durability_.load(std::memory_order_relaxed); }
  // Whether nothing may be forwarded now: the last attempt to write failed, or one takes longer than the stall limit.
  bool failing(MonoTime now) const {
    std::int64_t began = io_began_.load(std::memory_order_relaxed);
    return failed_.load(std::memory_order_acquire) ||
           (began != 0 && now.time_since_epoch().count() - began > stall_limit_.load(std::memory_order_relaxed));
  }
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

  // The sequencer's thread.
  void fails(std::string error);
  void works();
  // Around each request to the disk. They nest not.
  void io_begins(MonoTime now) { io_began_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
  void io_ended() { io_began_.store(0, std::memory_order_relaxed); }
  // Between these, wake() rings. What might ring is looked at once more after sleep_begins().
  void sleep_begins() { sleeps_.store(true, std::memory_order_seq_cst); }
  void sleep_ended() { sleeps_.store(false, std::memory_order_relaxed); }
  void wait_for_bell(Milliseconds at_most);

 private:
  std::atomic<audit::Durability> durability_{audit::Durability::normal};
  std::atomic<std::int64_t> stall_limit_{0};  // nanoseconds
  std::atomic<std::int64_t> io_began_{0};     // of the monotonic clock; 0: no request is under way
  std::atomic<bool> failed_{false};
  std::atomic<bool> sleeps_{false};
  int bell_;  // an eventfd
  mutable std::mutex error_mutex_;
  std::string error_;
};

}  // namespace sallyport::store
