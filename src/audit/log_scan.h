// A look at consecutive records of a log: their hashes, whether each is as the format asks, and those that speak of the
// log itself. Pure, so that many threads can each look at a part.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/tree.h"

namespace sallyport::audit {

// Records `first` up to but without `end`.
struct RecordSpan {
  std::uint64_t first;
  std::uint64_t end;

  friend bool operator==(const RecordSpan&, const RecordSpan&) = default;
};

struct NumberedRecord {
  std::uint64_t index;
  std::string text;  // without its LF
};

struct RecordFault {
  std::uint64_t index;
  std::string what;  // a phrase in lower case
};

struct ScannedRange {
  Range range;
  std::string time_last;  // of its last record, as it stands there; empty when it has none
};

// An outcome that says that its answer, or the beginning of it, is recorded.
struct RecordedAnswer {
  std::uint64_t index = 0;  // of the outcome's record
  std::string session;
  std::uint64_t command = 0;         // seq of its record
  std::uint64_t command_hash = 0;    // as in RecordScan::commands
  std::uint64_t recorded_bytes = 0;  // from the answer's first
  Hash recorded_sha256{};            // of these
  std::uint64_t bytes = 0;           // of the answer

  bool is_whole() const { return recorded_bytes == bytes; }
};

struct RecordScan {
  static constexpr std::size_t faults_max = 16;

  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::vector<ScannedRange> ranges;         // one behind the other; a range ends at each cut
  std::vector<NumberedRecord> key_changes;  // records of changes of the log's key
  std::vector<RecordSpan> deletions;        // of which records tell
  std::vector<std::uint64_t> commands;      // of each command a hash of its session and number
  std::vector<std::uint64_t> outcomes;      // the same of the command of each outcome
  std::vector<RecordedAnswer> answers;      // in the order of their outcomes
  std::vector<std::string> answers_keys;    // ids of keys that encrypt answers from there on, as records name them
  std::vector<RecordFault> faults;          // the first ones
  std::uint64_t fault_count = 0;
  std::string time_first;  // of the first record
};

// `lines` are whole lines, the first of which is record `first`. `cuts` are ascending.
RecordScan scan_records(std::string_view lines, std::uint64_t first, std::span<const std::uint64_t> cuts);

}  // namespace sallyport::audit
