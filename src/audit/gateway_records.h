// Records of the gateway's own doings, which belong to no session. docs/audit-records.md describes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "crypto/hash.h"

namespace sallyport::audit {

struct ConfigurationLoaded {
  crypto::Sha256Digest configuration;
  std::optional<crypto::Sha256Digest> previous;  // of a reload
};
// Each appends a whole record to `line`.
void append_configuration_loaded(std::string& line, const ConfigurationLoaded& loaded, WallTime now);

struct ConfigurationRefused {
  std::optional<crypto::Sha256Digest> configuration;  // of the file, where it was read
  std::string_view error;                             // for an operator; no text of the file but names of settings
};
void append_configuration_refused(std::string& line, const ConfigurationRefused& refused, WallTime now);

// Whether a witness has the log's newest checkpoint, when that changes.
struct WitnessChange {
  std::string_view witness;
  std::string_view state;     // "current", "failing" or "inconsistent"
  std::uint64_t records = 0;  // of the checkpoint that was sent
  std::string_view detail;    // why not; or empty
};
void append_witness_state(std::string& line, const WitnessChange& change, WallTime now);

}  // namespace sallyport::audit
