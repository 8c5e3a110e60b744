#include "net/process_limits.h"

#include <gtest/gtest.h>

namespace sallyport::net {
namespace {

TEST(ProcessLimits, ConnectionsLeaveDescriptorsForAllElse) {
  EXPECT_EQ(descriptors_for(10'000), 20'256U);
  EXPECT_EQ(connections_within(descriptors_for(10'000), 10'000), 10'000U);
  EXPECT_EQ(connections_within(descriptors_for(10'000) - 1, 10'000), 9'999U);
  EXPECT_EQ(connections_within(1'048'576, 10'000), 10'000U);
  EXPECT_EQ(connections_within(1024, 10'000), 384U);
  EXPECT_EQ(connections_within(64, 10'000), 16U) << "where little is to be had, half of it";
  EXPECT_EQ(connections_within(0, 10'000), 1U);
}

}  // namespace
}  // namespace sallyport::net
