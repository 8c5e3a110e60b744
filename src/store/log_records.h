// The records that the audit log writes about itself: docs/audit-records.md. Each is a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace sallyport::store {

struct StartRecord {
  std::string answers_key;  // id of the key that encrypts answers, in hexadecimal; or empty
  std::string durability;
  std::string key;  // the verifier key's line
  std::uint32_t loops = 0;
  std::string origin;
  std::uint64_t restored_records = 0;
  std::uint64_t torn_bytes = 0;
  std::uint64_t unreadable_journals = 0;
  std::string version;  // of the program
};
std::string to_line(const StartRecord& record, WallTime now);

std::string stop_record(WallTime now);

struct GapRecord {
  std::uint64_t lost_records = 0;
  std::string reason;
  WallTime since;
};
std::string to_line(const GapRecord& record, WallTime now);

// Tells of all that was deleted from the log's beginning on, as the records of earlier deletions may be among it.
struct PrunedRecord {
  std::uint64_t end = 0;           // behind the last
  std::string_view operator_name;  // who deleted them by hand; or empty
  std::string_view reason;
};
std::string to_line(const PrunedRecord& record, WallTime now);

// `key_id` in hexadecimal; empty: from now on answers are in the clear.
std::string answers_key_record(std::string_view key_id, WallTime now);

struct SinkDroppedRecord {
  std::string sink;
  std::uint64_t first = 0;
  std::uint64_t end = 0;  // behind the last
  std::string_view reason;
};
std::string to_line(const SinkDroppedRecord& record, WallTime now);

struct KeyChangedRecord {
  std::string key;
  std::string previous_key;
};
std::string to_line(const KeyChangedRecord& record, WallTime now);

// The member "time" of a record, as it is written there; empty where there is none. `record` is a JSON object.
std::string_view time_of_record(std::string_view record);

}  // namespace sallyport::store
