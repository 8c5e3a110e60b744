#include "session/input_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <thread>

namespace sallyport::session {
namespace {

void receive(InputBuffer& buffer, std::string_view text) {
  MutableBytes space = buffer.space(1U << 20);
  ASSERT_GE(space.size(), text.size());
  std::memcpy(space.data(), text.data(), text.size());
  buffer.received(text.size());
}

TEST(InputBufferTest, HoldsWhatCameUntilItIsReleased) {
  InputBuffer buffer;
  receive(buffer, "SELECT 1");
  EXPECT_EQ(text_of(buffer.unclaimed()), "SELECT 1");
  buffer.claim(6);
  receive(buffer, "!");
  EXPECT_EQ(text_of(buffer.claimed()), "SELECT");
  EXPECT_EQ(text_of(buffer.unclaimed()), " 1!");
  buffer.release(6);
  EXPECT_EQ(buffer.size(), 3U);
  buffer.trim();
  EXPECT_EQ(text_of(buffer.unclaimed()), " 1!") << "is held";
}

TEST(InputBufferTest, GrowsToItsBoundAndKeepsWhatItHas) {
  InputBuffer buffer(4);
  receive(buffer, "abcd");
  MutableBytes more = buffer.space(6);
  ASSERT_EQ(more.size(), 2U);
  std::memcpy(more.data(), "ef", 2);
  buffer.received(2);
  EXPECT_EQ(buffer.space(6).size(), 0U);
  EXPECT_EQ(text_of(buffer.unclaimed()), "abcdef");
}

TEST(InputBufferTest, GivesItsMemoryBackWhenItHoldsNothing) {
  InputBuffer buffer;
  receive(buffer, "x");
  buffer.claim(1);
  buffer.release(1);
  EXPECT_EQ(buffer.capacity(), input_buffer_bytes);
  buffer.trim();
  EXPECT_EQ(buffer.capacity(), 0U);
}

#ifndef SALLYPORT_SANITIZED
TEST(InputBufferTest, TakesWhatAnotherOfItsThreadHasGivenBackLast) {
  InputBuffer one;
  InputBuffer other;
  const std::uint8_t* first = one.space(input_buffer_bytes).data();
  const std::uint8_t* second = other.space(input_buffer_bytes).data();
  one.trim();
  std::thread([&] {
    InputBuffer elsewhere;
    EXPECT_NE(elsewhere.space(input_buffer_bytes).data(), first);
  }).join();
  other.trim();
  InputBuffer third;
  EXPECT_EQ(third.space(input_buffer_bytes).data(), second);
  InputBuffer fourth;
  EXPECT_EQ(fourth.space(input_buffer_bytes).data(), first);
  InputBuffer small(64);
  small.space(64);
  small.trim();
  third.trim();
  EXPECT_EQ(InputBuffer().space(input_buffer_bytes).data(), second) << "and not the small one's";
}
#endif

}  // namespace
}  // namespace sallyport::session
