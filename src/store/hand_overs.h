// The changes of a log's key whose records were deleted: the file `hand-overs` (docs/audit-format.md). Errors are
// sentences.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/proof_file.h"
#include "base/result.h"
#include "store/file.h"

namespace sallyport::store {

inline constexpr std::string_view hand_overs_file = "hand-overs";

// The file's content; empty where there is none.
Result<std::string, std::string> read_hand_overs(const std::filesystem::path& directory);

// Those of `lines` that are proven, oldest first; of one record the first.
std::vector<audit::InclusionStatement> proven_hand_overs(std::string_view lines);

// Before the records up to `end` are deleted: returns when the changes of key among them are in the file, on the disk.
// One that can't be proven, as the log is damaged, is lost, and yields a sentence that says so: it would be no better
// for being kept.
Result<std::optional<std::string>, std::string> keep_hand_overs(FileSystem& files,
                                                                const std::filesystem::path& directory,
                                                                std::uint64_t end);

}  // namespace sallyport::store
