#include "net/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/descriptor.h"

namespace sallyport::net {
namespace {

std::string written_by(Log& log) {
  testing::internal::CaptureStderr();
  log.write(Severity::info, "started", {{"address", "127.0.0.1\n\"x\""}});
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, WritesALineAnEventInTheStyleThatIsInForce) {
  Log log({.lowest = Severity::info, .style = LogStyle::text});
  std::string text = written_by(log);
  EXPECT_NE(text.find(R"( info started address="127.0.0.1?\"x\"")"), std::string::npos) << text;
  log.configure({.lowest = Severity::info, .style = LogStyle::json});
  std::string json = written_by(log);
  EXPECT_EQ(json.find("{\"time\":\""), 0U) << json;
  EXPECT_NE(json.find(R"("level":"info","event":"started","address":"127.0.0.1?\"x\"")"), std::string::npos) << json;
  log.configure({.lowest = Severity::warning, .style = LogStyle::json});
  EXPECT_EQ(written_by(log), "");
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t count = 0; (count = ::read(descriptor, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return text;
}

TEST(LogTest, NobodyWaitsForWhatReadsIt) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  ASSERT_EQ(::fcntl(reading.number(), F_SETFL, O_NONBLOCK), 0);
  ::fcntl(writing.number(), F_SETPIPE_SZ, 8192);
  Log log({.lowest = Severity::info, .style = LogStyle::text}, writing.number());
  const std::string large(10'000, 'x');  // of which a part may fit
  for (int i = 0; i < 200; ++i) {
    log.write(Severity::info, "event", {{"number", std::to_string(i)}});
    log.write(Severity::info, "large", {{"text", large}});
  }
  std::uint64_t lost = log.lost_lines();
  EXPECT_GT(lost, 200U);
  EXPECT_LT(lost, 400U);
  std::string before = read_all(reading.number());
  EXPECT_NE(before.find(" info event number=\"0\"\n"), std::string::npos);
  log.write(Severity::info, "event", {{"number", "last"}});
  std::string after = read_all(reading.number());
  EXPECT_NE(after.find(" info event number=\"last\"\n"), std::string::npos) << after;
  EXPECT_NE(after.find(" lines=\"" + std::to_string(lost) + "\"\n"), std::string::npos) << after;
  EXPECT_EQ(after.find('x'), std::string::npos);
  EXPECT_EQ(after.front() == '\n', before.ends_with('x')) << "a line that was cut has an end";
  EXPECT_EQ(log.lost_lines(), lost);
}

}  // namespace
}  // namespace sallyport::net
