// A session's login where the connection has several servers: which it may be on, and what follows one that fails.
#include <gtest/gtest.h>

#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

using identity::ServerChoice;

TEST(ServerCandidates, FollowTheChoiceOfTheGrant) {
  ConnectionSettings connection;
  connection.servers = {{.name = "p1"},
                        {.name = "r1", .role = ServerRole::replica},
                        {.name = "p2"},
                        {.name = "r2", .role = ServerRole::replica}};
  using List = std::vector<ServerCandidate>;
  EXPECT_EQ(server_candidates(connection, ServerChoice::primary, 0), (List{{"p1", 1}, {"p2", 2}}));
  EXPECT_EQ(server_candidates(connection, ServerChoice::replica, 0), (List{{"r1", 0}, {"r2", 0}}));
  EXPECT_EQ(server_candidates(connection, ServerChoice::prefer_replica, 0),
            (List{{"r1", 0}, {"r2", 0}, {"p1", 1}, {"p2", 2}}));
  EXPECT_EQ(server_candidates(connection, ServerChoice::prefer_replica, 0b1001), (List{{"r1", 0}, {"p2", 1}}));
  EXPECT_EQ(server_candidates(connection, ServerChoice::replica, 0b1111), List{});
}

class SeveralServersTest : public SessionTest {
 protected:
  SeveralServersTest() : SessionTest(BackendMode::pooled) {
    servers_ = {{.name = "east", .host = "east"},
                {.name = "west", .host = "west"},
                {.name = "copy", .role = ServerRole::replica, .host = "copy"}};
    start();
  }
  void ask() {
    give_token();
    commit();
    ASSERT_TRUE(asked(Action::connect_backend));
  }
  // That the session is done with the server at hand and wants another.
  void expect_next_server() {
    EXPECT_EQ(actions(), (std::vector<Action>{Action::close_backend, Action::connect_backend}));
    EXPECT_TRUE(to_client().empty());
    EXPECT_TRUE(session_->backend_output().empty());
  }
  std::size_t records(std::string_view text) { return sink_.count(text); }
};

TEST_F(SeveralServersTest, TheRecordNamesTheServer) {
  ask();
  session_->backend_chosen("west", now_);
  EXPECT_EQ(session_->backend_kind().server, "west");
  EXPECT_EQ(session_->backend_target().server->host, "west");
  session_->backend_connected(now_);
  finish_login();
  EXPECT_EQ(records("\"server\":\"west\""), 1U);
}

