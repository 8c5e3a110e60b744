#include "wire/encoding.h"

#include <gtest/gtest.h>

#include "wire/frame.h"
#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::Buffer;
using test::from_hex;

struct LenencCase {
  std::uint64_t value;
  std::string_view hex;
};

// The boundaries of MySQL source documentation, "Protocol::LengthEncodedInteger".
constexpr LenencCase lenenc_cases[] = {{0, "00"},
                                       {1, "01"},
                                       {250, "fa"},
                                       {251, "fcfb00"},
                                       {252, "fcfc00"},
                                       {0xFF, "fcff00"},
                                       {0xFFFF, "fcffff"},
                                       {0x10000, "fd000001"},
                                       {0xFFFFFF, "fdffffff"},
                                       {0x1000000, "fe0000000100000000"},
                                       {UINT64_MAX, "feffffffffffffffff"}};

TEST(LengthEncodedInteger, HasTheShortestForm) {
  for (const auto& [value, hex] : lenenc_cases) {
    Buffer out;
    PacketWriter{out}.lenenc(value);
    EXPECT_EQ(out, from_hex(hex)) << value;
  }
}

TEST(LengthEncodedInteger, IsReadBackFromAllItsBytes) {
  for (const auto& [value, hex] : lenenc_cases) {
    Buffer raw = from_hex(hex);
    ByteReader reader{raw};
    EXPECT_EQ(read_lenenc(reader), value);
    EXPECT_TRUE(reader.exhausted()) << value;
  }
}

TEST(LengthEncodedInteger, FailsWhenCutShortAtAnyByte) {
  for (const auto& [value, hex] : lenenc_cases) {
    Buffer raw = from_hex(hex);
    for (std::size_t length = 0; length < raw.size(); ++length) {
      Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
      ByteReader reader{cut};
      read_lenenc(reader);
      EXPECT_FALSE(reader.ok()) << value << " cut to " << length;
    }
  }
}

TEST(LengthEncodedInteger, IsNeitherTheNullMarkerNorTheErrorMarker) {
  for (std::string_view hex : {"fb0000000000000000", "ff0000000000000000"}) {
    Buffer raw = from_hex(hex);
    ByteReader reader{raw};
    EXPECT_EQ(read_lenenc(reader), 0U);
    EXPECT_FALSE(reader.ok()) << hex;
  }
}

TEST(LengthEncodedText, FailsWhenItsLengthIsBeyondTheEnd) {
  for (std::string_view hex : {"0161", "00", "fc0100 61"}) {
    Buffer raw = from_hex(hex);
    ByteReader reader{raw};
    read_lenenc_bytes(reader);
    EXPECT_TRUE(reader.exhausted()) << hex;
  }
  for (std::string_view hex : {"", "01", "0261", "fc0200 61", "fe ffffffffffffffff 61", "fb", "ff"}) {
    Buffer raw = from_hex(hex);
    ByteReader reader{raw};
    EXPECT_TRUE(read_lenenc_bytes(reader).empty()) << hex;
    EXPECT_FALSE(reader.ok()) << hex;
  }
}

TEST(PacketWriter, PutsTheHeaderBeforeThePayload) {
  Buffer out = from_hex("aa");
  PacketWriter writer{out};
  writer.begin(255);
  writer.u8(1);
  writer.u16(0x0302);
  writer.u24(0x060504);
  writer.u32(0x0a090807);
  writer.u64(0x1211100f0e0d0c0b);
  writer.zeros(2);
  writer.text_nul("x");
  writer.lenenc_text("yz");
  EXPECT_EQ(writer.end(), 0) << "sequence ids wrap";
  EXPECT_EQ(out, from_hex("aa 190000ff 0102030405060708090a0b0c0d0e0f101112 0000 7800 02797a"));
}

struct SizeCase {
  std::size_t payload_bytes;
  std::vector<std::size_t> frames;  // payload bytes of each
};

TEST(PacketWriter, SplitsWhatDoesNotFitOneFrame) {
  constexpr std::size_t full = frame_payload_max;
  const SizeCase cases[] = {{0, {0}},
                            {1, {1}},
                            {full - 1, {full - 1}},
                            {full, {full, 0}},
                            {full + 1, {full, 1}},
                            {2 * full - 1, {full, full - 1}},
                            {2 * full, {full, full, 0}},
                            {2 * full + 1, {full, full, 1}}};
  for (const SizeCase& c : cases) {
    Buffer payload(c.payload_bytes);
    for (std::size_t i = 0; i < payload.size(); ++i) {
      payload[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
    }
    Buffer out = test::packet(7, payload);
    Buffer joined;
    std::size_t at = 0;
    std::uint8_t sequence_id = 7;
    for (std::size_t frame : c.frames) {
      auto header = read_frame_header(Bytes{out}.subspan(at));
      ASSERT_TRUE(header.has_value()) << c.payload_bytes;
      EXPECT_EQ(header->payload_bytes, frame) << c.payload_bytes;
      EXPECT_EQ(header->sequence_id, sequence_id++) << c.payload_bytes;
      Bytes part = Bytes{out}.subspan(at + frame_header_bytes, frame);
      joined.insert(joined.end(), part.begin(), part.end());
      at += frame_header_bytes + frame;
    }
    EXPECT_EQ(at, out.size()) << c.payload_bytes;
    EXPECT_TRUE(joined == payload) << c.payload_bytes;
  }
}

TEST(PacketWriter, LeavesEarlierPacketsAloneWhenItSplits) {
  Buffer out;
  PacketWriter writer{out};
  writer.begin(0);
  writer.u8(9);
  std::uint8_t next = writer.end();
  writer.begin(next);
  writer.zeros(frame_payload_max);
  EXPECT_EQ(writer.end(), 3);
  EXPECT_EQ(Buffer(out.begin(), out.begin() + 9), from_hex("01000000 09 ffffff01"));
  EXPECT_EQ(Buffer(out.end() - 4, out.end()), from_hex("00000002"));
}

}  // namespace
}  // namespace sallyport::wire
