// What an operator configures about the audit log. Plain values; src/config fills them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "audit/answers_key.h"
#include "base/clock.h"

namespace sallyport::audit {

enum class Durability : std::uint8_t {
  normal,  // before a statement is forwarded its record is the kernel's: it survives the end of the process
  strict   // it is on the disk: it survives the loss of power
};

// Closed segments are deleted, oldest first, when one of these says so. Zero: it says nothing.
struct RetentionSettings {
  Seconds age{0};           // of a segment's last record
  std::uint64_t bytes = 0;  // of all segments together

  friend bool operator==(const RetentionSettings&, const RetentionSettings&) = default;
};

// Whom the log's checkpoints are sent to: a file, or a witness that cosigns.
struct WitnessSettings {
  std::string name;  // for metrics and records: the file, or the witness' name
  std::filesystem::path file;
  std::string url;                // without "/add-checkpoint"
  std::string key;                // the witness' verifier key, a line; valid
  std::filesystem::path ca_file;  // empty: the system's store
  Milliseconds every{60'000};     // not more often

  friend bool operator==(const WitnessSettings&, const WitnessSettings&) = default;
};

// Of which logs this gateway is a witness.
struct ServedWitnessSettings {
  std::string name;
  std::filesystem::path signing_key;  // Ed25519, PEM; made when it isn't there
  std::filesystem::path directory;    // what is known of these logs
  std::vector<std::string> logs;      // their verifier keys, lines; valid

  friend bool operator==(const ServedWitnessSettings&, const ServedWitnessSettings&) = default;
};

struct AuditSettings {
  std::filesystem::path directory;             // docs/audit-format.md says what is in it
  std::string origin;                          // the log's name; empty: the host's
  std::filesystem::path signing_key;           // Ed25519, PEM; made when it isn't there
  std::filesystem::path previous_signing_key;  // that signed the log so far, where signing_key is another; or empty
  Durability durability = Durability::normal;
  std::uint64_t segment_bytes = 64U << 20;     // when a segment is closed
  Seconds segment_age{3600};                   // since its first record; likewise
  std::uint64_t checkpoint_records = 100'000;  // a checkpoint is signed after as many, or after a second
  Milliseconds stall_limit{2000};              // what the disk may take for one request before commits fail
  RetentionSettings retention;
  std::uint64_t journal_bytes = 16U << 20;  // of each event loop's ring
  // Of the answers to accounts without a setting of their own; identity::answers_recorded_whole: all.
  std::uint64_t answer_bytes_recorded = 0;
  std::optional<AnswersKey> answers_key;          // encrypts those that are recorded
  std::vector<AnswersKey> previous_answers_keys;  // that did so, for whoever reads answers
  std::vector<WitnessSettings> witnesses;
  std::optional<ServedWitnessSettings> served_witness;
  std::vector<std::string> claims;  // names of those that are on record
};

}  // namespace sallyport::audit
