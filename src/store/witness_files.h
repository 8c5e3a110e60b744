// Files of witnesses: copies of checkpoints elsewhere, the cosigned checkpoints in the log's directory, and what a
// gateway that is a witness of other logs keeps of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/proof.h"
#include "base/result.h"
#include "store/file.h"

namespace sallyport::store {

// In the log's directory: of each witness the newest checkpoint that it cosigned.
inline constexpr std::string_view cosigned_file = "cosigned";

// Errors are sentences for the operator.

struct CopyError {
  enum class Kind : std::uint8_t {
    unusable,      // it can't be read or written, or is no such file
    other_history  // it has a checkpoint that the given one does not go on from
  };
  Kind kind = Kind::unusable;
  std::string text;
};

// A file on another disk, to which checkpoints are appended as in `checkpoints`.
class CheckpointCopies {
 public:
  CheckpointCopies(FileSystem& files, std::filesystem::path path) : files_(files), path_(std::move(path)) {}

  // The proof that the checkpoint goes on from the first `old_size` records, as prove_consistency() makes it.
  using Prove = std::function<Result<std::vector<audit::Hash>, std::string>(std::uint64_t old_size)>;
  // Returns when it is on the disk. `prove` is asked whether it goes on from what was in the file before this process
  // wrote to it. The checkpoints given are of one log.
  Result<Unit, CopyError> add(std::string_view note, const audit::Checkpoint& checkpoint, const Prove& prove);

 private:
  Result<Unit, CopyError> read();
  Result<Unit, CopyError> look_at(const audit::Checkpoint& checkpoint, const Prove& prove);

  FileSystem& files_;
  std::filesystem::path path_;
  std::optional<audit::Checkpoint> last_;  // in the file
  std::uint64_t bytes_ = 0;                // of its whole notes
  bool is_known_ = false;
  bool is_ours_ = false;  // the last one: this process wrote it
};

class CosignedCheckpoints {
 public:
  CosignedCheckpoints(FileSystem& files, std::filesystem::path directory)
      : files_(files), directory_(std::move(directory)) {}

  // In place of the one that was cosigned by that witness before; those of other witnesses stay, of a gateway before
  // as well, as far as they can be read. One thread at a time.
  Result<Unit, std::string> put(const std::string& witness, std::string note);

 private:
  void load();

  FileSystem& files_;
  std::filesystem::path directory_;
  std::map<std::string, std::string> notes_;  // by the witness' name
  bool is_known_ = false;
};

// Of each log that is witnessed the newest checkpoint that was cosigned, a file each. One thread at a time.
class WitnessedLogs {
 public:
  WitnessedLogs(FileSystem& files, std::filesystem::path directory) : files_(files), directory_(std::move(directory)) {}

  // Nothing when none was cosigned. An error, too, when what is there can't be read: then nothing may be cosigned.
  Result<std::optional<audit::TreeHead>, std::string> newest(const std::string& origin) const;
  // Returns when it is on the disk.
  Result<Unit, std::string> put(const audit::Checkpoint& checkpoint, std::string_view note);

 private:
  std::filesystem::path path_of(const std::string& origin) const;

  FileSystem& files_;
  std::filesystem::path directory_;
};

}  // namespace sallyport::store
