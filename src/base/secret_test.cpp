#include "base/secret.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(Secret, IsEmptyAfterBeingMovedFromOrCleared) {
  Secret first{"a-password-long-enough-to-live-on-the-heap"};
  Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.reveal(), "a-password-long-enough-to-live-on-the-heap");
  second.clear();
  EXPECT_TRUE(second.empty());
}

TEST(Wipe, OverwritesEveryByte) {
  char text[] = "secret";
  wipe(text, sizeof text);
  for (char c : text) {
    EXPECT_EQ(c, '\0');
  }
}

}  // namespace
}  // namespace sallyport
