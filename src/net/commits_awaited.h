// The commits that a connection has asked for and was not told of yet.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace sallyport::net {

enum class CommitResult : std::uint8_t { committed, failed };

// A session waits for the newest record only, and is told once, when no commit is under way any more: what an earlier
// one was for may be over, and its commit must not be taken for that of the newest. They may settle in any order, so
// one that failed makes the whole fail.
class CommitsAwaited {
 public:
  void ask() { ++count_; }
  // Nothing while others are under way. To be called once for each ask().
  std::optional<CommitResult> done(CommitResult result) {
    failed_ = failed_ || result == CommitResult::failed;
    if (--count_ > 0) {
      return std::nullopt;
    }
    return std::exchange(failed_, false) ? CommitResult::failed : CommitResult::committed;
  }

 private:
  std::uint32_t count_ = 0;
  bool failed_ = false;
};

}  // namespace sallyport::net
