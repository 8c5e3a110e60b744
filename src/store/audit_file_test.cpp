#include "store/audit_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>

namespace sallyport::store {
namespace {

class AuditFileTest : public testing::Test {
 protected:
  AuditFileTest() {
    char name[] = "/tmp/sallyport-audit-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ / "audit.0.jsonl";
  }
  ~AuditFileTest() override { std::filesystem::remove_all(directory_); }

  std::string content() const {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

// Lowers the size that a file may have, as a stand-in for a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(AuditFileTest, WritesNothingBeforeACommitAndEverythingAtIt) {
  auto file = AuditFile::open(path_);
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->append("{\"a\":1}\n"));
  EXPECT_TRUE((*file)->append("{\"b\":2}\n"));
  EXPECT_EQ(content(), "");
  EXPECT_TRUE((*file)->commit());
  EXPECT_EQ(content(), "{\"a\":1}\n{\"b\":2}\n");
}

TEST_F(AuditFileTest, CarriesOnWithTheRestOfALineWhenSpaceComesBack) {
  auto file = AuditFile::open(path_);
  ASSERT_TRUE(file);
  {
    FileSizeLimit limit{10};
    ASSERT_TRUE((*file)->append("{\"first\":1}\n"));
    EXPECT_FALSE((*file)->commit());
    EXPECT_NE((*file)->last_error(), "");
    EXPECT_TRUE((*file)->has_uncommitted());
    ASSERT_TRUE((*file)->append("{\"second\":2}\n"));
    EXPECT_FALSE((*file)->commit());
  }
  EXPECT_TRUE((*file)->commit());
  EXPECT_EQ(content(), "{\"first\":1}\n{\"second\":2}\n");
  EXPECT_EQ((*file)->last_error(), "");
}

TEST_F(AuditFileTest, RefusesRecordsWhenTooMuchWaits) {
  auto file = AuditFile::open(path_);
  ASSERT_TRUE(file);
  FileSizeLimit limit{0};
  std::string line(1U << 20, 'x');
  int taken = 0;
  while (taken < 100 && (*file)->append(line)) {
    (*file)->commit();
    ++taken;
  }
  EXPECT_GE(taken, 8);
  EXPECT_LT(taken, 12);
}

TEST_F(AuditFileTest, BeginsANewLineAfterOneThatACrashTore) {
  std::ofstream(path_) << "{\"torn\":";
  auto file = AuditFile::open(path_);
  ASSERT_TRUE(file);
  (*file)->append("{\"next\":1}\n");
  (*file)->commit();
  EXPECT_EQ(content(), "{\"torn\":\n{\"next\":1}\n");
}

TEST_F(AuditFileTest, ReopensAfterTheFileWasMovedAway) {
  auto file = AuditFile::open(path_);
  ASSERT_TRUE(file);
  (*file)->append("{\"old\":1}\n");
  (*file)->commit();
  std::filesystem::rename(path_, directory_ / "rotated");
  ASSERT_TRUE((*file)->reopen());
  (*file)->append("{\"new\":1}\n");
  (*file)->commit();
  EXPECT_EQ(content(), "{\"new\":1}\n");
}

TEST_F(AuditFileTest, SaysWhyAFileCannotBeOpened) {
  auto file = AuditFile::open(directory_ / "absent" / "audit.0.jsonl");
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().find("cannot open"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::store
