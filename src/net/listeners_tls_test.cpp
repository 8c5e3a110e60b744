#include "net/listeners_tls.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace sallyport::net {
namespace {

TEST(ListenersTls, WhatIsReplacedAfterItWasAddedHasChangedOnce) {
  auto directory = std::filesystem::temp_directory_path() / ("listeners_tls_test." + std::to_string(::getpid()));
  std::filesystem::create_directories(directory);
  ListenerTls one{.certificate_file = directory / "one.pem", .key_file = directory / "one.key"};
  ListenerTls other{.certificate_file = directory / "other.pem", .key_file = directory / "other.key"};
  for (const auto& file : {one.certificate_file, one.key_file, other.certificate_file}) {
    std::ofstream(file) << "text";
  }
  ListenersTls tls;
  tls.add(one);
  tls.add(other);
  using Changed = std::vector<std::size_t>;
  EXPECT_EQ(tls.take_changed(), Changed{});
  auto touch = [](const std::filesystem::path& file) {
    std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(1));
  };
  for (const auto& file : {one.certificate_file, one.key_file, other.certificate_file}) {
    touch(file);
    EXPECT_EQ(tls.take_changed(), Changed{file == other.certificate_file ? 1U : 0U}) << file;
    EXPECT_EQ(tls.take_changed(), Changed{}) << file;
  }
  std::ofstream(other.key_file) << "text";
  EXPECT_EQ(tls.take_changed(), Changed{1}) << "it is there now";
  std::filesystem::remove(one.key_file);
  EXPECT_EQ(tls.take_changed(), Changed{0}) << "it is gone";
  std::ofstream(one.key_file) << "text";
  touch(other.key_file);
  EXPECT_EQ(tls.take_changed(), (Changed{0, 1}));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace sallyport::net
