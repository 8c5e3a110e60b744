#include "net/reactor.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/check.h"

namespace sallyport::net {
namespace {

std::uint32_t interest(Reactor::Watch::Kind kind) {
  switch (kind) {
    case Reactor::Watch::Kind::stream:
      return EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;
    case Reactor::Watch::Kind::listening:
      return EPOLLIN;
    case Reactor::Watch::Kind::connecting:
      return EPOLLOUT | EPOLLET;
  }
  return 0;
}

}  // namespace

Reactor::Reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  SALLYPORT_CHECK(epoll_.is_open());
}

Reactor::Watch::Watch(Reactor& reactor, int descriptor, Kind kind, std::function<void()> ready)
    : reactor_(reactor), descriptor_(descriptor), ready_(std::move(ready)) {
  epoll_event event{.events = interest(kind), .data = {.ptr = this}};
  if (::epoll_ctl(reactor_.epoll_.number(), EPOLL_CTL_ADD, descriptor, &event) == 0) {
    return;
  }
  SALLYPORT_CHECK(kind != Kind::listening);
  ::shutdown(descriptor, SHUT_RDWR);
  readable_ = hung_up_ = true;
}

Reactor::Watch::~Watch() {
  ::epoll_ctl(reactor_.epoll_.number(), EPOLL_CTL_DEL, descriptor_, nullptr);
  reactor_.forget(*this);
}

// Interest in room is registered with the first write that found none, and kept: where nobody has to wait, Unix sockets
// would wake the loop for room after each write.
void Reactor::Watch::blocked() {
  writable_ = false;
  if (!awaits_room_) {
    awaits_room_ = true;
    // Room that has come up meanwhile is told by this call.
    epoll_event event{.events = interest(Kind::stream) | EPOLLOUT, .data = {.ptr = this}};
    SALLYPORT_CHECK(::epoll_ctl(reactor_.epoll_.number(), EPOLL_CTL_MOD, descriptor_, &event) == 0);
  }
}

void Reactor::wait(Milliseconds timeout) {
  int count = ::epoll_wait(epoll_.number(), events_.data(), static_cast<int>(events_.size()),
                           static_cast<int>(std::max<Milliseconds::rep>(timeout.count(), 0)));
  told_ = 0;
  count_ = static_cast<std::size_t>(std::max(count, 0));  // a signal ends it with none
}

void Reactor::tell() {
  constexpr std::uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  while (told_ < count_) {
    const epoll_event& event = events_[told_++];
    auto* watch = static_cast<Watch*>(event.data.ptr);
    if (watch == nullptr) {
      continue;
    }
    watch->hung_up_ = watch->hung_up_ || (event.events & ends) != 0;
    watch->urgent_ = watch->urgent_ || (event.events & EPOLLPRI) != 0;
    watch->readable_ = watch->readable_ || (event.events & (EPOLLIN | ends)) != 0;
    watch->writable_ = watch->writable_ || (event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    watch->ready_();
  }
}

void Reactor::forget(const Watch& watch) {
  for (std::size_t i = told_; i < count_; ++i) {
    if (events_[i].data.ptr == &watch) {
      events_[i].data.ptr = nullptr;
    }
  }
}

}  // namespace sallyport::net
