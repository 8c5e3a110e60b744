// What the audit log asks of a file system. Tests put one in its place that fails, stalls, is full, or loses what was
// not synced.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sallyport::store {

// "cannot write PATH: No space left on device"
struct FileError {
  std::string text;
};

template <typename T>
using FileResult = Result<T, FileError>;

// A file that is open for writing. One thread uses it at a time.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  // All of it, at the end of the file. After an error a part of it may be there.
  virtual FileResult<Unit> write(std::string_view text) = 0;
  // Cuts the file to a size that it has; what is written next follows on there. An error where it is shorter.
  virtual FileResult<Unit> truncate(std::uint64_t size) = 0;
  // Returns when the file's content and size are on the disk. After an error nothing is known of what was written
  // since the last good one, and another attempt proves nothing: it has to be written again.
  virtual FileResult<Unit> sync() = 0;
};

enum class OpenMode : std::uint8_t {
  append,  // made when it isn't there
  replace  // empty
};

class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  virtual FileResult<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) = 0;
  virtual FileResult<Unit> rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  // Good too when there is no such file.
  virtual FileResult<Unit> remove(const std::filesystem::path& path) = 0;
  // Returns when the names of the directory's files are on the disk: made, renamed and removed ones.
  virtual FileResult<Unit> sync_directory(const std::filesystem::path& directory) = 0;
};

// Of the operating system. Files are made with mode 0640.
FileSystem& system_files();

// Replaces `path` as a whole: after a crash it has its old content or the new one; the new one for certain when the
// directory is synced.
FileResult<Unit> replace_file(FileSystem& files, const std::filesystem::path& path, std::string_view text);

// Appends to a file that has `size` bytes, and syncs it and its name. What is behind these, of a write that failed, is
// cut off first; after an error there may be something to be cut again.
FileResult<Unit> append_behind(FileSystem& files, const std::filesystem::path& path, std::uint64_t size,
                               std::string_view text);

}  // namespace sallyport::store
