// The power goes at any request to the disk. What was committed in durability strict is there afterwards, once; what is
// there can be verified, whatever the durability.
#include <cstdlib>
#include <random>
#include <set>

#include "store/audit_log_test_fixture.h"

namespace sallyport::store {
namespace {

class PowerLossTest : public AuditLogFixture, public testing::WithParamInterface<audit::Durability> {
 protected:
  PowerLossTest() {
    settings_.durability = GetParam();
    settings_.segment_bytes = 3000;
    settings_.checkpoint_records = 5;
    settings_.stall_limit = Milliseconds{100};
  }

  // Any of a journal's pages may be an older one.
  void forget_pages_of_journals(std::mt19937& random) {
    for (const auto& entry : std::filesystem::directory_iterator(settings_.directory)) {
      if (!entry.path().filename().string().starts_with("journal-")) {
        continue;
      }
      std::string content = path_text(entry.path().filename().string());
      for (std::size_t page = 0; page + 4096 <= content.size(); page += 4096) {
        if (random() % 2 == 0) {
          content.replace(page, 4096, 4096, '\0');
        }
      }
      std::ofstream(entry.path(), std::ios::binary) << content;
    }
  }

  // Commits until the power is off; what is known to be committed.
  void work(std::mt19937& random, std::set<std::string>& committed_records) {
    for (int i = 0; i < 400 && !files_->power_is_off(); ++i) {
      std::string text = std::to_string(++made_);
      if (committed(text, static_cast<std::uint32_t>(random() % 2))) {
        committed_records.insert(text);
      }
      if (random() % 8 == 0) {
        std::this_thread::sleep_for(Milliseconds{2});
      }
    }
  }

  void work_until_power_is_cut(std::mt19937& random, std::set<std::string>& committed_records) {
    files_->cut_power_after(random() % 60);
    std::string error = open();
    if (error.empty()) {
      work(random, committed_records);
    } else {
      ASSERT_TRUE(files_->power_is_off()) << error;
    }
  }
  static int rounds() { return std::getenv("SALLYPORT_TEST_LONG") != nullptr ? 1000 : 25; }

  std::uint64_t made_ = 0;
};

TEST_P(PowerLossTest, WhateverTheMoment) {
  std::mt19937 random(GetParam() == audit::Durability::strict ? 20U : 10U);
  std::set<std::string> committed_records;
  for (int round = 0; round < rounds(); ++round) {
    SCOPED_TRACE(round);
    ASSERT_NO_FATAL_FAILURE(work_until_power_is_cut(random, committed_records));
    files_->lose_power(random);
    log_.reset();
    forget_pages_of_journals(random);
    files_ = std::make_unique<FaultyFiles>(settings_.directory);
    ASSERT_EQ(open(), "");
    log_.reset();
    auto lines = records();
    std::multiset<std::string> present(lines.begin(), lines.end());
    for (const std::string& text : committed_records) {
      std::size_t times = present.count(record(text).substr(0, record(text).size() - 1));
      ASSERT_LE(times, 1U) << text;
      if (GetParam() == audit::Durability::strict) {
        ASSERT_EQ(times, 1U) << text << " of " << made_;
      }
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  EXPECT_GT(committed_records.size(), 20U) << "the test tests something";
}

INSTANTIATE_TEST_SUITE_P(Durabilities, PowerLossTest,
                         testing::Values(audit::Durability::normal, audit::Durability::strict), [](const auto& given) {
                           return given.param == audit::Durability::strict ? "Strict" : "Normal";
                         });

// The process ends, the kernel lives: nothing that was committed is missing, in either durability.
TEST_P(PowerLossTest, TheEndOfTheProcessLosesNothing) {
  std::mt19937 random(5);
  std::set<std::string> committed_records;
  for (int round = 0; round < rounds(); ++round) {
    SCOPED_TRACE(round);
    ASSERT_NO_FATAL_FAILURE(work_until_power_is_cut(random, committed_records));
    kill();
    ASSERT_EQ(open(), "");
    log_.reset();
    auto lines = records();
    std::multiset<std::string> present(lines.begin(), lines.end());
    for (const std::string& text : committed_records) {
      ASSERT_EQ(present.count(record(text).substr(0, record(text).size() - 1)), 1U) << text << " of " << made_;
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  EXPECT_GT(committed_records.size(), 20U) << "the test tests something";
}

}  // namespace
}  // namespace sallyport::store
