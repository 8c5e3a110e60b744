#include "store/segment_blocks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace sallyport::store {
namespace {

constexpr std::string_view prefix = "records-";
constexpr std::string_view open_suffix = ".jsonl";
constexpr std::string_view closed_suffix = ".jsonl.zst";
constexpr std::size_t first_digits = 20;
// A frame whose size is not found in this much is looked for in the whole rest of the file.
constexpr std::size_t frame_probe_bytes = 1U << 20;

std::optional<std::uint64_t> first_of(std::string_view name, std::string_view suffix) {
  if (name.size() != prefix.size() + first_digits + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix)) {
    return std::nullopt;
  }
  std::uint64_t first = 0;
  for (char c : name.substr(prefix.size(), first_digits)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    first = first * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return first;
}

// Undoes one frame whose content's size is not written in it.
std::optional<std::string> stream_out(std::string_view frame) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  std::string content;
  ZSTD_inBuffer in{frame.data(), frame.size(), 0};
  std::size_t left = 1;
  while (left != 0 && ZSTD_isError(left) == 0 && content.size() < block_bytes_max) {
    std::size_t had = content.size();
    content.resize(had + ZSTD_DStreamOutSize());
    ZSTD_outBuffer out{content.data() + had, content.size() - had, 0};
    left = ZSTD_decompressStream(context, &out, &in);
    content.resize(had + out.pos);
    if (out.pos == 0 && in.pos == in.size) {
      break;
    }
  }
  ZSTD_freeDCtx(context);
  return left == 0 ? std::optional(std::move(content)) : std::nullopt;
}

}  // namespace

Result<std::vector<SegmentPath>, std::string> find_segments(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::directory_iterator files{directory, error};
  if (error) {
    return Unexpected("cannot read " + directory.string() + ": " + error.message());
  }
  std::map<std::uint64_t, SegmentPath> segments;
  for (const std::filesystem::directory_entry& file : files) {
    std::string name = file.path().filename().string();
    if (auto first = first_of(name, closed_suffix)) {
      segments.try_emplace(*first, SegmentPath{.first = *first, .path = file.path(), .is_closed = true});
    } else if (auto open_first = first_of(name, open_suffix)) {
      segments[*open_first] = SegmentPath{.first = *open_first, .path = file.path(), .is_closed = false};
    }
  }
  std::vector<SegmentPath> ordered;
  for (auto& [first, segment] : segments) {
    ordered.push_back(std::move(segment));
  }
  return ordered;
}

std::filesystem::path index_path(const SegmentPath& segment) {
  std::string digits = std::to_string(segment.first);
  return segment.path.parent_path() / ("index-" + std::string(first_digits - digits.size(), '0') + digits + ".zst");
}

Result<SegmentBlocks, std::string> SegmentBlocks::open(SegmentPath segment) {
  int descriptor = ::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (descriptor < 0 || ::fstat(descriptor, &info) != 0) {
    std::string error = "cannot open " + segment.path.string() + ": " + std::strerror(errno);
    if (descriptor >= 0) {
      ::close(descriptor);
    }
    return Unexpected(std::move(error));
  }
  return SegmentBlocks(std::move(segment), descriptor, static_cast<std::uint64_t>(info.st_size));
}

