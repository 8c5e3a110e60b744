// A session on a connection of the pool: how it begins on one that was used before, and which it gives back.
#include <gtest/gtest.h>

#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

class PooledSessionTest : public SessionTest {
 protected:
  PooledSessionTest() : SessionTest(BackendMode::pooled) {}

  void resume() {
    give_token();
    commit();
    ASSERT_TRUE(asked(Action::connect_backend));
    choose();
    session_->backend_resumed(
        {.negotiated = wire::capability::protocol_41, .server_version = "8.0", .connection_id = 3}, now_);
  }
  // The server's answers to the set-up: session tracking and the schema.
  void answer_setup() {
    EXPECT_FALSE(to_backend().empty());
    set_up();
  }
};

TEST_F(PooledSessionTest, AResumedConnectionNeedsTheSetUpOnly) {
  resume();
  answer_setup();
  commit();
  EXPECT_EQ(to_client(), packet(5, ok_payload));
  EXPECT_TRUE(session_->idle());
  EXPECT_EQ(sink_.count("\"server_connection\":\"reused\""), 1U);
}

TEST_F(PooledSessionTest, OfAResumedConnectionThatIsDeadTheClientHearsNothing) {
  for (int how = 0; how < 3; ++how) {
    start();
    resume();
    to_backend();
    if (how == 0) {
      session_->backend_closed(now_);
    } else if (how == 1) {
      from_backend(packet(0, from_text("\xFF\x1D\x04#08S01Server shutdown")));
    } else {
      from_backend(packet(1, from_text("\xFF\x87\x07#70100Connection was killed")));
      session_->backend_closed(now_);
    }
    ASSERT_TRUE(asked(Action::reconnect_backend)) << how;
    EXPECT_TRUE(to_client().empty());
    EXPECT_TRUE(session_->backend_output().empty());
    session_->backend_connected(now_);
    finish_login();
    EXPECT_EQ(sink_.count("\"server_connection\":\"fresh\""), static_cast<std::size_t>(how) + 1);
  }
}

TEST_F(PooledSessionTest, ItIsTriedAnewOnce) {
  resume();
  session_->backend_closed(now_);
  ASSERT_TRUE(asked(Action::reconnect_backend));
  session_->backend_connected(now_);
  session_->backend_closed(now_);
  EXPECT_EQ(sink_.count("backend_unavailable"), 1U);
}

TEST_F(PooledSessionTest, BetweenCommandsTheConnectionIsGivenBack) {
  log_in();
  from_client(packet(0, Buffer{0x01}));
  std::vector<Action> list = actions();
  EXPECT_NE(std::find(list.begin(), list.end(), Action::release_backend), list.end());
  EXPECT_EQ(std::find(list.begin(), list.end(), Action::close_backend), list.end());
  EXPECT_TRUE(session_->backend_output().empty());
  EXPECT_EQ(session_->released_backend().facts.connection_id, 3U);
}

TEST_F(PooledSessionTest, WhatGetsNoAnswerIsGivenAlongWhereItIsNotSentYet) {
  log_in();
  prepare(0);
  Buffer close{5, 0, 0, 0, 0x19, 1, 0, 0, 0};
  from_client(close);
  commit();
  from_client(packet(0, Buffer{0x01}));
  EXPECT_TRUE(asked(Action::release_backend));
  EXPECT_EQ(session_->released_backend().unsent, close);
}

TEST_F(PooledSessionTest, InTheMiddleOfACommandTheConnectionIsNotGivenBack) {
  log_in();
  forwarded(packet(0, from_text("\x03SELECT 1")));
  session_->client_closed(now_);
  EXPECT_TRUE(asked(Action::abandon_backend));
}

TEST_F(PooledSessionTest, AServerThatSendsUnaskedOrClosesIsNotGivenOn) {
  log_in();
  from_backend(packet(1, ok_payload));
  EXPECT_TRUE(asked(Action::close_backend));
  start();
  log_in();
  session_->backend_closed(now_);
  EXPECT_TRUE(asked(Action::close_backend));
}

TEST_F(PooledSessionTest, AServerThatAnswersASetUpThatWasNotSentYetIsNotGivenOn) {
  connect();
  from_backend(backend_greeting());
  to_backend();
  from_backend(packet(2, ok_payload));
  from_backend(packet(1, ok_payload));
  from_backend(packet(1, from_text("\xFF\x19\x04#42000Unknown database")));
  from_backend(reading({}));
  EXPECT_TRUE(asked(Action::close_backend));

  start();
  connect();
  from_backend(backend_greeting());
  to_backend();
  from_backend(packet(2, ok_payload));
  from_backend(packet(1, ok_payload));
  from_backend(packet(1, ok_payload));
  from_backend(reading({}));
  session_->client_closed(now_);
  EXPECT_TRUE(asked(Action::close_backend)) << "the set-up is good, and is to be recorded";
}

TEST_F(PooledSessionTest, AServerThatAnswersWhatItWasNotSentInFullIsNotGivenOn) {
  log_in();
  from_client(query("SELECT 1"));
  commit();
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  from_client(packet(0, Buffer{0x01}));
  EXPECT_TRUE(asked(Action::close_backend));

  start();
  log_in();
  forget_reading();
  from_client(query(R"(DO '\')"));
  EXPECT_FALSE(session_->backend_output().empty()) << "the server is asked how it reads";
  from_backend(reading({}));
  session_->client_closed(now_);
  EXPECT_TRUE(asked(Action::close_backend));
}

TEST_F(PooledSessionTest, WhereThereIsNoConnectionTheClientIsToldSo) {
  give_token();
  commit();
  session_->backend_failed("no connection became free", now_, Reason::backend_pool_exhausted);
  Buffer error = to_client();
  EXPECT_NE(text_of(error).find("[backend_pool_exhausted]"), std::string_view::npos);
  EXPECT_EQ(sink_.count("backend_pool_exhausted"), 1U);
}

}  // namespace
}  // namespace sallyport::session::test
