// Reads the records of a segment, open or closed, from its first on, in chunks of whole lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"
#include "store/log_directory.h"

namespace sallyport::store {

struct SegmentError {
  enum class Kind : std::uint8_t {
    absent,      // neither form is there (any more): the segment's records are deleted, or there never was one
    unreadable,  // the file can't be opened or read
    damaged      // the compressed form is no zstd, is cut off, or has something behind it
  };
  Kind kind;
  std::string text;  // a sentence for the person at the terminal, with the file's name
};

// Lines with their LF. `index` is that of the first of them; `count` is their number.
struct LineChunk {
  std::string_view lines;
  std::uint64_t index = 0;
  std::uint64_t count = 0;

  bool empty() const { return lines.empty(); }
};

class SegmentReader {
 public:
  static constexpr std::size_t chunk_bytes_default = 1U << 20;
  // A line that is longer is no record: as many bytes are taken to be an unfinished line.
  static constexpr std::size_t line_bytes_max = std::size_t{1} << 30;

  // The open form where there is one. Opened once: a segment that is closed or deleted meanwhile is read to its end.
  static Result<SegmentReader, SegmentError> open(const std::filesystem::path& directory, std::uint64_t first,
                                                  std::size_t chunk_bytes = chunk_bytes_default);
  SegmentReader(SegmentReader&&) noexcept;
  SegmentReader& operator=(SegmentReader&&) noexcept;
  ~SegmentReader();

  // The next lines: some chunk_bytes of them, more when one line is longer. Empty at the end; of an open form there may
  // be more later. The view lives until the next call. After an error there is nothing to be had.
  Result<LineChunk, SegmentError> next();
  // Of the open form nothing behind so many bytes of the file is read. By default there is no bound.
  void bound(std::uint64_t bytes) { bytes_bound_ = bytes; }
  // Bytes behind the last line end that was found: of a line that isn't whole (yet).
  std::string_view unfinished() const;
  // Index of the record behind those that were read.
  std::uint64_t position() const { return position_; }

  bool is_compressed() const { return decompressor_ != nullptr; }
  const std::filesystem::path& file() const { return file_; }
  // Of the file, so far.
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  class Decompressor;
  SegmentReader(std::filesystem::path file, Descriptor descriptor, std::uint64_t first, std::size_t chunk_bytes);

  Result<std::size_t, SegmentError> read(char* at, std::size_t size);
  Result<std::size_t, SegmentError> fill(std::size_t size);

  std::filesystem::path file_;
  Descriptor descriptor_;
  std::uint64_t position_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_bound_ = UINT64_MAX;
  std::size_t chunk_bytes_;
  std::string buffer_;          // lines that were handed out, then those that weren't
  std::size_t handed_out_ = 0;  // of buffer_
  std::size_t filled_ = 0;      // of buffer_, whose rest is scratch
  std::size_t searched_ = 0;    // up to here buffer_ has no line end that wasn't handed out
  std::unique_ptr<Decompressor> decompressor_;
};

}  // namespace sallyport::store
