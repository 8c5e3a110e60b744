#include "session/output_queue.h"

#include <algorithm>

#include "base/check.h"

namespace sallyport::session {

namespace {

// When this much of made_ has been sent while some is left, the rest is moved to the front.
constexpr std::size_t made_compact_bytes = 64U << 10;
// A trimmed queue keeps no more than this: room for an OK packet, and the few pieces of an answer.
constexpr std::size_t made_kept_bytes = 512;
constexpr std::size_t pieces_kept_count = 16;
// After this many pieces were sent while others are left, the rest is moved to the front.
constexpr std::size_t pieces_compact_count = 256;

}  // namespace

void OutputQueue::push(Kind kind, std::size_t bytes) {
  if (bytes == 0) {
    return;
  }
  if (first_ < pieces_.size() && pieces_.back().kind == kind) {
    pieces_.back().bytes += bytes;
  } else {
    pieces_.push_back({.kind = kind, .bytes = bytes});
  }
  size_ += kind == Kind::skipped ? 0 : bytes;
}

void OutputQueue::forward(std::size_t count) {
  source_.claim(count);
  push(Kind::forwarded, count);
}

void OutputQueue::skip(std::size_t count) {
  source_.claim(count);
  push(Kind::skipped, count);
  drop_skipped();
}

void OutputQueue::queue_made() {
  push(Kind::made, made_.size() - made_queued_);
  made_queued_ = made_.size();
}

std::size_t OutputQueue::gather(std::span<Bytes> spans) const {
  Bytes forwarded = source_.claimed();
  Bytes made = Bytes{made_}.subspan(made_begin_);
  std::size_t filled = 0;
  for (std::size_t i = first_; i < pieces_.size() && filled < spans.size(); ++i) {
    const Piece& piece = pieces_[i];
    Bytes& from = piece.kind == Kind::made ? made : forwarded;
    if (piece.kind != Kind::skipped) {
      spans[filled++] = from.first(piece.bytes);
    }
    from = from.subspan(piece.bytes);
  }
  return filled;
}

void OutputQueue::sent(std::size_t count) {
  SALLYPORT_CHECK(count <= size_);
  size_ -= count;
  while (count > 0) {
    drop_skipped();
    Piece& piece = pieces_[first_];
    std::size_t part = std::min(count, piece.bytes);
    if (piece.kind == Kind::made) {
      made_begin_ += part;
    } else {
      source_.release(part);
    }
    piece.bytes -= part;
    count -= part;
    if (piece.bytes == 0) {
      pop();
    }
  }
  drop_skipped();
  if (made_begin_ == made_.size()) {
    made_.clear();
    made_begin_ = made_queued_ = 0;
  } else if (made_begin_ >= made_compact_bytes && made_begin_ * 2 >= made_.size()) {
    made_.erase(made_.begin(), made_.begin() + static_cast<std::ptrdiff_t>(made_begin_));
    made_queued_ -= made_begin_;
    made_begin_ = 0;
  }
}

void OutputQueue::drop_skipped() {
  while (first_ < pieces_.size() && pieces_[first_].kind == Kind::skipped) {
    source_.release(pieces_[first_].bytes);
    pop();
  }
}

void OutputQueue::pop() {
  if (++first_ == pieces_.size()) {
    pieces_.clear();
    first_ = 0;
  } else if (first_ >= pieces_compact_count && first_ * 2 >= pieces_.size()) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutputQueue::trim() {
  if (made_.empty() && made_.capacity() > made_kept_bytes) {
    std::vector<std::uint8_t>{}.swap(made_);
  }
  if (pieces_.empty() && pieces_.capacity() > pieces_kept_count) {
    std::vector<Piece>{}.swap(pieces_);
  }
}

void OutputQueue::clear() {
  for (std::size_t i = first_; i < pieces_.size(); ++i) {
    if (pieces_[i].kind != Kind::made) {
      source_.release(pieces_[i].bytes);
    }
  }
  pieces_.clear();
  made_.clear();
  first_ = made_begin_ = made_queued_ = size_ = 0;
}

}  // namespace sallyport::session
