#include "store/log_follower.h"

#include "store/log_directory.h"

namespace sallyport::store {

LogFollower::LogFollower(std::filesystem::path directory, std::uint64_t from)
    : directory_(std::move(directory)), next_(from) {}

Result<bool, std::string> LogFollower::open() {
  auto log = list_log(directory_);
  if (!log) {
    return Unexpected(std::move(log).error());
  }
  std::optional<std::uint64_t> first;
  bool has_later = false;
  for (const SegmentEntry& segment : log->segments) {
    if (segment.has_records() && segment.first <= next_) {
      first = segment.first;
    }
    has_later = has_later || (segment.has_records() && segment.first > next_);
  }
  if (!first) {
    return has_later ? Result<bool, std::string>(Unexpected("record " + std::to_string(next_) + " was deleted"))
                     : false;
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

Result<LineChunk, std::string> LogFollower::next() {
  if (end_ && next_ >= end_->records) {
    return LineChunk{};
  }
  if (reader_) {
    auto chunk = read();
    if (!chunk || !chunk->empty()) {
      return chunk;
    }
    // The end for now, or of the segment: then there is one that begins with the next record.
    auto log = list_log(directory_);
    const SegmentEntry* following = log ? log->segment(next_) : nullptr;
    if (following == nullptr || !following->has_records() || reader_->position() != next_) {
      return chunk;
    }
    // What was written to the old one before the new one was begun is there now.
    chunk = read();
    if (!chunk || !chunk->empty()) {
      return chunk;
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