TEST_F(SeveralServersTest, WhateverFailsBeforeALoginIsFollowedByTheNextServer) {
  for (int how = 0; how < 5; ++how) {
    SCOPED_TRACE(how);
    start();
    ask();
    choose();
    if (how > 0) {
      session_->backend_connected(now_);
    }
    if (how == 0) {
      session_->backend_failed("connection refused", now_);
    } else if (how == 1) {
      session_->backend_closed(now_);
    } else if (how == 2) {
      from_backend(packet(0, from_text("\xFF\x10\x04Too many connections")));
    } else if (how == 3) {
      from_backend(backend_greeting());
      to_backend();
      session_->backend_closed(now_);
    } else {
      pass(Milliseconds{3'000});
      session_->time_passed(now_);
    }
    expect_next_server();
    ASSERT_EQ(session_->server_candidates().size(), 1U);
    choose();
    EXPECT_EQ(session_->backend_target().server->name, "west");
    session_->backend_connected(now_);
    finish_login();
    EXPECT_EQ(records("\"server\":\"west\""), static_cast<std::size_t>(how) + 1);
  }
}

TEST_F(SeveralServersTest, WhenAllFailTheClientHearsSoAndTheRecordHasEachCause) {
  ask();
  choose();
  session_->backend_failed("connection refused", now_);
  expect_next_server();
  choose();
  session_->backend_failed("no route to host", now_);
  Buffer error = to_client();
  EXPECT_NE(text_of(error).find("[backend_unavailable]"), std::string_view::npos);
  EXPECT_EQ(text_of(error).find("east"), std::string_view::npos);
  EXPECT_EQ(records("\"detail\":\"east: connection refused; west: no route to host\""), 1U);
}

TEST_F(SeveralServersTest, WhatThePoolSaysOfTheRestIsAddedToTheCauses) {
  ask();
  choose();
  session_->backend_failed("connection refused", now_);
  expect_next_server();
  session_->backend_failed("not tried again so soon after: no answer", now_);
  EXPECT_EQ(records("\"detail\":\"east: connection refused; not tried again so soon after: no answer\""), 1U);
}

TEST_F(SeveralServersTest, ARefusedLoginIsNotTriedElsewhere) {
  connect();
  from_backend(backend_greeting());
  to_backend();
  from_backend(packet(2, from_text("\xFF\x15\x04#28000"
                                   "Access denied")));
  EXPECT_NE(text_of(to_client()).find("[backend_login_failed]"), std::string_view::npos);
  EXPECT_EQ(records("\"detail\":\"east: "), 1U);
}

TEST_F(SeveralServersTest, AResumedConnectionThatIsDeadIsTriedAnewAndThenElsewhere) {
  ask();
  choose();
  session_->backend_resumed({.negotiated = wire::capability::protocol_41, .server_version = "8.0", .connection_id = 3},
                            now_);
  to_backend();
  session_->backend_closed(now_);
  EXPECT_EQ(actions(), std::vector<Action>{Action::reconnect_backend});
  session_->backend_failed("connection refused", now_);
  expect_next_server();
  EXPECT_EQ(session_->backend_fault()->detail, "connection refused") << "what the pool is told of the server";
}

TEST_F(SeveralServersTest, AllAttemptsTogetherHaveTheTimeOfOneLogin) {
  servers_.clear();
  for (char name = 'a'; name < 'f'; ++name) {
    servers_.push_back({.name = std::string(1, name), .host = "db"});
  }
  start();
  ask();
  MonoTime began = now_.mono;
  int attempts = 0;
  std::vector<Action> list{Action::connect_backend};
  while (std::find(list.begin(), list.end(), Action::connect_backend) != list.end()) {
    choose();
    session_->backend_connected(now_);
    ++attempts;
    now_.mono = session_->deadline();
    session_->time_passed(now_);
    list = actions();
  }
  EXPECT_EQ(attempts, 4) << "three of three seconds and one of the last";
  EXPECT_EQ(now_.mono - began, Milliseconds{10'000});
  EXPECT_NE(text_of(to_client()).find("[backend_unavailable]"), std::string_view::npos);
}

TEST_F(SeveralServersTest, TheOnlyServerOfAGrantHasAllTheTime) {
  choice_ = ServerChoice::replica;
  start();
  ask();
  choose();
  EXPECT_EQ(session_->backend_target().server->name, "copy");
  EXPECT_EQ(session_->deadline(), now_.mono + Milliseconds{10'000});
}

TEST_F(SeveralServersTest, AReloadEndsASessionWhoseServerItMayNotBeOnAnyMore) {
  auto original = servers_;
  for (int change = 0; change < 5; ++change) {
    SCOPED_TRACE(change);
    servers_ = original;
    choice_ = ServerChoice::primary;
    start();
    connect();
    finish_login();
    to_client();
    if (change == 0) {
      servers_.erase(servers_.begin());
    } else if (change == 1) {
      servers_[0].port = 3307;
    } else if (change == 2) {
      servers_[0].role = ServerRole::replica;
    } else if (change == 3) {
      choice_ = ServerChoice::replica;
    } else {
      std::swap(servers_[0], servers_[2]);  // only the order
      servers_[2].tls_name = "elsewhere";
      choice_ = ServerChoice::prefer_replica;
    }
    session_->environment_changed(environment(), now_);
    EXPECT_EQ(session_->idle(), change == 4);
  }
}

TEST_F(SeveralServersTest, AClientThatLeavesBetweenTwoServersLeavesNothing) {
  ask();
  choose();
  session_->backend_failed("connection refused", now_);
  expect_next_server();
  session_->client_closed(now_);
  EXPECT_TRUE(asked(Action::close_backend));
  session_->backend_chosen("west", now_);
  session_->backend_connected(now_);
  EXPECT_TRUE(asked(Action::close_backend)) << "what comes too late is closed";
}

}  // namespace
}  // namespace sallyport::session::test
