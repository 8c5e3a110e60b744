#include "store/segment_reader.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"
#include "store/log_file.h"

namespace sallyport::store {
namespace {

SegmentError unreadable(std::string sentence) {
  return {.kind = SegmentError::Kind::unreadable, .text = std::move(sentence)};
}

SegmentError damaged(const std::filesystem::path& file, std::string_view what) {
  return {.kind = SegmentError::Kind::damaged, .text = file.string() + " is damaged: " + std::string(what)};
}

// By memchr: lines are long.
std::uint64_t lines_in(std::string_view text) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

class SegmentReader::Decompressor {
 public:
  Decompressor() : stream_(ZSTD_createDStream()), input_(ZSTD_DStreamInSize()) {
    SALLYPORT_CHECK(stream_ != nullptr);
    SALLYPORT_CHECK(ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, window_log_max)) == 0);
  }
  ~Decompressor() { ZSTD_freeDStream(stream_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  char* input() { return input_.data(); }
  std::size_t input_size() const { return input_.size(); }
  bool has_input() const { return taken_ < given_; }
  void give(std::size_t size) {
    given_ = size;
    taken_ = 0;
  }
  // Whether the last frame is whole: nothing is missing behind what was given.
  bool at_frame_end() const { return wanted_ == 0; }

  // Null, or what is wrong.
  const char* decompress(char* at, std::size_t size, std::size_t& produced) {
    ZSTD_inBuffer in{.src = input_.data(), .size = given_, .pos = taken_};
    ZSTD_outBuffer out{.dst = at, .size = size, .pos = 0};
    std::size_t wanted = ZSTD_decompressStream(stream_, &out, &in);
    // At the end of a frame a call that has nothing to do asks for the header of a next one.
    if (in.pos != taken_ || out.pos != 0) {
      wanted_ = wanted;
    }
    taken_ = in.pos;
    produced = out.pos;
    output_full_ = out.pos == size;
    return ZSTD_isError(wanted) != 0 ? ZSTD_getErrorName(wanted) : nullptr;
  }
  // Whether there may be output that needs no more input.
  bool may_have_output() const { return output_full_; }

 private:
  static constexpr int window_log_max = 27;  // 128 MiB, what zstd itself takes at most unless told otherwise

  ZSTD_DStream* stream_;
  std::vector<char> input_;
  std::size_t given_ = 0;
  std::size_t taken_ = 0;
  std::size_t wanted_ = 0;  // an empty file has no frame, and no record
  bool output_full_ = false;
};

Result<SegmentReader, SegmentError> SegmentReader::open(const std::filesystem::path& directory, std::uint64_t first,
                                                        std::size_t chunk_bytes) {
  std::filesystem::path file = directory / name_of(SegmentFile::records, first);
  auto opened = open_log_file(file);
  bool compressed = !opened && opened.error().is_absent;
  if (compressed) {
    file = directory / name_of(SegmentFile::compressed_records, first);
    opened = open_log_file(file);
  }
  if (!opened) {
    SegmentError error = unreadable(opened.error().sentence(file));
    if (opened.error().is_absent) {
      error = {.kind = SegmentError::Kind::absent,
               .text = "the records from " + std::to_string(first) + " on are not there: neither " +
                       name_of(SegmentFile::records, first) + " nor " + file.filename().string() + " is"};
    }
    return Unexpected(std::move(error));
  }
  ::posix_fadvise(opened->descriptor.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
  SegmentReader reader(std::move(file), std::move(opened->descriptor), first, std::max(chunk_bytes, std::size_t{1}));
  if (compressed) {
    reader.decompressor_ = std::make_unique<Decompressor>();
  }
  return reader;
}

SegmentReader::SegmentReader(std::filesystem::path file, Descriptor descriptor, std::uint64_t first,
                             std::size_t chunk_bytes)
    : file_(std::move(file)), descriptor_(std::move(descriptor)), position_(first), chunk_bytes_(chunk_bytes) {}

SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
SegmentReader& SegmentReader::operator=(SegmentReader&&) noexcept = default;
SegmentReader::~SegmentReader() = default;

std::string_view SegmentReader::unfinished() const {
  return std::string_view(buffer_).substr(handed_out_, filled_ - handed_out_);
}

Result<std::size_t, SegmentError> SegmentReader::read(char* at, std::size_t size) {
  while (true) {
    ssize_t count = ::read(descriptor_.number(), at, size);
    if (count >= 0) {
      bytes_read_ += static_cast<std::size_t>(count);
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR) {
      return Unexpected(unreadable(LogFileError{.reason = std::strerror(errno)}.sentence(file_)));
    }
  }
}

// Adds at most `size` bytes of records to what is there; 0 at the end.
Result<std::size_t, SegmentError> SegmentReader::fill(std::size_t size) {
  if (buffer_.size() < filled_ + size) {
    buffer_.resize(filled_ + size);
  }
  if (decompressor_ == nullptr) {
    std::uint64_t left = bytes_bound_ - std::min(bytes_read_, bytes_bound_);
    auto count = read(buffer_.data() + filled_, static_cast<std::size_t>(std::min<std::uint64_t>(size, left)));
    filled_ += count.value_or(0);
    return count;
  }
  std::size_t produced = 0;
  while (produced == 0) {
    if (!decompressor_->has_input() && !decompressor_->may_have_output()) {
      auto count = read(decompressor_->input(), decompressor_->input_size());
      if (!count) {
        return Unexpected(std::move(count).error());
      }
      if (*count == 0) {
        if (!decompressor_->at_frame_end()) {
          return Unexpected(damaged(file_, "its end is missing"));
        }
        return std::size_t{0};
      }
      decompressor_->give(*count);
    }
    if (const char* fault = decompressor_->decompress(buffer_.data() + filled_, size, produced)) {
      return Unexpected(damaged(file_, fault));
    }
  }
  filled_ += produced;
  return produced;
}

Result<LineChunk, SegmentError> SegmentReader::next() {
  filled_ -= handed_out_;
  std::memmove(buffer_.data(), buffer_.data() + handed_out_, filled_);
  searched_ -= handed_out_;
  handed_out_ = 0;
  while (true) {
    std::size_t wanted = std::max(chunk_bytes_, filled_ + filled_ / 2 + 1);
    bool at_end = false;
    while (filled_ < wanted && filled_ < line_bytes_max) {
      auto count = fill(wanted - filled_);
      if (!count) {
        return Unexpected(std::move(count).error());
      }
      if (*count == 0) {
        at_end = true;
        break;
      }
    }
    std::string_view fresh = std::string_view(buffer_).substr(searched_, filled_ - searched_);
    std::size_t last = fresh.rfind('\n');
    if (last != std::string_view::npos) {
      handed_out_ = searched_ + last + 1;
      searched_ = filled_;
      std::string_view lines = std::string_view(buffer_).substr(0, handed_out_);
      std::uint64_t count = lines_in(lines);
      LineChunk chunk{.lines = lines, .index = position_, .count = count};
      position_ += count;
      return chunk;
    }
    searched_ = filled_;
    if (at_end || filled_ >= line_bytes_max) {
      return LineChunk{.lines = {}, .index = position_, .count = 0};
    }
  }
}

}  // namespace sallyport::store
