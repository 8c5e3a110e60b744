// Files for tests of the audit log: they fail, fill up, stall, and, when the power is cut, lose what was not synced.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "store/file.h"

namespace sallyport::store {

class FaultyFiles final : public FileSystem {
 public:
  enum class Request : std::uint8_t { write, sync, other };

  explicit FaultyFiles(const std::filesystem::path& directory) : directory_(directory) {
    if (std::filesystem::exists(directory_)) {
      for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
        if (entry.is_regular_file() && !entry.path().filename().string().starts_with("journal-")) {
          auto made = std::make_shared<Node>();
          std::ifstream file(entry.path(), std::ios::binary);
          made->content = {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
          made->synced = made->content;
          names_[entry.path()] = made;
        }
      }
    }
    synced_names_ = names_;
  }

  // Requests from now on until the power goes; what the last one was to do is done in part at most.
  void cut_power_after(std::uint64_t requests) { requests_left_ = requests; }
  bool power_is_off() const { return off_; }
  std::uint64_t requests() const { return requests_; }
  // Of writes; the one that is beyond is done in part.
  void set_space(std::uint64_t bytes) { space_ = bytes; }
  void fail(Request request, std::uint64_t times) { (request == Request::sync ? fail_syncs_ : fail_writes_) = times; }
  // One write, so many behind the next.
  void fail_write_after(std::uint64_t writes) {
    good_writes_ = writes;
    fail_writes_ = 1;
  }
  // Of files whose names begin so.
  void fail_opens(const std::string& prefix, std::uint64_t times) {
    std::lock_guard lock(mutex_);
    fail_open_prefix_ = prefix;
    fail_opens_ = times;
  }
  // Called once, before the file of that name is opened next.
  void before_open(const std::string& name, std::function<void()> called) {
    std::lock_guard lock(mutex_);
    before_open_name_ = name;
    before_open_ = std::move(called);
  }
  // Of the file of that name, until it is called with none.
  void fail_removal(const std::string& name) {
    std::lock_guard lock(mutex_);
    fail_removal_ = name;
  }
  // What each write and each sync takes.
  void slow_down(std::chrono::milliseconds request) { request_time_ = request; }
  // Syncs don't return until they are let.
  void hold_syncs() { held_ = true; }
  void let_syncs() {
    std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  bool sync_is_held() const { return holding_; }

  // Puts the directory into a state that a loss of power may leave: names and content as synced, and of what came
  // later anything from nothing to all. Journals are the caller's.
  void lose_power(std::mt19937& random) {
    std::lock_guard lock(mutex_);
    off_ = true;
    for (const auto& [path, node] : names_) {
      std::filesystem::remove(path);
    }
    bool names_reached_the_disk = random() % 2 == 0;
    for (const auto& [path, node] : names_reached_the_disk ? names_ : synced_names_) {
      std::string content = node->synced;
      if (node->content.size() > content.size() && node->content.starts_with(content)) {
        std::size_t more = random() % (node->content.size() - content.size() + 1);
        content += node->content.substr(content.size(), more);
        for (std::size_t zeroed = random() % 4 == 0 ? random() % (more + 1) : 0; zeroed > 0; --zeroed) {
          content[content.size() - zeroed] = '\0';  // the size was written, the page was not
        }
      }
      std::ofstream(path, std::ios::binary) << content;
    }
  }

  FileResult<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) override;
  FileResult<Unit> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    std::lock_guard lock(mutex_);
    if (!works()) {
      return off();
    }
    auto done = system_files().rename(from, to);
    if (done) {
      names_[to] = names_[from];
      names_.erase(from);
    }
    return done;
  }
  FileResult<Unit> remove(const std::filesystem::path& path) override {
    std::lock_guard lock(mutex_);
    if (!works()) {
      return off();
    }
    if (path.filename() == fail_removal_) {
      return Unexpected(FileError{"it can't be removed"});
    }
    names_.erase(path);
    return system_files().remove(path);
  }
  FileResult<Unit> sync_directory(const std::filesystem::path& /*directory*/) override {
    std::lock_guard lock(mutex_);
    if (!works()) {
      return off();
    }
    synced_names_ = names_;
    return Unit{};
  }

 private:
  struct Node {
    std::string content;
    std::string synced;
  };
  class Opened;

