#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace sallyport {
namespace {

enum class Fault { bad };

Result<std::unique_ptr<int>, Fault> make(int value) {
  if (value < 0) {
    return Unexpected(Fault::bad);
  }
  return std::make_unique<int>(value);
}

TEST(Result, HoldsAMoveOnlyValueOrAnError) {
  auto good = make(7);
  ASSERT_TRUE(good);
  EXPECT_EQ(**good, 7);
  std::unique_ptr<int> taken = std::move(good).value();
  EXPECT_EQ(*taken, 7);
  auto bad = make(-1);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error(), Fault::bad);
}

TEST(Result, ValueOrReplacesAnError) {
  Result<std::string, Fault> bad = Unexpected(Fault::bad);
  EXPECT_EQ(bad.value_or("other"), "other");
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorAborts) {
  auto bad = make(-1);
  EXPECT_DEATH((void)bad.value(), "check failed");
}

}  // namespace
}  // namespace sallyport
