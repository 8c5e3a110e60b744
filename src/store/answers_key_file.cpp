#include "store/answers_key_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace sallyport::store {
namespace {

constexpr std::size_t file_bytes_max = 256;

}  // namespace

Result<audit::AnswersKey, std::string> load_answers_key(const std::filesystem::path& path) {
  struct stat info {};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open() || ::stat(path.c_str(), &info) != 0) {
    return Unexpected("cannot read " + path.string() + ": " + std::strerror(errno));
  }
  if ((info.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return Unexpected(path.string() + " can be read or written by everyone; take that right away (chmod o-rw)");
  }
  std::string text(file_bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::string_view content(text.data(), static_cast<std::size_t>(file.gcount()));
  auto key = audit::AnswersKey::parse(content);
  wipe(text.data(), text.size());
  if (!key) {
    return Unexpected(path.string() + " holds no key for answers: it is " + std::string(key.error()));
  }
  return std::move(key).value();
}

}  // namespace sallyport::store
