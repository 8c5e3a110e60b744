#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "session/input_buffer.h"
#include "session/output_queue.h"

namespace sallyport::session {
namespace {

void receive(InputBuffer& buffer, std::string_view text) {
  while (!text.empty()) {
    MutableBytes space = buffer.space(1U << 20);
    std::size_t part = std::min(space.size(), text.size());
    std::copy_n(text.begin(), part, space.begin());
    buffer.received(part);
    text.remove_prefix(part);
  }
}

std::string send(OutputQueue& queue, std::size_t count) {
  std::array<Bytes, 3> spans;
  std::string out;
  std::size_t filled = queue.gather(spans);
  for (std::size_t i = 0; i < filled && out.size() < count; ++i) {
    out += text_of(spans[i].first(std::min(spans[i].size(), count - out.size())));
  }
  queue.sent(out.size());
  return out;
}

TEST(InputBuffer, GivesNoSpaceBeyondItsLimit) {
  InputBuffer buffer;
  receive(buffer, std::string(input_buffer_bytes, 'x'));
  EXPECT_TRUE(buffer.space(input_buffer_bytes).empty());
  EXPECT_EQ(buffer.space(input_buffer_bytes + 10).size(), 10U);
}

TEST(InputBuffer, ReusesWhatWasReleased) {
  InputBuffer buffer;
  receive(buffer, std::string(input_buffer_bytes, 'x'));
  buffer.claim(100);
  buffer.release(100);
  EXPECT_EQ(buffer.space(input_buffer_bytes).size(), 100U);
  EXPECT_EQ(buffer.capacity(), input_buffer_bytes);
}

TEST(InputBuffer, GivesAllItsRoomWhenLittleIsLeft) {
  InputBuffer buffer;
  receive(buffer, std::string(10'000, 'x') + "rest");
  buffer.claim(10'000);
  buffer.release(10'000);
  EXPECT_EQ(buffer.space(input_buffer_bytes).size(), input_buffer_bytes - 4);
  EXPECT_EQ(text_of(std::as_const(buffer).unclaimed()), "rest");
}

TEST(InputBuffer, GivesItsMemoryBackWhenEmpty) {
  InputBuffer buffer;
  receive(buffer, std::string(500'000, 'x'));
  buffer.claim(500'000);
  buffer.release(499'999);
  buffer.trim();
  EXPECT_GE(buffer.capacity(), 500'000U);
  EXPECT_EQ(text_of(buffer.claimed()), "x");
  buffer.release(1);
  buffer.trim();
  EXPECT_EQ(buffer.capacity(), 0U);
  receive(buffer, "again");
  EXPECT_EQ(text_of(std::as_const(buffer).unclaimed()), "again");
  EXPECT_EQ(buffer.capacity(), input_buffer_bytes);
}

TEST(InputBuffer, BeginsWithTheBytesItIsToldTo) {
  InputBuffer buffer{100'000};
  EXPECT_EQ(buffer.space(1U << 20).size(), 100'000U);
  InputBuffer bounded{100'000};
  EXPECT_EQ(bounded.space(300).size(), 300U);
}

TEST(OutputQueue, SendsForwardedAndMadeBytesInOrderAndLeavesOutSkippedOnes) {
  InputBuffer source;
  OutputQueue queue{source};
  receive(source, "abcdefgh");
  queue.forward(2);
  queue.made().insert(queue.made().end(), {'1', '2'});
  queue.queue_made();
  queue.skip(3);
  queue.forward(3);
  EXPECT_EQ(queue.size(), 7U);
  EXPECT_EQ(send(queue, 3), "ab1");
  EXPECT_EQ(send(queue, 9), "2fgh");
  EXPECT_EQ(source.size(), 0U);
}

TEST(OutputQueue, ReleasesSkippedBytesAtOnceWhenNothingStandsBeforeThem) {
  InputBuffer source;
  OutputQueue queue{source};
  receive(source, "abc");
  queue.skip(3);
  EXPECT_EQ(source.size(), 0U);
  EXPECT_TRUE(queue.empty());
}

// Random operations against a plain string as the model.
TEST(OutputQueue, AgreesWithAModelUnderRandomOperations) {
  std::mt19937 random{20260101};  // NOLINT(cert-msc51-cpp)
  for (int run = 0; run < 200; ++run) {
    InputBuffer source;
    OutputQueue queue{source};
    std::string expected;
    std::string got;
    char next = 'a';
    for (int step = 0; step < 300; ++step) {
      std::size_t count = random() % 50;
      switch (random() % 5) {
        case 0: {
          std::string text;
          for (std::size_t i = 0; i < count; ++i) {
            text.push_back(next = next == 'z' ? 'a' : static_cast<char>(next + 1));
          }
          receive(source, text);
          break;
        }
        case 1:
          count = std::min(count, source.unclaimed().size());
          expected += text_of(Bytes{source.unclaimed()}.first(count));
          queue.forward(count);
          break;
        case 2:
          queue.skip(std::min(count, source.unclaimed().size()));
          break;
        case 3:
          queue.made().insert(queue.made().end(), count, '#');
          queue.queue_made();
          expected.append(count, '#');
          break;
        default:
          got += send(queue, count);
      }
      ASSERT_EQ(queue.size(), expected.size() - got.size());
    }
    while (!queue.empty()) {
      got += send(queue, 64);
    }
    ASSERT_EQ(got, expected);
    ASSERT_EQ(source.claimed().size(), 0U);
  }
}

}  // namespace
}  // namespace sallyport::session
