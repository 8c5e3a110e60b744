#include "store/segment_blocks.h"

#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "store/log_directory.h"

namespace sallyport::store {
namespace {

// A frame whose end is not found in this much is read whole.
constexpr std::size_t frame_probe_bytes = 1U << 20;
// Of a block of block_bytes_max.
constexpr std::uint64_t stored_bytes_max = ZSTD_COMPRESSBOUND(block_bytes_max);

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
  auto log = list_log(directory);
  if (!log) {
    return Unexpected(std::move(log).error());
  }
  std::vector<SegmentPath> segments;
  for (const SegmentEntry& entry : log->segments) {
    bool is_open = entry.has(SegmentFile::records);
    if (entry.has_records()) {
      auto form = is_open ? SegmentFile::records : SegmentFile::compressed_records;
      segments.push_back({.first = entry.first, .path = log->file(form, entry.first), .is_closed = !is_open});
    }
  }
  return segments;
}

std::filesystem::path index_path(const SegmentPath& segment) {
  return segment.path.parent_path() / name_of(SegmentFile::index, segment.first);
}

Result<SegmentBlocks, std::string> SegmentBlocks::open(SegmentPath segment) {
  auto file = open_log_file(segment.path);
  if (!file) {
    return Unexpected(file.error().sentence(segment.path));
  }
  return SegmentBlocks(std::move(segment), std::move(*file));
}

std::string SegmentBlocks::failure(std::string_view what) const {
  return segment_.path.string() + ": " + std::string(what);
}

Result<Unit, std::string> SegmentBlocks::read_bytes(const Place& place, std::string& bytes) const {
  if (place.offset > file_.bytes || place.bytes > file_.bytes - place.offset) {
    return Unexpected(failure("shorter than its index says"));
  }
  if (place.bytes > stored_bytes_max) {
    return Unexpected(failure("damaged at byte " + std::to_string(place.offset)));
  }
  bytes.resize(place.bytes);
  std::size_t got = 0;
  while (got < bytes.size()) {
    ssize_t count = ::pread(file_.descriptor.number(), bytes.data() + got, bytes.size() - got,
                            static_cast<off_t>(place.offset + got));
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
  for (std::uint64_t at = offset; at < file_.bytes; at += bytes.size()) {
    if (at - offset >= block_bytes_max) {
      return Unexpected(failure("damaged: no record is as long as what begins at byte " + std::to_string(offset)));
    }
    auto read = read_bytes({.offset = at, .bytes = std::min<std::uint64_t>(open_block_bytes, file_.bytes - at)}, bytes);
    if (!read) {
      return Unexpected(std::move(read).error());
    }
    std::size_t end = at == offset ? bytes.rfind('\n') : bytes.find('\n');
    if (end != std::string::npos) {
      return std::optional(Place{.offset = offset, .bytes = at - offset + end + 1});
    }
  }
  return std::optional<Place>{};
}

Result<std::optional<SegmentBlocks::Place>, std::string> SegmentBlocks::frame_at(std::uint64_t offset) const {
  std::string bytes;
  std::uint64_t rest = std::min<std::uint64_t>(file_.bytes - offset, stored_bytes_max);
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
    if (size == rest || ZSTD_getErrorCode(frame) != ZSTD_error_srcSize_wrong) {
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
