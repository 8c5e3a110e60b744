// What is done with closed segments, on a thread of its own: they are compressed, and deleted when retention says so.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/settings.h"
#include "base/clock.h"
#include "store/file.h"

namespace sallyport::store {

struct PrunePlan {
  std::vector<std::uint64_t> segments;  // oldest first; without any, nothing is to be done
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::string_view reason;  // "age" or "size"
};
// Of the closed and compressed segments the oldest that retention does not keep. The error is a sentence.
Result<PrunePlan, std::string> plan_pruning(const std::filesystem::path& directory,
                                            const audit::RetentionSettings& retention, WallTime now);

// Makes records-FIRST.jsonl.zst and index-FIRST.zst, and removes the open form. `stopped` is asked now and then: then
// nothing is left behind, and it is no error.
FileResult<Unit> compress_segment(FileSystem& files, const std::filesystem::path& directory, std::uint64_t first,
                                  const std::function<bool()>& stopped);

class SegmentCloser {
 public:
  struct Parts {
    FileSystem& files;
    std::filesystem::path directory;
    audit::RetentionSettings retention;
    // Puts a record into the log and waits until it is on the disk; false when that won't be.
    std::function<bool(std::string line)> record;
    std::function<void(const std::string& error)> report;
  };
  explicit SegmentCloser(Parts parts);

  // From any thread.
  void add(std::uint64_t first);
  void set_retention(const audit::RetentionSettings& retention);

  // Until stop(), which does not wait for what is under way: the next start takes it up.
  void run();
  void stop();

 private:
  bool stopped();
  void compress(std::uint64_t first);
  void prune(const audit::RetentionSettings& retention);

  Parts parts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::uint64_t> waiting_;
  bool stopped_ = false;
  bool retention_changed_ = true;
};

}  // namespace sallyport::store
