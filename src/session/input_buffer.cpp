#include "session/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"

namespace sallyport::session {
namespace {

// So little is moved to the front for the sake of room behind it: the beginning of a packet, mostly.
constexpr std::size_t moved_bytes_max = 1024;

// Memory of the usual size that a thread's buffers gave back, the last first: what one has just used the next one
// takes, while the caches hold it. The address sanitizer finds what refers to memory that was given back, so there none
// is kept.
#ifdef SALLYPORT_SANITIZED
constexpr std::size_t spare_blocks_max = 0;
#else
constexpr std::size_t spare_blocks_max = 64;
#endif
thread_local std::vector<std::unique_ptr<std::uint8_t[]>> spare_blocks;

// It is not cleared: only what was received is ever read.
std::unique_ptr<std::uint8_t[]> take_block(std::size_t capacity) {
  if (capacity != input_buffer_bytes || spare_blocks.empty()) {
    return std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  }
  auto block = std::move(spare_blocks.back());
  spare_blocks.pop_back();
  return block;
}

void give_back(std::unique_ptr<std::uint8_t[]> block, std::size_t capacity) {
  if (capacity == input_buffer_bytes && spare_blocks.size() < spare_blocks_max) {
    spare_blocks.push_back(std::move(block));
  }
}

}  // namespace

MutableBytes InputBuffer::space(std::size_t bytes_max) {
  if (begin_ > 0 && (end_ == capacity_ || size() <= moved_bytes_max)) {
    std::memmove(storage_.get(), storage_.get() + begin_, size());
    claimed_end_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_ && capacity_ < bytes_max) {
    grow(std::min(bytes_max, std::max(initial_bytes_, capacity_ * 2)));
  }
  std::size_t limit = std::max(std::min(bytes_max, capacity_), end_);
  return {storage_.get() + end_, limit - end_};
}

void InputBuffer::grow(std::size_t capacity) {
  auto grown = take_block(capacity);
  if (end_ > 0) {
    std::memcpy(grown.get(), storage_.get(), end_);
  }
  storage_ = std::move(grown);
  capacity_ = capacity;
}

void InputBuffer::received(std::size_t count) {
  SALLYPORT_CHECK(count <= capacity_ - end_);
  end_ += count;
}

void InputBuffer::claim(std::size_t count) {
  SALLYPORT_CHECK(count <= end_ - claimed_end_);
  claimed_end_ += count;
}

void InputBuffer::release(std::size_t count) {
  SALLYPORT_CHECK(count <= claimed_end_ - begin_);
  begin_ += count;
  if (begin_ == end_) {
    begin_ = claimed_end_ = end_ = 0;
  }
}

void InputBuffer::trim() {
  if (begin_ == end_ && capacity_ > 0) {
    give_back(std::move(storage_), capacity_);
    capacity_ = 0;
  }
}

}  // namespace sallyport::session
