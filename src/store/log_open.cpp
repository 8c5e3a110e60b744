// Opens a log for searches: the indexes of its segments are read, or made.
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "store/log_directory.h"
#include "store/log_file.h"
#include "store/log_segment.h"

namespace sallyport::store {
namespace {

// Enough of an index's file for most heads.
constexpr std::size_t head_bytes = 256U << 10;
constexpr std::size_t index_bytes_max = 1U << 30;

// Nothing when there is none that can be read.
std::optional<std::string> read_index(const std::filesystem::path& path) {
  auto content = read_small_file(path, index_bytes_max);
  return content ? std::move(*content) : std::nullopt;
}

std::optional<std::string> read_front(const std::filesystem::path& path, std::size_t bytes) {
  auto file = open_log_file(path);
  if (!file || file->bytes > index_bytes_max) {
    return std::nullopt;
  }
  std::string content(std::min<std::uint64_t>(bytes, file->bytes), '\0');
  ssize_t count = ::pread(file->descriptor.number(), content.data(), content.size(), 0);
  content.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return content;
}

std::optional<LogIndex> head_of(std::optional<std::string> content) {
  auto index = content ? EncodedIndex::open(std::move(*content)) : std::nullopt;
  return index ? index->head() : std::nullopt;
}

std::optional<LogIndex> read_head(const std::filesystem::path& path) {
  auto head = head_of(read_front(path, head_bytes));
  return head ? std::move(head) : head_of(read_index(path));
}

// As a whole or not at all. An index that can't be written is made again the next time.
void write_file(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::path made = path;
  made += ".new";
  std::error_code error;
  std::filesystem::remove(made, error);  // a pipe would be waited for
  bool written = static_cast<bool>(std::ofstream(made, std::ios::binary | std::ios::trunc) << content << std::flush);
  using std::filesystem::perms;
  std::filesystem::permissions(made, perms::owner_read | perms::owner_write | perms::group_read, error);
  if (written && !error) {
    std::filesystem::rename(made, path, error);
  }
  if (!written || error) {
    std::filesystem::remove(made, error);
  }
}

std::string damaged_index(const SegmentPath& segment) {
  return index_path(segment).string() + ": damaged; remove it, and it is made anew";
}

}  // namespace

Result<Unit, std::string> Log::Segment::each_session(const std::function<void(const SessionSummary&)>& each) const {
  if (in_memory) {
    std::for_each(index.sessions.begin(), index.sessions.end(), each);
    return Unit{};
  }
  auto content = read_index(index_path(blocks.segment()));
  auto encoded = content ? EncodedIndex::open(std::move(*content)) : std::nullopt;
  if (!encoded || !encoded->each_session(index.blocks.size(), each)) {
    return Unexpected(damaged_index(blocks.segment()));
  }
  return Unit{};
}

Log::Log(std::vector<std::unique_ptr<Segment>> segments, SealKeys keys)
    : segments_(std::move(segments)), unsealing_(std::make_unique<Unsealing>(std::move(keys))) {}
Log::Log(Log&&) noexcept = default;
Log::~Log() = default;

Result<Log, std::string> Log::open(const std::filesystem::path& directory, IndexUse use, const SealKeys& keys) {
  // A segment may be closed, and its open form removed, between the listing and the opening of it.
  constexpr int attempts = 3;
  for (int attempt = 1; attempt < attempts; ++attempt) {
    if (auto log = open_listed(directory, use, keys)) {
      return log;
    }
  }
  return open_listed(directory, use, keys);
}

ClosedSeals Log::closed_seals() const {
  return unsealing_->closed();
}

Result<Log, std::string> Log::open_listed(const std::filesystem::path& directory, IndexUse use, const SealKeys& keys) {
  auto found = find_segments(directory);
  if (!found) {
    return Unexpected(std::move(found).error());
  }
  std::vector<std::unique_ptr<Segment>> segments;
  for (SegmentPath& path : *found) {
    auto blocks = SegmentBlocks::open(std::move(path));
    if (!blocks) {
      return Unexpected(std::move(blocks).error());
    }
    auto segment = std::make_unique<Segment>(std::move(*blocks));
    const SegmentPath& place = segment->blocks.segment();
    auto head = use == IndexUse::files && place.is_closed ? read_head(index_path(place)) : std::nullopt;
    if (head && head->first == place.first && head->segment_bytes == segment->blocks.file_bytes()) {
      segment->index = std::move(*head);
      segments.push_back(std::move(segment));
      continue;
    }
    std::vector<SessionSummary> before;
    if (!segments.empty() && segments.back()->index.end == place.first) {
      auto known = segments.back()->each_session([&](const SessionSummary& one) {
        if (one.is_carried_on) {
          before.push_back(one);
        }
      });
      if (!known) {
        return Unexpected(std::move(known).error());
      }
    }
    auto index = index_segment(segment->blocks, &before);
    if (!index) {
      return Unexpected(std::move(index).error());
    }
    segment->index = std::move(*index);
    segment->in_memory = true;
    if (use == IndexUse::files && place.is_closed) {
      write_file(index_path(place), encode_index(segment->index));
    }
    segments.push_back(std::move(segment));
  }
  return Log(std::move(segments), keys);
}

std::uint64_t Log::first() const {
  return segments_.empty() ? 0 : segments_.front()->index.first;
}

std::uint64_t Log::end() const {
  return segments_.empty() ? 0 : segments_.back()->index.end;
}

}  // namespace sallyport::store
