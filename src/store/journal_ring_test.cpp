#include "store/journal_ring.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <fstream>
#include <random>
#include <thread>

namespace sallyport::store {
namespace {

class JournalRingTest : public testing::Test {
 protected:
  JournalRingTest() {
    char name[] = "/tmp/sallyport-journal-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ / "journal-0";
  }
  ~JournalRingTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<JournalRing> make(std::uint64_t capacity = 4096) {
    auto ring = JournalRing::create(path_, capacity);
    EXPECT_TRUE(ring) << (ring ? "" : ring.error());
    return std::move(ring).value();
  }
  std::vector<std::string> left() {
    auto journal = read_journal(path_);
    EXPECT_TRUE(journal && journal->readable);
    std::vector<std::string> payloads;
    for (const LeftFrame& frame : journal->frames) {
      payloads.push_back(frame.payload);
    }
    return payloads;
  }
  void overwrite(std::uint64_t offset, std::string_view bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(JournalRingTest, GivesFramesInTheOrderInWhichTheyWerePut) {
  auto ring = make();
  EXPECT_FALSE(ring->at(0));
  EXPECT_TRUE(ring->put({.number = 1, .stamp_ns = 10}, "one\n"));
  EXPECT_TRUE(ring->put({.kind = FrameKind::answer, .number = 2, .stamp_ns = 20}, ""));
  auto first = ring->at(0);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->payload, "one\n");
  EXPECT_EQ(first->head.number, 1U);
  EXPECT_EQ(first->head.stamp_ns, 10U);
  auto second = ring->at(first->end);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->payload, "");
  EXPECT_EQ(second->head.kind, FrameKind::answer);
  EXPECT_FALSE(ring->at(second->end));
  EXPECT_EQ(ring->waiting_bytes(), 32U + 8 + 32);
  ring->release(second->end);
  EXPECT_EQ(ring->waiting_bytes(), 0U);
}

TEST_F(JournalRingTest, TakesNothingForWhichThereIsNoRoomAndTakesItOnceThereIs) {
  auto ring = make();
  std::string half(2048 - 32, 'h');
  EXPECT_TRUE(ring->put({.number = 1}, half));
  EXPECT_TRUE(ring->put({.number = 2}, half));
  EXPECT_FALSE(ring->has_room(0));
  EXPECT_FALSE(ring->put({.number = 3}, ""));
  ring->release(ring->at(0)->end);
  EXPECT_FALSE(ring->put({.number = 3}, half + "x"));
  EXPECT_TRUE(ring->put({.number = 3}, half));
  EXPECT_EQ(left(), (std::vector<std::string>{half, half}));
}

TEST_F(JournalRingTest, HoldsAtMostAFrameAsLargeAsItself) {
  auto ring = make();
  std::string largest(JournalRing::payload_bytes_max(ring->capacity()), 'x');
  EXPECT_FALSE(ring->put({.number = 1}, largest + "x"));
  EXPECT_TRUE(ring->put({.number = 1}, largest));
  EXPECT_EQ(ring->at(0)->payload, largest);
  EXPECT_EQ(left(), (std::vector<std::string>{largest}));
}

TEST_F(JournalRingTest, WrapsWithoutATornFrameForAllSizes) {
  auto ring = make();
  std::mt19937 random(7);
  std::uint64_t released = 0;
  std::deque<std::string> expected;
  for (int i = 0; i < 20'000; ++i) {
    std::string payload(random() % 700, static_cast<char>('a' + i % 26));
    if (ring->put({.number = static_cast<std::uint64_t>(i)}, payload)) {
      expected.push_back(payload);
    }
    while (!expected.empty() && random() % 2 == 0) {
      auto frame = ring->at(released);
      ASSERT_TRUE(frame);
      ASSERT_EQ(frame->payload, expected.front());
      released = frame->end;
      ring->release(released);
      expected.pop_front();
    }
  }
  EXPECT_EQ(left(), (std::vector<std::string>{expected.begin(), expected.end()}));
}

TEST_F(JournalRingTest, OneThreadPutsWhileAnotherTakes) {
  auto ring = make(64U << 10);
  constexpr std::uint64_t count = 100'000;
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < count;) {
      i += ring->put({.number = i, .stamp_ns = i}, "record " + std::to_string(i)) ? 1U : 0U;
    }
  });
  std::uint64_t position = 0;
  for (std::uint64_t i = 0; i < count;) {
    if (auto frame = ring->at(position)) {
      ASSERT_EQ(frame->head.number, i);
      ASSERT_EQ(frame->payload, "record " + std::to_string(i));
      position = frame->end;
      ring->release(position);
      ++i;
    }
  }
  producer.join();
}

