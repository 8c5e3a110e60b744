// Bytes received from a peer, from arrival until they have been sent on or dropped.
//
//   |  released  |  claimed: being sent on  |  unclaimed: to be read  |  space  |
//
// Output queues refer to claimed bytes in place, so streaming copies nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace sallyport::session {

// What a buffer begins with, unless it is told otherwise.
inline constexpr std::size_t input_buffer_bytes = 16U << 10;

class InputBuffer {
 public:
  explicit InputBuffer(std::size_t initial_bytes = input_buffer_bytes) : initial_bytes_(initial_bytes) {}

  // Room for received bytes. Grows, while all of it is in use, up to `bytes_max`; empty when that is reached.
  // Moves the bytes held, so earlier views end here.
  MutableBytes space(std::size_t bytes_max);
  void received(std::size_t count);

  Bytes unclaimed() const { return {storage_.get() + claimed_end_, end_ - claimed_end_}; }
  MutableBytes unclaimed() { return {storage_.get() + claimed_end_, end_ - claimed_end_}; }
  // Takes bytes from the front of unclaimed() for an output queue, which releases them once sent.
  void claim(std::size_t count);

  // The claimed bytes, oldest first.
  Bytes claimed() const { return {storage_.get() + begin_, claimed_end_ - begin_}; }
  // Ends earlier views when no byte is left.
  void release(std::size_t count);
  // Gives the memory back when no byte is held, to the other buffers of its thread if it is of the usual size; space()
  // takes some again.
  void trim();

  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return capacity_; }

 private:
  void grow(std::size_t capacity);

  std::size_t initial_bytes_;
  std::unique_ptr<std::uint8_t[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t claimed_end_ = 0;
  std::size_t end_ = 0;
};

}  // namespace sallyport::session
