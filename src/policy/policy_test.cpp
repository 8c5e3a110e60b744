#include "policy/policy.h"

#include <gtest/gtest.h>

namespace sallyport::policy {
namespace {

TEST(Decision, DeniesUnlessSomethingDecidedOtherwise) {
  EXPECT_EQ(Decision{}.verdict, Verdict::deny);
}

TEST(AllowWithinRole, AllowsAndNamesItsRule) {
  identity::Principal principal;
  identity::ServiceAccount account;
  identity::Grant grant;
  Decision decision = AllowWithinRole{}.decide(
      {.principal = principal, .account = account, .grant = grant, .command = "query", .text = "SELECT 1"});
  EXPECT_EQ(decision.verdict, Verdict::allow);
  EXPECT_EQ(decision.rule, "within_role");
}

}  // namespace
}  // namespace sallyport::policy