  bool works() {
    ++requests_;
    if (!off_ && requests_left_-- == 0) {
      off_ = true;
    }
    return !off_;
  }
  static Unexpected<FileError> off() { return Unexpected(FileError{"no power"}); }

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::filesystem::path, std::shared_ptr<Node>> names_;
  std::map<std::filesystem::path, std::shared_ptr<Node>> synced_names_;
  std::atomic<bool> off_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> requests_left_{UINT64_MAX};
  std::atomic<std::uint64_t> space_{UINT64_MAX};
  std::atomic<std::uint64_t> fail_writes_{0};
  std::atomic<std::uint64_t> good_writes_{0};
  std::string fail_open_prefix_;
  std::uint64_t fail_opens_ = 0;
  std::string before_open_name_;
  std::function<void()> before_open_;
  std::string fail_removal_;
  std::atomic<std::uint64_t> fail_syncs_{0};
  std::atomic<std::chrono::milliseconds> request_time_{std::chrono::milliseconds{0}};
  std::atomic<bool> held_{false};
  std::atomic<bool> holding_{false};
};

class FaultyFiles::Opened final : public File {
 public:
  Opened(FaultyFiles& files, std::unique_ptr<File> file, std::shared_ptr<Node> node)
      : files_(files), file_(std::move(file)), node_(std::move(node)) {}

  FileResult<Unit> write(std::string_view text) override {
    std::this_thread::sleep_for(files_.request_time_.load());
    std::lock_guard lock(files_.mutex_);
    if (!files_.works()) {
      return off();
    }
    bool is_due = files_.fail_writes_ != 0;
    bool fails = is_due && files_.good_writes_ == 0;
    files_.fail_writes_ -= fails ? 1U : 0U;
    files_.good_writes_ -= is_due && !fails ? 1U : 0U;
    std::size_t fits = fails ? text.size() / 2 : std::min<std::size_t>(text.size(), files_.space_);
    files_.space_ -= files_.space_ == UINT64_MAX ? 0 : fits;
    node_->content += text.substr(0, fits);
    if (auto done = file_->write(text.substr(0, fits)); !done) {
      return done;
    }
    return fits == text.size() && !fails ? FileResult<Unit>(Unit{})
                                         : FileResult<Unit>(Unexpected(FileError{"cannot write: it was said so"}));
  }
  FileResult<Unit> truncate(std::uint64_t size) override {
    std::lock_guard lock(files_.mutex_);
    if (!files_.works()) {
      return off();
    }
    auto done = file_->truncate(size);
    if (done) {
      node_->content.resize(size);
      node_->synced.resize(std::min<std::size_t>(node_->synced.size(), size));
    }
    return done;
  }
  FileResult<Unit> sync() override {
    std::this_thread::sleep_for(files_.request_time_.load());
    std::unique_lock lock(files_.mutex_);
    if (!files_.works()) {
      return off();
    }
    files_.holding_ = files_.held_.load();
    files_.changed_.wait(lock, [&] { return !files_.held_; });
    files_.holding_ = false;
    if (files_.fail_syncs_ != 0) {
      --files_.fail_syncs_;
      // As a kernel may do it: what was to be synced is forgotten, and the next sync is good.
      return Unexpected(FileError{"cannot sync: it was said so"});
    }
    node_->synced = node_->content;
    return Unit{};
  }

 private:
  FaultyFiles& files_;
  std::unique_ptr<File> file_;
  std::shared_ptr<Node> node_;
};

inline FileResult<std::unique_ptr<File>> FaultyFiles::open(const std::filesystem::path& path, OpenMode mode) {
  std::lock_guard lock(mutex_);
  if (!works()) {
    return off();
  }
  if (fail_opens_ != 0 && path.filename().string().starts_with(fail_open_prefix_)) {
    --fail_opens_;
    return Unexpected(FileError{"cannot open: it was said so"});
  }
  if (before_open_ && path.filename() == before_open_name_) {
    std::exchange(before_open_, nullptr)();
  }
  auto file = system_files().open(path, mode);
  if (!file) {
    return file;
  }
  auto& node = names_[path];
  if (node == nullptr || mode == OpenMode::replace) {
    node = std::make_shared<Node>();
  }
  return std::unique_ptr<File>(std::make_unique<Opened>(*this, std::move(file).value(), node));
}

}  // namespace sallyport::store
