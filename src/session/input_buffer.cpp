#include "session/input_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace sallyport::session {
namespace {

// So little is moved to the front for the sake of room behind it: the beginning of a packet, mostly.
constexpr std::size_t moved_bytes_max = 1024;

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

// The new memory is not cleared: only what was received is ever read.
void InputBuffer::grow(std::size_t capacity) {
  auto grown = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
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
    storage_.reset();
    capacity_ = 0;
  }
}

}  // namespace sallyport::session
