#include "store/log_follower.h"

#include <gtest/gtest.h>

#include "store/log_test_support.h"
#include "store/segment_blocks.h"
#include "store/segment_compressor.h"

namespace sallyport::store {
namespace {

using test::TestLog;

constexpr const char* first_open = "records-00000000000000000000.jsonl";
constexpr const char* second_open = "records-00000000000000000003.jsonl";

std::string all_there_is(LogFollower& follower) {
  std::string lines;
  while (true) {
    auto chunk = follower.next();
    EXPECT_TRUE(chunk) << (chunk ? "" : chunk.error());
    if (!chunk || chunk->empty()) {
      return lines;
    }
    lines += chunk->lines;
  }
}

void close_first(const TestLog& log, const std::string& lines) {
  SegmentCompressor compressor{0, nullptr};
  std::string frames;
  compressor.add(lines, frames);
  compressor.finish(frames);
  log.write("records-00000000000000000000.jsonl.zst", frames);
  std::filesystem::remove(log.directory() / first_open);
}

TEST(LogFollower, ReadsWhatIsAppendedAndOnlyWholeLines) {
  TestLog log;
  LogFollower follower{log.directory(), 0};
  EXPECT_EQ(all_there_is(follower), "");
  log.write(first_open, "a\nb\nto");
  EXPECT_EQ(all_there_is(follower), "a\nb\n");
  EXPECT_EQ(all_there_is(follower), "");
  log.append(first_open, "rn\n");
  EXPECT_EQ(all_there_is(follower), "torn\n");
}

TEST(LogFollower, GoesOnOverTheClosingOfASegment) {
  TestLog log;
  log.write(first_open, "a\nb\n");
  LogFollower follower{log.directory(), 0};
  EXPECT_EQ(all_there_is(follower), "a\nb\n");
  log.append(first_open, "c\n");
  log.write(second_open, "d\n");
  close_first(log, "a\nb\nc\n");
  EXPECT_EQ(all_there_is(follower), "c\nd\n");
  log.append(second_open, "e\n");
  EXPECT_EQ(all_there_is(follower), "e\n");
}

TEST(LogFollower, BeginsAmidAClosedSegment) {
  TestLog log;
  log.write(second_open, "d\ne\n");
  close_first(log, "a\nb\nc\n");
  LogFollower follower{log.directory(), 2};
  EXPECT_EQ(all_there_is(follower), "c\nd\ne\n");
}

TEST(LogFollower, SaysWhenWhatIsNextWasDeleted) {
  TestLog log;
  log.write(second_open, "d\n");
  LogFollower follower{log.directory(), 1};
  auto chunk = follower.next();
  ASSERT_FALSE(chunk);
  EXPECT_EQ(chunk.error(), "record 1 was deleted");
  EXPECT_EQ(follower.deleted_until(), 3U);
}

TEST(LogFollower, SaysWhenASegmentInTheMiddleWasDeleted) {
  TestLog log;
  log.write(first_open, "a\nb\n");
  log.write(second_open, "d\n");
  for (std::uint64_t from : {0U, 2U}) {
    LogFollower follower{log.directory(), from};
    if (from == 0) {
      EXPECT_EQ(follower.next()->lines, "a\nb\n");
    }
    auto chunk = follower.next();
    if (chunk && chunk->empty()) {
      chunk = follower.next();
    }
    ASSERT_FALSE(chunk) << from;
    EXPECT_EQ(chunk.error(), "record 2 was deleted");
    EXPECT_EQ(follower.deleted_until(), 3U);
  }
  LogFollower follower{log.directory(), 0};
  follower.read_up_to({.records = 4, .segment = 3, .bytes = 2});
  EXPECT_EQ(follower.next()->lines, "a\nb\n");
  EXPECT_FALSE(follower.next());
  log.append(first_open, "c\n");
  EXPECT_EQ(all_there_is(follower), "c\nd\n") << "when it comes back";
}

TEST(LogFollower, ReadsNothingBehindTheEndThatIsOnTheDisk) {
  TestLog log;
  log.write(first_open, "a\nb\nc\n");
  LogFollower follower{log.directory(), 0};
  follower.read_up_to({.records = 2, .segment = 0, .bytes = 4});
  EXPECT_EQ(all_there_is(follower), "a\nb\n");
  log.write(first_open, "a\nb\nx\n");  // what was not on the disk is written anew
  EXPECT_EQ(all_there_is(follower), "");
  follower.read_up_to({.records = 3, .segment = 0, .bytes = 6});
  EXPECT_EQ(all_there_is(follower), "x\n");
}

TEST(LogFollower, GoesOnToTheNextSegmentUpToTheEndThatIsOnTheDisk) {
  TestLog log;
  log.write(first_open, "a\nb\nc\n");
  log.write(second_open, "d\ne\n");
  LogFollower follower{log.directory(), 1};
  follower.read_up_to({.records = 3, .segment = 3, .bytes = 0});
  EXPECT_EQ(all_there_is(follower), "b\nc\n");
  follower.read_up_to({.records = 4, .segment = 3, .bytes = 2});
  EXPECT_EQ(all_there_is(follower), "d\n");
  EXPECT_EQ(follower.position(), 4U);
}

}  // namespace
}  // namespace sallyport::store
