// Files whose requests event loops can see: one that takes too long is a log that can't be written. So that a large
// record is no stall, what is written goes to the disk in requests of a bounded size, with syncs between them.
#pragma once

#include <cstddef>

#include "store/file.h"
#include "store/log_state.h"

namespace sallyport::store {

class WatchedFiles final : public FileSystem {
 public:
  // Of what is written no request, and no sync, is of more.
  static constexpr std::size_t request_bytes_max = 4U << 20;

  // Both outlive it, and the files that it opens. One thread uses it.
  WatchedFiles(FileSystem& files, LogState& state) : files_(files), state_(state) {}

  FileResult<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) override;
  FileResult<Unit> rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  FileResult<Unit> remove(const std::filesystem::path& path) override;
  FileResult<Unit> sync_directory(const std::filesystem::path& directory) override;

 private:
  FileSystem& files_;
  LogState& state_;
};

}  // namespace sallyport::store