SegmentBlocks::SegmentBlocks(SegmentBlocks&& other) noexcept
    : segment_(std::move(other.segment_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      file_bytes_(other.file_bytes_) {}

SegmentBlocks::~SegmentBlocks() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

std::string SegmentBlocks::failure(std::string_view what) const {
  return segment_.path.string() + ": " + std::string(what);
}

Result<Unit, std::string> SegmentBlocks::read_bytes(const Place& place, std::string& bytes) const {
  if (place.offset > file_bytes_ || place.bytes > file_bytes_ - place.offset) {
    return Unexpected(failure("shorter than its index says"));
  }
  bytes.resize(place.bytes);
  std::size_t got = 0;
  while (got < bytes.size()) {
    ssize_t count =
        ::pread(descriptor_, bytes.data() + got, bytes.size() - got, static_cast<off_t>(place.offset + got));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return Unexpected(failure(count == 0 ? "it has become shorter" : std::strerror(errno)));
    }
    got += static_cast<std::size_t>(count);
  }
  return Unit{};
}

Result<std::optional<SegmentBlocks::Place>, std::string> SegmentBlocks::block_at(std::uint64_t offset) const {
  return segment_.is_closed ? frame_at(offset) : lines_at(offset);
}

// Up to the last line end within a block's size, or the first one behind it.
Result<std::optional<SegmentBlocks::Place>, std::string> SegmentBlocks::lines_at(std::uint64_t offset) const {
  std::string bytes;
  for (std::uint64_t size = open_block_bytes;; size *= 4) {
    size = std::min(size, file_bytes_ - offset);
    auto read = read_bytes({.offset = offset, .bytes = size}, bytes);
    if (!read) {
      return Unexpected(std::move(read).error());
    }
    std::size_t end = bytes.rfind('\n');
    if (end != std::string::npos) {
      return std::optional(Place{.offset = offset, .bytes = end + 1});
    }
    if (offset + size == file_bytes_) {
      return std::optional<Place>{};
    }
  }
}

Result<std::optional<SegmentBlocks::Place>, std::string> SegmentBlocks::frame_at(std::uint64_t offset) const {
  std::string bytes;
  std::uint64_t rest = file_bytes_ - offset;
  if (rest == 0) {
    return std::optional<Place>{};
  }
  for (std::uint64_t size = std::min<std::uint64_t>(rest, frame_probe_bytes);; size = rest) {
    auto read = read_bytes({.offset = offset, .bytes = size}, bytes);
    if (!read) {
      return Unexpected(std::move(read).error());
    }
    std::size_t frame = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
    if (ZSTD_isError(frame) == 0) {
      return std::optional(Place{.offset = offset, .bytes = frame});
    }
    if (size == rest) {
      return Unexpected(failure("damaged at byte " + std::to_string(offset)));
    }
  }
}

Result<Unit, std::string> SegmentBlocks::read(const Place& place, std::string& content) const {
  if (!segment_.is_closed) {
    return read_bytes(place, content);
  }
  thread_local std::string frame;
  auto read = read_bytes(place, frame);
  if (!read) {
    return read;
  }
  unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN) {
    auto streamed = stream_out(frame);
    if (!streamed) {
      return Unexpected(failure("damaged at byte " + std::to_string(place.offset)));
    }
    content = std::move(*streamed);
    return Unit{};
  }
  if (size == ZSTD_CONTENTSIZE_ERROR || size > block_bytes_max) {
    return Unexpected(failure("damaged at byte " + std::to_string(place.offset)));
  }
  content.resize(size);
  std::size_t got = ZSTD_decompress(content.data(), content.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0 || got != size) {
    return Unexpected(failure("damaged at byte " + std::to_string(place.offset)));
  }
  return Unit{};
}

Result<LogIndex, std::string> index_segment(const SegmentBlocks& segment, const std::vector<SessionSummary>* before) {
  LogIndexBuilder builder{segment.segment().first, before};
  std::string content;
  std::uint64_t offset = 0;
  while (true) {
    auto place = segment.block_at(offset);
    if (!place) {
      return Unexpected(std::move(place).error());
    }
    if (!*place) {
      return builder.finish(segment.file_bytes());
    }
    auto read = segment.read(**place, content);
    if (!read) {
      return Unexpected(std::move(read).error());
    }
    for_each_record(content, [&](std::string_view record) { builder.add(record); });
    if (!content.empty() && content.back() != '\n') {
      return Unexpected(segment.segment().path.string() + ": the frame at byte " + std::to_string(offset) +
                        " is not of whole records");
    }
    if (!content.empty()) {
      builder.end_block({.offset = (*place)->offset, .bytes = (*place)->bytes});
    }
    offset = (*place)->offset + (*place)->bytes;
  }
}

}  // namespace sallyport::store
