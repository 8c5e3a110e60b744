// What the gateway has the server stop by a side connection, as a session asks for it; the side connection is the test.
#include <functional>

#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

using Status = KillOutcome::Status;

const Buffer select{packet(0, from_text("\x03SELECT 1"))};
const Buffer one_column{1};
const Buffer eof{0xFE, 0, 0, 2, 0};
const Buffer interrupted{from_text("\xFF\x25\x05#70100Query execution was interrupted")};
const Buffer ping{packet(0, Buffer{0x0E})};
const Buffer ok_in_transaction{0, 0, 0, 3, 0, 0, 0};

std::string code_in(const Buffer& bytes) {
  std::string_view text = text_of(bytes);
  auto at = text.rfind('[');
  return at == std::string_view::npos ? "none" : std::string(text.substr(at + 1, text.find(']', at) - at - 1));
}

class SideKillTest : public SessionTest {
 protected:
  explicit SideKillTest(BackendMode mode = BackendMode::dedicated) : SessionTest(mode) {
    account_limits_ = {.statement_timeout = Seconds{3}};
    start();
    log_in();
  }

  void time_out() {
    pass(Milliseconds{3'000});
    session_->time_passed(now_);
    ASSERT_TRUE(asked(Action::kill));
    order_ = session_->kill_order();
  }
  bool due() { return session_->kill_due(order_.number, now_); }
  void answer(Status status) {
    session_->kill_answered(order_.number, {.status = status, .refusal = {}, .detail = "a detail"}, now_);
  }
  // The session is at rest and answers as before.
  void goes_on() {
    EXPECT_EQ(to_backend(), ping);
    EXPECT_TRUE(session_->idle());
    EXPECT_EQ(forwarded(select), select) << "without waiting for the answer to COM_PING";
    Buffer answers = packet(1, ok_payload);
    wire::test::append(answers, packet(1, ok_payload));
    from_backend(answers);
    EXPECT_EQ(to_client(), packet(1, ok_payload));
    EXPECT_TRUE(session_->idle());
  }

  KillOrder order_;
};

TEST_F(SideKillTest, AStatementThatTakesTooLongIsStoppedAndTheSessionGoesOn) {
  pass(Milliseconds{10'000});
  session_->time_passed(now_);
  EXPECT_TRUE(session_->idle()) << "time between statements does not count";
  forwarded(select);
  pass(Milliseconds{2'999});
  session_->time_passed(now_);
  EXPECT_FALSE(asked(Action::kill));
  EXPECT_EQ(session_->deadline(), now_.mono + Milliseconds{1});
  pass(Milliseconds{1});
  session_->time_passed(now_);
  ASSERT_TRUE(asked(Action::kill));
  order_ = session_->kill_order();
  EXPECT_EQ(order_.text, "KILL SOFT QUERY 3");
  EXPECT_EQ(order_.kind.login, "reader");
  EXPECT_EQ(order_.server, "");
  EXPECT_TRUE(to_client().empty()) << "the statement may end by itself until the KILL is on its way";
  EXPECT_TRUE(due());
  EXPECT_EQ(code_in(to_client()), "statement_timeout");
  from_client(select);
  EXPECT_FALSE(asked(Action::commit_audit)) << "the next waits";
  from_backend(packet(1, interrupted));
  EXPECT_TRUE(to_client().empty()) << "the client has had its error";
  EXPECT_TRUE(to_backend().empty());
  EXPECT_FALSE(session_->idle());
  answer(Status::done);
  EXPECT_EQ(to_backend(), ping);
  commit();
  EXPECT_EQ(to_backend(), select);
  Buffer answers = packet(1, ok_payload);
  wire::test::append(answers, packet(1, ok_payload));
  from_backend(answers);
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  EXPECT_EQ(sink_.count(R"("type":"kill"})"), 1U);
  EXPECT_EQ(sink_.count(R"("type":"kill_outcome"})"), 1U);
  EXPECT_EQ(sink_.count(R"("reason":"statement_timeout")"), 2U) << "the kill's, and the outcome's";
  EXPECT_EQ(sink_.count("session_end"), 0U);
}

TEST_F(SideKillTest, TheAnswersOfServerAndSideConnectionComeInEitherOrder) {
  forwarded(select);
  time_out();
  EXPECT_TRUE(due());
  to_client();
  answer(Status::done);
  EXPECT_TRUE(to_backend().empty());
  from_backend(packet(1, interrupted));
  goes_on();
}

TEST_F(SideKillTest, AStatementThatEndsByItselfBeforeTheKillIsAnsweredAsEver) {
  forwarded(select);
  time_out();
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  EXPECT_FALSE(due());
  answer(Status::not_wanted);
  EXPECT_TRUE(to_backend().empty()) << "nothing has to be proved";
  EXPECT_EQ(forwarded(select), select);
  EXPECT_FALSE(due()) << "nor is it for the next statement";
  EXPECT_TRUE(to_client().empty());
  time_out();
  EXPECT_TRUE(due()) << "which is stopped by a KILL of its own";
}

TEST_F(SideKillTest, AKillThatComesTooLateDoesNotMeetTheNextStatement) {
  forwarded(select);
  time_out();
  EXPECT_TRUE(due());
  to_client();
  from_backend(packet(1, ok_payload));
  from_client(select);
  EXPECT_TRUE(to_backend().empty());
  answer(Status::done);
  EXPECT_EQ(to_backend(), ping);
  commit();
  EXPECT_EQ(to_backend(), select);
  Buffer answers = packet(1, interrupted);  // what was late has met COM_PING
  wire::test::append(answers, packet(1, ok_payload));
  from_backend(answers);
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  EXPECT_TRUE(session_->idle());
}

TEST_F(SideKillTest, AnotherErrorThanThatIsNoAnswerToComPing) {
  forwarded(select);
  time_out();
  EXPECT_TRUE(due());
  to_client();
  answer(Status::done);
  from_backend(packet(1, interrupted));
  to_backend();
  from_backend(packet(1, from_text("\xFF\x15\x04#28000Access denied")));
  EXPECT_EQ(sink_.count("backend_violation"), 1U);
}

TEST_F(SideKillTest, WhereTheKillFailsTheSessionEnds) {
  for (Status status : {Status::failed, Status::refused, Status::not_tried}) {
    for (int how = 0; how < 3; ++how) {
      sink_.lines.clear();
      start();
      log_in();
      forwarded(select);
      time_out();
      if (how > 0) {
        EXPECT_TRUE(due());
        EXPECT_EQ(code_in(to_client()), "statement_timeout");
      }
      if (how == 2) {
        from_backend(packet(1, ok_payload));  // and it can't be told what the KILL meets
      }
      answer(status);
      Buffer sent = to_client();
      EXPECT_EQ(code_in(sent), "statement_not_stopped");
      EXPECT_EQ(sent[3], 1);
      EXPECT_TRUE(asked(Action::abandon_backend));
      EXPECT_EQ(session_->kill_order().text, "KILL SOFT CONNECTION 3");
      EXPECT_EQ(sink_.count(R"("detail":"a detail",)", R"("reason":"statement_not_stopped")"), 1U);
    }
  }
}

TEST_F(SideKillTest, WhereTheStatementDoesNotEndItIsKilledAgainAndThenTheSessionEnds) {
  forwarded(select);
  time_out();
  EXPECT_TRUE(due());
  to_client();
  pass(Milliseconds{4'000});
  answer(Status::done);
  Milliseconds waited{0};
  int kills = 0;
  while (waited < Milliseconds{4'800}) {
    pass(Milliseconds{400});
    waited += Milliseconds{400};
    session_->time_passed(now_);
    ASSERT_TRUE(asked(Action::kill)) << waited.count();
    order_ = session_->kill_order();
    EXPECT_EQ(order_.text, "KILL SOFT QUERY 3");
    EXPECT_TRUE(due());
    answer(Status::done);
    ++kills;
  }
  EXPECT_EQ(kills, 12);
  pass(Milliseconds{199});
  session_->time_passed(now_);
  EXPECT_TRUE(to_client().empty()) << "limits.kill_timeout counts from the first answer";
  pass(Milliseconds{1});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "statement_not_stopped");
  EXPECT_TRUE(asked(Action::abandon_backend));
}

TEST_F(SideKillTest, AStatementThatEndsBeforeItIsKilledAgainHasEnded) {
  forwarded(select);
  time_out();
  EXPECT_TRUE(due());
  to_client();
  answer(Status::done);
  pass(Milliseconds{400});
  session_->time_passed(now_);
  ASSERT_TRUE(asked(Action::kill));
  order_ = session_->kill_order();
  from_backend(packet(1, interrupted));
  goes_on();
  EXPECT_FALSE(due());
  answer(Status::not_wanted);
  EXPECT_TRUE(session_->idle());
}

TEST_F(SideKillTest, AShellThatIsNotHeardOfEndsTheSession) {
  for (bool sent : {false, true}) {
    start();
    log_in();
    forwarded(select);
    time_out();
    if (sent) {
      EXPECT_TRUE(due());
      to_client();
    }
    pass(Milliseconds{10'000});
    session_->time_passed(now_);
    EXPECT_EQ(code_in(to_client()), "statement_not_stopped");
  }
}

TEST_F(SideKillTest, AmidRowsTheErrorStandsInThePlaceOfTheNext) {
  forwarded(select);
  from_backend(answer_of({one_column, definition(), eof, {1, 'a'}}));
  Buffer begun = to_client();
  time_out();
  EXPECT_TRUE(due());
  Buffer error = to_client();
  EXPECT_EQ(code_in(error), "statement_timeout");
  EXPECT_EQ(error[3], 5);
  Buffer rest = packet(5, Buffer{1, 'b'});
  wire::test::append(rest, packet(6, interrupted));
  from_backend(rest);
  EXPECT_TRUE(to_client().empty());
  answer(Status::done);
  goes_on();
  EXPECT_EQ(sink_.count(R"("rows":1)"), 1U);
}

TEST_F(SideKillTest, InTheMiddleOfARowTheRowIsFinishedFirst) {
  forwarded(select);
  Buffer answer_bytes = answer_of({one_column, definition(), eof, Buffer(70'001, 'x'), {1, 'b'}});
  std::size_t half = answer_bytes.size() - 35'000;
  from_backend(Buffer(answer_bytes.begin(), answer_bytes.begin() + static_cast<std::ptrdiff_t>(half)));
  std::size_t passed = to_client().size();
  time_out();
  EXPECT_TRUE(due());
  EXPECT_TRUE(to_client().empty());
  from_backend(Buffer(answer_bytes.begin() + static_cast<std::ptrdiff_t>(half), answer_bytes.end()));
  Buffer sent = to_client();
  EXPECT_EQ(code_in(sent), "statement_timeout");
  EXPECT_EQ(sent[answer_bytes.size() - 6 - passed + 3], 5);
  answer(Status::done);
  from_backend(packet(6, interrupted));
  goes_on();
}

TEST_F(SideKillTest, OfAResultThatWasCutTheServerIsStoppedAndTheClientHearsNothingMore) {
  account_limits_ = {.statement_timeout = Seconds{3}, .result_rows_max = 1};
  start();
  log_in();
  forwarded(select);
  from_backend(answer_of({one_column, definition(), eof, {1, 'a'}, {1, 'b'}}));
  EXPECT_EQ(code_in(to_client()), "result_too_large");
  time_out();
  EXPECT_TRUE(due());
  EXPECT_TRUE(to_client().empty());
  answer(Status::done);
  from_backend(packet(6, interrupted));
  goes_on();
}

TEST_F(SideKillTest, TheTransactionStaysAsTheServerLeavesIt) {
  forwarded(select);
  from_backend(packet(1, ok_in_transaction));
  to_client();
  forwarded(select);
  time_out();
  EXPECT_TRUE(due());
  to_client();
  answer(Status::done);
  from_backend(packet(1, interrupted));
  to_backend();
  from_backend(packet(1, ok_in_transaction));  // of COM_PING
  session_->drain(now_);
  EXPECT_TRUE(session_->idle()) << "the transaction is open still";
}

TEST_F(SideKillTest, AStatementThatWasPreparedAllTheSameIsForgotten) {
  forwarded(packet(0, from_text("\x16SELECT 1")));
  time_out();
  EXPECT_TRUE(due());
  EXPECT_EQ(code_in(to_client()), "statement_timeout");
  from_backend(packet(1, Buffer{0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  Buffer sent = to_backend();
  EXPECT_EQ(sent, packet(0, Buffer{0x19, 9, 0, 0, 0}));
  answer(Status::done);
  goes_on();
}

TEST_F(SideKillTest, ASessionThatEndsWhileAStatementRunsHasTheServerEndIt) {
  struct Case {
    std::string_view reason;
    std::function<void()> happens;
  };
  std::vector<Case> cases{
      {"client_closed", [&] { session_->client_closed(now_); }},
      {"drained", [&] { session_->stop(now_); }},
      {"token_expired",
       [&] {
         now_.wall = expires_at_;
         session_->time_passed(now_);
       }},
      {"account_disabled", [&] { session_->environment_changed(environment({.without_account = true}), now_); }},
      {"account_changed", [&] { session_->environment_changed(environment({.user = "another"}), now_); }},
  };
  for (const Case& one : cases) {
    sink_.lines.clear();
    Now before = now_;
    start();
    log_in();
    forwarded(select);
    one.happens();
    auto list = actions();
    EXPECT_EQ(std::count(list.begin(), list.end(), Action::abandon_backend), 1) << one.reason;
    EXPECT_EQ(std::count(list.begin(), list.end(), Action::close_backend), 0) << one.reason;
    KillOrder order = session_->kill_order();
    EXPECT_EQ(order.text, "KILL SOFT CONNECTION 3");
    EXPECT_NE(Environment::find_login(*order.environment->find_connection("shop"), order.kind.login), nullptr);
    ASSERT_GE(sink_.lines.size(), 3U);
    auto seq = [](std::uint64_t number) { return "\"seq\":" + std::to_string(number) + ","; };
    EXPECT_NE(sink_.lines.back().find("session_end"), std::string::npos);
    EXPECT_NE(sink_.lines.back().find(seq(order.outcome_seq - 1)), std::string::npos);
    EXPECT_NE(sink_.lines[sink_.lines.size() - 2].find(seq(order.of)), std::string::npos);
    EXPECT_EQ(sink_.count(R"("type":"kill"})"), 1U);
    EXPECT_EQ(sink_.count("\"reason\":\"" + std::string(one.reason)), 3U) << "outcome, kill, session_end";
    now_ = before;
  }
}

TEST_F(SideKillTest, WhereNothingRunsOrTheServerIsGoneNothingIsKilled) {
  session_->stop(now_);
  EXPECT_FALSE(asked(Action::abandon_backend)) << "between commands";
  start();
  log_in();
  from_client(select);
  session_->stop(now_);
  EXPECT_FALSE(asked(Action::abandon_backend)) << "not forwarded yet";
  start();
  log_in();
  forwarded(select);
  session_->backend_closed(now_);
  EXPECT_FALSE(asked(Action::abandon_backend));
  start();
  log_in();
  forwarded(select);
  from_backend(packet(7, ok_payload));
  EXPECT_FALSE(asked(Action::abandon_backend)) << "a server that can't be understood";
  EXPECT_EQ(sink_.count(R"("type":"kill"})"), 0U);
}

TEST_F(SideKillTest, ASessionThatEndsWhileItsStatementIsBeingStoppedHasTheConnectionEnded) {
  forwarded(select);
  time_out();
  EXPECT_TRUE(due());
  from_backend(packet(1, interrupted));
  session_->client_closed(now_);
  ASSERT_TRUE(asked(Action::abandon_backend)) << "its number must not pass to another while the KILL is on its way";
  EXPECT_EQ(session_->kill_order().text, "KILL SOFT CONNECTION 3");
  EXPECT_FALSE(due());
  answer(Status::done);
  EXPECT_TRUE(to_backend().empty());
}

class PooledSideKillTest : public SideKillTest {
 protected:
  PooledSideKillTest() : SideKillTest(BackendMode::pooled) {}
};

TEST_F(PooledSideKillTest, AConnectionThatWasAimedAtIsNotReused) {
  forwarded(select);
  time_out();
  EXPECT_TRUE(due());
  answer(Status::done);
  from_backend(packet(1, interrupted));
  to_backend();
  from_backend(packet(1, ok_payload));
  from_client(packet(0, Buffer{0x01}));
  auto list = actions();
  EXPECT_EQ(std::count(list.begin(), list.end(), Action::close_backend), 1);
  EXPECT_EQ(std::count(list.begin(), list.end(), Action::release_backend), 0);
}

TEST_F(PooledSideKillTest, AnOrderThatWasCalledOffDoesNotCount) {
  forwarded(select);
  time_out();
  from_backend(packet(1, ok_payload));
  EXPECT_FALSE(due());
  from_client(packet(0, Buffer{0x01}));
  EXPECT_TRUE(asked(Action::release_backend));
}

// KILL by a client, of a session that its own connection can't reach.
class KillElsewhereTest : public SideKillTest {
 protected:
  KillElsewhereTest() {
    forwarded(query("DO 1"));
    from_backend(packet(1, tracking_ok({{"sql_mode", ""}, {"character_set_client", "utf8mb4"}})));
    to_client();
    target_ = registry_.enter({.connection_id = first_connection_id + 77,
                               .server_connection_id = 77,
                               .session_id = "other",
                               .account = "reporter",
                               .connection = "shop",
                               .server_name = "primary",
                               .login = "reader",
                               .server = "another"});
  }
  void kill(std::string_view text) {
    from_client(query(text));
    commit();
    ASSERT_TRUE(asked(Action::kill));
    order_ = session_->kill_order();
    EXPECT_TRUE(to_backend().empty());
  }

  SessionRegistry::Place target_;
};

TEST_F(KillElsewhereTest, GoesByASideConnectionToTheTargetsServer) {
  kill("KILL QUERY 2147483725");
  EXPECT_EQ(order_.server, "another");
  EXPECT_EQ(order_.text, "KILL QUERY 77");
  EXPECT_EQ(order_.outcome_seq, 0U);
  EXPECT_TRUE(due());
  EXPECT_TRUE(to_client().empty());
  answer(Status::done);
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  EXPECT_TRUE(session_->idle());
  EXPECT_EQ(forwarded(select), select);
  EXPECT_EQ(sink_.count("\"target_session\":\"other\""), 1U);
}

TEST_F(KillElsewhereTest, WhatTheServerSaysOfItReachesTheClient) {
  kill("KILL 77");
  session_->kill_answered(
      order_.number,
      {.status = Status::refused,
       .refusal = SpareBackend::KillRefusal{.code = 1094, .sql_state = "HY000", .message = "Unknown"},
       .detail = {}},
      now_);
  EXPECT_EQ(to_client(), packet(1, from_text("\xFF\x46\x04#HY000Unknown")));
  EXPECT_TRUE(session_->idle());
  kill("KILL 77");
  answer(Status::not_tried);
  EXPECT_EQ(code_in(to_client()), "kill_failed");
  kill("KILL 77");
  pass(Milliseconds{10'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "kill_failed") << "a shell that is not heard of";
  answer(Status::done);
  EXPECT_TRUE(to_client().empty());
  EXPECT_TRUE(session_->idle());
}

TEST_F(KillElsewhereTest, ASessionCanEndMeanwhile) {
  kill("KILL 77");
  session_->stop(now_);
  EXPECT_EQ(code_in(to_client()), "drained");
  EXPECT_FALSE(due());
  answer(Status::done);
  EXPECT_TRUE(to_client().empty());
  EXPECT_EQ(sink_.count(R"("status":"aborted")", R"("reason":"drained")"), 1U);
}

}  // namespace
}  // namespace sallyport::session::test
