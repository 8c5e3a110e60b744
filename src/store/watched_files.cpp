#include "store/watched_files.h"

namespace sallyport::store {
namespace {

class Request {
 public:
  explicit Request(LogState& state) : state_(state) { state_.io_begins(std::chrono::steady_clock::now()); }
  ~Request() { state_.io_ended(); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

 private:
  LogState& state_;
};

class WatchedFile final : public File {
 public:
  WatchedFile(std::unique_ptr<File> file, LogState& state) : file_(std::move(file)), state_(state) {}

  FileResult<Unit> write(std::string_view text) override {
    Request request(state_);
    return file_->write(text);
  }
  FileResult<Unit> truncate(std::uint64_t size) override {
    Request request(state_);
    return file_->truncate(size);
  }
  FileResult<Unit> sync() override {
    Request request(state_);
    return file_->sync();
  }

 private:
  std::unique_ptr<File> file_;
  LogState& state_;
};

}  // namespace

FileResult<std::unique_ptr<File>> WatchedFiles::open(const std::filesystem::path& path, OpenMode mode) {
  Request request(state_);
  auto file = files_.open(path, mode);
  if (!file) {
    return file;
  }
  return std::unique_ptr<File>(std::make_unique<WatchedFile>(std::move(file).value(), state_));
}

FileResult<Unit> WatchedFiles::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  Request request(state_);
  return files_.rename(from, to);
}

FileResult<Unit> WatchedFiles::remove(const std::filesystem::path& path) {
  Request request(state_);
  return files_.remove(path);
}

FileResult<Unit> WatchedFiles::sync_directory(const std::filesystem::path& directory) {
  Request request(state_);
  return files_.sync_directory(directory);
}

}  // namespace sallyport::store
