#include "store/log_search.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "audit/record_members.h"
#include "base/hex.h"
#include "store/answer_pieces.h"
#include "store/log_test_support.h"

namespace sallyport::store {
namespace {

using test::command;
using test::login;
using test::outcome;
using test::segment_name;
using test::session_end;
using test::TestLog;
using test::write_closed;
using test::write_open;

std::vector<LogHit> search(const Log& log, const LogQuery& query) {
  std::vector<LogHit> hits;
  auto done = log.search(query, [&](const LogHit& hit) {
    hits.push_back(hit);
    return true;
  });
  EXPECT_TRUE(done) << (done ? "" : done.error());
  return hits;
}

std::vector<std::uint64_t> numbers_of(const std::vector<LogHit>& hits) {
  std::vector<std::uint64_t> numbers;
  for (const LogHit& hit : hits) {
    numbers.push_back(hit.record.number);
  }
  return numbers;
}

LogQuery by(Field field, const std::string& pattern) {
  LogQuery query;
  query.field(field) = {pattern};
  return query;
}

TEST(Matches, AStarStandsForAnyCharacters) {
  EXPECT_TRUE(matches("orders", "orders"));
  EXPECT_FALSE(matches("orders", "orders2"));
  EXPECT_TRUE(matches("or*", "orders"));
  EXPECT_TRUE(matches("*rd*s", "orders"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "abxbc"));
  EXPECT_FALSE(matches("a*b*c", "abxb"));
  EXPECT_FALSE(matches("", "x"));
}

class SmallLog : public testing::Test {
 protected:
  SmallLog() {
    write_closed(
        log_, 0,
        {login(1, "a", "shopper"), command(2, "a", 2, "SELECT 1", R"("kind":"select",)"), login(3, "b", "reporter"),
         outcome(4, "a", 3, 2, "ok"),
         command(5, "b", 2, "DELETE FROM `x`\nWHERE 'ü' = \"y\"",
                 R"("kind":"delete","objects":[{"access":["delete"],"name":"X","schema":"shop","type":"table"}],)")},
        2);
    write_open(log_, 5,
               {outcome(86'401, "b", 3, 2, "denied", "grant_missing"), command(86'402, "b", 4, "SELECT 2"),
                session_end(86'403, "a", 4),
                R"({"reason":"disk_full","time":"2026-02-01T00:00:09.000000000Z","type":"audit_gap"})"});
  }

  Log open(IndexUse use = IndexUse::files) const {
    auto log = Log::open(log_.directory(), use);
    EXPECT_TRUE(log) << (log ? "" : log.error());
    return std::move(*log);
  }

  TestLog log_;
};

TEST_F(SmallLog, StatementsAreFoundWithTheirOutcomesAcrossBlocksAndSegments) {
  Log log = open();
  auto hits = search(log, by(Field::status, "denied"));
  ASSERT_EQ(numbers_of(hits), std::vector<std::uint64_t>{4});
  ASSERT_TRUE(hits[0].outcome);
  EXPECT_EQ(hits[0].outcome->number, 5U);
  EXPECT_EQ(hits[0].session.account, "reporter");
  hits = search(log, by(Field::account, "shopper"));
  EXPECT_EQ(numbers_of(hits), (std::vector<std::uint64_t>{0, 1, 7}));
  EXPECT_EQ(hits[1].outcome->number, 3U);
}

class SealedLog : public testing::Test {
 protected:
  SealedLog() {
    Sealer sealer(key_, audit::AnswersKey::Use::literals);
    auto member = [&](std::uint64_t seq, std::string_view members) {
      std::string out = "\"sealed\":\"";
      append_sealed(out, sealer, {.session = "a", .seq = seq}, members);
      return out + "\",";
    };
    write_closed(
        log_, 0,
        {login(1, "a", "shopper"), command(2, "a", 2, "SELECT ?", member(2, R"({"text":"SELECT '721-07-4426'"})")),
         command(3, "a", 4, "SELECT 721", ""),
         command(4, "a", 6, "SELECT ?", member(7, R"({"text":"SELECT 'of another record'"})"))},
        2);
    write_open(log_, 4,
               {R"({"error":"","of":2,)" + member(3, R"({"error":"not 721-07-4426"})") +
                R"("seq":3,"session":"a","status":"error","time":"2026-02-01T00:00:09.000000000Z","type":"outcome"})"});
  }
  audit::AnswersKey key_ = audit::AnswersKey::parse("0" + std::string(63, 'a')).value();
  audit::AnswersKey other_key_ = audit::AnswersKey::parse("0" + std::string(63, 'b')).value();
  TestLog log_;
};

TEST_F(SealedLog, IsOpenedWhereThatIsAskedFor) {
  LogQuery query;
  query.texts = {"721-07-4426"};
  auto shut = Log::open(log_.directory(), IndexUse::files);
  EXPECT_TRUE(search(*shut, query).empty());
  EXPECT_NE(shut->records_of("a")->at(1).text.find(R"("text":"SELECT ?")"), std::string::npos);
  EXPECT_TRUE(shut->closed_seals().wanted_keys.empty());
  auto wrong = Log::open(log_.directory(), IndexUse::files, {{other_key_}});
  EXPECT_TRUE(search(*wrong, query).empty());
  EXPECT_EQ(wrong->closed_seals().wanted_keys, std::set<std::string>{to_hex(key_.id())});
  auto log = Log::open(log_.directory(), IndexUse::files, {{other_key_, key_}});
  auto hits = search(*log, query);
  ASSERT_EQ(numbers_of(hits), std::vector<std::uint64_t>{1});
  EXPECT_NE(hits[0].record.text.find(R"("text":"SELECT '721-07-4426'")"), std::string::npos);
  ASSERT_TRUE(hits[0].outcome);
  EXPECT_NE(hits[0].outcome->text.find(R"("error":"not 721-07-4426")"), std::string::npos);
  auto records = log->records_of("a");
  EXPECT_NE(records->at(1).text.find("4426"), std::string::npos);
  EXPECT_NE(records->at(4).text.find("4426"), std::string::npos);
  EXPECT_EQ(records->at(3).text.find("of another record"), std::string::npos);
  EXPECT_TRUE(log->closed_seals().damaged);
  EXPECT_TRUE(log->closed_seals().wanted_keys.empty());
}

TEST_F(SmallLog, EachFieldFindsWhatHasIt) {
  Log log = open();
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(numbers_of(search(log, by(Field::subject, "subject of rep*"))), (Numbers{2, 4, 6}));
  EXPECT_EQ(numbers_of(search(log, by(Field::connection, "shop"))), (Numbers{0, 1, 2, 4, 6, 7}));
  EXPECT_EQ(numbers_of(search(log, by(Field::client, "10.0.0.1:503"))), (Numbers{2, 4, 6}));
  for (const char* pattern : {"10.0.0.1:*3", "10.0.0.1:5*3", "*:503", "*503", "10.*:503", "1*3"}) {
    EXPECT_EQ(numbers_of(search(log, by(Field::client, pattern))), (Numbers{2, 4, 6})) << pattern;
  }
  for (const char* pattern : {"10.0.0.1:*", "*0.1:*"}) {
    EXPECT_EQ(numbers_of(search(log, by(Field::client, pattern))), (Numbers{0, 1, 2, 4, 6, 7})) << pattern;
  }
  EXPECT_EQ(numbers_of(search(log, by(Field::client, "10.0.0.1"))), (Numbers{0, 1, 2, 4, 6, 7}));
  EXPECT_EQ(numbers_of(search(log, by(Field::object, "x"))), Numbers{4});
  EXPECT_EQ(numbers_of(search(log, by(Field::object, "SHOP.x"))), Numbers{4});
  EXPECT_EQ(numbers_of(search(log, by(Field::object, "other.x"))), Numbers{});
  EXPECT_EQ(numbers_of(search(log, by(Field::kind, "select"))), Numbers{1});
  EXPECT_EQ(numbers_of(search(log, by(Field::reason, "grant_missing"))), Numbers{4});
  EXPECT_EQ(numbers_of(search(log, by(Field::reason, "disk_full"))), Numbers{8});
  EXPECT_EQ(numbers_of(search(log, by(Field::type, "audit_*"))), Numbers{8});
  EXPECT_EQ(numbers_of(search(log, by(Field::type, "outcome"))), (Numbers{3, 5}));
  LogQuery text;
  text.texts = {"`\nWHERE 'ü' = \"y"};
  EXPECT_EQ(numbers_of(search(log, text)), Numbers{4});
  text.texts = {"SELECT", "2"};
  EXPECT_EQ(numbers_of(search(log, text)), Numbers{6});
  LogQuery of_session;
  of_session.sessions = {"b"};
  EXPECT_EQ(numbers_of(search(log, of_session)), (Numbers{2, 4, 6}));
  LogQuery day;
  day.since = audit::parse_time("2026-02-01T00:00:00Z")->time_since_epoch().count();
  EXPECT_EQ(numbers_of(search(log, day)), (Numbers{6, 7, 8}));
}

TEST_F(SmallLog, PagesFollowOnEachOtherInBothOrders) {
  Log log = open();
  for (LogQuery::Order order : {LogQuery::Order::oldest_first, LogQuery::Order::newest_first}) {
    LogQuery query;
    query.order = order;
    auto all = numbers_of(search(log, query));
    EXPECT_EQ(all.size(), 7U);
    EXPECT_TRUE(order == LogQuery::Order::oldest_first ? std::is_sorted(all.begin(), all.end())
                                                       : std::is_sorted(all.rbegin(), all.rend()));
    std::vector<std::uint64_t> paged;
    query.limit = 2;
    for (std::uint64_t from : all) {
      query.from_record = from;
      auto page = numbers_of(search(log, query));
      auto place = std::find(all.begin(), all.end(), from);
      std::vector<std::uint64_t> expected(place, std::min(all.end(), place + 2));
      EXPECT_EQ(page, expected);
    }
  }
}

TEST_F(SmallLog, SessionsAreMergedOverSegments) {
  Log log = open();
  auto sessions = log.sessions({});
  ASSERT_TRUE(sessions);
  ASSERT_EQ(sessions->size(), 2U);
  EXPECT_EQ((*sessions)[0].id, "a");
  EXPECT_EQ((*sessions)[0].records, 4U);
  EXPECT_EQ((*sessions)[0].end, SessionSummary::End::ended);
  EXPECT_EQ((*sessions)[1].denied, 1U);
  EXPECT_EQ((*sessions)[1].commands, 2U);
  EXPECT_EQ((*sessions)[1].end, SessionSummary::End::open);
  auto records = log.records_of("b");
  ASSERT_TRUE(records);
  EXPECT_EQ(records->size(), 4U);
}

TEST_F(SmallLog, AnIndexThatIsMissingOrOfAnotherSegmentIsMadeAnew) {
  std::filesystem::path index = log_.directory() / "index-00000000000000000000.zst";
  EXPECT_EQ(search(open(IndexUse::none), {}).size(), 7U);
  EXPECT_FALSE(std::filesystem::exists(index));
  EXPECT_EQ(search(open(), {}).size(), 7U);
  ASSERT_TRUE(std::filesystem::exists(index));
  EXPECT_EQ(search(open(), by(Field::account, "shopper")).size(), 3U);
  // An index that hides what is there is not believed by one who asks for none.
  SegmentCompressor empty{0, nullptr};
  std::string frames;
  empty.add("{\"type\":\"x\"}\n", frames);
  empty.finish(frames);
  LogIndex forged = empty.index();
  forged.segment_bytes = std::filesystem::file_size(log_.directory() / segment_name(0, ".jsonl.zst"));
  log_.write("index-00000000000000000000.zst", encode_index(forged));
  EXPECT_LT(search(open(), by(Field::account, "shopper")).size(), 3U);
  EXPECT_EQ(search(open(IndexUse::none), by(Field::account, "shopper")).size(), 3U);
  log_.write("index-00000000000000000000.zst", "sallyport-index-1\nrubbish");
  EXPECT_EQ(search(open(), by(Field::account, "shopper")).size(), 3U);
  write_closed(log_, 0, {login(1, "z", "another")}, 1);
  EXPECT_EQ(search(open(), by(Field::account, "another")).size(), 1U);
}

TEST(LogSessions, WhoTheyWereIsToldByIndexesOnceTheirLoginsAreDeleted) {
  TestLog log;
  write_closed(log, 0, {login(1, "a", "shopper"), command(2, "a", 2, "SELECT 1")}, 1);
  write_closed(log, 2, {command(3, "a", 3, "SELECT 2")}, 1);
  write_open(log, 3, {command(4, "a", 4, "SELECT 3")});
  auto found = [&](IndexUse use) {
    auto opened = Log::open(log.directory(), use);
    EXPECT_TRUE(opened);
    return std::pair{numbers_of(search(*opened, by(Field::account, "shopper"))),
                     opened->begins_amid_unknown_sessions().value()};
  };
  using Found = std::pair<std::vector<std::uint64_t>, bool>;
  EXPECT_EQ(found(IndexUse::files), (Found{{0, 1, 2, 3}, false}));
  std::filesystem::remove(log.directory() / segment_name(0, ".jsonl.zst"));
  EXPECT_EQ(found(IndexUse::files), (Found{{2, 3}, false}));
  EXPECT_EQ(found(IndexUse::none), (Found{{}, true}));
  std::filesystem::remove(log.directory() / "index-00000000000000000002.zst");
  EXPECT_EQ(found(IndexUse::files), (Found{{}, true}));
}

TEST_F(SmallLog, WhatIsNoFileIsNotWaitedFor) {
  std::filesystem::path index = log_.directory() / "index-00000000000000000000.zst";
  auto finds_all = [&] {
    return search(open(), {}).size() == 7 && search(open(), by(Field::account, "shopper")).size() == 3;
  };
  ASSERT_EQ(::mkfifo(index.c_str(), 0600), 0);
  EXPECT_TRUE(finds_all());
  std::filesystem::remove(index);
  std::filesystem::create_directory(index);
  EXPECT_TRUE(finds_all());
  std::filesystem::remove(index);
  log_.write(index.filename(), "");
  std::filesystem::resize_file(index, std::uintmax_t{1} << 40);
  EXPECT_TRUE(finds_all());
  EXPECT_LT(std::filesystem::file_size(index), 1U << 20);

  std::filesystem::path answers = log_.directory() / "answers-00000000000000000000.blob";
  ASSERT_EQ(::mkfifo(answers.c_str(), 0600), 0);
  EXPECT_FALSE(AnswerPieceReader::open(answers));
  for (std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}}) {
    std::filesystem::path records = log_.directory() / segment_name(first, first == 0 ? ".jsonl.zst" : ".jsonl");
    std::filesystem::remove(records);
    ASSERT_EQ(::mkfifo(records.c_str(), 0600), 0);
    auto log = Log::open(log_.directory(), IndexUse::files);
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error(), records.string() + " can't be read: it is no regular file");
    std::filesystem::remove(records);
    std::filesystem::create_symlink("/dev/zero", records);
    EXPECT_FALSE(Log::open(log_.directory(), IndexUse::files));
    std::filesystem::remove(records);
  }
}

TEST_F(SmallLog, NoMoreIsReadOfALineThanARecordCanHave) {
  std::filesystem::path records = log_.directory() / segment_name(5, ".jsonl");
  auto size = std::filesystem::file_size(records);
  std::filesystem::resize_file(records, size + 1'000'000);
  EXPECT_EQ(search(open(), {}).size(), 7U);
  std::filesystem::resize_file(records, std::uintmax_t{1} << 40);
  auto log = Log::open(log_.directory(), IndexUse::files);
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().find("damaged"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::store
