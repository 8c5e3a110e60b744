// Which of a loop's descriptors are ready, by an epoll instance of its own.
//
// A descriptor is registered once, edge-triggered, and what is known of it is kept until a call on it shows otherwise.
// So the steady state makes no call here but one epoll_wait a turn, and no call on a socket that finds nothing.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "base/clock.h"
#include "base/descriptor.h"

namespace sallyport::net {

// Everything here is for one thread.
class Reactor {
 public:
  // A descriptor that the reactor watches.
  class Watch {
   public:
    enum class Kind : std::uint8_t {
      stream,     // readiness is told once, when it begins
      listening,  // told in each turn while there is something to accept
      connecting  // told once the connection stands or has failed
    };
    // `ready` is told of changes, from Reactor::tell(); it may destroy this, and itself with it, and any other watch.
    // The descriptor must be open for as long as the watch lives. A socket that the kernel has no room to watch
    // (fs.epoll.max_user_watches) is shut down, so that the next call on it finds it ended.
    Watch(Reactor& reactor, int descriptor, Kind kind, std::function<void()> ready);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    // Whether a call may find something to read; the peer's end and errors are found by reading as well.
    bool readable() const { return readable_; }
    // A read found nothing. Where the peer has ended, that is still to be read, and readable() stays.
    void drained() { readable_ = hung_up_; }
    // A read got less than it had room for: as epoll(7) says of streams, nothing is left. But a read also stops before
    // urgent data (tcp(7)), so of a peer that has sent such only a read that finds nothing tells.
    void read_short() { readable_ = hung_up_ || urgent_; }
    bool hung_up() const { return hung_up_; }
    bool writable() const { return writable_; }
    // A write found no room. From now on `ready` is told of room, too.
    void blocked();

   private:
    friend class Reactor;

    Reactor& reactor_;
    int descriptor_;
    bool readable_ = false;
    bool writable_ = true;
    bool hung_up_ = false;
    bool urgent_ = false;  // the peer has sent urgent data, now or earlier
    bool awaits_room_ = false;
    std::function<void()> ready_;
  };

  Reactor();

  // Waits for events, at most so long (whole milliseconds; none: not at all). Nobody is told yet.
  void wait(Milliseconds timeout);
  // Tells those whom the events of the last wait() concern, each once.
  void tell();

 private:
  void forget(const Watch& watch);

  Descriptor epoll_;
  std::array<epoll_event, 64> events_{};
  std::size_t told_ = 0;   // of events_
  std::size_t count_ = 0;  // of events_
};

}  // namespace sallyport::net
