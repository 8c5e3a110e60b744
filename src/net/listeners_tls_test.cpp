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
  EXPECT_FALSE(tls.have_changed());
  auto touch = [](const std::filesystem::path& file) {
    std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(1));
  };
  for (const auto& file : {one.certificate_file, one.key_file, other.certificate_file}) {
    touch(file);
    EXPECT_TRUE(tls.have_changed()) << file;
    EXPECT_FALSE(tls.have_changed()) << file;
  }
  std::ofstream(other.key_file) << "text";
  EXPECT_TRUE(tls.have_changed()) << "it is there now";
  std::filesystem::remove(one.key_file);
  EXPECT_TRUE(tls.have_changed()) << "it is gone";
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace sallyport::net
