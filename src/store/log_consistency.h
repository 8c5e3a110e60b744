// Proves that a log goes on from an older checkpoint: for its witnesses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "base/result.h"

namespace sallyport::store {

// RFC 6962's consistency proof from the first `old_size` records to the checkpoint, made of the log's files, which may
// be written meanwhile. old_size <= checkpoint.size. The error is a sentence: records that are needed were deleted or
// can't be read, or the records are not those of the checkpoint.
Result<std::vector<audit::Hash>, std::string> prove_consistency(const std::filesystem::path& directory,
                                                                std::uint64_t old_size,
                                                                const audit::Checkpoint& checkpoint);

}  // namespace sallyport::store
