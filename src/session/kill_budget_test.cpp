#include "session/kill_budget.h"

#include <gtest/gtest.h>

namespace sallyport::session {
namespace {

using Verdict = KillBudget::Verdict;
using Reached = KillBudget::Reached;

class KillBudgetTest : public testing::Test {
 protected:
  Verdict ask(const std::string& server = "a") { return budget_.ask(server, limits_, now_); }
  Verdict ask_again(const std::string& server = "a") { return budget_.ask_again(server, limits_, now_); }

  KillBudget budget_;
  Limits limits_{.side_connections_max = 2, .kills_waiting_max = 2};
  MonoTime now_{Seconds{50}};
};

TEST_F(KillBudgetTest, SoManyAtATimeSoManyThatWaitAndNoMore) {
  EXPECT_EQ(ask(), Verdict::begin);
  EXPECT_EQ(ask("b"), Verdict::begin);
  EXPECT_EQ(ask(), Verdict::wait);
  EXPECT_EQ(ask(), Verdict::wait);
  EXPECT_EQ(ask("c"), Verdict::too_many);
  EXPECT_EQ(ask_again(), Verdict::wait);
  budget_.end("a", Reached::yes, now_);
  EXPECT_EQ(ask("c"), Verdict::too_many) << "nobody overtakes those that wait";
  EXPECT_EQ(ask_again(), Verdict::begin);
  EXPECT_EQ(ask_again(), Verdict::wait);
  budget_.withdraw();
  budget_.end("b", Reached::unknown, now_);
  budget_.end("a", Reached::yes, now_);
  EXPECT_EQ(budget_.counts().open, 0U);
  EXPECT_EQ(budget_.counts().waiting, 0U);
  EXPECT_EQ(ask(), Verdict::begin);
}

TEST_F(KillBudgetTest, AServerThatWasNotReachedIsLeftAloneLongerEachTime) {
  for (int pause : {100, 200, 400, 800, 1600, 3200, 6400, 10'000, 10'000}) {
    ASSERT_EQ(ask(), Verdict::begin) << pause;
    budget_.end("a", Reached::no, now_);
    now_ += Milliseconds{pause} - Milliseconds{1};
    EXPECT_EQ(ask(), Verdict::too_soon) << pause;
    EXPECT_EQ(ask("b"), Verdict::begin) << "another is not concerned";
    budget_.end("b", Reached::yes, now_);
    now_ += Milliseconds{1};
  }
  ASSERT_EQ(ask(), Verdict::begin);
  budget_.end("a", Reached::yes, now_);
  ASSERT_EQ(ask(), Verdict::begin);
  budget_.end("a", Reached::no, now_);
  now_ += Milliseconds{100};
  EXPECT_EQ(ask(), Verdict::begin) << "from the beginning, once it was reached";
}

TEST_F(KillBudgetTest, SeveralThatFailTogetherCountAsOne) {
  limits_.side_connections_max = 10;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(ask(), Verdict::begin);
  }
  EXPECT_EQ(ask(), Verdict::wait);
  for (int i = 0; i < 10; ++i) {
    budget_.end("a", Reached::no, now_);
  }
  EXPECT_EQ(ask_again(), Verdict::too_soon) << "and those that wait are told";
  EXPECT_EQ(budget_.counts().waiting, 0U);
  now_ += Milliseconds{100};
  EXPECT_EQ(ask(), Verdict::begin);
}

TEST_F(KillBudgetTest, OfServersThatAreAwayNotMoreThanAThousandAreRemembered) {
  for (int i = 0; i < 1500; ++i) {
    std::string server = "server " + std::to_string(i);
    ASSERT_EQ(ask(server), Verdict::begin);
    budget_.end(server, Reached::no, now_);
  }
  EXPECT_EQ(ask("server 0"), Verdict::too_soon);
  EXPECT_EQ(ask("server 1499"), Verdict::begin);
}

}  // namespace
}  // namespace sallyport::session
