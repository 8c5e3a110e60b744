#include "store/answers_key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace sallyport::store {
namespace {

constexpr std::string_view digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST(AnswersKeyFileTest, AFileThatOthersCanReadIsRefused) {
  char name[] = "/tmp/sallyport-answers-key-XXXXXX";
  int descriptor = ::mkstemp(name);
  ASSERT_GE(descriptor, 0);
  ::close(descriptor);
  std::ofstream(name) << digits << "\n";
  ASSERT_EQ(::chmod(name, 0640), 0);
  EXPECT_TRUE(load_answers_key(name));
  ASSERT_EQ(::chmod(name, 0644), 0);
  auto open = load_answers_key(name);
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().find("can be read or written by everyone"), std::string::npos);
  ASSERT_EQ(::chmod(name, 0600), 0);
  std::ofstream(name) << digits << digits << digits << digits << digits << "\n";
  auto other = load_answers_key(name);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().find("0001"), std::string::npos) << "nothing of the file is repeated";
  ::unlink(name);
  EXPECT_FALSE(load_answers_key(name));
}

}  // namespace
}  // namespace sallyport::store
