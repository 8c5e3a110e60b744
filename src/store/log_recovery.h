// Takes up a log that a gateway left behind, in good order or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audit/note.h"
#include "base/result.h"
#include "store/file.h"
#include "store/segment_writer.h"

namespace sallyport::store {

struct RecoveredLog {
  LogPosition position;                // behind the last whole record
  std::uint64_t torn_bytes = 0;        // in the open segment behind it
  std::string restored;                // lines that are in journals and not in the log, in the order of their commits
  std::uint64_t restored_records = 0;  // their number
  std::string restored_answers;        // pieces of answers from journals; the log may have them, too
  std::uint64_t unreadable_journals = 0;
  std::uint64_t checkpoints_bytes = 0;     // of the list of checkpoints
  std::vector<std::uint64_t> to_compress;  // closed segments that are not yet
  std::optional<std::size_t> key;          // which of the keys signed the newest checkpoint; nothing when there is none
};

// Reads what is needed: the hashes of closed segments, the records of the open one, the journals. What is read is
// compared with the newest checkpoint. `keys`: of one name, the log's. Writes only what a crash has left out: hashes of
// a closed segment, the newest checkpoint in the list of checkpoints; and temporary files are removed. The error is for
// the operator: what is wrong, and what to do.
Result<RecoveredLog, std::string> recover_log(FileSystem& files, const std::filesystem::path& directory,
                                              std::span<const audit::NoteKey* const> keys);

}  // namespace sallyport::store
