// Connections to servers of several addresses, of which some are silent or refuse.
#include "net/dial.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <future>
#include <list>
#include <thread>

#include "net/backends.h"
#include "net/catalogues.h"
#include "net/loop.h"
#include "store/audit_log.h"

namespace sallyport::net {
namespace {

// A port of this machine.
class Port {
 public:
  enum class Manner : std::uint8_t { answers, is_silent, refuses };

  explicit Port(Manner manner) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    endpoint_ = boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0);
    auto size = static_cast<socklen_t>(endpoint_.size());
    EXPECT_EQ(::bind(listener_.number(), endpoint_.data(), size), 0);
    EXPECT_EQ(::getsockname(listener_.number(), endpoint_.data(), &size), 0);
    if (manner == Manner::refuses) {
      return;
    }
    EXPECT_EQ(::listen(listener_.number(), manner == Manner::is_silent ? 0 : 64), 0);
    // What its queue has no room for is dropped.
    for (int i = 0; manner == Manner::is_silent && i < 3; ++i) {
      fillers_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      static_cast<void>(::connect(fillers_.back().number(), endpoint_.data(), size));
    }
  }

  const boost::asio::ip::tcp::endpoint& endpoint() const { return endpoint_; }

 private:
  Descriptor listener_;
  std::list<Descriptor> fillers_;
  boost::asio::ip::tcp::endpoint endpoint_;
};

class DialTest : public testing::Test {
 protected:
  using Outcome = Result<int, std::string>;  // the port that it is connected to

  DialTest() {
    directory_ = std::filesystem::temp_directory_path() / ("dial_test." + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
    auto log = store::AuditLog::open({.settings = {.directory = directory_ / "audit",
                                                   .origin = "test",
                                                   .signing_key = directory_ / "audit.key",
                                                   .journal_bytes = 1U << 16},
                                      .loops = 1});
    EXPECT_TRUE(log);
    audit_log_ = std::move(log).value();
    pool_.set_loops({[](const session::BackendPool::Order& /*order*/) {}});
    pool_.set_tell([](const session::BackendPool::Change& /*change*/) {});
    shared_.resolve = [this](const std::string& host, std::uint16_t port, Loop& loop, LoopShared::Resolved done) {
      EXPECT_EQ(host, "database.example");
      EXPECT_EQ(port, 3306);
      loop.post([this, done = std::move(done)] { done(found_); });
    };
    loop_ = std::make_unique<Loop>(0, audit_log_->journal(0), shared_);
    auto runtime = std::make_shared<Runtime>();
    runtime->environment =
        std::make_shared<session::Environment>(session::Environment{.limits = {},
                                                                    .connections = {},
                                                                    .server_public_keys = {},
                                                                    .accounts = identity::AccountDirectory({}),
                                                                    .policy = {}});
    loop_->set_runtime(runtime);
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~DialTest() override {
    loop_->stop_when_empty();
    thread_.join();
    audit_log_->stop();
    loop_.reset();
    std::filesystem::remove_all(directory_);
  }

  Outcome dial(std::vector<Endpoint> endpoints) {
    found_ = std::move(endpoints);
    std::promise<Outcome> told;
    std::shared_ptr<Dial> dial;
    loop_->post([&] {
      session::ServerSettings server{.name = "primary", .host = "database.example", .port = 3306};
      dial = Dial::start(*loop_, server, [&](Result<Descriptor, std::string> socket) {
        dial.reset();
        told.set_value(socket ? Outcome(peer_port(*socket)) : Outcome(Unexpected(socket.error())));
      });
    });
    return told.get_future().get();
  }
  static int peer_port(const Descriptor& socket) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    EXPECT_EQ(::getpeername(socket.number(), reinterpret_cast<sockaddr*>(&peer), &size), 0);
    return ntohs(peer.sin_port);
  }

  std::filesystem::path directory_;
  Log log_{{.lowest = Severity::error, .style = LogStyle::text}};
  SharedPool pool_{1};
  CatalogueBoard board_;
  LoopShared shared_{.log = log_, .backends = pool_, .catalogues = board_};
  std::unique_ptr<store::AuditLog> audit_log_;
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
  std::vector<Endpoint> found_;
};

TEST_F(DialTest, AnAddressThatIsSilentOrRefusesDoesNotKeepTheNextOneWaiting) {
  using Manner = Port::Manner;
  Port answering(Manner::answers);
  Port silent(Manner::is_silent);
  Port silent_too(Manner::is_silent);
  Port refusing(Manner::refuses);
  for (auto endpoints : {std::vector<Endpoint>{answering.endpoint()},
                         {silent.endpoint(), answering.endpoint()},
                         {refusing.endpoint(), answering.endpoint()},
                         {silent.endpoint(), refusing.endpoint(), silent_too.endpoint(), answering.endpoint()},
                         {answering.endpoint(), silent.endpoint()}}) {
    auto outcome = dial(endpoints);
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_EQ(*outcome, answering.endpoint().port());
  }
}

TEST_F(DialTest, WhereAllRefuseItSaysSo) {
  Port refusing(Port::Manner::refuses);
  Port refusing_too(Port::Manner::refuses);
  auto outcome = dial({refusing.endpoint(), refusing_too.endpoint()});
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().find("Connection refused"), std::string::npos) << outcome.error();
}

}  // namespace
}  // namespace sallyport::net
