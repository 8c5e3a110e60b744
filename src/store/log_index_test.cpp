#include "store/log_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "store/log_test_support.h"
#include "store/segment_blocks.h"
#include "store/segment_compressor.h"

namespace sallyport::store {
namespace {

using test::command;
using test::login;
using test::outcome;
using test::session_end;
using test::TestLog;

const IndexTerm* term_of(const LogIndex& index, Field field, std::string_view text) {
  for (const IndexTerm& term : index.fields[static_cast<std::size_t>(field)].terms) {
    if (term.text == text) {
      return &term;
    }
  }
  return nullptr;
}

std::vector<std::uint32_t> blocks_of(const LogIndex& index, Field field, std::string_view text) {
  const IndexTerm* term = term_of(index, field, text);
  return term == nullptr ? std::vector<std::uint32_t>{} : term->blocks;
}

// Each list of records is a block.
LogIndex index_of(const std::vector<std::vector<std::string>>& blocks,
                  const std::vector<SessionSummary>* before = nullptr, std::uint64_t first = 0) {
  LogIndexBuilder builder{first, before};
  std::uint64_t offset = 0;
  for (const auto& block : blocks) {
    for (const std::string& record : block) {
      builder.add(record);
    }
    builder.end_block({.offset = offset, .bytes = 10});
    offset += 10;
  }
  return builder.finish(offset);
}

TEST(LogIndex, KnowsTheBlocksOfEachSessionsRecords) {
  LogIndex index = index_of({{login(1, "a", "shopper"), command(2, "a", 2, "SELECT 1")},
                             {login(3, "b", "reporter"), outcome(4, "a", 3, 2, "ok")},
                             {command(5, "b", 2, "SELECT 2"), outcome(6, "b", 3, 2, "ok"), session_end(7, "b", 4)}});
  EXPECT_EQ(index.end, 7U);
  EXPECT_EQ(blocks_of(index, Field::account, "shopper"), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(blocks_of(index, Field::account, "reporter"), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(blocks_of(index, Field::client, "10.0.0.1"), (std::vector<std::uint32_t>{0, 1, 2}));
  ASSERT_EQ(index.sessions.size(), 2U);
  EXPECT_EQ(index.sessions[0].subject, "subject of shopper");
  EXPECT_EQ(index.sessions[0].records, 3U);
  EXPECT_TRUE(index.sessions[0].is_carried_on);
  EXPECT_EQ(index.sessions[1].end_reason, "client_quit");
  EXPECT_FALSE(index.sessions[1].is_carried_on);
  EXPECT_EQ(index.sessions[1].first_record, 2U);
}

TEST(LogIndex, ACommandHasTheStatusOfAnOutcomeInALaterBlock) {
  LogIndex index = index_of({{login(1, "a", "x"), command(2, "a", 2, "SELECT 1")},
                             {outcome(3, "a", 3, 2, "denied", "grant_missing"), command(4, "a", 4, "SELECT 2")},
                             {login(5, "b", "x")}});
  EXPECT_EQ(blocks_of(index, Field::status, "denied"), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(blocks_of(index, Field::reason, "grant_missing"), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(index.unfinished_blocks, std::vector<std::uint32_t>{1}) << "its outcome is not here";
}

TEST(LogIndex, ASessionThatGoesOnIsKnownInTheNextSegment) {
  LogIndex first = index_of({{login(1, "a", "shopper"), login(2, "idle", "other")}});
  LogIndex second = index_of({{command(3, "a", 2, "SELECT 1")}}, &first.sessions, first.end);
  EXPECT_EQ(blocks_of(second, Field::account, "shopper"), std::vector<std::uint32_t>{0});
  EXPECT_TRUE(blocks_of(second, Field::account, "other").empty());
  LogIndex third = index_of({{command(4, "idle", 2, "SELECT 1")}}, &second.sessions, second.end);
  EXPECT_EQ(blocks_of(third, Field::account, "other"), std::vector<std::uint32_t>{0});
}

TEST(LogIndex, SessionsOfAGatewayThatHasGoneAreNotCarriedOnForEver) {
  LogIndex first = index_of({{login(1, "a", "x"), login(2, "b", "x")}});
  LogIndex second = index_of({{R"({"time":"2026-01-31T12:00:00.000000000Z","type":"audit_start"})", login(3, "c", "x"),
                               command(4, "b", 2, "restored from a journal")}},
                             &first.sessions, first.end);
  std::vector<std::string> carried;
  for (const SessionSummary& session : second.sessions) {
    if (session.is_carried_on) {
      carried.push_back(session.id);
    }
  }
  EXPECT_EQ(carried, (std::vector<std::string>{"b", "c"}));
}

TEST(LogIndex, AFieldOfTooManyValuesIsNotComplete) {
  LogIndexBuilder builder{0, nullptr};
  for (std::size_t i = 0; i <= terms_max; ++i) {
    builder.add(R"({"digest":")" + std::to_string(i) + R"(","type":"command"})");
  }
  builder.end_block({.offset = 0, .bytes = 1});
  LogIndex index = builder.finish(1);
  EXPECT_FALSE(index.fields[static_cast<std::size_t>(Field::digest)].complete);
  EXPECT_TRUE(index.fields[static_cast<std::size_t>(Field::type)].complete);
}

TEST(LogIndex, IsTheSameOnceEncodedAndRead) {
  LogIndex index = index_of({{login(1, "a", "shopper"), command(2, "a", 2, "SELECT 1")},
                             {outcome(3, "a", 3, 2, "denied", "grant_missing"), "no record at all"}},
                            nullptr, 77);
  auto opened = EncodedIndex::open(encode_index(index));
  ASSERT_TRUE(opened);
  auto head = opened->head();
  auto sessions = opened->sessions();
  ASSERT_TRUE(head && sessions);
  EXPECT_EQ(head->first, 77U);
  EXPECT_EQ(head->end, 81U);
  ASSERT_EQ(head->blocks.size(), 2U);
  EXPECT_EQ(head->blocks[1].first_record, 79U);
  EXPECT_EQ(head->blocks[1].time_min, index.blocks[1].time_min);
  head->sessions = *sessions;
  EXPECT_EQ(encode_index(*head), encode_index(index));
}

TEST(LogIndex, OneThatIsDamagedIsRefusedAndNeverReadBeyond) {
  std::string whole = encode_index(index_of({{login(1, "a", "shopper"), command(2, "a", 2, "SELECT 1")}}));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    auto opened = EncodedIndex::open(whole.substr(0, length));
    EXPECT_FALSE(opened && opened->head() && opened->sessions()) << length;
  }
  std::mt19937 random{7};
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] ^= static_cast<char>(1U << random() % 8);
    if (auto opened = EncodedIndex::open(damaged)) {
      auto head = opened->head();
      auto sessions = opened->sessions();
      EXPECT_TRUE(!head || head->blocks.size() <= 1000);
      EXPECT_TRUE(!sessions || sessions->size() <= 1000);
    }
  }
}

TEST(LogIndex, SessionsThatAreOfOtherBlocksThanTheHeadsAreRefused) {
  LogIndex index = index_of({{login(1, "a", "shopper")}, {command(2, "a", 2, "SELECT 1")}});
  auto opened = EncodedIndex::open(encode_index(index));
  ASSERT_TRUE(opened);
  std::size_t seen = 0;
  auto each = [&](const SessionSummary& session) { seen += session.blocks.size(); };
  EXPECT_TRUE(opened->each_session(2, each));
  EXPECT_EQ(seen, 2U);
  for (std::size_t blocks : {0U, 1U, 3U}) {
    EXPECT_FALSE(opened->each_session(blocks, each)) << blocks;
  }
  EXPECT_EQ(seen, 2U) << "none is seen";
}

TEST(SegmentCompressor, MakesFramesOfWholeRecordsAndTheirIndex) {
  TestLog log;
  std::string lines;
  for (std::uint64_t i = 0; i < 8000; ++i) {
    std::string id = std::to_string(i / 4);
    lines += (i % 4 == 0 ? login(i, id, "account " + std::to_string(i % 7))
                         : command(i, id, i % 4 + 1, "SELECT " + std::to_string(i))) +
             "\n";
  }
  lines += command(5000, "0", 9, std::string(3 * frame_content_bytes, 'x')) + "\n";
  SegmentCompressor compressor{100, nullptr};
  std::string frames;
  for (std::size_t at = 0; at < lines.size(); at += 1001) {
    compressor.add(std::string_view(lines).substr(at, 1001), frames);
  }
  compressor.finish(frames);
  log.write("records-00000000000000000100.jsonl.zst", frames);
  auto segments = find_segments(log.directory());
  ASSERT_TRUE(segments);
  ASSERT_EQ(segments->size(), 1U);
  auto blocks = SegmentBlocks::open((*segments)[0]);
  ASSERT_TRUE(blocks);
  std::string content;
  std::string joined;
  ASSERT_GT(compressor.index().blocks.size(), 4U);
  for (const LogBlock& block : compressor.index().blocks) {
    ASSERT_TRUE(blocks->read({.offset = block.offset, .bytes = block.stored_bytes}, content));
    EXPECT_EQ(content.size(), block.content_bytes);
    joined += content;
  }
  EXPECT_EQ(joined, lines);
  auto anew = index_segment(*blocks, nullptr);
  ASSERT_TRUE(anew);
  EXPECT_EQ(encode_index(*anew), encode_index(compressor.index())) << "an index made anew is the same";
}

TEST(SegmentBlocks, AnOpenSegmentEndsWithItsLastWholeLine) {
  TestLog log;
  std::string whole = login(1, "a", "x") + "\n" + command(2, "a", 2, std::string(open_block_bytes * 3, 'y')) + "\n";
  log.write("records-00000000000000000000.jsonl", whole + R"({"account":"torn)");
  auto segments = find_segments(log.directory());
  ASSERT_TRUE(segments && segments->size() == 1);
  auto blocks = SegmentBlocks::open((*segments)[0]);
  auto index = index_segment(*blocks, nullptr);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->end, 2U);
  std::uint64_t bytes = 0;
  for (const LogBlock& block : index->blocks) {
    bytes += block.content_bytes;
  }
  EXPECT_EQ(bytes, whole.size());
}

TEST(SegmentBlocks, DamageIsAnErrorThatNamesTheFile) {
  TestLog log;
  SegmentCompressor compressor{0, nullptr};
  std::string frames;
  compressor.add(login(1, "a", "x") + "\n", frames);
  compressor.finish(frames);
  for (std::size_t at = 0; at < frames.size(); ++at) {
    std::string damaged = frames;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    log.write("records-00000000000000000000.jsonl.zst", damaged);
    auto segments = find_segments(log.directory());
    auto blocks = SegmentBlocks::open((*segments)[0]);
    auto index = index_segment(*blocks, nullptr);
    if (!index) {
      EXPECT_NE(index.error().find("records-00000000000000000000.jsonl.zst"), std::string::npos);
    } else {
      ADD_FAILURE() << "damage at byte " << at << " was not seen";
    }
  }
}

}  // namespace
}  // namespace sallyport::store
