#include "store/segment_compressor.h"

#include <zstd.h>

#include "base/check.h"

namespace sallyport::store {
namespace {

// Records are much alike, with long texts in common: on point selects, and on the tests' own records, level 1 makes less
// of them than 2 to 4 do, and 5 takes twice the time for nothing. Only long matches, from a table that the first cache
// holds, and a quicker pace where there are none: that takes three quarters of level 1's time, and no more room.
constexpr int compression_level = 1;
constexpr int match_bytes_min = 7;
constexpr int table_bits = 13;
constexpr int pace = 2;

}  // namespace

SegmentCompressor::SegmentCompressor(std::uint64_t first, const std::vector<SessionSummary>* before)
    : builder_(first, before), context_(ZSTD_createCCtx()) {
  SALLYPORT_CHECK(context_ != nullptr);
  ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, compression_level);
  ZSTD_CCtx_setParameter(context_, ZSTD_c_minMatch, match_bytes_min);
  ZSTD_CCtx_setParameter(context_, ZSTD_c_hashLog, table_bits);
  ZSTD_CCtx_setParameter(context_, ZSTD_c_targetLength, pace);
  ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
}

SegmentCompressor::~SegmentCompressor() {
  ZSTD_freeCCtx(context_);
}

void SegmentCompressor::add(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    std::size_t taken = indexed_ < lines_.size() ? take_rest_of_line(bytes) : take_lines(bytes);
    if (indexed_ >= frame_content_bytes) {
      end_frame(out);
    } else if (taken == 0) {
      lines_ += bytes;  // of a line that isn't whole yet
      return;
    }
    bytes.remove_prefix(taken);
  }
}

// These return how many of the bytes they took; 0 where no line ends.
std::size_t SegmentCompressor::take_rest_of_line(std::string_view bytes) {
  std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) {
    return 0;
  }
  lines_ += bytes.substr(0, end + 1);
  builder_.add(std::string_view(lines_).substr(indexed_, lines_.size() - indexed_ - 1));
  indexed_ = lines_.size();
  return end + 1;
}

// As many whole lines as the frame takes.
std::size_t SegmentCompressor::take_lines(std::string_view bytes) {
  std::size_t taken = 0;
  while (lines_.size() + taken < frame_content_bytes) {
    std::size_t end = bytes.find('\n', taken);
    if (end == std::string_view::npos) {
      break;
    }
    builder_.add(bytes.substr(taken, end - taken));
    taken = end + 1;
  }
  lines_ += bytes.substr(0, taken);
  indexed_ = lines_.size();
  return taken;
}

void SegmentCompressor::end_frame(std::string& out) {
  std::size_t had = out.size();
  out.resize(had + ZSTD_compressBound(lines_.size()));
  std::size_t size = ZSTD_compress2(context_, out.data() + had, out.size() - had, lines_.data(), lines_.size());
  SALLYPORT_CHECK(ZSTD_isError(size) == 0);
  out.resize(had + size);
  builder_.end_block({.offset = written_, .bytes = size});
  written_ += size;
  lines_.clear();
  indexed_ = 0;
}

void SegmentCompressor::finish(std::string& out) {
  SALLYPORT_CHECK(indexed_ == lines_.size());
  if (!lines_.empty()) {
    end_frame(out);
  }
  index_ = builder_.finish(written_);
}

}  // namespace sallyport::store
