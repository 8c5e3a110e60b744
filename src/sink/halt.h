// The end of a sink's thread, and its naps.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/clock.h"

namespace sallyport::sink {

class Halt {
 public:
  // From any thread. Until then what is there is still delivered. A second call counts if it is earlier.
  void ask(MonoTime deadline) {
    std::lock_guard lock(mutex_);
    deadline_ = asked_ ? std::min(deadline_, deadline) : deadline;
    asked_ = true;
    changed_.notify_all();
  }
  bool is_asked() const {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  // Whether all is to be left as it is, now.
  bool is_due() const {
    std::lock_guard lock(mutex_);
    return asked_ && std::chrono::steady_clock::now() >= deadline_;
  }
  // Returns early when the end is asked for.
  void nap(Milliseconds time) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [&] { return asked_; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool asked_ = false;
  MonoTime deadline_;
};

}  // namespace sallyport::sink
