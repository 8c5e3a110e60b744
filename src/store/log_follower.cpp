#include "store/log_follower.h"

#include "store/log_directory.h"

namespace sallyport::store {

LogFollower::LogFollower(std::filesystem::path directory, std::uint64_t from)
    : directory_(std::move(directory)), next_(from) {}

Result<LogFollower::Around, std::string> LogFollower::look() const {
  auto log = list_log(directory_);
  if (!log) {
    return Unexpected(std::move(log).error());
  }
  Around around;
  for (const SegmentEntry& segment : log->segments) {
    if (segment.has_records() && segment.first <= next_) {
      around.at = segment.first;
    } else if (segment.has_records() && !around.behind) {
      around.behind = segment.first;
    }
  }
  return around;
}

Unexpected<std::string> LogFollower::deleted(std::uint64_t until) {
  deleted_until_ = until;
  return Unexpected("record " + std::to_string(next_) + " was deleted");
}

Result<bool, std::string> LogFollower::open() {
  auto around = look();
  if (around && !around->at && around->behind) {
    around = look();
  }
  if (!around) {
    return Unexpected(std::move(around).error());
  }
  std::optional<std::uint64_t> first = around->at;
  if (!first) {
    return around->behind ? Result<bool, std::string>(deleted(*around->behind)) : false;
  }
  auto reader = SegmentReader::open(directory_, *first);
  if (!reader) {
    // It may just have been closed: the next call finds the other form.
    return reader.error().kind == SegmentError::Kind::absent ? Result<bool, std::string>(false)
                                                             : Unexpected(std::move(reader).error().text);
  }
  reader_ = std::move(*reader);
  segment_ = *first;
  return true;
}

LineChunk LogFollower::behind(LineChunk chunk) {
  while (chunk.count > 0 && chunk.index < next_) {
    chunk.lines.remove_prefix(chunk.lines.find('\n') + 1);
    ++chunk.index;
    --chunk.count;
  }
  next_ += chunk.count;
  return chunk;
}

Result<LineChunk, std::string> LogFollower::read() {
  reader_->bound(end_ && end_->segment == segment_ ? end_->bytes : UINT64_MAX);
  while (true) {
    auto chunk = reader_->next();
    if (!chunk) {
      return Unexpected(std::move(chunk).error().text);
    }
    if (chunk->empty()) {
      return LineChunk{};
    }
    LineChunk rest = behind(*chunk);
    if (rest.count > 0) {
      return rest;
    }
  }
}

// At the end of the segment that is open, which may be the end for now.
Result<bool, std::string> LogFollower::is_left() {
  auto around = look();
  if (around && around->at == segment_ && around->behind) {
    around = look();
  }
  if (!around) {
    return Unexpected(std::move(around).error());
  }
  if (around->at == segment_) {
    return around->behind ? Result<bool, std::string>(deleted(*around->behind)) : false;
  }
  return around->at || around->behind;
}

Result<LineChunk, std::string> LogFollower::next() {
  deleted_until_.reset();
  if (end_ && next_ >= end_->records) {
    return LineChunk{};
  }
  if (reader_) {
    auto chunk = read();
    if (!chunk || !chunk->empty()) {
      return chunk;
    }
    auto left = is_left();
    if (left && !*left) {
      return chunk;
    }
    // What was written to the old one before a new one was begun is there now.
    chunk = read();
    if (!chunk || !chunk->empty()) {
      return chunk;
    }
    if (!left) {
      return Unexpected(std::move(left).error());
    }
    reader_.reset();
  }
  auto opened = open();
  if (!opened) {
    return Unexpected(std::move(opened).error());
  }
  return *opened ? read() : Result<LineChunk, std::string>(LineChunk{});
}

}  // namespace sallyport::store
