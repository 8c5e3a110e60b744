#include "wire/frame.h"

#include <gtest/gtest.h>

#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::Buffer;
using test::from_hex;

constexpr std::uint64_t no_limit = UINT64_MAX;
constexpr std::size_t full = frame_payload_max;

TEST(FrameHeader, NeedsFourBytes) {
  Buffer raw = from_hex("56341207");
  for (std::size_t length = 0; length < 4; ++length) {
    EXPECT_FALSE(read_frame_header(Bytes{raw}.first(length)).has_value());
  }
  auto header = read_frame_header(raw);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->payload_bytes, 0x123456U);
  EXPECT_EQ(header->sequence_id, 7);
}

TEST(FindMessage, WaitsUntilTheLastByteIsThere) {
  Buffer raw = from_hex("03000005 616263 01000006 ff");
  for (std::size_t length = 0; length < 7; ++length) {
    auto found = find_message(Bytes{raw}.first(length), 5, no_limit);
    ASSERT_TRUE(found.has_value());
    EXPECT_FALSE(found->has_value()) << length;
  }
  for (std::size_t length = 7; length <= raw.size(); ++length) {
    auto found = find_message(Bytes{raw}.first(length), 5, no_limit);
    ASSERT_TRUE(found.has_value() && found->has_value()) << length;
    EXPECT_EQ((*found)->frame_bytes, 7U);
    EXPECT_EQ((*found)->frames, 1U);
    EXPECT_EQ((*found)->payload_bytes, 3U);
    EXPECT_EQ((*found)->next_sequence_id, 6);
    Buffer scratch;
    EXPECT_EQ(text_of(message_payload(raw, **found, scratch)), "abc");
    EXPECT_TRUE(scratch.empty()) << "one frame is borrowed, not copied";
  }
}

TEST(FindMessage, TakesAnEmptyMessage) {
  Buffer raw = from_hex("00000000");
  auto found = find_message(raw, 0, 0);
  ASSERT_TRUE(found.has_value() && found->has_value());
  Buffer scratch;
  EXPECT_TRUE(message_payload(raw, **found, scratch).empty());
}

TEST(FindMessage, RefusesAnotherSequenceId) {
  Buffer raw = from_hex("01000001 61");
  auto found = find_message(raw, 0, no_limit);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error(), FrameError::wrong_sequence_id);
}

TEST(FindMessage, RefusesAnotherSequenceIdInAContinuation) {
  Buffer raw = test::packet(255, Buffer(full + 1));
  EXPECT_TRUE(find_message(raw, 255, no_limit).has_value());
  raw[frame_header_bytes + full + 3] = 1;  // 0 is due
  auto found = find_message(raw, 255, no_limit);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error(), FrameError::wrong_sequence_id);
}

TEST(FindMessage, JudgesTheSizeByTheHeaderAlone) {
  Buffer raw = from_hex("0b000000");
  EXPECT_TRUE(find_message(raw, 0, 11).has_value());
  auto found = find_message(raw, 0, 10);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error(), FrameError::too_large);
}

TEST(FindMessage, AddsUpTheFramesAgainstTheLimit) {
  Buffer raw = test::packet(0, Buffer(full + 5));
  EXPECT_TRUE(find_message(raw, 0, full + 5).has_value());
  auto cut = Bytes{raw}.first(frame_header_bytes + full + frame_header_bytes);
  auto found = find_message(cut, 0, full + 4);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error(), FrameError::too_large);
}

TEST(FindMessage, JoinsTheFramesOfALongMessage) {
  for (std::size_t payload_bytes : {full - 1, full, full + 1, 2 * full - 1, 2 * full, 2 * full + 1}) {
    Buffer payload(payload_bytes);
    for (std::size_t i = 0; i < payload.size(); ++i) {
      payload[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
    }
    Buffer raw = test::packet(3, payload);
    std::size_t message_bytes = raw.size();
    auto incomplete = find_message(Bytes{raw}.first(message_bytes - 1), 3, no_limit);
    ASSERT_TRUE(incomplete.has_value());
    EXPECT_FALSE(incomplete->has_value()) << payload_bytes;
    test::append(raw, from_hex("01000000 0e"));
    auto found = find_message(raw, 3, payload_bytes);
    ASSERT_TRUE(found.has_value() && found->has_value()) << payload_bytes;
    EXPECT_EQ((*found)->frame_bytes, message_bytes);
    EXPECT_EQ((*found)->payload_bytes, payload_bytes);
    EXPECT_EQ((*found)->frames, payload_bytes / full + 1);
    EXPECT_EQ((*found)->next_sequence_id, 3 + (*found)->frames);
    Buffer scratch{1, 2, 3};
    Bytes joined = message_payload(raw, **found, scratch);
    EXPECT_TRUE(std::equal(joined.begin(), joined.end(), payload.begin(), payload.end())) << payload_bytes;
  }
}

}  // namespace
}  // namespace sallyport::wire
