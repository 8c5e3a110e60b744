#include "store/log_state.h"

#include <sys/eventfd.h>
#include <sys/poll.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace sallyport::store {

LogState::LogState() : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SALLYPORT_CHECK(bell_ >= 0);
}

LogState::~LogState() {
  ::close(bell_);
}

bool LogState::stalls(MonoTime waiting_since, MonoTime now) const {
  std::int64_t since = std::max(waiting_since.time_since_epoch().count(), io_answered_.load(std::memory_order_relaxed));
  return failing(now) || now.time_since_epoch().count() - since > stall_limit_.load(std::memory_order_relaxed);
}

Milliseconds LogState::stall_limit() const {
  return std::chrono::duration_cast<Milliseconds>(Nanoseconds{stall_limit_.load(std::memory_order_relaxed)});
}

std::string LogState::failure(MonoTime now) const {
  std::uint8_t obstacles = obstacles_.load(std::memory_order_acquire);
  if ((obstacles & cannot_be_written) != 0) {
    std::lock_guard lock(error_mutex_);
    return error_;
  }
  if ((obstacles & readers_are_behind) != 0) {
    std::lock_guard lock(end_mutex_);
    return allowance_.reader + " is too far behind";
  }
  if (!failing(now)) {
    return {};
  }
  return "the disk has not answered for " + std::to_string(stall_limit().count()) + " ms";
}

void LogState::ring_bell() {
  ::eventfd_write(bell_, 1);
}

void LogState::configure(audit::Durability durability, Milliseconds stall_limit) {
  durability_.store(durability, std::memory_order_relaxed);
  stall_limit_.store(Nanoseconds{stall_limit}.count(), std::memory_order_relaxed);
}

void LogState::fails(std::string error) {
  {
    std::lock_guard lock(error_mutex_);
    error_ = std::move(error);
  }
  obstacles_.fetch_or(cannot_be_written, std::memory_order_release);
}

void LogState::works() {
  if ((obstacles_.load(std::memory_order_relaxed) & cannot_be_written) != 0) {
    obstacles_.fetch_and(static_cast<std::uint8_t>(~cannot_be_written), std::memory_order_release);
  }
}

void LogState::synced(const LogEnd& end) {
  {
    std::lock_guard lock(end_mutex_);
    end_ = end;
    weigh_allowance();
  }
  end_moved_.notify_all();
}

void LogState::allow(LogAllowance allowance) {
  std::lock_guard lock(end_mutex_);
  allowance_ = std::move(allowance);
  weigh_allowance();
}

// Once statements are refused, that goes on for a while, lest it begin and end with each record.
void LogState::weigh_allowance() {
  bool refused = (obstacles_.load(std::memory_order_relaxed) & readers_are_behind) != 0;
  if (!refused && end_.records > allowance_.refuse_beyond) {
    obstacles_.fetch_or(readers_are_behind, std::memory_order_release);
  } else if (refused && end_.records <= allowance_.resume_at) {
    obstacles_.fetch_and(static_cast<std::uint8_t>(~readers_are_behind), std::memory_order_release);
  }
}

LogEnd LogState::end() const {
  std::lock_guard lock(end_mutex_);
  return end_;
}

LogEnd LogState::wait_for_more(std::uint64_t records, Milliseconds at_most) const {
  std::unique_lock lock(end_mutex_);
  end_moved_.wait_for(lock, at_most, [&] { return end_.records > records; });
  return end_;
}

void LogState::wait_for_bell(Milliseconds at_most) {
  pollfd watched{.fd = bell_, .events = POLLIN, .revents = 0};
  ::poll(&watched, 1, static_cast<int>(at_most.count()));
  eventfd_t ignored = 0;
  ::eventfd_read(bell_, &ignored);
}

}  // namespace sallyport::store
