// Bytes received from a peer, from arrival until they have been sent on or dropped.
//
//   |  released  |  claimed: being sent on  |  unclaimed: to be read  |  space  |
//
// Output queues refer to claimed bytes in place, so streaming copies nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace sallyport::session {

inline constexpr std::size_t input_buffer_bytes = 16U << 10;
// A buffer that one large message has made larger than this is given back once it is empty.
inline constexpr std::size_t input_buffer_kept_bytes = 64U << 10;

class InputBuffer {
 public:
  // Room for received bytes. Grows, while all of it is in use, up to `bytes_max`; empty when that is reached.
  // Moves the bytes held, so earlier views end here.
  MutableBytes space(std::size_t bytes_max);
  void received(std::size_t count);

  Bytes unclaimed() const { return Bytes{storage_}.subspan(claimed_end_, end_ - claimed_end_); }
  MutableBytes unclaimed() { return MutableBytes{storage_}.subspan(claimed_end_, end_ - claimed_end_); }
  // Takes bytes from the front of unclaimed() for an output queue, which releases them once sent.
  void claim(std::size_t count);

  // The claimed bytes, oldest first.
  Bytes claimed() const { return Bytes{storage_}.subspan(begin_, claimed_end_ - begin_); }
  // Ends earlier views when no byte is left.
  void release(std::size_t count);

  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return storage_.size(); }

 private:
  void rewind_if_empty();

  std::vector<std::uint8_t> storage_;
  std::size_t begin_ = 0;
  std::size_t claimed_end_ = 0;
  std::size_t end_ = 0;
};

}  // namespace sallyport::session
