// Single requests to the disk that fail, and ends of the process in the middle of what must be done as a whole: the log
// verifies afterwards, and has what was committed, once.
#include <set>

#include "store/audit_log_test_fixture.h"
#include "store/log_verification.h"

namespace sallyport::store {
namespace {

class LogFaultsTest : public AuditLogFixture {
 protected:
  LogFaultsTest() {
    settings_.durability = audit::Durability::strict;
    settings_.segment_bytes = 2000;
    settings_.checkpoint_records = 5;
    settings_.stall_limit = Milliseconds{100};
  }

  void begin_log(const std::string& name) {
    log_.reset();
    settings_.directory = root_ / name;
    std::filesystem::create_directories(settings_.directory);
    files_ = std::make_unique<FaultyFiles>(settings_.directory);
    committed_.clear();
    ASSERT_EQ(open(), "");
  }
  void commit_some(int count) {
    for (int i = 0; i < count; ++i) {
      std::string text = std::to_string(++made_);
      if (committed(text)) {
        committed_.insert(text);
      }
    }
  }
  void check_log() {
    log_.reset();
    auto key = load_signing_key(settings_.signing_key, settings_.origin);
    auto report =
        verify_log({.directory = settings_.directory, .public_key = key->verifier_key().to_line(), .saved = {}});
    ASSERT_TRUE(report) << report.error();
    for (const audit::Finding& finding : report->findings) {
      ADD_FAILURE() << finding.text;
    }
    EXPECT_TRUE(report->is_proven());
    std::string notes = path_text("checkpoints");
    EXPECT_EQ(audit::split_notes(notes).taken, notes.size());
    auto lines = records();
    for (const std::string& text : committed_) {
      EXPECT_EQ(count(lines, text), 1U) << text;
    }
  }

