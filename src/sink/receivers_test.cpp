// Receivers of files and sockets, against files and sockets.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/descriptor.h"
#include "sink/file_receiver.h"
#include "sink/syslog_receiver.h"

namespace sallyport::sink {
namespace {

std::vector<Message> messages(std::uint64_t from, std::uint64_t to) {
  std::vector<Message> made;
  for (std::uint64_t i = from; i < to; ++i) {
    made.push_back(
        {.index = i, .session = "s", .time = {}, .type = "command", .text = "{\"n\":" + std::to_string(i) + "}"});
  }
  return made;
}

class FileReceiverTest : public testing::Test {
 protected:
  FileReceiverTest() {
    char name[] = "/tmp/sallyport-file-sink-XXXXXX";
    root_ = ::mkdtemp(name);
    file_ = root_ / "records.jsonl";
  }
  ~FileReceiverTest() override { std::filesystem::remove_all(root_); }
  static std::string content(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  std::filesystem::path root_;
  std::filesystem::path file_;
};

TEST_F(FileReceiverTest, AppendsALineForEachMessage) {
  std::ofstream(file_) << "before\n";
  FileReceiver receiver({.path = file_});
  ASSERT_TRUE(receiver.deliver(messages(0, 2)));
  ASSERT_TRUE(receiver.deliver(messages(2, 3)));
  EXPECT_EQ(content(file_), "before\n{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
}

TEST_F(FileReceiverTest, MakesTheFileAnewWhenItWasRenamedOrRemoved) {
  FileReceiver receiver({.path = file_});
  ASSERT_TRUE(receiver.deliver(messages(0, 1)));
  std::filesystem::rename(file_, root_ / "records.1");
  ASSERT_TRUE(receiver.deliver(messages(1, 2)));
  EXPECT_EQ(content(root_ / "records.1"), "{\"n\":0}\n");
  EXPECT_EQ(content(file_), "{\"n\":1}\n");
  std::filesystem::remove(file_);
  ASSERT_TRUE(receiver.deliver(messages(2, 3)));
  EXPECT_EQ(content(file_), "{\"n\":2}\n");
}

TEST_F(FileReceiverTest, CutsOffALineThatIsNotWhole) {
  for (std::string torn : {std::string("{\"n\":"), std::string(200'000, 'x')}) {
    std::ofstream(file_) << "whole\n" << torn;
    FileReceiver receiver({.path = file_});
    ASSERT_TRUE(receiver.deliver(messages(0, 1)));
    EXPECT_EQ(content(file_), "whole\n{\"n\":0}\n");
  }
}

TEST_F(FileReceiverTest, WritesNothingIntoWhatIsNoFile) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  FileReceiver receiver({.path = file_});
  auto done = receiver.deliver(messages(0, 1));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, DeliveryError::Kind::refused);
  FileReceiver elsewhere({.path = root_ / "none" / "records"});
  done = elsewhere.deliver(messages(0, 1));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text, testing::HasSubstr("No such file"));
}

// A listening socket on a free port, and what it accepts.
class Server {
 public:
  Server() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { bind(0); }
  void bind(std::uint16_t port) {
    int on = 1;
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(socket_.number(), 5), 0);
    socklen_t size = sizeof(address);
    ::getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }
  Descriptor accept() const { return Descriptor{::accept(socket_.number(), nullptr, nullptr)}; }
  void close() { socket_.close(); }

