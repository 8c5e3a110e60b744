#include "sink/record_feed.h"

#include <system_error>

#include "store/log_directory.h"

namespace sallyport::sink {

void RecordFeed::go_to(std::uint64_t index) {
  if (follower_ && index == position_) {
    return;
  }
  position_ = index;
  lines_ = {};
  follower_.emplace(directory_, index);
}

Result<std::optional<FeedRecord>, std::string> RecordFeed::next(const store::LogEnd& end) {
  if (!follower_) {
    follower_.emplace(directory_, position_);
  }
  if (lines_.empty()) {
    follower_->read_up_to(end);
    auto chunk = follower_->next();
    if (!chunk) {
      deleted_until_ = follower_->deleted_until();
      follower_.reset();  // the next attempt begins anew
      return Unexpected(std::move(chunk).error());
    }
    lines_ = chunk->lines;
  }
  if (lines_.empty()) {
    return std::optional<FeedRecord>{};
  }
  last_ = lines_;
  std::size_t line_end = lines_.find('\n');
  FeedRecord record{.index = position_, .text = lines_.substr(0, line_end)};
  lines_.remove_prefix(line_end + 1);
  ++position_;
  return std::optional(record);
}

void RecordFeed::put_back() {
  lines_ = last_;
  --position_;
}

std::optional<std::uint64_t> RecordFeed::oldest() const {
  auto log = store::list_log(directory_);
  if (!log) {
    return std::nullopt;
  }
  for (const store::SegmentEntry& segment : log->segments) {
    if (segment.has_records()) {
      return segment.first;
    }
  }
  return std::nullopt;
}

std::uint64_t bytes_behind(const std::filesystem::path& directory, std::uint64_t next, const store::LogEnd& end) {
  if (next >= end.records) {
    return 0;
  }
  auto log = store::list_log(directory);
  if (!log) {
    return 0;
  }
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < log->segments.size(); ++i) {
    const store::SegmentEntry& segment = log->segments[i];
    std::uint64_t behind = i + 1 < log->segments.size() ? log->segments[i + 1].first : end.records;
    if (!segment.has_records() || behind <= next || behind <= segment.first) {
      continue;
    }
    auto kind =
        segment.has(store::SegmentFile::records) ? store::SegmentFile::records : store::SegmentFile::compressed_records;
    std::error_code error;
    auto size = std::filesystem::file_size(log->file(kind, segment.first), error);
    double part =
        next <= segment.first ? 1.0 : static_cast<double>(behind - next) / static_cast<double>(behind - segment.first);
    bytes += error ? 0 : static_cast<std::uint64_t>(static_cast<double>(size) * part);
  }
  return bytes;
}

}  // namespace sallyport::sink
