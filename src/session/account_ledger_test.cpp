#include "session/account_ledger.h"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport::session {
namespace {

constexpr MonoTime start{Seconds{100}};

TEST(AccountLedger, AnAccountHasAtMostAsManySessionsAsItMay) {
  AccountLedger ledger;
  identity::AccountLimits limits{.sessions_max = 2};
  auto first = ledger.admit("a", limits, start);
  auto second = ledger.admit("a", limits, start);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(ledger.admit("a", limits, start).error(), Reason::too_many_account_sessions);
  EXPECT_TRUE(ledger.admit("b", limits, start)) << "another account has places of its own";
  { AccountLedger::Place ended = std::move(first).value(); }
  EXPECT_TRUE(ledger.admit("a", limits, start));
}

TEST(AccountLedger, APlaceThatIsAssignedOverIsGivenBack) {
  AccountLedger ledger;
  identity::AccountLimits limits{.sessions_max = 1};
  AccountLedger::Place place = ledger.admit("a", limits, start).value();
  place = AccountLedger::Place{};
  EXPECT_TRUE(ledger.admit("a", limits, start));
}

TEST(AccountLedger, LoginsComeNoFasterThanTheyMayOnAverage) {
  AccountLedger ledger;
  identity::AccountLimits limits{.sessions_max = 0, .logins_per_second_max = 10};
  int admitted = 0;
  for (int ms = 0; ms < 5000; ++ms) {
    admitted += ledger.admit("a", limits, start + Milliseconds{ms}) ? 1 : 0;
  }
  EXPECT_GE(admitted, 58);  // a burst of ten, then ten a second
  EXPECT_LE(admitted, 60);
}

TEST(AccountLedger, ARefusedLoginCostsNothing) {
  AccountLedger ledger;
  identity::AccountLimits limits{.sessions_max = 0, .logins_per_second_max = 1};
  EXPECT_TRUE(ledger.admit("a", limits, start));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ledger.admit("a", limits, start + Milliseconds{500}).error(), Reason::account_login_rate);
  }
  EXPECT_TRUE(ledger.admit("a", limits, start + Milliseconds{1000}));
}

TEST(AccountLedger, WithoutBoundsAllAreAdmitted) {
  AccountLedger ledger;
  identity::AccountLimits limits{.sessions_max = 0, .logins_per_second_max = 0};
  std::vector<AccountLedger::Place> places;
  for (int i = 0; i < 5000; ++i) {
    auto place = ledger.admit("a", limits, start);
    ASSERT_TRUE(place);
    places.push_back(std::move(place).value());
  }
}

}  // namespace
}  // namespace sallyport::session
