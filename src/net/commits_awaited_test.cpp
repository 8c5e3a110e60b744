#include "net/commits_awaited.h"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport::net {
namespace {

using Results = std::vector<CommitResult>;
constexpr CommitResult committed = CommitResult::committed;
constexpr CommitResult failed = CommitResult::failed;

TEST(CommitsAwaited, TheLastTellsOfAll) {
  CommitsAwaited awaited;
  for (const Results& results :
       {Results{committed}, Results{failed}, Results{committed, committed}, Results{committed, failed},
        Results{failed, committed}, Results{failed, committed, committed}, Results{committed, committed, committed}}) {
    bool fails = false;
    for (CommitResult result : results) {
      awaited.ask();
      fails = fails || result == failed;
    }
    for (std::size_t i = 0; i + 1 < results.size(); ++i) {
      EXPECT_EQ(awaited.done(results[i]), std::nullopt);
    }
    EXPECT_EQ(awaited.done(results.back()), fails ? failed : committed);
  }
}

}  // namespace
}  // namespace sallyport::net
