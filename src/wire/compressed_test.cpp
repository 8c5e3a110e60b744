#include "wire/compressed.h"

#include <gtest/gtest.h>

#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::Buffer;
using test::from_hex;
using test::from_text;

struct Outcome {
  Buffer plain;
  std::optional<CompressedError> error;
  bool between_frames = false;
};

Outcome read_all(CompressedReader& reader, Bytes stream, std::size_t piece, std::size_t room) {
  Outcome outcome;
  Buffer space(room);
  std::size_t at = 0;
  std::size_t given = 0;
  while (true) {
    Bytes input = stream.subspan(at, given);
    auto progress = reader.read(input, space);
    if (!progress) {
      outcome.error = progress.error();
      return outcome;
    }
    EXPECT_LE(progress->consumed, input.size());
    EXPECT_LE(progress->produced, room);
    outcome.plain.insert(outcome.plain.end(), space.begin(),
                         space.begin() + static_cast<std::ptrdiff_t>(progress->produced));
    at += progress->consumed;
    given -= progress->consumed;
    if (progress->status == CompressedReader::Status::needs_input) {
      EXPECT_EQ(given, 0U);
      if (at == stream.size()) {
        outcome.between_frames = reader.between_frames();
        return outcome;
      }
      given = std::min(piece, stream.size() - at);
    }
  }
}

Outcome read_all(CompressionAlgorithm algorithm, Bytes stream, std::size_t piece, std::size_t room) {
  CompressedReader reader{algorithm};
  return read_all(reader, stream, piece, room);
}

constexpr auto zlib = CompressionAlgorithm::zlib;
constexpr auto zstd = CompressionAlgorithm::zstd;
constexpr std::size_t whole = 1 << 20;

const std::string golden_plain = [] {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    text += "select * from agents where name = 'sallyport' ";
  }
  return text;
}();
// By Python's zlib.compress(plain, 9), and by `zstd -3 --no-check`; 184 plain bytes each.
constexpr std::string_view golden_zlib =
    "390000 00 b80000"
    "78da2b4ecd494d2e51d052482bcacf55484c4fcd2b295628cf482d4a55c84bcc4d55b055502f4eccc9a92cc82f2a5157281e34aa014d4d404"
    "5";
constexpr std::string_view golden_zstd =
    "400000 00 b80000"
    "28b52ffd0058bd0100e40273656c656374202a2066726f6d206167656e7473207768657265206e616d65203d202773616c6c79706f72742720"
    "01003e"
    "444a9501";

Buffer golden(CompressionAlgorithm algorithm) {
  return from_hex(algorithm == zlib ? golden_zlib : golden_zstd);
}

TEST(CompressedReader, ReadsWhatOthersCompressed) {
  for (auto algorithm : {zlib, zstd}) {
    for (std::size_t piece : {1UL, 2UL, 7UL, whole}) {
      for (std::size_t room : {1UL, 3UL, 183UL, 184UL, 185UL, 4096UL}) {
        Outcome outcome = read_all(algorithm, golden(algorithm), piece, room);
        EXPECT_FALSE(outcome.error) << describe(*outcome.error);
        EXPECT_EQ(text_of(outcome.plain), golden_plain) << piece << ' ' << room;
        EXPECT_TRUE(outcome.between_frames);
      }
    }
  }
}

TEST(CompressedReader, EveryTruncationWaitsForMore) {
  for (auto algorithm : {zlib, zstd}) {
    Buffer frame = golden(algorithm);
    for (std::size_t length = 1; length < frame.size(); ++length) {
      Outcome outcome = read_all(algorithm, Bytes{frame}.first(length), whole, 16);
      EXPECT_FALSE(outcome.error) << length;
      EXPECT_FALSE(outcome.between_frames) << length;
      EXPECT_TRUE(golden_plain.starts_with(text_of(outcome.plain)));
    }
  }
}

// zlib's stream has a checksum. zstd's has none as the servers write it, and stored bytes have none either.
TEST(CompressedReader, NoFlippedBitMakesOtherDataOfAZlibFrame) {
  Buffer frame = golden(zlib);
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    Buffer flipped = frame;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    Outcome outcome = read_all(zlib, flipped, whole, 64);
    bool complete = !outcome.error && outcome.between_frames;
    EXPECT_TRUE(!complete || text_of(outcome.plain) == golden_plain) << bit;
  }
}

