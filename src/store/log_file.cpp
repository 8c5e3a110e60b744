#include "store/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace sallyport::store {

std::string LogFileError::sentence(const std::filesystem::path& file) const {
  return file.string() + " can't be read: " + reason;
}

Result<LogFile, LogFileError> open_log_file(const std::filesystem::path& file) {
  LogFile opened{.descriptor = Descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)}};
  struct stat info {};
  if (!opened.descriptor.is_open() || ::fstat(opened.descriptor.number(), &info) != 0) {
    return Unexpected(LogFileError{.is_absent = errno == ENOENT, .reason = std::strerror(errno)});
  }
  if (!S_ISREG(info.st_mode)) {
    return Unexpected(LogFileError{.reason = "it is no regular file"});
  }
  opened.bytes = static_cast<std::uint64_t>(info.st_size);
  return opened;
}

}  // namespace sallyport::store
