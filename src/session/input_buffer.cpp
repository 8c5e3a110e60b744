#include "session/input_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace sallyport::session {

MutableBytes InputBuffer::space(std::size_t bytes_max) {
  if (end_ == storage_.size() && begin_ > 0) {
    std::memmove(storage_.data(), storage_.data() + begin_, size());
    claimed_end_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == storage_.size() && storage_.size() < bytes_max) {
    storage_.resize(std::min(bytes_max, std::max(input_buffer_bytes, storage_.size() * 2)));
  }
  std::size_t limit = std::max(std::min(bytes_max, storage_.size()), end_);
  return MutableBytes{storage_}.subspan(end_, limit - end_);
}

void InputBuffer::received(std::size_t count) {
  SALLYPORT_CHECK(count <= storage_.size() - end_);
  end_ += count;
}

void InputBuffer::claim(std::size_t count) {
  SALLYPORT_CHECK(count <= end_ - claimed_end_);
  claimed_end_ += count;
}

void InputBuffer::release(std::size_t count) {
  SALLYPORT_CHECK(count <= claimed_end_ - begin_);
  begin_ += count;
  rewind_if_empty();
}

void InputBuffer::rewind_if_empty() {
  if (begin_ == end_) {
    begin_ = claimed_end_ = end_ = 0;
    if (storage_.size() > input_buffer_kept_bytes) {
      std::vector<std::uint8_t>{}.swap(storage_);
    }
  }
}

}  // namespace sallyport::session
