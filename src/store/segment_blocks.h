// The blocks of a segment, to be read in any order: of a closed segment its zstd frames, of an open one stretches of
// whole lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/log_file.h"
#include "store/log_index.h"

namespace sallyport::store {

// As much of an open segment makes a block; a longer record makes one of its own.
inline constexpr std::size_t open_block_bytes = 256U << 10;
// A block of a closed segment whose content is larger is not read. Records are of 100 MiB at most.
inline constexpr std::uint64_t block_bytes_max = 1ULL << 30;

struct SegmentPath {
  std::uint64_t first = 0;
  std::filesystem::path path;
  bool is_closed = false;
};

// In the order of their records. Where a segment has both forms the open one counts. The error is for a person.
Result<std::vector<SegmentPath>, std::string> find_segments(const std::filesystem::path& directory);

std::filesystem::path index_path(const SegmentPath& segment);

// An open file. Reads of several threads at once are fine.
class SegmentBlocks {
 public:
  static Result<SegmentBlocks, std::string> open(SegmentPath segment);
  const SegmentPath& segment() const { return segment_; }
  // When it was opened. An open segment may have grown since; blocks lie within this.
  std::uint64_t file_bytes() const { return file_.bytes; }

  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };
  // The place of the block that begins at `offset`; nothing at the end: of an open segment behind its last whole line.
  Result<std::optional<Place>, std::string> block_at(std::uint64_t offset) const;

  // The records of a block, each with its line end. `content` is overwritten.
  Result<Unit, std::string> read(const Place& place, std::string& content) const;

 private:
  SegmentBlocks(SegmentPath segment, LogFile file) : segment_(std::move(segment)), file_(std::move(file)) {}

  Result<Unit, std::string> read_bytes(const Place& place, std::string& bytes) const;
  Result<std::optional<Place>, std::string> lines_at(std::uint64_t offset) const;
  Result<std::optional<Place>, std::string> frame_at(std::uint64_t offset) const;
  std::string failure(std::string_view what) const;

  SegmentPath segment_;
  LogFile file_;
};

// Calls `each(record without its line end)` for the records of a block's content, in their order.
template <typename Each>
void for_each_record(std::string_view content, Each&& each) {
  while (!content.empty()) {
    std::size_t end = content.find('\n');
    each(content.substr(0, end));
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
  }
}

// Makes the index of a segment by reading all of it.
Result<LogIndex, std::string> index_segment(const SegmentBlocks& segment, const std::vector<SessionSummary>* before);

}  // namespace sallyport::store
