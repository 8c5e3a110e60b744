#include "store/log_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "audit/record_members.h"
#include "base/hex.h"
#include "store/log_test_support.h"
#include "store/segment_compressor.h"

namespace sallyport::store {
namespace {

using test::command;
using test::login;
using test::outcome;
using test::session_end;
using test::TestLog;

std::string segment_name(std::uint64_t first, const std::string& suffix) {
  std::string digits = std::to_string(first);
  return "records-" + std::string(20 - digits.size(), '0') + digits + suffix;
}

void write_open(const TestLog& log, std::uint64_t first, const std::vector<std::string>& records) {
  std::string lines;
  for (const std::string& record : records) {
    lines += record + "\n";
  }
  log.write(segment_name(first, ".jsonl"), lines);
}

// In frames of a few records, as a real segment's are of many.
void write_closed(const TestLog& log, std::uint64_t first, const std::vector<std::string>& records, std::size_t frame) {
  std::string frames;
  for (std::size_t at = 0; at < records.size(); at += frame) {
    SegmentCompressor compressor{first, nullptr};
    for (std::size_t i = at; i < std::min(records.size(), at + frame); ++i) {
      compressor.add(records[i] + "\n", frames);
    }
    compressor.finish(frames);
  }
  log.write(segment_name(first, ".jsonl.zst"), frames);
}

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

// What a search finds, told by looking at all records one after the other.
struct Reference {
  std::vector<std::string> records;
  std::vector<std::string> accounts;  // of each record's session
  std::vector<std::string> statuses;  // of a command's outcome

  std::vector<std::uint64_t> find(const std::string& account, const std::string& status, const std::string& text,
                                  std::int64_t since) const {
    std::vector<std::uint64_t> found;
    for (std::size_t i = 0; i < records.size(); ++i) {
      bool is_command = records[i].find("\"type\":\"command\"") != std::string::npos;
      auto time = audit::parse_time(audit::string_of(audit::member_value(records[i], "time")));
      if (records[i].find("\"type\":\"outcome\"") == std::string::npos && (account.empty() || accounts[i] == account) &&
          (status.empty() || (is_command && statuses[i] == status)) &&
          (text.empty() || (is_command && records[i].find(text) != std::string::npos)) &&
          time->time_since_epoch().count() >= since) {
        found.push_back(i);
      }
    }
    return found;
  }
};

TEST(LogSearch, FindsWhatALookAtEachRecordFinds) {
  std::mt19937 random{11};
  for (int round = 0; round < 30; ++round) {
    Reference all;
    struct Live {
      std::string id, account;
      std::uint64_t seq = 1;
      std::optional<std::size_t> open;  // its command's place
    };
    std::vector<Live> live;
    std::size_t count = 50 + random() % 300;
    int named = 0;
    auto add = [&](const std::string& record, const std::string& account) {
      all.records.push_back(record);
      all.accounts.push_back(account);
      all.statuses.emplace_back();
    };
    while (all.records.size() < count) {
      std::uint64_t now = all.records.size() * 60 + random() % 90;
      if (live.empty() || random() % 8 == 0) {
        live.push_back({.id = "s" + std::to_string(named++), .account = "account" + std::to_string(random() % 5)});
        add(login(now, live.back().id, live.back().account), live.back().account);
        continue;
      }
      Live& one = live[random() % live.size()];
      if (one.open) {
        std::string status = std::vector<std::string>{"ok", "denied", "error"}[random() % 3];
        std::uint64_t of = one.seq;
        add(outcome(now, one.id, ++one.seq, of, status, status == "denied" ? "policy" : ""), one.account);
        all.statuses[*one.open] = status;
        one.open.reset();
      } else if (random() % 12 == 0) {
        add(session_end(now, one.id, ++one.seq), one.account);
        live.erase(live.begin() + (&one - live.data()));
      } else {
        one.open = all.records.size();
        add(command(now, one.id, ++one.seq, "SELECT " + std::to_string(random() % 10)), one.account);
      }
    }
    TestLog log;
    for (std::size_t at = 0; at < all.records.size();) {
      std::size_t size = std::min<std::size_t>(1 + random() % 100, all.records.size() - at);
      std::vector<std::string> records(all.records.begin() + static_cast<std::ptrdiff_t>(at),
                                       all.records.begin() + static_cast<std::ptrdiff_t>(at + size));
      bool is_last = at + size == all.records.size();
      is_last ? write_open(log, at, records) : write_closed(log, at, records, 1 + random() % 9);
      at += size;
    }
    auto opened = Log::open(log.directory(), round % 2 == 0 ? IndexUse::files : IndexUse::none);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->end(), all.records.size());
    for (int asked = 0; asked < 20; ++asked) {
      std::string account = random() % 2 == 0 ? "" : "account" + std::to_string(random() % 6);
      std::string status = random() % 2 == 0 ? "" : std::vector<std::string>{"ok", "denied", "error"}[random() % 3];
      std::string text = random() % 3 == 0 ? "SELECT " + std::to_string(random() % 10) : "";
      LogQuery query;
      if (!account.empty()) {
        query.field(Field::account) = {account};
      }
      if (!status.empty()) {
        query.field(Field::status) = {status};
      }
      if (!text.empty()) {
        query.texts = {text};
      }
      if (random() % 3 == 0) {
        query.since = (1'769'817'600 + static_cast<std::int64_t>(random() % (count * 60))) * 1'000'000'000;
      }
      auto expected = all.find(account, status, text, query.since);
      EXPECT_EQ(numbers_of(search(*opened, query)), expected)
          << "round " << round << " account " << account << " status " << status << " text " << text;
      query.order = LogQuery::Order::newest_first;
      std::reverse(expected.begin(), expected.end());
      EXPECT_EQ(numbers_of(search(*opened, query)), expected);
    }
  }
}

}  // namespace
}  // namespace sallyport::store
