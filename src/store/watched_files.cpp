#include "store/watched_files.h"

namespace sallyport::store {
namespace {

class Request {
 public:
  explicit Request(LogState& state) : state_(state) { state_.io_begins(std::chrono::steady_clock::now()); }
  ~Request() { state_.io_ended(std::chrono::steady_clock::now()); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

 private:
  LogState& state_;
};

class WatchedFile final : public File {
 public:
  WatchedFile(std::unique_ptr<File> file, LogState& state) : file_(std::move(file)), state_(state) {}

  FileResult<Unit> write(std::string_view text) override {
    while (!text.empty()) {
      if (unsynced_bytes_ == WatchedFiles::request_bytes_max) {
        if (auto done = sync(); !done) {
          return done;
        }
      }
      std::string_view piece = text.substr(0, WatchedFiles::request_bytes_max - unsynced_bytes_);
      if (auto done = write_piece(piece); !done) {
        return done;
      }
      unsynced_bytes_ += piece.size();
      text.remove_prefix(piece.size());
    }
    return Unit{};
  }
  FileResult<Unit> truncate(std::uint64_t size) override {
    Request request(state_);
    return file_->truncate(size);
  }
  FileResult<Unit> sync() override {
    Request request(state_);
    unsynced_bytes_ = 0;
    return file_->sync();
  }

 private:
  FileResult<Unit> write_piece(std::string_view piece) {
    Request request(state_);
    return file_->write(piece);
  }

  std::unique_ptr<File> file_;
  LogState& state_;
  std::size_t unsynced_bytes_ = 0;
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