TEST_F(JournalRingTest, WhatWasPutOutlivesTheRing) {
  make()->put({.number = 4, .stamp_ns = 40}, "kept\n");
  auto journal = read_journal(path_);
  ASSERT_TRUE(journal);
  ASSERT_EQ(journal->frames.size(), 1U);
  EXPECT_EQ(journal->frames[0].head.number, 4U);
  EXPECT_EQ(journal->frames[0].head.stamp_ns, 40U);
}

TEST_F(JournalRingTest, AFrameThatIsNotWholeEndsWhatIsRead) {
  auto ring = make();
  ring->put({.number = 1}, "first\n");
  ring->put({.number = 2}, "second\n");
  ring->put({.number = 3}, "third\n");
  ring.reset();
  for (std::uint64_t byte = 0; byte < 32 + 7; ++byte) {
    std::string whole(1, '\0');
    std::fstream file(path_, std::ios::in | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(4096 + 40 + byte));
    file.read(whole.data(), 1);
    file.close();
    std::string torn(1, static_cast<char>(whole[0] ^ 0x40));
    overwrite(4096 + 40 + byte, torn);
    EXPECT_EQ(left(), (std::vector<std::string>{"first\n"})) << byte;
    overwrite(4096 + 40 + byte, whole);
  }
  EXPECT_EQ(left().size(), 3U);
}

TEST_F(JournalRingTest, FramesOfAnEarlierRoundOrLifeAreNone) {
  auto ring = make();
  std::string payload(1024 - 32, 'x');
  for (std::uint64_t i = 0; i < 4; ++i) {
    ring->put({.number = i}, payload);
  }
  ring->release(4096);
  ring->put({.number = 4}, payload);
  EXPECT_EQ(left().size(), 1U) << "those of the first round lie behind it";
  ring.reset();
  ring = make();
  EXPECT_EQ(left().size(), 0U);
}

TEST_F(JournalRingTest, AFileThatIsNoJournalIsSaidToBeNone) {
  for (std::string content : {std::string(), std::string("x"), std::string(8192, '\0'), std::string(8192, 'x')}) {
    std::ofstream(path_, std::ios::binary) << content;
    auto journal = read_journal(path_);
    ASSERT_TRUE(journal);
    EXPECT_FALSE(journal->readable);
  }
  make().reset();
  std::filesystem::resize_file(path_, 4096 + 4095);
  EXPECT_FALSE(read_journal(path_)->readable);
  EXPECT_FALSE(read_journal(directory_ / "absent"));
}

TEST_F(JournalRingTest, WhateverBytesChangeNothingIsReadThatWasNotPut) {
  auto ring = make();
  for (std::uint64_t i = 0; i < 100; ++i) {
    while (!ring->put({.number = i}, "record " + std::to_string(i) + std::string(i, '.'))) {
      ring->release(ring->at(ring->released())->end);
    }
  }
  ring.reset();
  auto whole = left();
  ASSERT_GT(whole.size(), 10U);
  std::ifstream file(path_, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string changed = content;
    for (std::size_t changes = 1 + random() % 4; changes > 0; --changes) {
      std::size_t at = random() % 3 == 0 ? random() % 160 : random() % changed.size();
      changed[at] = static_cast<char>(random());
    }
    std::ofstream(path_, std::ios::binary) << changed;
    auto journal = read_journal(path_);
    ASSERT_TRUE(journal);
    std::vector<std::string> found;
    for (const LeftFrame& frame : journal->frames) {
      found.push_back(frame.payload);
    }
    ASSERT_TRUE(found.empty() || std::search(whole.begin(), whole.end(), found.begin(), found.end()) != whole.end());
  }
}

TEST_F(JournalRingTest, AFullDiskIsAnErrorAtTheStart) {
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit now = before;
  now.rlim_cur = 65536;
  ::setrlimit(RLIMIT_FSIZE, &now);
  auto ring = JournalRing::create(path_, 1U << 20);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(ring);
  EXPECT_NE(ring.error().find("no room for"), std::string::npos) << ring.error();
}

}  // namespace
}  // namespace sallyport::store
