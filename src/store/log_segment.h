// What the parts of Log share.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "store/log_search.h"

namespace sallyport::store {

struct Log::Segment {
  explicit Segment(SegmentBlocks opened) : blocks(std::move(opened)) {}

  // Those with records here, and those that are still open at its end. The error is for a person.
  Result<Unit, std::string> each_session(const std::function<void(const SessionSummary&)>& each) const;

  SegmentBlocks blocks;
  LogIndex index;  // without sessions unless in_memory
  bool in_memory = false;
  // Of the query at hand: those that match it, by id.
  mutable std::mutex mutex;
  mutable std::optional<Sessions> sessions;
};

// Opens what is sealed, where that is wanted, for any number of threads.
class Log::Unsealing {
 public:
  explicit Unsealing(SealKeys keys) : keys_(std::move(keys)) {}

  // Whether the bytes, a record or several, can have anything for it.
  bool may_open(std::string_view bytes) const { return keys_ && may_be_sealed(bytes); }
  // `opener` is the caller's, and made here.
  void open(std::string& record, std::optional<RecordOpener>& opener) {
    if (!may_open(record)) {
      return;
    }
    if (!opener) {
      opener.emplace(*keys_);
    }
    RecordOpener::Result result = opener->open(record);
    if (result == RecordOpener::Result::key_wanted || result == RecordOpener::Result::damaged) {
      std::lock_guard lock{mutex_};
      closed_.damaged = closed_.damaged || result == RecordOpener::Result::damaged;
      if (result == RecordOpener::Result::key_wanted) {
        closed_.wanted_keys.insert(opener->wanted_key());
      }
    }
  }
  ClosedSeals closed() const {
    std::lock_guard lock{mutex_};
    return closed_;
  }

 private:
  SealKeys keys_;
  mutable std::mutex mutex_;
  ClosedSeals closed_;
};

}  // namespace sallyport::store
