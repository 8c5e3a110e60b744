#include "store/audit_log.h"

#include <algorithm>
#include <random>

#include "base/hex.h"
#include "store/answer_blob.h"
#include "store/audit_log_test_fixture.h"
#include "store/hand_overs.h"
#include "store/log_proof.h"
#include "store/log_verification.h"
#include "store/record_seal.h"

namespace sallyport::store {
namespace {

using Commit = LoopJournal::Commit;
using Types = std::vector<std::string>;

class AuditLogTest : public AuditLogFixture {};

TEST_F(AuditLogTest, WritesWhatLoopsCommitBetweenItsStartAndItsStop) {
  ASSERT_EQ(open(), "");
  EXPECT_EQ(commit("1", 0), Commit::done);
  EXPECT_EQ(commit("2", 1), Commit::done);
  EXPECT_EQ(commit("3", 0), Commit::done);
  log_.reset();
  auto lines = records();
  EXPECT_EQ(types(), (Types{"audit_start", "command", "command", "command", "audit_stop"}));
  EXPECT_EQ(lines[1] + "\n", record("1"));
  EXPECT_EQ(lines[2] + "\n", record("2"));
  EXPECT_EQ(lines[3] + "\n", record("3"));
}

TEST_F(AuditLogTest, GoesOnWithTheLogThatIsThere) {
  ASSERT_EQ(open(), "");
  commit("1");
  log_.reset();
  ASSERT_EQ(open(), "");
  commit("2");
  log_.reset();
  EXPECT_EQ(types(), (Types{"audit_start", "command", "audit_stop", "audit_start", "command", "audit_stop"}));
  auto notes = path_text("checkpoints");
  EXPECT_EQ(audit::split_notes(notes).notes.size(), 4U);
}

TEST_F(AuditLogTest, InStrictDurabilityACommitWaitsForTheDisk) {
  settings_.durability = audit::Durability::strict;
  ASSERT_EQ(open(), "");
  files_->hold_syncs();
  EXPECT_EQ(commit("1"), Commit::waits);
  std::this_thread::sleep_for(Milliseconds{50});
  EXPECT_LT(log_->journal(0).settled(), log_->journal(0).last_commit());
  files_->let_syncs();
  EXPECT_TRUE(wait());
}

TEST_F(AuditLogTest, InNormalDurabilityNoCommitWaitsAndTheDiskHasItSoon) {
  ASSERT_EQ(open(), "");
  std::uint64_t before = log_->status(now()).records;
  EXPECT_EQ(commit("1"), Commit::done);
  EXPECT_TRUE(eventually([&] { return log_->status(now()).records == before + 1; }));
  EXPECT_EQ(log_->status(now()).waiting_bytes, 0U);
}

TEST_F(AuditLogTest, ABatchThatIsLargerThanTheRingWaitsAndKeepsItsPlace) {
  ASSERT_EQ(open(), "");
  std::string large = "\"" + std::string(1U << 20, 'x') + "\"";
  EXPECT_EQ(commit("1"), Commit::done);
  EXPECT_EQ(commit(large), Commit::waits);
  Commit behind = commit("2");
  EXPECT_TRUE(behind == Commit::waits || behind == Commit::done);
  EXPECT_TRUE(wait());
  EXPECT_EQ(commit("3"), Commit::done);
  log_.reset();
  auto lines = records();
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[2] + "\n", record(large));
  EXPECT_EQ(lines[3] + "\n", record("2"));
  EXPECT_EQ(lines[4] + "\n", record("3"));
}

TEST_F(AuditLogTest, WhileALargeRecordIsOnItsWayThereIsRoomForOthers) {
  settings_.stall_limit = Milliseconds{20'000};
  ASSERT_EQ(open(), "");
  files_->hold_syncs();
  std::string large = "\"" + std::string(20U << 20, 'x') + "\"";
  EXPECT_EQ(commit(large), Commit::waits);
  EXPECT_EQ(commit("1"), Commit::waits);
  EXPECT_EQ(commit(large), Commit::waits);
  int taken = 2;
  for (; taken < 20 && commit(large) == Commit::waits; ++taken) {
  }
  EXPECT_GE(taken, 4);
  EXPECT_LE(taken, 6);
  EXPECT_EQ(commit("2"), Commit::waits);
  EXPECT_EQ(log_->status(now()).lost_records, 1U);
  int small = 0;
  for (std::string text = "\"" + std::string(60U << 10, 'y') + "\""; small < 1000 && commit(text) == Commit::waits;
       ++small) {
  }
  EXPECT_GT(small, 100);
  EXPECT_LT(small, 150);
  files_->let_syncs();
  EXPECT_TRUE(wait());
  EXPECT_TRUE(committed("3"));
  log_.reset();
  auto lines = records();
  EXPECT_EQ(count(lines, "1"), 1U);
  EXPECT_EQ(count(lines, "2"), 1U);
}

TEST_F(AuditLogTest, RecordedAnswersThatWaitAreBounded) {
  settings_.stall_limit = Milliseconds{20'000};
  ASSERT_EQ(open(), "");
  files_->hold_syncs();
  EXPECT_EQ(commit("\"" + std::string(20U << 20, 'x') + "\""), Commit::waits);
  const std::string piece(64U << 10, 'a');  // as much as is read from a server at once
  int taken = 0;
  while (taken < 1000 && log_->journal(0).append_answer({.session = "s",
                                                         .command = 1,
                                                         .offset = static_cast<std::uint64_t>(taken) * piece.size(),
                                                         .bytes = bytes_of(piece)})) {
    ++taken;
    log_->journal(0).flush(now());
  }
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 150);
  files_->let_syncs();
  EXPECT_TRUE(wait());
  EXPECT_TRUE(committed("1"));
}

TEST_F(AuditLogTest, WhileALargeRecordIsWrittenTheLogVerifies) {
  ASSERT_EQ(open(), "");
  ASSERT_TRUE(committed("1"));
  files_->slow_down(Milliseconds{100});
  EXPECT_EQ(commit("\"" + std::string(40U << 20, 'x') + "\""), Commit::waits);
  auto open_segment = settings_.directory / name_of(SegmentFile::records, 0);
  ASSERT_TRUE(eventually([&] { return std::filesystem::file_size(open_segment) > (4U << 20); }));
  auto key = load_signing_key(settings_.signing_key, settings_.origin);
  auto report = verify_log({.directory = settings_.directory,
                            .public_key = key->verifier_key().to_line(),
                            .saved = {},
                            .patience = Milliseconds{1500}});
  files_->slow_down(Milliseconds{0});
  ASSERT_TRUE(report) << report.error();
  for (const audit::Finding& finding : report->findings) {
    ADD_FAILURE() << finding.text;
  }
  EXPECT_TRUE(report->is_proven());
}

TEST_F(AuditLogTest, ALargeRecordIsNoStall) {
  settings_.stall_limit = Milliseconds{1000};
  ASSERT_EQ(open(), "");
  files_->slow_down(Milliseconds{80});
  EXPECT_TRUE(committed("\"" + std::string(40U << 20, 'x') + "\""));  // ten writes and ten syncs
  files_->slow_down(Milliseconds{0});
}

TEST_F(AuditLogTest, ARecordIsBehindAllThatWereCommittedBeforeItWasBegun) {
  ASSERT_EQ(open(4), "");
  std::atomic<std::uint64_t> clock{0};
  std::vector<std::thread> loops;
  for (std::uint32_t loop = 0; loop < 4; ++loop) {
    loops.emplace_back([&, loop] {
      for (int i = 0; i < 3000; ++i) {
        // `begin` is the number of the last commit of any loop that has come to an end; `end` that of this one.
        std::uint64_t begun = clock.load();
        while (commit(std::to_string(begun) + ",\"loop\":" + std::to_string(loop), loop) == Commit::waits &&
               !wait(loop)) {
        }
        clock.fetch_add(1);
      }
    });
  }
  for (auto& loop : loops) {
    loop.join();
  }
  log_.reset();
  // When a record that was begun at n is in the log, n commits had come to an end, and all of these are before it.
  std::uint64_t before = 0;
  for (const std::string& line : records()) {
    if (line.starts_with("{\"seq\":")) {
      EXPECT_LE(std::stoull(line.substr(7)), before);
      ++before;
    }
  }
  EXPECT_EQ(before, 12'000U);
}

TEST_F(AuditLogTest, WhileTheDiskIsFullCommitsFailAndWhatWasAppendedFollows) {
  ASSERT_EQ(open(), "");
  files_->set_space(10);
  commit("1");
  ASSERT_TRUE(eventually([&] { return log_->status(now()).failing; }));
  EXPECT_NE(log_->status(now()).failure.find("cannot write"), std::string::npos);
  EXPECT_EQ(commit("2"), Commit::failed);
  files_->set_space(UINT64_MAX);
  ASSERT_TRUE(eventually([&] { return !log_->status(now()).failing; }));
  EXPECT_EQ(commit("3"), Commit::done);
  log_.reset();
  auto lines = records();
  EXPECT_EQ(types(), (Types{"audit_start", "command", "command", "command", "audit_stop"}));
  EXPECT_EQ(lines[2] + "\n", record("2"));
}

TEST_F(AuditLogTest, InStrictDurabilityWhatWaitsFailsWithTheDisk) {
  settings_.durability = audit::Durability::strict;
  ASSERT_EQ(open(), "");
  files_->set_space(10);
  EXPECT_FALSE(committed("1"));
  EXPECT_EQ(commit("2"), Commit::failed);
  files_->set_space(UINT64_MAX);
  ASSERT_TRUE(eventually([&] { return !log_->status(now()).failing; }));
  EXPECT_TRUE(committed("3"));
  log_.reset();
  EXPECT_EQ(records().size(), 5U);
}

TEST_F(AuditLogTest, WhatASyncThatFailedWasForIsWrittenAgain) {
  for (auto durability : {audit::Durability::normal, audit::Durability::strict}) {
    settings_.durability = durability;
    ASSERT_EQ(open(), "");
    std::uint64_t failures = log_->status(now()).failures;
    files_->fail(FaultyFiles::Request::sync, 1);
    commit("1");
    ASSERT_TRUE(eventually([&] { return log_->status(now()).failures > failures; }));
    ASSERT_TRUE(eventually([&] { return !log_->status(now()).failing; }));
    ASSERT_TRUE(eventually([&] { return log_->status(now()).waiting_bytes == 0; }));
    // What the failed sync was for is really there: the power goes.
    std::mt19937 random(1);
    files_->lose_power(random);
    log_.reset();
    std::filesystem::remove(settings_.directory / "journal-0");
    files_ = std::make_unique<FaultyFiles>(settings_.directory);
    ASSERT_EQ(open(), "");
    log_.reset();
    EXPECT_GE(count(records(), "1"), 1U);
  }
}

TEST_F(AuditLogTest, AStalledDiskFailsCommitsUntilItAnswers) {
  ASSERT_EQ(open(), "");
  files_->hold_syncs();
  commit("1");
  ASSERT_TRUE(eventually([&] { return log_->status(now()).failing; }));
  EXPECT_NE(log_->status(now()).failure.find("300 ms"), std::string::npos) << log_->status(now()).failure;
  EXPECT_EQ(commit("2"), Commit::failed);
  files_->let_syncs();
  ASSERT_TRUE(eventually([&] { return !log_->status(now()).failing; }));
  EXPECT_EQ(commit("3"), Commit::done);
}

TEST_F(AuditLogTest, RecordsForWhichThereWasNoRoomAreCounted) {
  ASSERT_EQ(open(), "");
  files_->set_space(0);
  commit("1");
  ASSERT_TRUE(eventually([&] { return log_->status(now()).failing; }));
  std::string large = "\"" + std::string(1U << 20, 'x') + "\"";
  int lost = 0;
  for (int i = 0; i < 20; ++i) {
    lost += log_->journal(0).append(record(large)) ? 0 : 1;
    log_->journal(0).flush(now());
  }
  EXPECT_GT(lost, 8);
  EXPECT_EQ(log_->status(now()).lost_records, static_cast<std::uint64_t>(lost));
  files_->set_space(UINT64_MAX);
  ASSERT_TRUE(eventually([&] { return !log_->status(now()).failing; }));
  log_->journal(0).flush(now());
  std::string said = "{\"lost_records\":" + std::to_string(lost) + ",\"reason\":\"cannot write: it was said so\"";
  EXPECT_TRUE(eventually([&] { return log_has(said); }));
}

TEST_F(AuditLogTest, WhatIsInAJournalOnlyIsRestored) {
  ASSERT_EQ(open(), "");
  files_->cut_power_after(0);  // nothing is written any more, as if the process had ended before
  commit("1", 1);
  commit("2", 0);
  kill();
  ASSERT_EQ(open(), "");
  EXPECT_EQ(log_->found().restored_records, 2U);
  log_.reset();
  auto lines = records();
  EXPECT_EQ(types(), (Types{"audit_start", "command", "command", "audit_start", "audit_stop"}));
  EXPECT_EQ(lines[1] + "\n", record("1"));
  EXPECT_NE(lines[3].find("\"restored_records\":2"), std::string::npos) << lines[3];
}

TEST_F(AuditLogTest, WhatIsInTheSegmentAndInAJournalIsThereOnce) {
  ASSERT_EQ(open(), "");
  files_->hold_syncs();
  commit("1", 0);
  commit("2", 1);
  ASSERT_TRUE(eventually([&] { return files_->sync_is_held(); }));
  commit("3", 1);
  // As the process would leave it now.
  auto left = root_ / "left";
  std::filesystem::copy(settings_.directory, left);
  files_->let_syncs();
  log_.reset();
  std::filesystem::remove_all(settings_.directory);
  std::filesystem::rename(left, settings_.directory);
  files_ = std::make_unique<FaultyFiles>(settings_.directory);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(log_->found().restored_records, 1U);
  log_.reset();
  auto lines = records();
  EXPECT_EQ(count(lines, "1"), 1U);
  EXPECT_EQ(count(lines, "2"), 1U);
  EXPECT_EQ(count(lines, "3"), 1U);
}

TEST_F(AuditLogTest, ATornLineIsCutOffAndSaidToBe) {
  ASSERT_EQ(open(), "");
  log_.reset();
  auto path = settings_.directory / name_of(SegmentFile::records, 0);
  for (std::string torn : {std::string("{\"torn\":"), std::string(100, '\0') + "\n{\"a\":1}\n", std::string("\n")}) {
    std::ofstream(path, std::ios::app | std::ios::binary) << torn;
    files_ = std::make_unique<FaultyFiles>(settings_.directory);
    ASSERT_EQ(open(), "");
    EXPECT_EQ(log_->found().torn_bytes, torn.size());
    log_.reset();
    auto lines = records();
    EXPECT_NE(lines[lines.size() - 2].find("\"torn_bytes\":" + std::to_string(torn.size())), std::string::npos);
  }
}

TEST_F(AuditLogTest, ALogThatWasChangedIsNotGoneOnWith) {
  settings_.segment_bytes = 1000;
  ASSERT_EQ(open(), "");
  for (int i = 0; i < 30; ++i) {
    commit(std::to_string(i));
    std::this_thread::sleep_for(Milliseconds{5});
  }
  log_.reset();
  settings_.segment_bytes = 1U << 20;
  ASSERT_EQ(open(), "");
  commit("30");
  log_.reset();
  auto listing = list_log(settings_.directory);
  ASSERT_GT(listing->segments.size(), 2U);
  const SegmentEntry& last = listing->segments.back();
  std::vector<std::pair<std::string, std::function<void(std::string&)>>> changes{
      {name_of(SegmentFile::records, last.first), [](std::string& text) { text[10] ^= 1; }},
      {name_of(SegmentFile::records, last.first), [](std::string& text) { text.resize(text.find('\n') + 1); }},
      {name_of(SegmentFile::records, last.first), [](std::string& text) { text.clear(); }},
      {name_of(SegmentFile::tree, 0), [](std::string& text) { text[text.find("hashes") + 12] ^= 3; }},
      {name_of(SegmentFile::tree, 0), [](std::string& text) { text.clear(); }},
      {"checkpoint", [](std::string& text) { text[text.size() - 20] ^= 1; }},
      {"checkpoint", [](std::string& text) { text.clear(); }},
  };
  for (const auto& [name, change] : changes) {
    std::string before = path_text(name);
    std::string after = before;
    change(after);
    ASSERT_NE(before, after);
    std::ofstream(settings_.directory / name, std::ios::binary) << after;
    EXPECT_NE(open(), "") << name;
    std::ofstream(settings_.directory / name, std::ios::binary) << before;
  }
  for (const std::string& name : {std::string("checkpoint"), name_of(SegmentFile::records, last.first)}) {
    std::string before = path_text(name);
    std::filesystem::remove(settings_.directory / name);
    std::string error = open();
    EXPECT_NE(error.find("is not as it was left"), std::string::npos) << error;
    std::ofstream(settings_.directory / name, std::ios::binary) << before;
  }
  EXPECT_EQ(open(), "");
}

std::string answer_in(const std::vector<std::filesystem::path>& files, std::uint64_t command) {
  AnswerOpener opener;
  return read_answer(files, "s", command, 1U << 20, opener).value().bytes.value_or("(none)");
}

TEST_F(AuditLogTest, AnswersAreInTheFileOfTheirSegmentBeforeTheirOutcome) {
  ASSERT_EQ(open(), "");
  std::string rows(100'000, 'r');  // larger than the ring
  for (auto [command, text] : {std::pair{1U, std::string_view("first")}, std::pair{2U, std::string_view(rows)}}) {
    audit::AnswerChunk chunk{.session = "s", .command = command, .offset = 0, .bytes = bytes_of(text.substr(0, 3))};
    EXPECT_TRUE(log_->journal(0).append_answer(chunk));
    chunk.offset = 3;
    chunk.bytes = bytes_of(text.substr(3));
    EXPECT_TRUE(log_->journal(0).append_answer(chunk));
    EXPECT_TRUE(committed(std::to_string(command)));
  }
  log_.reset();
  std::vector<std::filesystem::path> files{settings_.directory / name_of(SegmentFile::answers, 0)};
  EXPECT_EQ(answer_in(files, 1), "first");
  EXPECT_EQ(answer_in(files, 2), rows);
  EXPECT_EQ(records().size(), 4U);
}

TEST_F(AuditLogTest, AnswersAreRestoredAndATornPieceIsCutOff) {
  ASSERT_EQ(open(), "");
  auto answer = [&](std::uint64_t command, std::string_view text) {
    log_->journal(0).append_answer({.session = "s", .command = command, .offset = 0, .bytes = bytes_of(text)});
    return committed(std::to_string(command));
  };
  EXPECT_TRUE(answer(1, "one"));
  ASSERT_TRUE(eventually([&] { return log_->status(now()).waiting_bytes == 0; }));
  files_->cut_power_after(0);
  answer(2, "two");
  kill();
  auto path = settings_.directory / name_of(SegmentFile::answers, 0);
  std::string torn;
  append_answer_piece(torn, {.session = "s", .command = 9, .offset = 0, .bytes = bytes_of("torn")});
  std::ofstream(path, std::ios::app | std::ios::binary) << torn.substr(0, torn.size() - 1);
  files_ = std::make_unique<FaultyFiles>(settings_.directory);
  ASSERT_EQ(open(), "");
  EXPECT_TRUE(answer(3, "three"));
  log_.reset();
  for (auto [command, text] : {std::pair{1U, "one"}, std::pair{2U, "two"}, std::pair{3U, "three"}}) {
    EXPECT_EQ(answer_in({path}, command), text);
  }
}

// Neither the answers' file nor a journal has anything of an answer in the clear, also where the ring has no room for
// it.
TEST_F(AuditLogTest, AnswersAreEncryptedBeforeTheyAreInAnyFile) {
  auto first_key = audit::AnswersKey::parse("01" + std::string(62, 'a')).value();
  auto second_key = audit::AnswersKey::parse("01" + std::string(62, 'b')).value();
  settings_.answers_key = first_key;
  ASSERT_EQ(open(), "");
  std::string secret = "open sesame ";
  std::string large;
  while (large.size() < 100'000) {
    large += secret;
  }
  auto answer = [&](std::uint64_t command, std::string_view text) {
    EXPECT_TRUE(
        log_->journal(0).append_answer({.session = "s", .command = command, .offset = 0, .bytes = bytes_of(text)}));
    return committed(std::to_string(command));
  };
  EXPECT_TRUE(answer(1, secret));
  EXPECT_TRUE(answer(2, large));
  settings_.answers_key = second_key;
  ASSERT_TRUE(log_->configure(settings_));
  EXPECT_TRUE(answer(3, secret));
  ASSERT_TRUE(eventually([&] { return log_->status(now()).waiting_bytes == 0; }));
  files_->cut_power_after(0);
  answer(4, secret);
  kill();
  ASSERT_EQ(open(), "");
  for (const auto& file : std::filesystem::directory_iterator(settings_.directory)) {
    EXPECT_EQ(path_text(file.path().filename().string()).find("sesame"), std::string::npos) << file.path();
  }
  log_.reset();
  std::vector<std::filesystem::path> files{settings_.directory / name_of(SegmentFile::answers, 0)};
  AnswerOpener opener({first_key, second_key});
  for (std::uint64_t command : {1U, 2U, 3U, 4U}) {
    EXPECT_EQ(read_answer(files, "s", command, 1U << 20, opener).value().bytes, command == 2 ? large : secret);
  }
  AnswerOpener old({first_key});
  EXPECT_EQ(read_answer(files, "s", 3, 1U << 20, old).value().wanted_key, to_hex(second_key.id()));
  EXPECT_NE(records()[0].find("\"answers_key\":\"" + to_hex(first_key.id()) + "\""), std::string::npos);
  settings_.answers_key = std::nullopt;
  ASSERT_EQ(open(), "");
  EXPECT_TRUE(answer(5, secret));
  audit::AnswerChunk only_sealed{.session = "s", .command = 6, .bytes = bytes_of(secret), .only_sealed = true};
  EXPECT_FALSE(log_->journal(0).append_answer(only_sealed));
  std::string sealed;
  EXPECT_FALSE(log_->journal(0).seal(sealed, {.session = "s", .seq = 6}, "{}"));
  EXPECT_EQ(sealed, "");
  log_.reset();
  EXPECT_EQ(read_answer(files, "s", 5, 1U << 20, old).value().bytes, secret);
}

TEST_F(AuditLogTest, LiteralsAreSealedByTheKeyOfTheMoment) {
  audit::AnswersKey first_key = audit::AnswersKey::parse("0" + std::string(63, 'a')).value();
  audit::AnswersKey second_key = audit::AnswersKey::parse("0" + std::string(63, 'b')).value();
  settings_.answers_key = first_key;
  ASSERT_EQ(open(), "");
  auto sealed_record = [&] {
    std::string record = "{\"sealed\":\"";
    EXPECT_TRUE(log_->journal(0).seal(record, {.session = "s", .seq = 1}, R"({"text":"open sesame"})"));
    return record + "\",\"seq\":1,\"session\":\"s\"}";
  };
  std::string first = sealed_record();
  settings_.answers_key = second_key;
  ASSERT_TRUE(log_->configure(settings_));
  std::string second = sealed_record();
  RecordOpener opener({first_key});
  EXPECT_EQ(opener.open(first), RecordOpener::Result::opened);
  EXPECT_NE(first.find("open sesame"), std::string::npos);
  EXPECT_EQ(opener.open(second), RecordOpener::Result::key_wanted);
  EXPECT_EQ(opener.wanted_key(), to_hex(second_key.id()));
}

TEST_F(AuditLogTest, OnlyOneGatewayWritesToALog) {
  ASSERT_EQ(open(), "");
  auto other = AuditLog::open({.settings = settings_, .version = "1.2.3"});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().find("another gateway"), std::string::npos);
}

TEST_F(AuditLogTest, ALogKeepsItsName) {
  ASSERT_EQ(open(), "");
  log_.reset();
  settings_.origin = "another";
  std::string error = open();
  EXPECT_NE(error.find("is that of 'test.example/log'"), std::string::npos) << error;
}

TEST_F(AuditLogTest, SegmentsAreClosedCompressedAndGoneOnWith) {
  settings_.segment_bytes = 2000;
  ASSERT_EQ(open(), "");
  for (int i = 0; i < 200; ++i) {
    commit(std::to_string(i));
    if (i % 10 == 0) {
      std::this_thread::sleep_for(Milliseconds{5});
    }
  }
  EXPECT_TRUE(eventually([&] {
    auto listing = list_log(settings_.directory);
    return listing->segments.size() > 3 &&
           std::count_if(listing->segments.begin(), listing->segments.end(),
                         [](const SegmentEntry& entry) { return entry.has(SegmentFile::records); }) == 1;
  }));
  log_.reset();
  EXPECT_EQ(records().size(), 202U);
  ASSERT_EQ(open(), "");
  log_.reset();
  EXPECT_EQ(records().size(), 204U);
}

TEST_F(AuditLogTest, ASegmentThatIsOldIsClosed) {
  settings_.segment_age = Seconds{1};
  ASSERT_EQ(open(), "");
  EXPECT_TRUE(eventually([&] { return log_->status(now()).segments_closed == 1; }));
  std::this_thread::sleep_for(Milliseconds{1200});
  EXPECT_EQ(log_->status(now()).segments_closed, 1U) << "one without a record is not";
}

TEST_F(AuditLogTest, WhatIsBeyondRetentionIsDeletedAndTheRestStaysProvable) {
  settings_.segment_bytes = 2000;
  settings_.retention.bytes = 1500;
  ASSERT_EQ(open(), "");
  for (int i = 0; i < 300; ++i) {
    commit(std::to_string(i));
    std::this_thread::sleep_for(Milliseconds{1});
  }
  log_.reset();
  ASSERT_EQ(open(), "");
  EXPECT_TRUE(eventually([&] { return !list_log(settings_.directory)->segments.front().has_records(); }));
  log_.reset();
  auto listing = list_log(settings_.directory);
  ASSERT_TRUE(listing);
  EXPECT_TRUE(listing->segments.front().has(SegmentFile::tree));
  auto found = types();
  EXPECT_LT(found.size(), 300U);
  EXPECT_GE(std::count(found.begin(), found.end(), "audit_pruned"), 1);
  ASSERT_EQ(open(), "") << "what is left is gone on with";
}

TEST_F(AuditLogTest, SaysOnceThatItIsPrunedHoweverOftenThatIsTried) {
  settings_.segment_bytes = 2000;
  ASSERT_EQ(open(), "");
  for (int i = 0; i < 200; ++i) {
    commit(std::to_string(i));
    std::this_thread::sleep_for(Milliseconds{1});
  }
  kill();
  settings_.segment_bytes = 1U << 20;
  settings_.segment_age = Seconds{1'000'000'000};
  ASSERT_EQ(open(0), "");
  files_->fail_removal(name_of(SegmentFile::compressed_records, 0));
  PruneBounds bounds{.before = wall_from_unix_seconds(1'800'000'000)};
  for (int i = 0; i < 3; ++i) {
    auto pruned = log_->prune(bounds, "alice");
    ASSERT_FALSE(pruned);
    EXPECT_EQ(pruned.error(), "it can't be removed");
  }
  auto segments = list_log(settings_.directory)->segments;
  EXPECT_TRUE(segments[0].has_records());
  EXPECT_FALSE(segments[1].has_records()) << "the others are deleted";
  files_->fail_removal("");
  auto pruned = log_->prune(bounds, "alice");
  ASSERT_TRUE(pruned) << pruned.error();
  EXPECT_FALSE(list_log(settings_.directory)->segments[0].has_records());
  log_.reset();
  auto lines = records();
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const auto& line) { return line.find("\"audit_pruned\"") != std::string::npos; }),
            1);
}

TEST_F(AuditLogTest, IsPrunedByHandWithARecordOfIt) {
  settings_.segment_bytes = 2000;
  ASSERT_EQ(open(), "");
  for (int i = 0; i < 200; ++i) {
    commit(std::to_string(i));
    std::this_thread::sleep_for(Milliseconds{1});
  }
  kill();  // with segments that are closed and not compressed, maybe
  settings_.segment_bytes = 1U << 20;
  settings_.segment_age = Seconds{1'000'000'000};  // the fixture's records are old
  ASSERT_EQ(open(0), "");
  auto pruned = log_->prune({.before = std::nullopt, .bytes = 3000}, "alice");
  ASSERT_TRUE(pruned) << pruned.error();
  ASSERT_GE(pruned->size(), 1U);  // the record of a deletion can make another one due
  EXPECT_EQ(pruned->front().first, 0U);
  EXPECT_EQ(pruned->front().reason, "size");
  auto needed = log_->prune({.before = wall_from_unix_seconds(1'800'000'000), .bytes = 1, .needed = 1}, "alice");
  EXPECT_TRUE(needed && needed->empty()) << "somebody needs what is left";
  auto again = log_->prune({.before = WallTime{}, .bytes = 3000}, "alice");
  EXPECT_TRUE(again && again->empty());
  // Records are of the past by their time, as the fixture makes them.
  auto by_time = log_->prune({.before = wall_from_unix_seconds(1'800'000'000), .bytes = 0}, "bob");
  ASSERT_TRUE(by_time) << by_time.error();
  ASSERT_EQ(by_time->size(), 1U);
  EXPECT_EQ(by_time->front().first, pruned->back().end);
  EXPECT_EQ(by_time->front().reason, "age");
  log_.reset();
  auto lines = records();
  std::string said;
  for (const std::string& line : lines) {
    said += line.find("\"audit_pruned\"") != std::string::npos ? line : "";
  }
  EXPECT_NE(said.find("\"end\":" + std::to_string(pruned->front().end) + ",\"first\":0,\"operator\":\"alice\""),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("\"end\":" + std::to_string(by_time->front().end) +
                      ",\"first\":0,\"operator\":\"bob\",\"reason\":\"age\""),
            std::string::npos)
      << said;
  ASSERT_EQ(open(), "") << "what is left is gone on with";
  commit("after");
  log_.reset();
}

TEST_F(AuditLogTest, WhatWasDeletedIsExplainedThoughTheRecordsOfEarlierDeletionsAreDeletedToo) {
  settings_.segment_bytes = 2000;
  std::string key;
  for (int round = 0; round < 4; ++round) {
    ASSERT_EQ(open(), "");
    key = load_signing_key(settings_.signing_key, settings_.origin)->verifier_key().to_line();
    for (int i = 0; i < 100; ++i) {
      commit(std::to_string(i));
      std::this_thread::sleep_for(Milliseconds{1});
    }
    ASSERT_TRUE(log_->prune({.before = wall_from_unix_seconds(1'800'000'000), .bytes = 0}, "alice"));
    log_.reset();
    auto report = verify_log({.directory = settings_.directory, .public_key = key, .saved = {}});
    ASSERT_TRUE(report);
    EXPECT_GT(report->pruned.size(), 0U);
    for (const audit::Finding& finding : report->findings) {
      ADD_FAILURE() << "round " << round << ": " << finding.text;
    }
  }
  auto lines = records();
  auto tells = [](const std::string& line) { return line.find("\"audit_pruned\"") != std::string::npos; };
  EXPECT_LT(std::ranges::count_if(lines, tells), 3) << "records of deletions were deleted";
}

TEST_F(AuditLogTest, PruningEndsWhenTheLogDoes) {
  ASSERT_EQ(open(), "");
  std::thread later([&] {
    std::this_thread::sleep_for(Milliseconds{20});
    log_->stop();
  });
  for (int i = 0; i < 1000; ++i) {
    if (!log_->prune({.before = WallTime{}, .bytes = 0}, "alice")) {
      break;
    }
  }
  later.join();
  EXPECT_FALSE(log_->prune({.before = WallTime{}, .bytes = 0}, "alice"));
}

TEST_F(AuditLogTest, IsHandedOverToAnotherKeyWhileItRuns) {
  ASSERT_EQ(open(), "");
  auto first = load_signing_key(settings_.signing_key, settings_.origin);
  commit("1");
  auto next = settings_;
  next.signing_key = root_ / "next.key";
  EXPECT_FALSE(log_->configure(next)) << "there is no such key";
  auto second = load_or_make_signing_key(next.signing_key, settings_.origin);
  ASSERT_TRUE(log_->configure(next));
  settings_ = next;
  ASSERT_TRUE(eventually([&] { return log_has("\"audit_key_changed\""); }));
  commit("2");
  log_.reset();
  auto lines = records();
  std::size_t at = 0;
  while (lines[at].find("audit_key_changed") == std::string::npos) {
    ++at;
  }
  EXPECT_NE(lines[at].find("\"key\":\"" + second->verifier_key().to_line() + "\",\"previous_key\":\"" +
                           first->verifier_key().to_line() + "\""),
            std::string::npos)
      << lines[at];
  auto notes = path_text("checkpoints");
  bool handed_over = false;
  for (std::string_view text : audit::split_notes(notes).notes) {
    auto read = audit::parse_checkpoint(text);
    handed_over |= read->checkpoint.size == at + 1 &&
                   signed_by(read->note, first->verifier_key()) == audit::SignedBy::valid &&
                   signed_by(read->note, second->verifier_key()) == audit::SignedBy::valid;
  }
  EXPECT_TRUE(handed_over);
}

TEST_F(AuditLogTest, AtAStartAnotherKeyNeedsThePreviousOne) {
  ASSERT_EQ(open(), "");
  log_.reset();
  auto previous = settings_.signing_key;
  settings_.signing_key = root_ / "next.key";
  EXPECT_NE(open().find("audit.previous_signing_key"), std::string::npos);
  settings_.previous_signing_key = previous;
  ASSERT_EQ(open(), "");
  log_.reset();
  auto found = types();
  EXPECT_EQ(std::count(found.begin(), found.end(), "audit_key_changed"), 1);
  settings_.previous_signing_key.clear();
  ASSERT_EQ(open(), "") << "it is not needed any more";
}

TEST_F(AuditLogTest, ChangesOfKeyAreKeptWhenTheirRecordsAreDeleted) {
  settings_.segment_bytes = 2000;
  std::vector<std::string> keys;
  for (int round = 0; round < 3; ++round) {
    settings_.previous_signing_key = round == 0 ? std::filesystem::path{} : settings_.signing_key;
    settings_.signing_key = root_ / ("key-" + std::to_string(round));
    ASSERT_EQ(open(), "");
    keys.push_back(load_signing_key(settings_.signing_key, settings_.origin)->verifier_key().to_line());
    for (int i = 0; i < 50; ++i) {
      commit(std::to_string(i));
      std::this_thread::sleep_for(Milliseconds{1});
    }
    ASSERT_TRUE(log_->prune({.before = wall_from_unix_seconds(1'800'000'000), .bytes = 0}, "alice"));
    log_.reset();
  }
  for (const std::string& line : records()) {
    EXPECT_EQ(line.find("audit_key_changed"), std::string::npos) << "was deleted";
  }
  auto size = audit::parse_checkpoint(path_text("checkpoint"))->checkpoint.size;
  auto proof = prove_record(settings_.directory, size - 1, Milliseconds{0});
  ASSERT_TRUE(proof) << proof.error();
  EXPECT_EQ(proof->hand_overs.size(), 2U);
  for (const std::string& key : keys) {
    auto report = verify_log({.directory = settings_.directory, .public_key = key, .saved = {}});
    ASSERT_TRUE(report && report->is_proven()) << report->findings.front().text;
    EXPECT_EQ(report->keys, keys);
    EXPECT_TRUE(audit::check_proof(*proof, key));
  }
}

TEST_F(AuditLogTest, ADamagedSegmentIsDeletedLikeAnyAndWhatItHadOfKeysIsSaidToBeLost) {
  settings_.segment_bytes = 2000;
  for (int round = 0; round < 3; ++round) {
    settings_.previous_signing_key = round == 0 ? std::filesystem::path{} : settings_.signing_key;
    settings_.signing_key = root_ / ("key-" + std::to_string(round));
    ASSERT_EQ(open(), "");
    for (int i = 0; i < 50; ++i) {
      commit(std::to_string(i));
      std::this_thread::sleep_for(Milliseconds{1});
    }
    ASSERT_TRUE(log_->prune({.before = std::nullopt, .bytes = 0}, "")) << "segments are compressed by then";
    log_.reset();
  }
  std::filesystem::path damaged;
  auto listing = list_log(settings_.directory);
  for (const SegmentEntry& entry : listing->segments) {
    auto reader = SegmentReader::open(settings_.directory, entry.first);
    for (auto chunk = reader->next(); chunk && !chunk->empty() && damaged.empty(); chunk = reader->next()) {
      damaged = chunk->lines.find("audit_key_changed") != std::string_view::npos ? reader->file() : damaged;
    }
  }
  ASSERT_EQ(damaged.extension(), ".zst");
  std::filesystem::resize_file(damaged, std::filesystem::file_size(damaged) - 1);
  std::vector<std::string> errors;
  auto log = AuditLog::open({.settings = settings_,
                             .loops = 0,
                             .version = "1.2.3",
                             .files = *files_,
                             .report = [&](const std::string& error) { errors.push_back(error); }});
  ASSERT_TRUE(log) << log.error();
  log_ = std::move(log).value();
  log_->start();
  auto pruned = log_->prune({.before = wall_from_unix_seconds(1'800'000'000), .bytes = 0}, "alice");
  ASSERT_TRUE(pruned) << pruned.error();
  EXPECT_FALSE(std::filesystem::exists(damaged));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors.front().find(damaged.filename().string()), std::string::npos) << errors.front();
  std::string kept = path_text(std::string(hand_overs_file));
  EXPECT_EQ(std::count(kept.begin(), kept.end(), '\n'), 1) << "the other change, though the damage is before it";
  EXPECT_EQ(proven_hand_overs(kept).size(), 1U);
}

TEST_F(AuditLogTest, MakesItsKeyOnceForItsOwnerOnly) {
  ASSERT_EQ(open(), "");
  EXPECT_EQ(std::filesystem::status(settings_.signing_key).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  auto beside = settings_.signing_key;
  beside += ".pub";
  std::ifstream file(beside);
  std::string line;
  std::getline(file, line);
  auto key = audit::NoteKey::parse(line);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->name(), settings_.origin);
  log_.reset();
  std::filesystem::permissions(settings_.signing_key, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_NE(open().find("can be read by everyone"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::store
