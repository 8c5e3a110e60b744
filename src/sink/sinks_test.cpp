#include "sink/sinks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sink/native_format.h"
#include "sink/sink_test_fixture.h"
#include "store/log_directory.h"

namespace sallyport::sink {
namespace {

using test::SinkFixture;

class SinksTest : public SinkFixture {
 protected:
  static SinkSettings from_beginning(const std::string& name) {
    SinkSettings settings = sink(name);
    settings.from = Begin::beginning;
    return settings;
  }
  // What of the log the sink has not got.
  std::vector<std::uint64_t> missing(const std::string& name) {
    auto texts = scripts_[name].texts();
    std::vector<std::uint64_t> indices;
    for (const auto& [index, record] : records()) {
      auto found = texts.find(index);
      if (found == texts.end()) {
        indices.push_back(index);
      } else {
        EXPECT_EQ(found->second, native_message(index, record));
      }
    }
    return indices;
  }
  // What of the log records of the log say that the sink left out.
  std::vector<std::uint64_t> on_record_as_dropped(std::string_view reason) {
    std::vector<std::uint64_t> indices;
    for (const auto& [index, record] : records()) {
      if (record.find("audit_sink_dropped") == std::string::npos) {
        continue;
      }
      EXPECT_EQ(audit::string_of(audit::member_value(record, "reason")), reason);
      auto first = audit::number_of(audit::member_value(record, "first"));
      auto end = audit::number_of(audit::member_value(record, "end"));
      EXPECT_EQ(audit::number_of(audit::member_value(record, "count")), *end - *first);
      for (std::uint64_t i = *first; i < *end; ++i) {
        indices.push_back(i);
      }
    }
    return indices;
  }
  // The records of a segment, as somebody does it by hand.
  void delete_segment(std::uint64_t first) {
    for (auto kind : {store::SegmentFile::records, store::SegmentFile::compressed_records}) {
      std::filesystem::remove(audit_.directory / store::name_of(kind, first));
    }
  }
  // The first record of each, once all but the last are compressed: else what is being compressed comes back.
  std::vector<std::uint64_t> segments() {
    std::vector<std::uint64_t> firsts;
    EXPECT_TRUE(eventually([&] {
      auto listed = store::list_log(audit_.directory)->segments;
      firsts.clear();
      for (const store::SegmentEntry& segment : listed) {
        firsts.push_back(segment.first);
      }
      return std::none_of(listed.begin(), listed.end() - 1,
                          [](const auto& segment) { return segment.has(store::SegmentFile::records); });
    }));
    return firsts;
  }
  std::filesystem::path cursor_file(const std::string& name) const {
    return store::sink_cursor_file(audit_.directory, name);
  }
};

TEST_F(SinksTest, DeliverEveryRecordInItsOrderOverTheClosingOfSegments) {
  configure({from_beginning("all")});
  commit_many(0, 1000);
  ASSERT_TRUE(eventually([&] { return has_caught_up("all"); }));
  EXPECT_GE(store::list_log(audit_.directory)->segments.size(), 3U);
  EXPECT_THAT(missing("all"), testing::IsEmpty());
  auto order = scripts_["all"].order();
  EXPECT_EQ(order.size(), records().size()) << "each once";
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(status("all").delivered, order.size());
  EXPECT_EQ(status("all").failures, 0U);
}

TEST_F(SinksTest, BeginAtTheEndUnlessTheBeginningIsAskedFor) {
  commit_many(0, 10);
  std::uint64_t end = log_->state().end().records;
  configure({sink("late")});
  commit_many(10, 20);
  ASSERT_TRUE(eventually([&] { return has_caught_up("late"); }));
  EXPECT_EQ(scripts_["late"].texts().begin()->first, end);
  EXPECT_EQ(scripts_["late"].texts().size(), 10U);
}

TEST_F(SinksTest, LeaveOutTypesThatAreNotAskedFor) {
  SinkSettings settings = from_beginning("logins");
  settings.types = {"login_accepted"};
  configure({settings});
  for (std::uint64_t i = 0; i < 100; ++i) {
    commit(i, i % 10 == 3 ? "login_accepted" : "command");
  }
  wait_for_disk();
  ASSERT_TRUE(eventually([&] { return has_caught_up("logins"); }));
  EXPECT_EQ(scripts_["logins"].order().size(), 10U);
}

TEST_F(SinksTest, TryAgainUntilTheReceiverHasIt) {
  scripts_["poor"].fail(2);
  configure({from_beginning("poor")});
  commit_many(0, 100);
  ASSERT_TRUE(eventually([&] { return has_caught_up("poor"); }));
  EXPECT_THAT(missing("poor"), testing::IsEmpty());
  EXPECT_EQ(status("poor").failures, 2U);
  EXPECT_FALSE(status("poor").failing);
  EXPECT_EQ(events(SinkEvent::Kind::fails).size(), 1U) << "it is told once";
  EXPECT_EQ(events(SinkEvent::Kind::delivers).size(), 1U);
}

TEST_F(SinksTest, DeliverNoMoreBytesAtOnceThanABatchMayHaveButOneMessage) {
  commit_many(0, 100);
  for (std::uint64_t bytes : {500U, 1000U, 20U}) {
    std::string name = "of" + std::to_string(bytes);
    SinkSettings settings = from_beginning(name);
    settings.batch_bytes_max = bytes;
    configure({settings});
    ASSERT_TRUE(eventually([&] { return has_caught_up(name); }));
    EXPECT_THAT(missing(name), testing::IsEmpty());
    EXPECT_EQ(scripts_[name].order().size(), records().size()) << "each once";
    std::uint64_t one = 0;
    for (const auto& [index, text] : scripts_[name].texts()) {
      one = std::max<std::uint64_t>(one, text.size() + 1);
    }
    EXPECT_THAT(scripts_[name].batches(), testing::Each(testing::Le(std::max(bytes, one))));
  }
}

TEST_F(SinksTest, DeliverLessAtOnceToAReceiverForWhichItIsTooLarge) {
  scripts_["narrow"].set_bytes_max(700);
  commit_many(0, 200);
  configure({from_beginning("narrow")});
  ASSERT_TRUE(eventually([&] { return has_caught_up("narrow"); }));
  EXPECT_THAT(missing("narrow"), testing::IsEmpty());
  EXPECT_THAT(events(SinkEvent::Kind::refused), testing::IsEmpty());
}

TEST_F(SinksTest, DeliverOneMessageInItsCutFormToAReceiverForWhichItIsTooLarge) {
  scripts_["narrow"].set_bytes_max(9000);
  configure({from_beginning("narrow")});
  commit_many(0, 10);
  std::uint64_t index = log_->state().end().records;
  store::LoopJournal& journal = log_->journal(0);
  ASSERT_TRUE(journal.append("{\"seq\":1,\"session\":\"s1\",\"text\":\"" + std::string(10'000, 'x') +
                             "\",\"time\":\"2026-01-31T12:34:56.000000789Z\",\"type\":\"command\"}\n"));
  commit_many(11, 20);
  ASSERT_TRUE(eventually([&] { return has_caught_up("narrow"); }));
  auto texts = scripts_["narrow"].texts();
  EXPECT_EQ(texts.size(), records().size());
  EXPECT_TRUE(texts[index].starts_with("{\"cut\":")) << texts[index];
  texts.erase(index);
  for (const auto& [other, text] : texts) {
    EXPECT_FALSE(text.starts_with("{\"cut\":")) << text;
  }
}

TEST_F(SinksTest, AreRefusedByAReceiverForWhichEvenThatIsTooLarge) {
  scripts_["narrow"].set_bytes_max(10);
  configure({from_beginning("narrow")});
  commit_many(0, 10);
  ASSERT_TRUE(eventually([&] { return events(SinkEvent::Kind::refused).size() == 1; }));
  EXPECT_TRUE(scripts_["narrow"].texts().empty());
}

TEST_F(SinksTest, DeliverAgainWhatMayHaveBeenTaken) {
  scripts_["poor"].fail_behind(1);
  configure({from_beginning("poor")});
  commit_many(0, 50);
  ASSERT_TRUE(eventually([&] { return has_caught_up("poor"); }));
  EXPECT_THAT(missing("poor"), testing::IsEmpty());
  EXPECT_GT(scripts_["poor"].order().size(), records().size());
}

TEST_F(SinksTest, GoOnAtTheirCursorAfterARestart) {
  configure({from_beginning("all")});
  commit_many(0, 100);
  ASSERT_TRUE(eventually([&] { return has_caught_up("all"); }));
  close();
  auto before = scripts_["all"].order();
  open();
  commit_many(100, 200);
  ASSERT_TRUE(eventually([&] { return has_caught_up("all"); }));
  EXPECT_THAT(missing("all"), testing::IsEmpty());
  EXPECT_EQ(scripts_["all"].order().size(), records().size()) << "none twice after an end in good order";
  EXPECT_GT(scripts_["all"].order().size(), before.size());
}

TEST_F(SinksTest, DeliverTheRecordOfTheGatewaysStop) {
  configure({from_beginning("all")});
  commit_many(0, 3);
  close();
  EXPECT_THAT(scripts_["all"].texts().rbegin()->second, testing::HasSubstr("audit_stop"));
  open();
}

TEST_F(SinksTest, SendOnceMoreWhatAConnectionMayHaveLost) {
  scripts_["syslog"].set_uncertain(20);
  configure({from_beginning("syslog")});
  commit_many(0, 100);
  ASSERT_TRUE(eventually([&] { return has_caught_up("syslog"); }));
  std::uint64_t end = log_->state().end().records;
  scripts_["syslog"].forget();
  scripts_["syslog"].lose_connection();
  ASSERT_TRUE(eventually([&] { return scripts_["syslog"].order().size() == 20; }));
  EXPECT_EQ(scripts_["syslog"].order().front(), end - 20);
  EXPECT_EQ(scripts_["syslog"].order().back(), end - 1);
  scripts_["syslog"].forget();
  close();
  open();
  ASSERT_TRUE(eventually([&] { return has_caught_up("syslog"); }));
  EXPECT_LE(scripts_["syslog"].texts().begin()->first, end - 18) << "and after a restart";
}

TEST_F(SinksTest, GetOnWhenConnectionsEndAmidWhatIsSentOnceMore) {
  scripts_["syslog"].set_uncertain(20'000);
  scripts_["syslog"].end_connections_behind(2000);
  configure({from_beginning("syslog")});
  commit_many(0, 4000);
  ASSERT_TRUE(eventually([&] { return has_caught_up("syslog"); }));
  EXPECT_THAT(missing("syslog"), testing::IsEmpty());
}

TEST_F(SinksTest, BeginAllOverAtAReceiverThatTakesLittleOrIsAway) {
  scripts_["syslog"].set_uncertain(20'000);
  configure({from_beginning("syslog")});
  commit_many(0, 4000);
  ASSERT_TRUE(eventually([&] { return has_caught_up("syslog"); }));
  // It takes little; or much, and is away then, so that what it had in memory may be lost.
  for (auto [messages, attempts] : {std::pair{1000, 0}, std::pair{3000, 1}}) {
    scripts_["syslog"].end_connections_behind(static_cast<std::uint64_t>(messages), attempts);
    scripts_["syslog"].forget();
    scripts_["syslog"].lose_connection();
    auto rounds = [&] {
      auto order = scripts_["syslog"].order();
      return std::count(order.begin(), order.end(), 0U);
    };
    ASSERT_TRUE(eventually([&] { return rounds() >= 3; }));
    EXPECT_TRUE(status("syslog").failing);
    EXPECT_LE(scripts_["syslog"].texts().rbegin()->first, static_cast<std::uint64_t>(messages));
  }
  scripts_["syslog"].end_connections_behind(UINT64_MAX);
  ASSERT_TRUE(eventually([&] { return !status("syslog").failing; }));
  EXPECT_THAT(missing("syslog"), testing::IsEmpty());
}

TEST_F(SinksTest, AreToldOfOnceInAWhileHoweverOftenThatChanges) {
  configure({from_beginning("moody")});
  for (std::uint64_t i = 0; i < 5; ++i) {
    scripts_["moody"].fail(1);
    commit(i);
    ASSERT_TRUE(eventually([&] { return has_caught_up("moody") && status("moody").failures > i; }));
  }
  EXPECT_EQ(events(SinkEvent::Kind::fails).size(), 1U);
  EXPECT_EQ(events(SinkEvent::Kind::delivers).size(), 1U);
}

TEST_F(SinksTest, SayThatWhatAConnectionMayHaveLostIsDroppedToo) {
  SinkSettings settings = from_beginning("lossy");
  settings.when_behind = WhenBehind::drop;
  settings.behind_records_max = 20;
  scripts_["lossy"].set_uncertain(1000);
  configure({settings});
  commit_many(0, 10);
  ASSERT_TRUE(eventually([&] { return has_caught_up("lossy"); }));
  scripts_["lossy"].forget();  // it was acknowledged, and is lost
  scripts_["lossy"].fail(1'000'000);
  commit_many(10, 100);
  ASSERT_TRUE(eventually([&] { return status("lossy").dropped > 0; }));
  scripts_["lossy"].fail(0);
  ASSERT_TRUE(eventually([&] { return has_caught_up("lossy"); }));
  EXPECT_EQ(on_record_as_dropped("behind").front(), 0U);
  EXPECT_THAT(missing("lossy"), testing::IsSubsetOf(on_record_as_dropped("behind")));
}

TEST_F(SinksTest, SayOnRecordWhatAConnectionMayHaveLostAndWasDeletedMeanwhile) {
  scripts_["syslog"].set_uncertain(600);
  configure({from_beginning("syslog")});
  commit_many(0, 1000);
  ASSERT_TRUE(eventually([&] { return has_caught_up("syslog"); }));
  std::uint64_t next = scripts_["syslog"].texts().rbegin()->first + 1;
  configure({});
  scripts_["syslog"].forget();
  auto all = segments();
  std::uint64_t first = all[all.size() - 2];
  for (std::size_t i = 0; all[i] < first; ++i) {
    delete_segment(all[i]);
  }
  ASSERT_GT(first, next - 600);
  ASSERT_LT(first, next);
  configure({from_beginning("syslog")});
  ASSERT_TRUE(eventually([&] { return status("syslog").dropped > 0; }));
  wait_for_disk();
  ASSERT_TRUE(eventually([&] { return has_caught_up("syslog") && !scripts_["syslog"].texts().empty(); }));
  auto dropped = on_record_as_dropped("deleted");
  ASSERT_FALSE(dropped.empty());
  EXPECT_EQ(dropped.front(), next - 600);
  EXPECT_EQ(dropped.back() + 1, first);
  EXPECT_THAT(missing("syslog"), testing::IsEmpty()) << "of what is there";
}

TEST_F(SinksTest, KeepWhatTheyNeedStillInTheirCursor) {
  scripts_["syslog"].set_uncertain(20);
  configure({from_beginning("syslog")});
  commit_many(0, 100);
  ASSERT_TRUE(eventually([&] { return has_caught_up("syslog"); }));
  configure({});
  auto cursor = load_cursor(audit_.directory, "syslog");
  ASSERT_TRUE(cursor && *cursor);
  EXPECT_EQ((*cursor)->needed, (*cursor)->next - 20);
}

TEST_F(SinksTest, BeginAnewWithAllThatThereIsWhenTheCursorIsDamaged) {
  commit_many(0, 30);
  std::ofstream(cursor_file("odd")) << "{\"first\":0,\"ne";
  configure({sink("odd")});
  ASSERT_TRUE(eventually([&] { return has_caught_up("odd"); }));
  EXPECT_THAT(missing("odd"), testing::IsEmpty());
  EXPECT_EQ(events(SinkEvent::Kind::anew).size(), 1U);
}

TEST_F(SinksTest, BeginAnewWhenTheLogIsShorterThanTheCursorSays) {
  commit_many(0, 30);
  std::ofstream(cursor_file("odd")) << to_text({.first = 0, .next = 100'000}, WallTime{});
  configure({sink("odd")});
  ASSERT_TRUE(eventually([&] { return has_caught_up("odd"); }));
  EXPECT_THAT(missing("odd"), testing::IsEmpty());
  ASSERT_EQ(events(SinkEvent::Kind::anew).size(), 1U);
  EXPECT_THAT(events(SinkEvent::Kind::anew)[0].text, testing::HasSubstr("behind the end of the log"));
}

TEST_F(SinksTest, BeginAnewWhenTheCursorIsOfAnotherLogOrAnotherHistoryOfThisOne) {
  commit_many(0, 30);
  configure({from_beginning("odd")});
  ASSERT_TRUE(eventually([&] { return has_caught_up("odd"); }));
  configure({});
  Cursor good = **load_cursor(audit_.directory, "odd");
  EXPECT_EQ(good.origin, audit_.origin);
  EXPECT_EQ(good.leaf.size(), 64U);
  Cursor other_log = good;
  other_log.origin = "other.example/log";
  Cursor other_record = good;
  other_record.leaf[0] = good.leaf[0] == '0' ? '1' : '0';
  Cursor far_start = good;
  far_start.start = UINT64_MAX;
  Cursor old = good;  // from before there were these members
  old.leaf = old.origin = "";
  std::size_t anew = 0;
  for (const Cursor& cursor : {other_log, other_record, far_start, good, old}) {
    bool is_good = cursor == good || cursor == old;
    scripts_["odd"].forget();
    std::ofstream(cursor_file("odd")) << to_text(cursor, WallTime{});
    configure({sink("odd")});
    ASSERT_TRUE(eventually([&] { return has_caught_up("odd"); }));
    anew += is_good ? 0U : 1U;
    EXPECT_EQ(events(SinkEvent::Kind::anew).size(), anew);
    EXPECT_EQ(scripts_["odd"].texts().empty(), is_good);
    configure({});
  }
}

TEST_F(SinksTest, ThatBlockHaveStatementsRefusedUntilTheyCaughtUpByHalf) {
  SinkSettings settings = from_beginning("strict");
  settings.behind_records_max = 100;
  scripts_["strict"].fail(1'000'000);
  configure({settings});
  std::uint64_t number = 0;
  ASSERT_TRUE(eventually([&] { return !commit(number++); }));
  EXPECT_GT(log_->state().end().records, 100U);
  EXPECT_TRUE(log_->state().failing(std::chrono::steady_clock::now()));
  EXPECT_EQ(log_->state().failure(std::chrono::steady_clock::now()), "the sink strict is too far behind");
  EXPECT_TRUE(log_->record("{\"time\":\"2026-01-31T12:34:56.000000000Z\",\"type\":\"audit_gap\"}\n", {}))
      << "the log itself goes on";
  EXPECT_FALSE(commit(number++));
  scripts_["strict"].fail(0);
  ASSERT_TRUE(eventually([&] { return !log_->state().failing(std::chrono::steady_clock::now()); }));
  EXPECT_TRUE(commit(number++));
  wait_for_disk();
  ASSERT_TRUE(eventually([&] { return has_caught_up("strict"); }));
  EXPECT_THAT(missing("strict"), testing::IsEmpty());
  EXPECT_EQ(status("strict").dropped, 0U);
}

TEST_F(SinksTest, AreNotBehindForWhatTheLogHadBeforeThem) {
  commit_many(0, 300);
  for (WhenBehind rule : {WhenBehind::block, WhenBehind::drop}) {
    std::string name = rule == WhenBehind::block ? "blocks" : "drops";
    SinkSettings settings = from_beginning(name);
    settings.behind_records_max = 100;
    settings.when_behind = rule;
    scripts_[name].fail(3);
    configure({settings});
    EXPECT_TRUE(commit(300));
    wait_for_disk();
    ASSERT_TRUE(eventually([&] { return has_caught_up(name); }));
    EXPECT_THAT(missing(name), testing::IsEmpty());
    EXPECT_EQ(status(name).dropped, 0U);
  }
}

TEST_F(SinksTest, ThatAreTakenAwayNoLongerBlock) {
  SinkSettings settings = from_beginning("strict");
  settings.behind_records_max = 50;
  scripts_["strict"].fail(1'000'000);
  configure({settings});
  std::uint64_t number = 0;
  ASSERT_TRUE(eventually([&] { return !commit(number++); }));
  configure({});
  EXPECT_TRUE(commit(number++));
  configure({settings});
  EXPECT_TRUE(eventually([&] { return !commit(number++); })) << "it goes on where it was";
}

TEST_F(SinksTest, ThatDropSayOnRecordExactlyWhatTheyLeftOut) {
  SinkSettings settings = from_beginning("lossy");
  settings.when_behind = WhenBehind::drop;
  settings.behind_records_max = 100;
  scripts_["lossy"].fail(1'000'000);
  configure({settings});
  std::uint64_t number = 0;
  for (int round = 0; round < 3; ++round) {
    std::uint64_t dropped = status("lossy").dropped;
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(commit(number++)) << "nobody is refused";
      return status("lossy").dropped > dropped;
    }));
  }
  scripts_["lossy"].fail(0);
  wait_for_disk();
  ASSERT_TRUE(eventually([&] { return has_caught_up("lossy"); }));
  auto dropped = on_record_as_dropped("behind");
  EXPECT_GE(dropped.size(), 100U);
  EXPECT_THAT(missing("lossy"), testing::ElementsAreArray(dropped));
  EXPECT_EQ(status("lossy").dropped, dropped.size());
  EXPECT_GE(events(SinkEvent::Kind::dropped).size(), 3U);
}

TEST_F(SinksTest, KeepRetentionFromDeletingWhatTheyNeed) {
  audit_.retention = {.bytes = 4U << 14};
  scripts_["slow"].fail(1'000'000);
  SinkSettings settings = from_beginning("slow");
  settings.behind_records_max = 100'000;
  configure({settings});
  ASSERT_TRUE(log_->configure(audit_));
  commit_many(0, 2000);
  ASSERT_TRUE(log_->configure(audit_));
  EXPECT_EQ(records().begin()->first, 0U);
  scripts_["slow"].fail(0);
  ASSERT_TRUE(eventually([&] { return has_caught_up("slow"); }));
  EXPECT_EQ(missing("slow").size(), 0U);
}

TEST_F(SinksTest, SayOnRecordWhatWasDeletedBeforeTheyGotIt) {
  configure({from_beginning("late")});
  commit_many(0, 10);
  ASSERT_TRUE(eventually([&] { return has_caught_up("late"); }));
  configure({});
  commit_many(10, 1000);
  auto all = segments();
  std::uint64_t first = all.back();
  all.pop_back();
  for (std::uint64_t segment : all) {
    delete_segment(segment);
  }
  std::uint64_t next = scripts_["late"].texts().rbegin()->first + 1;
  configure({from_beginning("late")});
  ASSERT_TRUE(eventually([&] { return status("late").dropped > 0; }));
  wait_for_disk();
  ASSERT_TRUE(eventually([&] { return has_caught_up("late"); }));
  auto dropped = on_record_as_dropped("deleted");
  ASSERT_FALSE(dropped.empty());
  EXPECT_EQ(dropped.front(), next);
  EXPECT_EQ(dropped.back() + 1, first);
  EXPECT_THAT(missing("late"), testing::IsEmpty()) << "of what is there";
}

TEST_F(SinksTest, SayOnRecordThatASegmentInTheMiddleWasDeleted) {
  commit_many(0, 2000);
  auto all = segments();
  ASSERT_GT(all.size(), 4U);
  for (bool whole : {false, true}) {
    std::size_t i = whole ? 3 : 1;
    delete_segment(all[i]);
    if (whole) {
      std::filesystem::remove(audit_.directory / store::name_of(store::SegmentFile::tree, all[i]));
      std::filesystem::remove(audit_.directory / store::name_of(store::SegmentFile::index, all[i]));
    }
  }
  configure({from_beginning("late")});
  ASSERT_TRUE(eventually([&] { return status("late").dropped > 0; }));
  wait_for_disk();
  ASSERT_TRUE(eventually([&] { return has_caught_up("late"); }));
  std::vector<std::uint64_t> gaps;
  for (std::size_t i : {1U, 3U}) {
    for (std::uint64_t index = all[i]; index < all[i + 1]; ++index) {
      gaps.push_back(index);
    }
  }
  EXPECT_EQ(on_record_as_dropped("deleted"), gaps);
  EXPECT_THAT(missing("late"), testing::IsEmpty()) << "of what is there";
}

TEST_F(SinksTest, ThatHaveNotChangedGoOnOverAReload) {
  configure({from_beginning("kept"), from_beginning("changed")});
  commit_many(0, 50);
  ASSERT_TRUE(eventually([&] { return has_caught_up("kept") && has_caught_up("changed"); }));
  std::uint64_t delivered = status("kept").delivered;
  SinkSettings changed = from_beginning("changed");
  changed.batch_records_max = 7;
  configure({changed, from_beginning("kept"), from_beginning("added")});
  EXPECT_EQ(status("kept").delivered, delivered) << "it is the same thread";
  commit_many(50, 100);
  ASSERT_TRUE(eventually([&] { return has_caught_up("kept") && has_caught_up("changed") && has_caught_up("added"); }));
  for (const char* name : {"kept", "changed", "added"}) {
    EXPECT_THAT(missing(name), testing::IsEmpty()) << name;
    EXPECT_EQ(scripts_[name].order().size(), records().size()) << name;
  }
}

}  // namespace
}  // namespace sallyport::sink
