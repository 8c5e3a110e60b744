// Two loops that share catalogues, and a server of the test's own on a Unix socket.
#include "net/catalogues.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <thread>

#include "net/backends.h"
#include "net/loop.h"
#include "store/audit_log.h"
#include "wire/handshake.h"
#include "wire/response.h"
#include "wire/test_packets.h"

namespace sallyport::net {
namespace {

using wire::test::Buffer;

// Knows one schema with so many tables as it is told, each with one column.
class FakeServer {
 public:
  explicit FakeServer(std::filesystem::path path) : path_(std::move(path)) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::string name = path_.string();
    std::copy(name.begin(), name.end(), address.sun_path);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~FakeServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  void set_tables(int count) { tables_ = count; }
  void fall_silent() { silent_ = true; }
  int readings() const { return readings_; }
  bool is_silent_to_someone() const { return waiting_; }

 private:
  void accept_all() {
    while (!stopping_) {
      int socket = ::accept(listener_, nullptr, nullptr);
      if (socket >= 0) {
        serve(socket);
        ::close(socket);
      }
    }
  }
  static void send_all(int socket, const Buffer& bytes) {
    EXPECT_EQ(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void serve(int socket) {
    Buffer greeting;
    wire::PacketWriter writer{greeting};
    writer.begin(0);
    wire::write_greeting(writer, {.server_version = "8.4.6",
                                  .connection_id = 3,
                                  .nonce = {},
                                  .capabilities = wire::understood_capabilities,
                                  .auth_plugin = std::string(wire::plugin::mysql_native_password)});
    writer.end();
    send_all(socket, greeting);
    Buffer received;
    bool logged_in = false;
    std::array<std::uint8_t, 65536> space;
    for (ssize_t count = 0; (count = ::recv(socket, space.data(), space.size(), 0)) > 0;) {
      received.insert(received.end(), space.begin(), space.begin() + count);
      while (auto header = wire::read_frame_header(received)) {
        std::size_t end = wire::frame_header_bytes + header->payload_bytes;
        if (received.size() < end) {
          break;
        }
        std::string text(received.begin() + wire::frame_header_bytes, received.begin() + static_cast<ssize_t>(end));
        received.erase(received.begin(), received.begin() + static_cast<ssize_t>(end));
        if (!std::exchange(logged_in, true)) {
          send_all(socket, wire::test::packet(2, Buffer{0, 0, 0, 2, 0, 0, 0}));
        } else if (text[0] == 1) {
          return;  // COM_QUIT
        } else if (silent_) {
          waiting_ = true;
        } else {
          answer(socket, text.substr(1));
        }
      }
    }
  }
  void answer(int socket, const std::string& text) {
    readings_ += text.starts_with("SET NAMES") ? 1 : 0;
    for (const auto& query : catalog::catalogue_queries(catalog::ServerKind::mysql)) {
      if (text == query.text) {
        send_all(socket, query.columns == 0 ? wire::test::packet(1, Buffer{0, 0, 0, 2, 0, 0, 0}) : result(query));
      }
    }
  }
  Buffer result(const catalog::CatalogueQueryText& query) const {
    const Buffer eof{0xFE, 0, 0, 2, 0};
    const Buffer column = [] {
      Buffer framed;
      wire::PacketWriter writer{framed};
      writer.begin(0);
      wire::write_column_definition(writer, {}, 0);
      writer.end();
      return Buffer(framed.begin() + wire::frame_header_bytes, framed.end());
    }();
    std::vector<Buffer> payloads{{static_cast<std::uint8_t>(query.columns)}};
    payloads.insert(payloads.end(), query.columns, column);
    payloads.push_back(eof);
    auto row = [&](std::initializer_list<std::string> cells) {
      Buffer payload;
      for (const std::string& cell : cells) {
        payload.push_back(static_cast<std::uint8_t>(cell.size()));
        payload.insert(payload.end(), cell.begin(), cell.end());
      }
      payloads.push_back(std::move(payload));
    };
    for (int i = 0; i < tables_; ++i) {
      std::string name = "t" + std::to_string(i);
      if (query.query == catalog::CatalogueQuery::tables) {
        row({"s", name, "BASE TABLE"});
      } else if (query.query == catalog::CatalogueQuery::columns) {
        row({"s", name, "1", "a", "int", "", "NO", "", ""});
      }
    }
    if (query.query == catalog::CatalogueQuery::name_rules) {
      row({"0"});
    }
    payloads.push_back(eof);
    return wire::test::answer_of(payloads);
  }

  std::filesystem::path path_;
  int listener_ = -1;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> silent_{false};
  std::atomic<bool> waiting_{false};
  std::atomic<int> tables_{1};
  std::atomic<int> readings_{0};
};

class CataloguesTest : public testing::Test {
 protected:
  CataloguesTest() {
    directory_ = std::filesystem::temp_directory_path() / ("catalogues_test." + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
    server_ = std::make_unique<FakeServer>(directory_ / "server.sock");
    std::vector<SharedPool::Deliver> deliveries;
    std::vector<CatalogueBoard::Post> posts;
    auto log = store::AuditLog::open({.settings = {.directory = directory_ / "audit",
                                                   .origin = "test",
                                                   .signing_key = directory_ / "audit.key",
                                                   .journal_bytes = 1U << 16},
                                      .loops = 2});
    EXPECT_TRUE(log);
    audit_log_ = std::move(log).value();
    for (std::uint32_t i = 0; i < 2; ++i) {
      loops_.push_back(std::make_unique<Loop>(i, audit_log_->journal(i), shared_));
      Loop& loop = *loops_.back();
      deliveries.push_back([](const session::BackendPool::Order& /*order*/) {});
      posts.push_back(
          [&loop](std::function<void(Loop&)> task) { loop.post([&loop, task = std::move(task)] { task(loop); }); });
    }
    pool_.set_loops(std::move(deliveries));
    pool_.set_tell([](const session::BackendPool::Change& /*change*/) {});
    board_.set_loops(std::move(posts));
    configure(runtime_for("server.sock", Milliseconds{3'600'000}));
    for (auto& loop : loops_) {
      threads_.emplace_back([&loop] { loop->run(); });
    }
  }
  ~CataloguesTest() override {
    stop();
    server_.reset();
    audit_log_->stop();
    loops_.clear();
    std::filesystem::remove_all(directory_);
  }

  void stop() {
    for (auto& loop : loops_) {
      loop->stop_when_empty();
    }
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }
  std::shared_ptr<const Runtime> runtime_for(std::string_view socket, Milliseconds refresh) const {
    session::ConnectionSettings connection;
    connection.name = "shop";
    connection.servers = {{.name = "primary", .socket_path = directory_ / socket}};
    connection.tls.mode = session::BackendTlsMode::disabled;
    connection.logins.push_back({.name = "reader", .user = "reader", .password = Secret{std::string("p4ssword")}});
    if (refresh != Milliseconds{0}) {
      connection.catalogue = session::CatalogueSettings{.login = "reader", .refresh = refresh};
    }
    session::ConnectionSettings beside = connection;  // without a catalogue of its own
    beside.name = "beside";
    beside.catalogue.reset();
    session::ConnectionSettings elsewhere = beside;
    elsewhere.name = "elsewhere";
    elsewhere.servers[0].socket_path = directory_ / "elsewhere.sock";
    auto runtime = std::make_shared<Runtime>();
    runtime->environment =
        std::make_shared<session::Environment>(session::Environment{.limits = {},
                                                                    .connections = {connection, beside, elsewhere},
                                                                    .server_public_keys = {},
                                                                    .accounts = identity::AccountDirectory({}),
                                                                    .policy = {}});
    return runtime;
  }
  void configure(const std::shared_ptr<const Runtime>& runtime) {
    for (auto& loop : loops_) {
      loop->set_runtime(runtime);
    }
  }
  std::size_t reader() const { return board_.loop_of("shop"); }
  // On the loop's thread.
  template <typename Ask>
  auto on(std::size_t index, Ask ask) {
    using Answer = decltype(ask(*loops_[index]));
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    Loop& loop = *loops_[index];
    loop.post([&loop, ask, promise] { promise->set_value(ask(loop)); });
    return answer.get();
  }
  std::shared_ptr<const catalog::Catalogue> found_by(std::size_t index) {
    return on(index, [](Loop& loop) { return loop.catalogues().find("shop"); });
  }
  void ask(std::size_t index) {
    on(index, [](Loop& loop) {
      loop.catalogues().changed("shop", loop.now().mono);
      return true;
    });
  }
  static bool comes_true(const std::function<bool()>& condition, Milliseconds within = Milliseconds{10'000}) {
    auto until = std::chrono::steady_clock::now() + within;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) {
        return false;
      }
      std::this_thread::sleep_for(Milliseconds{5});
    }
    return true;
  }
  bool all_have(std::size_t tables) {
    return comes_true([&] {
      auto one = found_by(0);
      auto other = found_by(1);
      return one && one == other && one->tables().size() == tables;
    });
  }
  // Until nothing is read again because of a change.
  void settle() {
    ASSERT_TRUE(comes_true([&] { return server_->readings() >= 2; }));
    std::this_thread::sleep_for(Milliseconds{300});
  }

  std::filesystem::path directory_;
  std::unique_ptr<FakeServer> server_;
  Log log_{{.lowest = Severity::error, .style = LogStyle::text}};
  SharedPool pool_{1};
  CatalogueBoard board_;
  LoopShared shared_{.log = log_, .backends = pool_, .catalogues = board_};
  std::unique_ptr<store::AuditLog> audit_log_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
};

TEST_F(CataloguesTest, EveryLoopFindsTheSameSnapshot) {
  EXPECT_TRUE(all_have(1));
  EXPECT_EQ(on(0, [](Loop& loop) { return loop.catalogues().find("other"); }), nullptr);
  settle();
  EXPECT_EQ(server_->readings(), 2) << "once more because it was new, and then in an hour";
  EXPECT_EQ(found_by(0)->version(), 1U) << "it was the same";
  auto status = board_.statuses().at("shop");
  EXPECT_EQ(status.version, 1U);
  EXPECT_EQ(status.tables, 1U);
  EXPECT_EQ(status.failures, 0U);
  EXPECT_FALSE(status.complete);
}

TEST_F(CataloguesTest, WhatMayHaveChangedIsInDoubtUntilItWasReadAnew) {
  auto doubted = [this](std::size_t index) {
    return on(index, [](Loop& loop) { return loop.catalogues().in_doubt("shop"); });
  };
  EXPECT_TRUE(all_have(1));
  settle();
  EXPECT_FALSE(doubted(0) || doubted(1));
  auto version = found_by(0)->version();
  int before = server_->readings();
  ask(0);
  EXPECT_TRUE(doubted(0)) << "at once for its own sessions";
  EXPECT_TRUE(comes_true([&] { return doubted(1) || server_->readings() > before; }));
  EXPECT_TRUE(comes_true([&] { return !doubted(0) && !doubted(1); }));
  EXPECT_EQ(found_by(0)->version(), version) << "nothing has changed";
  std::this_thread::sleep_for(catalogue_gap_min + Milliseconds{300});
  EXPECT_EQ(server_->readings(), before + 1) << "once for all loops";
}

TEST_F(CataloguesTest, WhatMayChangeIsInDoubtAsLongAsItIsUnderWay) {
  auto doubted = [this](std::size_t index) {
    return on(index, [](Loop& loop) { return loop.catalogues().in_doubt("shop"); });
  };
  EXPECT_TRUE(all_have(1));
  settle();
  auto one = on(0, [](Loop& loop) { return loop.catalogues().changing("shop"); });
  auto other = on(1, [](Loop& loop) { return loop.catalogues().changing("beside"); });
  EXPECT_TRUE(doubted(0) && doubted(1));
  one.reset();
  EXPECT_TRUE(doubted(0) && doubted(1)) << "the other connection is to the same server";
  other.reset();
  EXPECT_FALSE(doubted(0) || doubted(1));
  EXPECT_EQ(on(0, [](Loop& loop) { return loop.catalogues().changing("elsewhere"); }), nullptr);
  int before = server_->readings();
  on(0, [](Loop& loop) {
    loop.catalogues().changed("beside", loop.now().mono + Milliseconds{600'000});
    return true;
  });
  EXPECT_TRUE(comes_true([&] { return server_->readings() > before; }));
  std::this_thread::sleep_for(Milliseconds{100});
  EXPECT_TRUE(doubted(0) && doubted(1)) << "it may change later";
}

TEST_F(CataloguesTest, WhateverLoopAsksItIsReadAtOnceAndForManyOnce) {
  settle();
  auto old = found_by(0);
  std::this_thread::sleep_for(catalogue_gap_min);
  server_->set_tables(3);
  int before = server_->readings();
  auto asked_at = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < 50; ++i) {
    ask(i % 2);
  }
  EXPECT_TRUE(all_have(3));
  EXPECT_LT(std::chrono::steady_clock::now() - asked_at, catalogue_gap_min * 5) << "not in an hour";
  EXPECT_GT(found_by(0)->version(), old->version());
  EXPECT_EQ(old->tables().size(), 1U) << "who has a snapshot keeps it";
  std::this_thread::sleep_for(catalogue_gap_min * 3);
  // At once; once more for what was asked meanwhile and because it was new, unless that was two.
  EXPECT_GE(server_->readings() - before, 2);
  EXPECT_LE(server_->readings() - before, 3);
}

TEST_F(CataloguesTest, WithoutSettingsOrOfOtherServersThereIsNone) {
  ASSERT_TRUE(all_have(1));
  configure(runtime_for("another.sock", Milliseconds{3'600'000}));
  EXPECT_EQ(found_by(0), nullptr);
  EXPECT_EQ(found_by(1), nullptr);
  EXPECT_TRUE(comes_true([&] { return board_.statuses().at("shop").failures > 0; }));
  EXPECT_EQ(board_.statuses().at("shop").version, 0U);
  configure(runtime_for("server.sock", Milliseconds{3'600'000}));
  EXPECT_TRUE(all_have(1));
  EXPECT_GT(found_by(0)->version(), 1U) << "a version is never used twice";
  configure(runtime_for("server.sock", Milliseconds{0}));
  EXPECT_EQ(found_by(0), nullptr);
  EXPECT_EQ(found_by(1), nullptr);
  EXPECT_TRUE(board_.statuses().empty());
  ask(0);
  ask(1);
}

TEST_F(CataloguesTest, ALoopThatIsConfiguredAfterTheReadingHasItToo) {
  ASSERT_TRUE(all_have(1));
  configure(runtime_for("another.sock", Milliseconds{3'600'000}));
  auto again = runtime_for("server.sock", Milliseconds{3'600'000});
  loops_[reader()]->set_runtime(again);
  ASSERT_TRUE(comes_true([&] { return found_by(reader()) != nullptr; }));
  EXPECT_EQ(found_by(1 - reader()), nullptr) << "of other servers";
  loops_[1 - reader()]->set_runtime(again);
  EXPECT_TRUE(all_have(1));
}

TEST_F(CataloguesTest, ALoopThatIsConfiguredLateTakesNoneOfOtherServers) {
  ASSERT_TRUE(all_have(1));
  loops_[1 - reader()]->set_runtime(runtime_for("another.sock", Milliseconds{3'600'000}));
  EXPECT_EQ(found_by(1 - reader()), nullptr);
  loops_[1 - reader()]->set_runtime(runtime_for("server.sock", Milliseconds{3'600'000}));
  EXPECT_TRUE(all_have(1)) << "it is still what was read last";
  loops_[reader()]->set_runtime(runtime_for("another.sock", Milliseconds{3'600'000}));
  EXPECT_EQ(found_by(reader()), nullptr);
  loops_[1 - reader()]->set_runtime(runtime_for("another.sock", Milliseconds{3'600'000}));
  loops_[1 - reader()]->set_runtime(runtime_for("server.sock", Milliseconds{3'600'000}));
  EXPECT_EQ(found_by(1 - reader()), nullptr) << "forgotten by who reads it";
}

TEST_F(CataloguesTest, ALoopThatIsReadingStops) {
  settle();
  server_->fall_silent();
  ask(0);
  ASSERT_TRUE(comes_true([&] { return server_->is_silent_to_someone(); }));
  stop();
  EXPECT_NE(board_.statuses().at("shop").version, 0U);
}

}  // namespace
}  // namespace sallyport::net