  std::set<std::string> committed_;
  int made_ = 0;
};

TEST_F(LogFaultsTest, AWriteThatFailsIsMadeGood) {
  ASSERT_NO_FATAL_FAILURE(begin_log("log"));
  constexpr std::uint64_t rounds = 25;
  for (std::uint64_t writes = 0; writes < rounds; ++writes) {
    files_->fail_write_after(writes);
    commit_some(30);
    ASSERT_TRUE(eventually([&] { return committed(std::to_string(++made_)); }));
  }
  // Not each comes to be: of many records at once fewer writes are made.
  EXPECT_GT(log_->status(now()).failures, rounds / 5);
  EXPECT_GT(log_->status(now()).segments_closed, 8U);
  check_log();
}

TEST_F(LogFaultsTest, WhileNoSegmentCanBeBegunNothingIsWrittenToTheOneBefore) {
  for (bool ends : {true, false}) {
    ASSERT_NO_FATAL_FAILURE(begin_log(ends ? "ends" : "goes-on"));
    files_->fail_opens("records-", ends ? UINT64_MAX : 3);
    commit_some(60);
    if (ends) {
      EXPECT_LT(committed_.size(), 40U);
      kill();
      ASSERT_EQ(open(), "");
    }
    ASSERT_TRUE(eventually([&] { return committed(std::to_string(++made_)); }));
    check_log();
  }
}

TEST_F(LogFaultsTest, AHandOverIsWholeOrNot) {
  auto first_key = settings_.signing_key;
  int whole = 0;
  for (std::uint64_t requests = 0; requests < 24; ++requests) {
    SCOPED_TRACE(requests);
    settings_.signing_key = first_key;
    settings_.previous_signing_key.clear();
    ASSERT_NO_FATAL_FAILURE(begin_log("log-" + std::to_string(requests)));
    commit_some(3);
    auto next = settings_;
    next.signing_key = root_ / "next.key";
    ASSERT_TRUE(load_or_make_signing_key(next.signing_key, next.origin));
    files_->cut_power_after(requests);
    ASSERT_TRUE(log_->configure(next));
    for (int i = 0; i < 4 && !files_->power_is_off(); ++i) {
      std::this_thread::sleep_for(Milliseconds{20});
    }
    commit_some(1);
    kill();
    settings_ = next;
    settings_.previous_signing_key = first_key;
    ASSERT_EQ(open(), "");
    commit_some(1);
    log_.reset();
    auto found = types();
    EXPECT_EQ(std::count(found.begin(), found.end(), "audit_key_changed"), 1);
    whole += std::find(found.begin(), found.end(), "audit_key_changed") <
             std::find(found.begin() + 1, found.end(), "audit_start");
    check_log();
    if (whole > 2) {
      // Both keys have signed the checkpoint of a hand-over; only the new one goes on.
      settings_.signing_key = first_key;
      settings_.previous_signing_key.clear();
      EXPECT_NE(open().find("audit.previous_signing_key"), std::string::npos);
    }
  }
  EXPECT_GT(whole, 2) << "the last ones are";
  EXPECT_LT(whole, 22);
}

TEST_F(LogFaultsTest, AHandOverThatWasSignedIsNotTakenBack) {
  ASSERT_NO_FATAL_FAILURE(begin_log("log"));
  commit_some(3);
  auto first_key = settings_.signing_key;
  auto next = settings_;
  next.signing_key = root_ / "next.key";
  ASSERT_TRUE(load_or_make_signing_key(next.signing_key, next.origin));
  ASSERT_TRUE(log_->configure(next));
  auto signed_by_both = [&] {
    auto read = audit::parse_checkpoint(path_text("checkpoint"));
    return read && read->note.signatures.size() == 2;
  };
  ASSERT_TRUE(eventually(signed_by_both));
  kill();
  ASSERT_TRUE(signed_by_both());
  EXPECT_NE(open().find("audit.previous_signing_key"), std::string::npos) << "the first key alone";
  settings_.signing_key = root_ / "third.key";
  settings_.previous_signing_key = first_key;
  ASSERT_TRUE(load_or_make_signing_key(settings_.signing_key, next.origin));
  EXPECT_NE(open().find("audit.previous_signing_key"), std::string::npos) << "nor can it hand over to a third one";
  settings_ = next;
  ASSERT_EQ(open(), "");
  check_log();
}

TEST_F(LogFaultsTest, AListOfCheckpointsThatIsCutIsGoneOnWith) {
  settings_.stall_limit = Milliseconds{60'000};  // every record is to be taken, however slow the disk
  ASSERT_NO_FATAL_FAILURE(begin_log("log"));
  auto list = settings_.directory / "checkpoints";
  for (int round = 0; round < 4; ++round) {
    if (round % 2 == 0) {
      std::filesystem::remove(list);
    } else {
      std::filesystem::resize_file(list, std::filesystem::file_size(list) - 7);
    }
    std::uint64_t closed = log_->status(now()).segments_closed;
    commit_some(60);
    // What is committed comes to the segments a little later.
    ASSERT_TRUE(eventually(
        [&] { return log_->status(now()).segments_closed > closed && path_text("checkpoints").size() > 100; }));
  }
  EXPECT_EQ(committed_.size(), 240U);
  EXPECT_EQ(log_->status(now()).failures, 0U);
  check_log();
}

// Between the look at it, which says where the next note goes, and the writing of that.
TEST_F(LogFaultsTest, AListOfCheckpointsThatIsCutWhileItIsWrittenIsGoneOnWith) {
  settings_.stall_limit = Milliseconds{60'000};
  ASSERT_NO_FATAL_FAILURE(begin_log("log"));
  auto list = settings_.directory / "checkpoints";
  for (bool is_removed : {false, true}) {
    commit_some(30);
    auto is_cut = std::make_shared<std::atomic<bool>>(false);
    files_->before_open("checkpoints", [=] {
      is_removed ? void(std::filesystem::remove(list)) : std::filesystem::resize_file(list, 7);
      *is_cut = true;
    });
    commit_some(30);
    ASSERT_TRUE(eventually([&] { return *is_cut && path_text("checkpoints").size() > 100; }));
  }
  commit_some(30);
  EXPECT_EQ(committed_.size(), 150U);
  EXPECT_EQ(log_->status(now()).failures, 0U);
  check_log();
}

// It would be a log in which two records have one place.
TEST_F(LogFaultsTest, ASegmentThatIsNotAsItsHashesSayIsNotGoneOnWith) {
  ASSERT_NO_FATAL_FAILURE(begin_log("log"));
  commit_some(30);
  log_.reset();
  auto listing = list_log(settings_.directory);
  std::uint64_t last = listing->segments.back().first;
  audit::RangeTree tree(last);
  tree.append(audit::leaf_hash("{}"));
  audit::SegmentRange range{.range = tree.range(), .time_first = {}, .time_last = {}};
  std::ofstream(listing->file(SegmentFile::tree, last)) << to_json_line(range);
  EXPECT_NE(open().find("does not belong to the segment"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::store
