#include "store/watched_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::store {
namespace {

// What a disk was asked for: the content, and how much of it each write and each sync had to bring there.
struct Asked {
  std::string content;
  std::vector<std::size_t> writes;
  std::vector<std::size_t> syncs;
  std::size_t unsynced = 0;
  std::size_t good_syncs = SIZE_MAX;
};

class AskedFile final : public File {
 public:
  explicit AskedFile(Asked& asked) : asked_(asked) {}
  FileResult<Unit> write(std::string_view text) override {
    asked_.content += text;
    asked_.writes.push_back(text.size());
    asked_.unsynced += text.size();
    return Unit{};
  }
  FileResult<Unit> truncate(std::uint64_t /*size*/) override { return Unit{}; }
  FileResult<Unit> sync() override {
    if (asked_.syncs.size() == asked_.good_syncs) {
      return Unexpected(FileError{"cannot sync"});
    }
    asked_.syncs.push_back(std::exchange(asked_.unsynced, 0));
    return Unit{};
  }

 private:
  Asked& asked_;
};

class AskedFiles final : public FileSystem {
 public:
  explicit AskedFiles(Asked& asked) : asked_(asked) {}
  FileResult<std::unique_ptr<File>> open(const std::filesystem::path& /*path*/, OpenMode /*mode*/) override {
    return std::unique_ptr<File>(std::make_unique<AskedFile>(asked_));
  }
  FileResult<Unit> rename(const std::filesystem::path& /*from*/, const std::filesystem::path& /*to*/) override {
    return Unit{};
  }
  FileResult<Unit> remove(const std::filesystem::path& /*path*/) override { return Unit{}; }
  FileResult<Unit> sync_directory(const std::filesystem::path& /*directory*/) override { return Unit{}; }

 private:
  Asked& asked_;
};

std::string large_text(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + i % 23);
  }
  return text;
}

TEST(WatchedFiles, ALargeRecordGoesToTheDiskInRequestsOfABoundedSize) {
  Asked asked;
  AskedFiles files(asked);
  LogState state;
  auto file = WatchedFiles(files, state).open("records", OpenMode::append).value();
  std::string content;
  for (std::size_t size : {std::size_t{3}, WatchedFiles::request_bytes_max, std::size_t{0}, std::size_t{40} << 20,
                           WatchedFiles::request_bytes_max - 1, std::size_t{2}}) {
    std::string text = large_text(size);
    ASSERT_TRUE(file->write(text).has_value());
    content += text;
  }
  ASSERT_TRUE(file->sync().has_value());
  EXPECT_TRUE(asked.content == content);
  EXPECT_EQ(asked.unsynced, 0U);
  EXPECT_LE(*std::ranges::max_element(asked.writes), WatchedFiles::request_bytes_max);
  EXPECT_LE(*std::ranges::max_element(asked.syncs), WatchedFiles::request_bytes_max);
  EXPECT_EQ(asked.syncs.size(), content.size() / WatchedFiles::request_bytes_max + 1);
}

TEST(WatchedFiles, SmallRecordsAreSyncedWhenThatIsAskedOnly) {
  Asked asked;
  AskedFiles files(asked);
  LogState state;
  auto file = WatchedFiles(files, state).open("records", OpenMode::append).value();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(file->write(large_text(1000)).has_value());
  }
  EXPECT_TRUE(asked.syncs.empty());
  ASSERT_TRUE(file->sync().has_value());
  EXPECT_EQ(asked.syncs, std::vector<std::size_t>{100'000});
}

TEST(WatchedFiles, AWriteEndsWithTheSyncThatFails) {
  Asked asked;
  AskedFiles files(asked);
  LogState state;
  auto file = WatchedFiles(files, state).open("records", OpenMode::append).value();
  asked.good_syncs = 1;
  auto done = file->write(large_text(3 * WatchedFiles::request_bytes_max));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().text, "cannot sync");
  EXPECT_EQ(asked.content.size(), 2 * WatchedFiles::request_bytes_max);
}

}  // namespace
}  // namespace sallyport::store
