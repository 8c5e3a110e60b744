// Turns an open segment's lines into the closed segment's frames, and makes its index on the way. No I/O: who closes
// segments reads the one and writes the others.
//
//   SegmentCompressor compressor{first, sessions_before};
//   for each part of the open segment: compressor.add(part, out); write and clear `out`
//   compressor.finish(out); write `out`; that is records-FIRST.jsonl.zst
//   write encode_index(compressor.index()) to index-FIRST.zst
//   sessions_before of the next segment: compressor.index().sessions
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/log_index.h"

struct ZSTD_CCtx_s;

namespace sallyport::store {

// A frame has as many records as begin within this many bytes. Smaller ones are read faster when few records are looked
// for, larger ones take less room.
inline constexpr std::size_t frame_content_bytes = 256U << 10;

class SegmentCompressor {
 public:
  // `before`: the sessions of the index of the segment before this one; null when there is none.
  SegmentCompressor(std::uint64_t first, const std::vector<SessionSummary>* before);
  ~SegmentCompressor();
  SegmentCompressor(const SegmentCompressor&) = delete;
  SegmentCompressor& operator=(const SegmentCompressor&) = delete;

  // The next bytes of the open segment; lines may be cut anywhere. Appends the frames that are ready.
  void add(std::string_view bytes, std::string& out);
  // Behind the last line.
  void finish(std::string& out);
  // Once finished.
  const LogIndex& index() const { return index_; }

 private:
  std::size_t take_rest_of_line(std::string_view bytes);
  std::size_t take_lines(std::string_view bytes);
  void end_frame(std::string& out);

  LogIndexBuilder builder_;
  ZSTD_CCtx_s* context_;
  std::string lines_;        // of the frame, the last one not whole perhaps
  std::size_t indexed_ = 0;  // bytes of `lines_` that are whole lines and given to the builder
  std::uint64_t written_ = 0;
  LogIndex index_;
};

}  // namespace sallyport::store
