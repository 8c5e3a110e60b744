// What is done with closed segments, on a thread of its own: they are compressed, and deleted when retention says so.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/settings.h"
#include "base/clock.h"
#include "store/file.h"

namespace sallyport::store {

// What is to be kept of a log, at least one of these.
struct PruneBounds {
  std::optional<WallTime> before;     // not segments whose last record is older
  std::uint64_t bytes = 0;            // not more than that of all segments together, if that is not 0
  std::uint64_t needed = UINT64_MAX;  // this record and those behind it, whatever the others say
};
PruneBounds bounds_of(const audit::RetentionSettings& retention, WallTime now);

struct PrunePlan {
  std::vector<std::uint64_t> segments;  // oldest first; without any, nothing is to be done
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t bytes = 0;  // that are freed
  std::string time_first;   // of the records, as their tree files say
  std::string time_last;
  std::string_view reason;  // "age" or "size"
};
// Of the closed and compressed segments the oldest that the bounds do not keep, for one reason. The error is a
// sentence.
Result<PrunePlan, std::string> plan_pruning(const std::filesystem::path& directory, const PruneBounds& bounds);

// What was deleted, a plan for each reason, oldest first.
using Pruned = std::vector<PrunePlan>;

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
  // The first record that somebody needs still; by default nobody does.
  void keep_from(std::uint64_t needed);
  void set_retention(const audit::RetentionSettings& retention);

  // Deletes by bounds of its own, when all closed segments are compressed; `operator_name` is on record. From any
  // thread but that of run(). The error is a sentence; what was deleted before it is on record.
  Result<Pruned, std::string> prune(const PruneBounds& bounds, std::string operator_name);

  // Until stop(), which does not wait for what is under way: the next start takes it up.
  void run();
  void stop();

 private:
  bool stopped();
  void compress(std::uint64_t first);
  struct Order {
    PruneBounds bounds;
    std::string operator_name;
    std::promise<Result<Pruned, std::string>> done;
  };
  Result<Pruned, std::string> delete_segments(const std::function<PruneBounds(WallTime)>& bounds,
                                              const std::string& operator_name);
  FileResult<Unit> remove_segment(std::uint64_t first);
  void carry_out(std::vector<Order> orders);

  Parts parts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::uint64_t> waiting_;
  std::set<std::uint64_t> doomed_;  // on record as deleted, and not gone yet; of the thread of run()
  bool stopped_ = false;
  bool retention_changed_ = true;
  bool ended_ = false;
  std::vector<Order> orders_;
  std::atomic<std::uint64_t> needed_{UINT64_MAX};
};

}  // namespace sallyport::store
