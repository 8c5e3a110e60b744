// Makes the proof of one record of the audit log in a directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/proof_file.h"
#include "base/clock.h"
#include "base/result.h"

namespace sallyport::store {

// The index of the record of that session and number; nothing when the log has none (any more). Errors are sentences.
Result<std::optional<std::uint64_t>, std::string> find_record(const std::filesystem::path& directory,
                                                              std::string_view session, std::uint64_t seq);

// By the newest checkpoint; while that does not cover the record, a newer one is waited for for so long. What is proven
// is compared with the checkpoint's root before it is handed out, signatures are not looked at.
Result<audit::ProofFile, std::string> prove_record(const std::filesystem::path& directory, std::uint64_t index,
                                                   Milliseconds patience);

struct ProvenHandOvers {
  std::vector<audit::InclusionStatement> proven;  // oldest first
  std::string fault;  // a sentence: why the first that may be one can't be proven; empty when all can be
};
// Of the changes of key whose records are there, before record `end`: that each is in the log, by the checkpoint that
// both keys signed.
ProvenHandOvers prove_hand_overs(const std::filesystem::path& directory, std::uint64_t end);

}  // namespace sallyport::store
