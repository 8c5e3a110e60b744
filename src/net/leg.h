// One side of a connection: a connected socket with its TLS, and an owner that is told when it may go on.
//
// The owner can be changed at any time: nothing under way refers to it, so a leg moves, with its TLS, from one
// connection of its loop to another, or to nobody.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "net/channel.h"
#include "net/loop.h"
#include "session/compressed_leg.h"
#include "session/output_queue.h"

namespace sallyport::net {

class Leg {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // Something may be received, sent or handshaken again. Never from within a call to the leg.
    virtual void leg_ready() = 0;
  };

  // The socket is connected and does not block. `loop` outlives the leg, all of whose calls are on its thread.
  Leg(Loop& loop, Descriptor socket);
  ~Leg();
  Leg(const Leg&) = delete;
  Leg& operator=(const Leg&) = delete;

  // Nobody is told of what happens to a leg without owner; it is found by the next call.
  void set_owner(std::weak_ptr<Owner> owner) { owner_ = std::move(owner); }

  // From now on the bytes are those of TLS; handshake() follows.
  void start_tls(TlsStream stream) { channel_.start_tls(std::move(stream)); }
  // Whether handshake() may get on.
  bool handshake_due() const { return channel_.handshake_due(); }
  Channel::Handshake handshake() { return channel_.handshake(); }
  SSL* tls() { return channel_.tls(); }

  // From now on what is received is compressed, and what is sent once the bytes that `start` tells are gone.
  void start_compression(session::CompressedLeg::Peer peer, session::CompressionStart start);
  bool is_compressed() const { return compression_ != nullptr; }

  enum class Transfer : std::uint8_t {
    none,   // for now
    moved,  // some bytes
    closed  // by the peer, or failed
  };
  // Both take a view of the session from this leg's side:
  //   bool wants_bytes();  MutableBytes space();  void received(std::size_t count, Now now);
  //   session::OutputQueue& output();  void sent(std::size_t count, Now now);
  //   std::optional<session::NextMessage> next_message();  void violated(std::string_view how, Now now);
  //   static constexpr bool reads_to_the_end: what the peer sent before it closed is still of interest
  template <typename Side>
  Transfer receive(Side side) {
    if (compression_) {
      return receive_compressed(side);
    }
    if (!channel_.readable() || channel_.in_handshake() || !side.wants_bytes()) {
      return Transfer::none;
    }
    IoResult result = channel_.read(side.space());
    if (result.status == IoStatus::ok) {
      side.received(result.bytes, loop_.now());
    }
    return transfer(result.status);
  }
  // After `closed` nothing is sent any more; what the peer had sent before can still be received.
  template <typename Side>
  Transfer send(Side side) {
    session::OutputQueue& queue = side.output();
    Transfer sent = Transfer::none;
    for (int write = 0; write < writes_max && can_send() && !queue.empty(); ++write) {
      std::array<Bytes, 16> pieces;
      std::size_t count = compression_ ? compression_->gather(queue, pieces) : queue.gather(pieces);
      if (count == 0) {
        break;
      }
      IoResult result = channel_.write({pieces.data(), count});
      if (result.status == IoStatus::ok) {
        side.sent(compression_ ? note_sent(result.bytes) : result.bytes, loop_.now());
      }
      write_failed_ = result.status == IoStatus::closed || result.status == IoStatus::failed;
      Transfer step = transfer(result.status);
      sent = step == Transfer::none ? sent : step;
    }
    return sent;
  }

  // Whether the peer has taken any of what was sent since the last call, or ever.
  bool peer_took_some();

  // Drops some of what is there to be received. False once the peer has closed.
  bool discard() { return channel_.discard(); }
  bool readable() const { return channel_.readable(); }
  // Whether the peer has closed its side, which may be still to be found by reading.
  bool peer_ended() const { return channel_.peer_ended(); }

  std::string peer() const { return channel_.peer(); }
  // Tells the peer that nothing more comes.
  void shutdown_write() { channel_.shutdown_write(); }

 private:
  // Small pieces go over TLS 16 KiB at a time, so that several writes are needed for what is held of an answer: all of
  // it should be gone before more is received, as what stays behind has to be moved.
  static constexpr int writes_max = 8;

  template <typename Side>
  Transfer receive_compressed(Side side) {
    if (!side.wants_bytes()) {
      return Transfer::none;
    }
    if (decode(side)) {
      return Transfer::moved;
    }
    bool stays = Side::reads_to_the_end && compression_->holds_input();
    if (ended_ && !stays) {
      return Transfer::closed;
    }
    MutableBytes space = channel_.readable() ? compression_->space() : MutableBytes{};
    if (space.empty()) {
      return Transfer::none;
    }
    IoResult result = channel_.read(space);
    if (result.status == IoStatus::ok) {
      note_received(result.bytes);
      decode(side);
      return Transfer::moved;
    }
    ended_ = transfer(result.status) == Transfer::closed;
    return ended_ && stays ? Transfer::none : transfer(result.status);
  }
  // Whether the session got something.
  template <typename Side>
  bool decode(Side& side) {
    if (!compression_->holds_input()) {
      return false;
    }
    auto next = side.next_message();
    if (compression_->holds_back(next)) {
      return false;
    }
    auto produced = compression_->decode(side.space(), next);
    if (!produced) {
      side.violated(wire::describe(produced.error()), loop_.now());
      return true;
    }
    if (*produced == 0) {
      return false;
    }
    note_decoded(*produced);
    side.received(*produced, loop_.now());
    return true;
  }
  // Both count; how much of the session's output is gone.
  std::size_t note_sent(std::size_t count);
  void note_received(std::size_t count);
  void note_decoded(std::size_t count);

  bool can_send() const { return channel_.writable() && !write_failed_ && !channel_.in_handshake(); }
  static Transfer transfer(IoStatus status);
  void tell_owner();

  Loop& loop_;
  std::weak_ptr<Owner> owner_;
  Channel channel_;
  std::unique_ptr<session::CompressedLeg> compression_;  // null: none
  std::int64_t taken_bytes_ = 0;                         // when it was asked for last
  bool write_failed_ = false;
  bool ended_ = false;  // a compressed leg's peer has closed, and what it had sent before is still held
};

}  // namespace sallyport::net
