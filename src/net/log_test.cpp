#include "net/log.h"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace sallyport::net
