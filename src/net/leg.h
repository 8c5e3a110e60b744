// One side of a connection: a connected socket with its TLS, and what it waits for.
//
// A leg tells its owner when it may go on. The owner can be changed at any time: no operation under way refers to it,
// so a leg moves, with its TLS, from one connection to another or to nobody.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "net/channel.h"
#include "net/loop.h"
#include "session/output_queue.h"

namespace sallyport::net {

class Leg : public std::enable_shared_from_this<Leg> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // Something may be received, sent or handshaken again. On the loop's thread, never from within a call to the leg.
    virtual void leg_ready() = 0;
  };

  explicit Leg(Socket socket);

  // Nobody is told of what happens to a leg without owner; it is found by the next call.
  void set_owner(std::weak_ptr<Owner> owner) { owner_ = std::move(owner); }

  // From now on the bytes are those of TLS; handshake() follows.
  void start_tls(TlsStream stream) { channel_.start_tls(std::move(stream)); }
  // Whether handshake() may get on.
  bool handshake_due() const {
    return channel_.in_handshake() && !handshake_failed_ && !channel_.waiting_readable() && !write_waits_;
  }
  // Has the owner told when it can go on, unless it is done or has failed.
  Channel::Handshake handshake();
  SSL* tls() { return channel_.tls(); }

  enum class Transfer : std::uint8_t {
    none,   // for now
    moved,  // some bytes
    closed  // by the peer, or failed
  };
  // Both take a view of the session from this leg's side:
  //   bool wants_bytes();  MutableBytes space();  void received(std::size_t count, Now now);
  //   session::OutputQueue& output();  void sent(std::size_t count, Now now);
  template <typename Side>
  Transfer receive(Side side) {
    if (channel_.in_handshake() || channel_.waiting_readable() || !channel_.readable() || !side.wants_bytes()) {
      return Transfer::none;
    }
    IoResult result = channel_.read(side.space());
    if (result.status == IoStatus::ok) {
      side.received(result.bytes, read_clocks());
    }
    return transfer(result.status);
  }
  // After `closed` nothing is sent any more; what the peer had sent before can still be received.
  template <typename Side>
  Transfer send(Side side) {
    session::OutputQueue& queue = side.output();
    if (queue.empty() || write_waits_ || write_failed_ || channel_.in_handshake()) {
      return Transfer::none;
    }
    std::array<Bytes, 16> pieces;
    IoResult result = channel_.write({pieces.data(), queue.gather(pieces)});
    if (result.status == IoStatus::ok) {
      side.sent(result.bytes, read_clocks());
    } else if (result.status == IoStatus::would_block) {
      wait_writable();
    } else {
      write_failed_ = true;
    }
    return transfer(result.status);
  }
  // Has the owner told once there is something to receive.
  void wait_readable();

  // Drops what is there to be received. False once the peer has closed; else as wait_readable().
  bool discard(MonoTime until);

  // Tells the peer that nothing more comes.
  void shutdown_write() { channel_.shutdown_write(); }
  // The owner hears nothing any more.
  void close();

 private:
  static Transfer transfer(IoStatus status);
  void wait_writable();
  void tell_owner();

  Channel channel_;
  std::weak_ptr<Owner> owner_;
  bool write_waits_ = false;
  bool write_failed_ = false;
  bool handshake_failed_ = false;
};

}  // namespace sallyport::net