 private:
  Descriptor socket_;
  std::uint16_t port_ = 0;
};

std::string read_some(const Descriptor& socket, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    char part[4096];
    ssize_t count = ::read(socket.number(), part, std::min(sizeof(part), size - text.size()));
    if (count <= 0) {
      break;
    }
    text.append(part, static_cast<std::size_t>(count));
  }
  return text;
}

SyslogSettings settings_of(std::uint16_t port) {
  return {.transport = SyslogTransport::tcp, .host = "127.0.0.1", .port = port, .host_name = "gw1"};
}

TEST(SyslogReceiver, SendsEachMessageWithItsCountOfOctets) {
  Server server;
  Halt halt;
  SyslogReceiver receiver(settings_of(server.port()), halt);
  ASSERT_TRUE(receiver.deliver(messages(7, 8)));
  Descriptor accepted = server.accept();
  std::string expected =
      "<110>1 1970-01-01T00:00:00.000000Z gw1 sallyport - command [sallyport@32473 index=\"7\" session=\"s\"] "
      "{\"n\":7}";
  expected = std::to_string(expected.size()) + " " + expected;
  EXPECT_EQ(read_some(accepted, expected.size()), expected);
  EXPECT_TRUE(receiver.idle());
}

TEST(SyslogReceiver, FindsOutThatTheReceiverHasGoneBeforeItSendsMore) {
  Server server;
  Halt halt;
  SyslogReceiver receiver(settings_of(server.port()), halt);
  ASSERT_TRUE(receiver.deliver(messages(0, 3)));
  server.accept().close();  // with what it has not read
  server.close();
  bool found = false;
  for (int i = 0; i < 100 && !found; ++i) {
    found = !receiver.idle();
    std::this_thread::sleep_for(Milliseconds{5});
  }
  EXPECT_TRUE(found);
  EXPECT_FALSE(receiver.deliver(messages(3, 4)));
}

TEST(SyslogReceiver, WhatAConnectionThatIsResetHadTakenIsNotAcknowledged) {
  Server server;
  Halt halt;
  SyslogReceiver receiver(settings_of(server.port()), halt);
  ASSERT_TRUE(receiver.deliver(messages(0, 1)));
  Descriptor accepted = server.accept();
  // More than the kernels' buffers hold, and nobody reads.
  auto many = messages(1, 40'000);
  for (Message& message : many) {
    message.text.append(1000, ' ');
  }
  std::thread killer([&] {
    std::this_thread::sleep_for(Milliseconds{300});
    accepted.close();
  });
  auto done = receiver.deliver(many);
  killer.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, DeliveryError::Kind::unreachable);
}

TEST(SyslogReceiver, GivesUpAtOnceWhenItsThreadIsToEnd) {
  Server server;
  Halt halt;
  SyslogReceiver receiver(settings_of(server.port()), halt);
  ASSERT_TRUE(receiver.deliver(messages(0, 1)));
  auto many = messages(1, 40'000);
  for (Message& message : many) {
    message.text.append(1000, ' ');
  }
  std::thread stopper([&] {
    std::this_thread::sleep_for(Milliseconds{100});
    halt.ask(MonoTime{});
  });
  MonoTime began = std::chrono::steady_clock::now();
  EXPECT_FALSE(receiver.deliver(many));
  EXPECT_LT(std::chrono::steady_clock::now() - began, Seconds{3});
  stopper.join();
}

TEST(SyslogReceiver, SendsADatagramForEachMessage) {
  char name[] = "/tmp/sallyport-unix-sink-XXXXXX";
  std::filesystem::path root = ::mkdtemp(name);
  std::string path = root / "log";
  Descriptor server{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(server.number(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  Halt halt;
  SyslogReceiver receiver({.transport = SyslogTransport::unix_socket, .socket_path = path, .host_name = "gw1"}, halt);
  ASSERT_TRUE(receiver.deliver(messages(0, 2)));
  for (int i = 0; i < 2; ++i) {
    char datagram[4096];
    ssize_t count = ::recv(server.number(), datagram, sizeof(datagram), 0);
    ASSERT_GT(count, 0);
    std::string_view text(datagram, static_cast<std::size_t>(count));
    EXPECT_TRUE(text.starts_with("<110>1 ")) << text;
    EXPECT_TRUE(text.ends_with("{\"n\":" + std::to_string(i) + "}")) << text;
  }
  auto long_one = messages(2, 3);
  long_one[0].text.append(2U << 20, ' ');
  auto done = receiver.deliver(long_one);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, DeliveryError::Kind::too_large);
  EXPECT_TRUE(receiver.deliver(messages(3, 4)));
  std::filesystem::remove_all(root);
}

TEST(SyslogReceiver, SaysWhyItCannotTrustTheReceiver) {
  Server server;
  Halt halt;
  SyslogSettings settings = settings_of(server.port());
  settings.transport = SyslogTransport::tls;
  settings.tls.ca_file = "/nonexistent/ca.pem";
  SyslogReceiver receiver(settings, halt);
  auto done = receiver.deliver(messages(0, 1));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, DeliveryError::Kind::refused);
  EXPECT_THAT(done.error().text, testing::HasSubstr("certificates to trust"));
}

}  // namespace
}  // namespace sallyport::sink
