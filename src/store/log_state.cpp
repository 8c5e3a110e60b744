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

Milliseconds LogState::stall_limit() const {
  return std::chrono::duration_cast<Milliseconds>(Nanoseconds{stall_limit_.load(std::memory_order_relaxed)});
}

std::string LogState::failure(MonoTime now) const {
  if (failed_.load(std::memory_order_acquire)) {
    std::lock_guard lock(error_mutex_);
    return error_;
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
  failed_.store(true, std::memory_order_release);
}

void LogState::works() {
  if (failed_.load(std::memory_order_relaxed)) {
    failed_.store(false, std::memory_order_release);
  }
}

void LogState::wait_for_bell(Milliseconds at_most) {
  pollfd watched{.fd = bell_, .events = POLLIN, .revents = 0};
  ::poll(&watched, 1, static_cast<int>(at_most.count()));
  eventfd_t ignored = 0;
  ::eventfd_read(bell_, &ignored);
}

}  // namespace sallyport::store
