// What is to be sent to a peer: spans of the other peer's input buffer in place, and packets made here, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "session/input_buffer.h"

namespace sallyport::session {

// When packets made here and not yet sent exceed this, no more are made until the peer took some.
inline constexpr std::size_t made_bytes_max = 256U << 10;

class OutputQueue {
 public:
  // `source` is where forwarded bytes lie; it must outlive the queue.
  explicit OutputQueue(InputBuffer& source) : source_(source) {}

  // Claims the next bytes of the source and queues them.
  void forward(std::size_t count);
  // Claims the next bytes of the source and drops them, once what stands before them has been sent.
  void skip(std::size_t count);
  // For packets made here: append to this vector, then call queue_made().
  std::vector<std::uint8_t>& made() { return made_; }
  void queue_made();

  // Up to spans.size() pieces from the front; how many were filled in. They live until the queue or the source changes.
  std::size_t gather(std::span<Bytes> spans) const;
  // The peer took `count` bytes from the front.
  void sent(std::size_t count);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Packets made and not yet sent: memory that back-pressure has to bound.
  std::size_t made_bytes() const { return made_.size() - made_begin_; }
  // Memory that the queue itself holds.
  std::size_t capacity_bytes() const { return made_.capacity() + pieces_.capacity() * sizeof(Piece); }
  // Drops everything, releasing what was claimed.
  void clear();
  // Gives most memory back when nothing is queued.
  void trim();

 private:
  enum class Kind : std::uint8_t { forwarded, made, skipped };
  struct Piece {
    Kind kind;
    std::size_t bytes;
  };
  void push(Kind kind, std::size_t bytes);
  void drop_skipped();
  void pop();

  InputBuffer& source_;
  std::vector<Piece> pieces_;
  std::size_t first_ = 0;  // index of the front piece
  std::vector<std::uint8_t> made_;
  std::size_t made_begin_ = 0;   // made_ before this has been sent
  std::size_t made_queued_ = 0;  // made_ before this is in pieces_
  std::size_t size_ = 0;         // bytes to send, skipped ones not counted
};

}  // namespace sallyport::session
