#include "sink/file_receiver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sallyport::sink {
namespace {

constexpr mode_t file_mode = 0640;

Unexpected<DeliveryError> failure(const char* what, const std::filesystem::path& path, int error) {
  return Unexpected(DeliveryError{.kind = DeliveryError::Kind::unreachable,
                                  .text = std::string(what) + " " + path.string() + ": " + std::strerror(error),
                                  .retry_after = {}});
}

// Size up to the last line end; -1 when that can't be told.
off_t whole_lines(int file, off_t size) {
  std::array<char, 64U << 10> part;
  while (size > 0) {
    off_t begin = std::max<off_t>(0, size - static_cast<off_t>(part.size()));
    ssize_t count = ::pread(file, part.data(), static_cast<std::size_t>(size - begin), begin);
    if (count != size - begin) {
      return -1;
    }
    std::size_t last = std::string_view(part.data(), static_cast<std::size_t>(count)).rfind('\n');
    if (last != std::string_view::npos) {
      return begin + static_cast<off_t>(last) + 1;
    }
    size = begin;
  }
  return 0;
}

Delivered sync_name(const std::filesystem::path& path) {
  auto directory = path.parent_path();
  Descriptor opened{::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!opened.is_open() || ::fsync(opened.number()) != 0) {
    return failure("cannot sync", directory, errno);
  }
  return Unit{};
}

}  // namespace

bool FileReceiver::is_in_place() const {
  struct stat here {};
  struct stat there {};
  return file_.is_open() && ::fstat(file_.number(), &here) == 0 && ::stat(settings_.path.c_str(), &there) == 0 &&
         here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

Delivered FileReceiver::open() {
  // Without O_NONBLOCK a pipe in the file's place would be waited for.
  file_ = Descriptor{
      ::open(settings_.path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, file_mode)};
  if (!file_.is_open()) {
    return failure("cannot open", settings_.path, errno);
  }
  struct stat info {};
  if (::fstat(file_.number(), &info) != 0) {
    return failure("cannot look at", settings_.path, errno);
  }
  if (!S_ISREG(info.st_mode)) {
    file_ = Descriptor{};
    return Unexpected(DeliveryError{
        .kind = DeliveryError::Kind::refused, .text = settings_.path.string() + " is not a file", .retry_after = {}});
  }
  off_t whole = whole_lines(file_.number(), info.st_size);
  if (whole < 0 || (whole != info.st_size && ::ftruncate(file_.number(), whole) != 0)) {
    return failure("cannot look for the last line of", settings_.path, errno);
  }
  return sync_name(settings_.path);
}

Delivered FileReceiver::deliver(const std::vector<Message>& messages) {
  if (!is_in_place()) {
    if (auto opened = open(); !opened) {
      file_ = Descriptor{};
      return opened;
    }
  }
  text_.clear();
  for (const Message& message : messages) {
    text_.append(message.text).append("\n");
  }
  std::string_view rest = text_;
  while (!rest.empty()) {
    ssize_t count = ::write(file_.number(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      auto error = failure("cannot write", settings_.path, errno);
      file_ = Descriptor{};  // opened again, it is cut to whole lines
      return error;
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fdatasync(file_.number()) != 0) {
    auto error = failure("cannot sync", settings_.path, errno);
    file_ = Descriptor{};
    return error;
  }
  return Unit{};
}

}  // namespace sallyport::sink
