#include "store/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace sallyport::store {
namespace {

constexpr mode_t file_mode = 0640;

Unexpected<FileError> failure(std::string_view what, const std::filesystem::path& path) {
  return Unexpected(FileError{std::string(what) + " " + path.string() + ": " + std::strerror(errno)});
}

class SystemFile final : public File {
 public:
  SystemFile(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~SystemFile() override { ::close(descriptor_); }

  FileResult<Unit> write(std::string_view text) override {
    while (!text.empty()) {
      ssize_t count = ::write(descriptor_, text.data(), text.size());
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return failure("cannot write", path_);
      }
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return Unit{};
  }

  FileResult<Unit> truncate(std::uint64_t size) override {
    struct stat info {};
    if (::fstat(descriptor_, &info) != 0 ||
        (static_cast<std::uint64_t>(info.st_size) > size && ::ftruncate(descriptor_, static_cast<off_t>(size)) != 0)) {
      return failure("cannot cut", path_);
    }
    if (static_cast<std::uint64_t>(info.st_size) < size) {
      return Unexpected(FileError{path_.string() + " has lost records: it is shorter than it was"});
    }
    return Unit{};
  }

  FileResult<Unit> sync() override {
    if (::fdatasync(descriptor_) != 0) {
      return failure("cannot sync", path_);
    }
    return Unit{};
  }

 private:
  std::filesystem::path path_;
  int descriptor_;
};

class SystemFiles final : public FileSystem {
 public:
  FileResult<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) override {
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | (mode == OpenMode::replace ? O_TRUNC : 0);
    int descriptor = ::open(path.c_str(), flags, file_mode);
    if (descriptor < 0) {
      return failure("cannot open", path);
    }
    return std::unique_ptr<File>(std::make_unique<SystemFile>(path, descriptor));
  }

  FileResult<Unit> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) {
      return failure("cannot rename to", to);
    }
    return Unit{};
  }

  FileResult<Unit> remove(const std::filesystem::path& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return failure("cannot remove", path);
    }
    return Unit{};
  }

  FileResult<Unit> sync_directory(const std::filesystem::path& directory) override {
    int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
      return failure("cannot open", directory);
    }
    int synced = ::fsync(descriptor);
    int error = errno;
    ::close(descriptor);
    errno = error;
    if (synced != 0) {
      return failure("cannot sync", directory);
    }
    return Unit{};
  }
};

}  // namespace

FileSystem& system_files() {
  static SystemFiles files;
  return files;
}

FileResult<Unit> replace_file(FileSystem& files, const std::filesystem::path& path, std::string_view text) {
  std::filesystem::path made = path;
  made += ".tmp";
  auto file = files.open(made, OpenMode::replace);
  if (!file) {
    return Unexpected(std::move(file).error());
  }
  auto done = (*file)->write(text);
  if (done) {
    done = (*file)->sync();
  }
  return done ? files.rename(made, path) : done;
}

FileResult<Unit> append_behind(FileSystem& files, const std::filesystem::path& path, std::uint64_t size,
                               std::string_view text) {
  auto file = files.open(path, OpenMode::append);
  if (!file) {
    return Unexpected(std::move(file).error());
  }
  std::error_code error;
  auto found = std::filesystem::file_size(path, error);
  auto done = error || found != size ? (*file)->truncate(size) : FileResult<Unit>(Unit{});
  if (done && !text.empty()) {
    done = (*file)->write(text);
  }
  if (done) {
    done = (*file)->sync();
  }
  return done ? files.sync_directory(path.parent_path()) : done;
}

}  // namespace sallyport::store
