#include "store/log_directory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace sallyport::store {
namespace {

class LogDirectoryTest : public testing::Test {
 protected:
  LogDirectoryTest() {
    char name[] = "/tmp/sallyport-log-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~LogDirectoryTest() override { std::filesystem::remove_all(path_); }

  void put(std::string_view name, std::string_view content = "") { std::ofstream(path_ / name) << content; }

  std::filesystem::path path_;
};

TEST_F(LogDirectoryTest, HasTheFilesOfEachSegmentInOrder) {
  for (const char* name :
       {"records-00000000000000000100.jsonl", "records-00000000000000000000.jsonl.zst",
        "tree-00000000000000000000.json", "index-00000000000000000000.zst", "answers-00000000000000000100.blob",
        "tree-00000000000000000050.json", "checkpoint", "checkpoints", "lock", "journal-0", "journal-12"}) {
    put(name);
  }
  auto log = list_log(path_);
  ASSERT_TRUE(log);
  ASSERT_EQ(log->segments.size(), 3U);
  EXPECT_EQ(log->segments[0].first, 0U);
  EXPECT_TRUE(log->segments[0].has(SegmentFile::compressed_records));
  EXPECT_FALSE(log->segments[0].has(SegmentFile::records));
  EXPECT_TRUE(log->segments[0].has(SegmentFile::tree));
  EXPECT_TRUE(log->segments[0].has(SegmentFile::index));
  EXPECT_EQ(log->segments[1].first, 50U);
  EXPECT_FALSE(log->segments[1].has_records());
  EXPECT_EQ(log->segments[2].first, 100U);
  EXPECT_TRUE(log->segments[2].has_records());
  EXPECT_TRUE(log->segments[2].has(SegmentFile::answers));
  EXPECT_EQ(log->journals, (std::vector<std::string>{"journal-0", "journal-12"}));
  EXPECT_TRUE(log->unknown.empty());
  EXPECT_EQ(log->segment(50), &log->segments[1]);
  EXPECT_EQ(log->segment(51), nullptr);
  EXPECT_EQ(log->file(SegmentFile::tree, 50), path_ / "tree-00000000000000000050.json");
}

TEST_F(LogDirectoryTest, NamesWhatIsNotOfTheFormat) {
  for (const char* name : {"records-0.jsonl", "records-99999999999999999999.jsonl",
                           "records-00009007199254740992.jsonl", "records-0000000000000000000x.jsonl", "journal-",
                           "journal-x", "checkpoint.new", "tree-00000000000000000000.json.zst"}) {
    put(name);
  }
  auto log = list_log(path_);
  ASSERT_TRUE(log);
  EXPECT_TRUE(log->segments.empty());
  EXPECT_EQ(log->unknown.size(), 8U);
}

TEST_F(LogDirectoryTest, SaysThatADirectoryIsNotThere) {
  auto log = list_log(path_ / "absent");
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().find("absent can't be listed: No such file"), std::string::npos) << log.error();
}

TEST_F(LogDirectoryTest, NamesAFileAsItIsRead) {
  EXPECT_EQ(name_of(SegmentFile::records, 7), "records-00000000000000000007.jsonl");
  EXPECT_EQ(name_of(SegmentFile::answers, ~std::uint64_t{0}), "answers-18446744073709551615.blob");
}

TEST_F(LogDirectoryTest, SmallFilesAreReadWholeOrRefused) {
  put("checkpoint", std::string(100'000, 'x'));
  EXPECT_EQ(read_small_file(path_ / "checkpoint", 100'000).value(), std::string(100'000, 'x'));
  EXPECT_FALSE(read_small_file(path_ / "checkpoint", 99'999));
  auto absent = read_small_file(path_ / "absent", 10);
  ASSERT_TRUE(absent);
  EXPECT_EQ(*absent, std::nullopt);
  EXPECT_FALSE(read_small_file(path_, 10));
}

}  // namespace
}  // namespace sallyport::store
