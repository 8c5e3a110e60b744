#include "dev_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace sallyport {

namespace {

constexpr std::size_t key_bytes_max = 64U << 10;

std::string failure(std::string_view what, const std::filesystem::path& file) {
  return file.string() + " can't be " + std::string(what) + ": " + std::strerror(errno);
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    auto written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno != EINTR) {
      return false;
    }
    content.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

Result<Unit, std::string> write_file(const std::filesystem::path& file, std::string_view content, mode_t mode) {
  auto temporary = file;
  temporary += ".new";
  ::unlink(temporary.c_str());
  int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) {
    return Unexpected(failure("written", file));
  }
  bool complete = write_all(descriptor, content);
  complete = ::close(descriptor) == 0 && complete;
  if (!complete || ::rename(temporary.c_str(), file.c_str()) != 0) {
    auto error = failure("written", file);
    ::unlink(temporary.c_str());
    return Unexpected(std::move(error));
  }
  return Unit{};
}

Result<Secret, std::string> read_key_file(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return Unexpected(failure("read", file));
  }
  std::string text(key_bytes_max, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  Secret key(text.substr(0, static_cast<std::size_t>(stream.gcount())));
  wipe(text.data(), text.size());
  return key;
}

}  // namespace sallyport
