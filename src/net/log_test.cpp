#include "net/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "base/descriptor.h"

namespace sallyport::net {
namespace {

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t count = 0; (count = ::read(descriptor, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return text;
}

struct Ends {
  Descriptor reading;
  Descriptor writing;
};

Ends pipe_ends() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ::fcntl(ends[1], F_SETPIPE_SZ, 8192);
  return {.reading = Descriptor(ends[0]), .writing = Descriptor(ends[1])};
}

Ends socket_ends() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {.reading = Descriptor(ends[0]), .writing = Descriptor(ends[1])};
}

Ends terminal_ends(bool is_raw) {
  Ends ends{.reading = Descriptor(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), .writing = {}};
  EXPECT_EQ(::grantpt(ends.reading.number()), 0);
  EXPECT_EQ(::unlockpt(ends.reading.number()), 0);
  std::array<char, 64> name{};
  EXPECT_EQ(::ptsname_r(ends.reading.number(), name.data(), name.size()), 0);
  ends.writing = Descriptor(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios modes{};
  EXPECT_EQ(::tcgetattr(ends.writing.number(), &modes), 0);
  if (is_raw) {
    ::cfmakeraw(&modes);
    EXPECT_EQ(::tcsetattr(ends.writing.number(), TCSANOW, &modes), 0);
  }
  return ends;
}

TEST(LogTest, WritesALineAnEventInTheStyleThatIsInForce) {
  Ends ends = pipe_ends();
  ASSERT_EQ(::fcntl(ends.reading.number(), F_SETFL, O_NONBLOCK), 0);
  Log log({.lowest = Severity::info, .style = LogStyle::text}, ends.writing.number());
  auto written = [&] {
    log.write(Severity::info, "started", {{"address", "127.0.0.1\n\"x\""}});
    return read_all(ends.reading.number());
  };
  std::string text = written();
  EXPECT_NE(text.find(R"( info started address="127.0.0.1?\"x\"")"), std::string::npos) << text;
  log.configure({.lowest = Severity::info, .style = LogStyle::json});
  std::string json = written();
  EXPECT_EQ(json.find("{\"time\":\""), 0U) << json;
  EXPECT_NE(json.find(R"("level":"info","event":"started","address":"127.0.0.1?\"x\"")"), std::string::npos) << json;
  log.configure({.lowest = Severity::warning, .style = LogStyle::json});
  EXPECT_EQ(written(), "");
}

void nobody_waits(const Ends& ends) {
  ASSERT_TRUE(ends.reading.is_open() && ends.writing.is_open());
  ASSERT_EQ(::fcntl(ends.reading.number(), F_SETFL, O_NONBLOCK), 0);
  int flags = ::fcntl(ends.writing.number(), F_GETFL);
  Log log({.lowest = Severity::info, .style = LogStyle::text}, ends.writing.number());
  const std::string large(10'000, 'x');  // of which a part may fit
  for (int i = 0; i < 3000; ++i) {
    log.write(Severity::info, "event", {{"number", std::to_string(i)}});
    if (i % 100 == 5) {
      log.write(Severity::info, "large", {{"text", large}});
    }
  }
  EXPECT_EQ(::fcntl(ends.writing.number(), F_GETFL), flags) << "others may have it too";
  std::uint64_t lost = log.lost_lines();
  EXPECT_GT(lost, 10U);
  std::string before = read_all(ends.reading.number());
  EXPECT_NE(before.find(" info event number=\"0\""), std::string::npos);
  // A terminal may have kept something back for which it had no room.
  std::string after;
  for (int i = 0; i < 100 && after.find(" lines=\"") == std::string::npos; ++i) {
    log.write(Severity::info, "event", {{"number", "last"}});
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    after += read_all(ends.reading.number());
  }
  std::size_t said = after.find(" lines=\"");
  ASSERT_NE(said, std::string::npos) << after;
  EXPECT_GE(std::stoull(after.substr(said + 8)), lost);
  EXPECT_LE(std::stoull(after.substr(said + 8)), log.lost_lines());
  EXPECT_NE(after.find(" info event number=\"last\""), std::string::npos) << after;
}

TEST(LogTest, NobodyWaitsForAPipe) {
  nobody_waits(pipe_ends());
}

TEST(LogTest, NobodyWaitsForASocket) {
  nobody_waits(socket_ends());
}

TEST(LogTest, NobodyWaitsForATerminal) {
  nobody_waits(terminal_ends(false));
  nobody_waits(terminal_ends(true));
}

TEST(LogTest, WhereNothingElseIsLoggedLostLinesAreSaidTheSameWay) {
  Ends ends = pipe_ends();
  ASSERT_EQ(::fcntl(ends.reading.number(), F_SETFL, O_NONBLOCK), 0);
  Log log({.lowest = Severity::error, .style = LogStyle::text}, ends.writing.number());
  for (int i = 0; i < 1000; ++i) {
    log.write(Severity::error, "event");
  }
  read_all(ends.reading.number());
  log.write(Severity::error, "event");
  EXPECT_NE(read_all(ends.reading.number()).find(" lines=\"" + std::to_string(log.lost_lines())), std::string::npos);
}

}  // namespace
}  // namespace sallyport::net
