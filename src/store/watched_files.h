// Files whose requests event loops can see: one that takes too long is a log that can't be written.
#pragma once

#include "store/file.h"
#include "store/log_state.h"

namespace sallyport::store {

class WatchedFiles final : public FileSystem {
 public:
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