TEST(CompressedReader, SaysWhatIsWrong) {
  struct Case {
    std::string_view what;
    CompressionAlgorithm algorithm;
    Buffer stream;
    CompressedError error;
  };
  auto changed = [](CompressionAlgorithm algorithm, std::size_t at, int by) {
    Buffer frame = golden(algorithm);
    frame[at] = static_cast<std::uint8_t>(frame[at] + by);
    return frame;
  };
  Buffer trailing = changed(zlib, 0, 1);
  trailing.push_back(0);
  const Case cases[] = {
      {"sequence", zlib, changed(zlib, 3, 1), CompressedError::wrong_sequence_id},
      {"empty", zlib, from_hex("000000 00 000000"), CompressedError::empty_frame},
      {"plain length too small", zlib, changed(zlib, 4, -1), CompressedError::too_much_data},
      {"plain length too small", zstd, changed(zstd, 4, -1), CompressedError::too_much_data},
      {"plain length too large", zlib, changed(zlib, 4, 1), CompressedError::too_little_data},
      {"plain length too large", zstd, changed(zstd, 4, 1), CompressedError::too_little_data},
      {"stream cut", zlib, changed(zlib, 0, -1), CompressedError::too_little_data},
      {"stream cut", zstd, changed(zstd, 0, -1), CompressedError::too_little_data},
      {"trailing", zlib, trailing, CompressedError::too_much_data},
      {"not zlib", zlib, changed(zlib, 7, 1), CompressedError::corrupt_stream},
      {"not zstd", zstd, changed(zstd, 7, 1), CompressedError::corrupt_stream},
      // A frame header that asks for a window of 2^31 bytes.
      {"window", zstd, from_hex("090000 00 010000 28b52ffd 00 a8 010000"), CompressedError::window_too_large},
  };
  for (const Case& one : cases) {
    Outcome outcome = read_all(one.algorithm, one.stream, whole, 4096);
    ASSERT_TRUE(outcome.error) << one.what;
    EXPECT_EQ(*outcome.error, one.error) << one.what << ": " << describe(*outcome.error);
    EXPECT_FALSE(describe(one.error).empty());
  }
}

TEST(CompressedReader, HoldsStateFromTheFirstCompressedFrameUntilTrimmedBetweenFrames) {
  CompressedReader reader{zlib};
  EXPECT_EQ(text_of(read_all(reader, from_hex("030000 00 000000 616263"), whole, 16).plain), "abc");
  EXPECT_FALSE(reader.holds_state());
  Buffer frame = golden(zlib);
  frame[3] = 1;
  read_all(reader, Bytes{frame}.first(20), whole, 4096);
  reader.trim();
  EXPECT_TRUE(reader.holds_state()) << "within a frame";
  EXPECT_FALSE(read_all(reader, Bytes{frame}.subspan(20), whole, 4096).error);
  EXPECT_TRUE(reader.holds_state());
  reader.trim();
  EXPECT_FALSE(reader.holds_state());
  frame[3] = 2;
  EXPECT_EQ(text_of(read_all(reader, frame, whole, 4096).plain), golden_plain);
}

