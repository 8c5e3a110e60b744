// Opens the files of a log for reading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace sallyport::store {

struct LogFile {
  Descriptor descriptor;
  std::uint64_t bytes = 0;  // when it was opened
};

struct LogFileError {
  bool is_absent = false;
  std::string reason;  // "Permission denied"

  // "FILE can't be read: REASON"
  std::string sentence(const std::filesystem::path& file) const;
};

// A regular file: what else may stand in its place, a pipe for example, is not waited for, and is an error.
Result<LogFile, LogFileError> open_log_file(const std::filesystem::path& file);

}  // namespace sallyport::store
