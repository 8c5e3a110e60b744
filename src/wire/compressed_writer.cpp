#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <new>

#include "wire/compressed.h"

namespace sallyport::wire {
namespace {

class ZlibCompressor final : public Compressor {
 public:
  ZlibCompressor() {
    if (deflateInit(&stream_, Z_DEFAULT_COMPRESSION) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~ZlibCompressor() override { deflateEnd(&stream_); }
  ZlibCompressor(const ZlibCompressor&) = delete;
  ZlibCompressor& operator=(const ZlibCompressor&) = delete;

  std::optional<std::size_t> compress(std::span<const Bytes> pieces, MutableBytes space) override {
    deflateReset(&stream_);
    stream_.next_out = space.data();
    stream_.avail_out = static_cast<uInt>(space.size());
    for (Bytes piece : pieces) {
      stream_.next_in = const_cast<Bytef*>(piece.data());  // zlib's interface; it does not write there
      stream_.avail_in = static_cast<uInt>(piece.size());
      if (!piece.empty() && (deflate(&stream_, Z_NO_FLUSH) != Z_OK || stream_.avail_in > 0)) {
        return std::nullopt;
      }
    }
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) {
      return std::nullopt;
    }
    return space.size() - stream_.avail_out;
  }

 private:
  z_stream stream_{};
};

class ZstdCompressor final : public Compressor {
 public:
  ZstdCompressor() : context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    if (!context_) {
      throw std::bad_alloc();
    }
  }

  std::optional<std::size_t> compress(std::span<const Bytes> pieces, MutableBytes space) override {
    std::size_t plain_bytes = 0;
    for (Bytes piece : pieces) {
      plain_bytes += piece.size();
    }
    ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only);
    ZSTD_CCtx_setPledgedSrcSize(context_.get(), plain_bytes);
    ZSTD_outBuffer out{space.data(), space.size(), 0};
    for (Bytes piece : pieces) {
      ZSTD_inBuffer in{piece.data(), piece.size(), 0};
      while (in.pos < in.size) {
        std::size_t code = ZSTD_compressStream2(context_.get(), &out, &in, ZSTD_e_continue);
        if (ZSTD_isError(code) != 0 || out.pos == out.size) {
          return std::nullopt;
        }
      }
    }
    ZSTD_inBuffer none{nullptr, 0, 0};
    if (ZSTD_compressStream2(context_.get(), &out, &none, ZSTD_e_end) != 0) {
      return std::nullopt;
    }
    return out.pos;
  }

 private:
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
};

void write_u24(std::uint8_t* at, std::size_t value) {
  at[0] = static_cast<std::uint8_t>(value);
  at[1] = static_cast<std::uint8_t>(value >> 8);
  at[2] = static_cast<std::uint8_t>(value >> 16);
}

}  // namespace

std::unique_ptr<Compressor> make_compressor(CompressionAlgorithm algorithm) {
  switch (algorithm) {
    case CompressionAlgorithm::zlib:
      return std::make_unique<ZlibCompressor>();
    case CompressionAlgorithm::zstd:
      return std::make_unique<ZstdCompressor>();
  }
  return nullptr;
}

void CompressedWriter::write(std::span<const Bytes> pieces, Compressor& compressor, std::vector<std::uint8_t>& output) {
  constexpr std::size_t pieces_max = 16;
  std::array<Bytes, pieces_max> frame;
  std::size_t count = 0;
  std::size_t plain_bytes = 0;
  auto flush = [&] {
    if (plain_bytes > 0) {
      write_frame(std::span<const Bytes>{frame}.first(count), plain_bytes, compressor, output);
    }
    count = 0;
    plain_bytes = 0;
  };
  for (Bytes piece : pieces) {
    while (!piece.empty()) {
      std::size_t taken = std::min(piece.size(), compressed_chunk_bytes - plain_bytes);
      frame[count++] = piece.first(taken);
      plain_bytes += taken;
      piece = piece.subspan(taken);
      if (count == pieces_max || plain_bytes == compressed_chunk_bytes) {
        flush();
      }
    }
  }
  flush();
}

void CompressedWriter::write_frame(std::span<const Bytes> pieces, std::size_t plain_bytes, Compressor& compressor,
                                   std::vector<std::uint8_t>& output) {
  const std::size_t start = output.size();
  const std::size_t body = start + compressed_header_bytes;
  output.resize(body + plain_bytes);
  std::optional<std::size_t> compressed;
  if (plain_bytes >= compress_bytes_min) {
    compressed = compressor.compress(pieces, MutableBytes{output}.subspan(body, plain_bytes - 1));
  }
  if (!compressed) {
    auto at = output.begin() + static_cast<std::ptrdiff_t>(body);
    for (Bytes piece : pieces) {
      at = std::copy(piece.begin(), piece.end(), at);
    }
  }
  output.resize(body + compressed.value_or(plain_bytes));
  write_u24(output.data() + start, compressed.value_or(plain_bytes));
  output[start + 3] = sequence_id_++;
  write_u24(output.data() + start + 4, compressed ? plain_bytes : 0);
}

}  // namespace sallyport::wire