Buffer noise(std::size_t size) {
  Buffer bytes(size);
  std::uint32_t state = 1;
  for (auto& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

TEST(CompressedWriter, RoundTrips) {
  for (auto algorithm : {zlib, zstd}) {
    auto compressor = make_compressor(algorithm);
    for (std::size_t size : {0UL, 1UL, 49UL, 50UL, 51UL, 16383UL, 16384UL, 16385UL, 100000UL, 5000000UL}) {
      for (const Buffer& plain : {Buffer(size, 'x'), noise(size)}) {
        Bytes all{plain};
        const Bytes pieces[] = {all.first(size / 3), {}, all.subspan(size / 3)};
        CompressedWriter writer;
        Buffer stream;
        writer.write(pieces, *compressor, stream);
        EXPECT_LE(stream.size(), size + (size / compressed_chunk_bytes + 1) * compressed_header_bytes);
        Outcome outcome = read_all(algorithm, stream, 5000, 7000);
        EXPECT_FALSE(outcome.error);
        EXPECT_TRUE(outcome.between_frames);
        EXPECT_TRUE(outcome.plain == plain) << size;
      }
    }
  }
}

TEST(CompressedWriter, StoresWhatIsShortOrDoesNotShrink) {
  auto compressor = make_compressor(zlib);
  CompressedWriter writer;
  writer.set_sequence_id(255);
  Buffer stream;
  Buffer short_one(49, 'x');
  Buffer long_one(50, 'x');
  Buffer random = noise(1000);
  for (Bytes piece : {Bytes{short_one}, Bytes{random}, Bytes{long_one}}) {
    writer.write({&piece, 1}, *compressor, stream);
  }
  EXPECT_EQ(Buffer(stream.begin(), stream.begin() + 7), from_hex("310000 ff 000000"));
  EXPECT_EQ(Buffer(stream.begin() + 56, stream.begin() + 63), from_hex("e80300 00 000000"));
  EXPECT_EQ(stream[56 + 1007 + 3], 1);
  EXPECT_EQ(stream[56 + 1007 + 4], 50);
  EXPECT_EQ(writer.next_sequence_id(), 2);
}

TEST(CompressedReader, TakesAnyOfTheNumbersThatAreDue) {
  for (int id = 0; id < 256; ++id) {
    CompressedReader reader{zlib};
    reader.expect_sequence_ids({4, 1, 200});
    Buffer frame = from_hex("050000 00 000000 0102030405");
    frame[3] = static_cast<std::uint8_t>(id);
    Buffer space(10);
    auto progress = reader.read(frame, space);
    EXPECT_EQ(progress.has_value(), id == 4 || id == 1 || id == 200) << id;
    EXPECT_TRUE(!progress || reader.next_sequence_id() == static_cast<std::uint8_t>(id + 1));
  }
}

TEST(CompressedReader, BorrowsADecompressorForEachFrame) {
  for (auto algorithm : {zlib, zstd}) {
    DecompressorShelf shelf;
    CompressedReader one{algorithm, CompressedReader::window_log_max, &shelf};
    CompressedReader other{algorithm, CompressedReader::window_log_max, &shelf};
    Buffer frame = golden(algorithm);
    for (int round = 0; round < 3; ++round) {
      Buffer space(golden_plain.size());
      one.expect_sequence_id(0);
      other.expect_sequence_id(0);
      ASSERT_TRUE(one.read(Bytes{frame}.first(20), space));
      EXPECT_TRUE(one.holds_state());
      EXPECT_EQ(text_of(read_all(other, frame, whole, 4096).plain), golden_plain);
      EXPECT_FALSE(other.holds_state());
      EXPECT_FALSE(read_all(one, Bytes{frame}.subspan(20), whole, 4096).error);
      EXPECT_FALSE(one.holds_state());
    }
  }
}

TEST(Compression, IsZlibWithBothFlags) {
  EXPECT_EQ(name_of(compression_of(capability::compress | capability::zstd_compression)), "zlib");
  EXPECT_EQ(name_of(compression_of(capability::zstd_compression)), "zstd");
  EXPECT_EQ(name_of(compression_of(~capability::compress & ~capability::zstd_compression)), "none");
}

TEST(PacketRenumber, KnowsWhereMessagesEnd) {
  PacketRenumber renumber;
  Buffer large(4 + frame_payload_max);
  large[0] = large[1] = large[2] = 0xFF;
  EXPECT_TRUE(renumber.between_messages());
  renumber.renumber(MutableBytes{large}.first(2));
  EXPECT_EQ(renumber.bytes_to_end(), 2U);
  renumber.renumber(MutableBytes{large}.subspan(2, 2));
  EXPECT_EQ(renumber.bytes_to_end(), frame_payload_max);
  renumber.renumber(MutableBytes{large}.subspan(4));
  EXPECT_TRUE(renumber.between_packets());
  EXPECT_FALSE(renumber.between_messages());
  Buffer empty = from_hex("000000 07");
  renumber.renumber(empty);
  EXPECT_TRUE(renumber.between_messages());
}

TEST(PacketRenumber, CountsUpInAnyFragmentation) {
  const Buffer plain = from_hex("030000 07 616263  000000 07  010000 00 ff  020000 09 0102");
  const Buffer expected = from_hex("030000 fe 616263  000000 ff  010000 00 ff  020000 01 0102");
  for (std::size_t piece = 1; piece <= plain.size(); ++piece) {
    Buffer copy = plain;
    PacketRenumber renumber;
    renumber.begin(254);
    for (std::size_t at = 0; at < copy.size(); at += piece) {
      renumber.renumber(MutableBytes{copy}.subspan(at, std::min(piece, copy.size() - at)));
    }
    EXPECT_EQ(copy, expected) << piece;
    EXPECT_TRUE(renumber.between_packets());
    EXPECT_EQ(renumber.next_sequence_id(), 2);
  }
}

}  // namespace
}  // namespace sallyport::wire
