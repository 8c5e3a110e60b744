#include "wire/decompressor.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace sallyport::wire {
namespace {

class ZlibDecompressor final : public Decompressor {
 public:
  ZlibDecompressor() : ready_(inflateInit(&stream_) == Z_OK) {}
  ~ZlibDecompressor() override { inflateEnd(&stream_); }
  ZlibDecompressor(const ZlibDecompressor&) = delete;
  ZlibDecompressor& operator=(const ZlibDecompressor&) = delete;

  bool ready() const { return ready_; }
  void reset() override { inflateReset(&stream_); }

  Result<Step, CompressedError> step(Bytes input, MutableBytes space) override {
    stream_.next_in = const_cast<Bytef*>(input.data());  // zlib's interface; it does not write there
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = space.data();
    stream_.avail_out = static_cast<uInt>(space.size());
    int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) {
      return Unexpected(CompressedError::out_of_memory);
    }
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return Unexpected(CompressedError::corrupt_stream);
    }
    return Step{.consumed = input.size() - stream_.avail_in,
                .produced = space.size() - stream_.avail_out,
                .ended = code == Z_STREAM_END};
  }

  // zlib's own figures: "about 7 KB" of state beside the window (zconf.h).
  std::size_t memory_bytes() const override { return (1U << MAX_WBITS) + (7U << 10); }

 private:
  z_stream stream_{};
  bool ready_;
};

class ZstdDecompressor final : public Decompressor {
 public:
  explicit ZstdDecompressor(int window_log_max) : context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    if (context_) {
      ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, window_log_max);
    }
  }

  bool ready() const { return context_ != nullptr; }
  void reset() override { ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only); }

  Result<Step, CompressedError> step(Bytes input, MutableBytes space) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{space.data(), space.size(), 0};
    std::size_t code = ZSTD_decompressStream(context_.get(), &out, &in);
    if (ZSTD_isError(code) != 0) {
      ZSTD_ErrorCode error = ZSTD_getErrorCode(code);
      if (error == ZSTD_error_frameParameter_windowTooLarge) {
        return Unexpected(CompressedError::window_too_large);
      }
      if (error == ZSTD_error_memory_allocation) {
        return Unexpected(CompressedError::out_of_memory);
      }
      return Unexpected(CompressedError::corrupt_stream);
    }
    return Step{.consumed = in.pos, .produced = out.pos, .ended = code == 0};
  }

  std::size_t memory_bytes() const override { return ZSTD_sizeof_DCtx(context_.get()); }

 private:
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
};

template <typename T, typename... Arguments>
std::unique_ptr<Decompressor> make_ready(Arguments... arguments) {
  auto made = std::make_unique<T>(arguments...);
  return made->ready() ? std::move(made) : nullptr;
}

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(CompressionAlgorithm algorithm, int zstd_window_log_max) {
  switch (algorithm) {
    case CompressionAlgorithm::zlib:
      return make_ready<ZlibDecompressor>();
    case CompressionAlgorithm::zstd:
      return make_ready<ZstdDecompressor>(zstd_window_log_max);
  }
  return nullptr;
}

std::unique_ptr<Decompressor> DecompressorShelf::take(CompressionAlgorithm algorithm, int zstd_window_log_max) {
  auto& spare = spare_[static_cast<std::size_t>(algorithm)];
  if (!spare) {
    return make_decompressor(algorithm, zstd_window_log_max);
  }
  spare->reset();
  return std::move(spare);
}

void DecompressorShelf::give_back(CompressionAlgorithm algorithm, std::unique_ptr<Decompressor> decompressor) {
  if (decompressor && decompressor->memory_bytes() <= kept_bytes_max) {
    spare_[static_cast<std::size_t>(algorithm)] = std::move(decompressor);
  }
}

}  // namespace sallyport::wire
