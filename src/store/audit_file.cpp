#include "store/audit_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sallyport::store {
namespace {

// What may wait while commits fail. A record that finds less waiting is taken whatever its size.
constexpr std::size_t pending_bytes_max = 8U << 20;
constexpr std::size_t pending_bytes_kept = 256U << 10;
constexpr mode_t file_mode = 0640;

std::string failure(const std::filesystem::path& path, std::string_view what) {
  return std::string(what) + " " + path.string() + ": " + std::strerror(errno);
}

Result<int, std::string> open_for_append(const std::filesystem::path& path) {
  int descriptor = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, file_mode);
  if (descriptor < 0) {
    return Unexpected(failure(path, "cannot open"));
  }
  // A crash may have torn the last line; the next record begins on a line of its own.
  struct stat info {};
  char last = '\n';
  if (::fstat(descriptor, &info) == 0 && info.st_size > 0 && ::pread(descriptor, &last, 1, info.st_size - 1) == 1 &&
      last != '\n' && ::write(descriptor, "\n", 1) != 1) {
    std::string error = failure(path, "cannot write");
    ::close(descriptor);
    return Unexpected(std::move(error));
  }
  return descriptor;
}

}  // namespace

Result<std::unique_ptr<AuditFile>, std::string> AuditFile::open(const std::filesystem::path& path) {
  auto descriptor = open_for_append(path);
  if (!descriptor) {
    return Unexpected(std::move(descriptor).error());
  }
  return std::unique_ptr<AuditFile>(new AuditFile(path, *descriptor));
}

AuditFile::~AuditFile() {
  commit();
  ::close(descriptor_);
}

bool AuditFile::append(std::string_view line) {
  if (pending_.size() - written_ > pending_bytes_max) {
    return false;
  }
  pending_ += line;
  return true;
}

bool AuditFile::commit() {
  while (written_ < pending_.size()) {
    ssize_t count = ::write(descriptor_, pending_.data() + written_, pending_.size() - written_);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      last_error_ = failure(path_, "cannot write");
      return false;
    }
    written_ += static_cast<std::size_t>(count);
  }
  last_error_.clear();
  pending_.clear();
  written_ = 0;
  if (pending_.capacity() > pending_bytes_kept) {
    pending_.shrink_to_fit();
  }
  return true;
}

Result<Unit, std::string> AuditFile::reopen() {
  if (!commit()) {
    return Unexpected(last_error_);
  }
  auto descriptor = open_for_append(path_);
  if (!descriptor) {
    return Unexpected(std::move(descriptor).error());
  }
  ::close(descriptor_);
  descriptor_ = *descriptor;
  return Unit{};
}

}  // namespace sallyport::store
