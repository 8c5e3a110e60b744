// Compressed frames: what is written is read again in any fragmentation and with any space; reading any bytes takes no
// more than is given and gives out no more than there is space for, the same in any fragmentation.
#include <algorithm>

#include "base/check.h"
#include "fuzz/targets.h"
#include "wire/compressed.h"

namespace sallyport::fuzz {
namespace {

constexpr std::size_t plain_max = 1 << 18;
constexpr int window_log_max = 20;

struct Outcome {
  std::vector<std::uint8_t> plain;
  bool failed = false;
  bool between_frames = false;
};

Outcome read_all(wire::CompressionAlgorithm algorithm, Bytes stream, std::size_t piece, std::size_t room) {
  wire::CompressedReader reader{algorithm, window_log_max};
  std::vector<std::uint8_t> space(room);
  Outcome outcome;
  Bytes input;
  while (outcome.plain.size() < plain_max) {
    auto progress = reader.read(input, space);
    if (!progress) {
      outcome.failed = true;
      return outcome;
    }
    SALLYPORT_CHECK(progress->consumed <= input.size() && progress->produced <= room);
    outcome.plain.insert(outcome.plain.end(), space.begin(),
                         space.begin() + static_cast<std::ptrdiff_t>(progress->produced));
    input = input.subspan(progress->consumed);
    if (progress->status == wire::CompressedReader::Status::needs_space) {
      SALLYPORT_CHECK(progress->produced == room);
      continue;
    }
    SALLYPORT_CHECK(input.empty());
    if (stream.empty()) {
      break;
    }
    input = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(input.size());
  }
  outcome.between_frames = reader.between_frames();
  return outcome;
}

}  // namespace

void fuzz_compressed_frames(Bytes input) {
  ByteReader reader{input};
  auto algorithm = reader.u8() % 2 == 0 ? wire::CompressionAlgorithm::zlib : wire::CompressionAlgorithm::zstd;
  std::size_t piece = reader.u8() + std::size_t{1};
  std::size_t room = reader.u16() + std::size_t{1};
  Bytes rest = reader.rest();

  Outcome cut = read_all(algorithm, rest, piece, room);
  Outcome whole = read_all(algorithm, rest, input.size() + 1, plain_max);
  if (!cut.failed && !whole.failed && cut.plain.size() < plain_max && whole.plain.size() < plain_max) {
    SALLYPORT_CHECK(cut.plain == whole.plain && cut.between_frames == whole.between_frames);
  }

  static const auto zlib = wire::make_compressor(wire::CompressionAlgorithm::zlib);
  static const auto zstd = wire::make_compressor(wire::CompressionAlgorithm::zstd);
  const Bytes pieces[] = {rest.first(std::min(piece, rest.size())), rest.subspan(std::min(piece, rest.size()))};
  wire::CompressedWriter writer;
  std::vector<std::uint8_t> stream;
  writer.write(pieces, algorithm == wire::CompressionAlgorithm::zlib ? *zlib : *zstd, stream);
  Outcome again = read_all(algorithm, stream, piece, room);
  SALLYPORT_CHECK(!again.failed && again.between_frames);
  SALLYPORT_CHECK(std::equal(again.plain.begin(), again.plain.end(), rest.begin(), rest.end()));
}

}  // namespace sallyport::fuzz
