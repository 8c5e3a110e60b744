// What a service account's limits mean to its sessions.
#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

const Buffer select{packet(0, from_text("\x03SELECT 1"))};
const Buffer one_column{1};
const Buffer eof{0xFE, 0, 0, 2, 0};
const Buffer ok_in_transaction{0, 0, 0, 3, 0, 0, 0};

std::string code_in(const Buffer& bytes) {
  std::string_view text = text_of(bytes);
  auto at = text.rfind('[');
  return at == std::string_view::npos ? "none" : std::string(text.substr(at + 1, text.find(']', at) - at - 1));
}

class SessionLimits : public SessionTest {
 protected:
  void start_with(const identity::AccountLimits& limits) {
    account_limits_ = limits;
    start();
  }
  void answer(const std::vector<Buffer>& payloads) { from_backend(answer_of(payloads)); }
};

TEST_F(SessionLimits, AnAccountWithAllItsSessionsIsRefusedBeforeAnythingIsOpened) {
  start_with({.sessions_max = 1});
  auto taken = ledger_.admit("reporter", account_limits_, now_.mono);
  ASSERT_TRUE(taken);
  give_token();
  EXPECT_EQ(code_in(to_client()), "too_many_account_sessions");
  EXPECT_FALSE(asked(Action::connect_backend));
  EXPECT_EQ(sink_.count("login_refused"), 1U);
}

TEST_F(SessionLimits, ASessionGivesItsPlaceBackAsSoonAsItEnds) {
  start_with({.sessions_max = 1});
  log_in();
  EXPECT_FALSE(ledger_.admit("reporter", account_limits_, now_.mono));
  session_->client_closed(now_);
  EXPECT_TRUE(ledger_.admit("reporter", account_limits_, now_.mono));
}

TEST_F(SessionLimits, AClientThatTakesNothingIsEndedInTime) {
  log_in();
  forwarded(select);
  answer({ok_payload});
  MonoTime queued = now_.mono;
  int asked = 0;
  for (; sink_.count("write_timeout") == 0 && asked < 100; ++asked) {
    ASSERT_GT(session_->deadline(), now_.mono);
    pass(std::chrono::ceil<Milliseconds>(session_->deadline() - now_.mono));
    session_->time_passed(now_);
  }
  EXPECT_EQ(now_.mono - queued, Milliseconds{60'000});
  EXPECT_EQ(asked, 8) << "so often the shell could say that the client takes something";
}

TEST_F(SessionLimits, APeerThatTakesSomethingOfEarlierBytesIsWaitedFor) {
  log_in();
  from_client(select);
  commit();  // stands in the queue to the server, who takes nothing of it
  for (int i = 0; i < 10; ++i) {
    pass(Milliseconds{50'000});
    session_->backend_took(now_);
    session_->time_passed(now_);
  }
  to_backend();
  answer({ok_payload});
  for (int i = 0; i < 10; ++i) {
    pass(Milliseconds{50'000});
    session_->client_took(now_);
    session_->time_passed(now_);
  }
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  forwarded(select);
  from_client(select);
  from_backend(answer_of({ok_payload}));
  to_client();
  commit();
  pass(Milliseconds{60'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "backend_closed") << "and no longer than limits.write_timeout";
}

TEST_F(SessionLimits, ACommandOfWhichNothingMoreComesEndsTheSession) {
  log_in();
  Buffer command = query("SELECT 1");
  for (std::uint8_t byte : command) {
    pass(Milliseconds{59'000});
    session_->time_passed(now_);
    ASSERT_TRUE(session_->idle()) << "however long it is under way";
    from_client({byte});
  }
  commit();
  EXPECT_EQ(to_backend(), command);
  from_client({command[0]});
  pass(Milliseconds{70'000});
  session_->time_passed(now_);
  answer({ok_payload});
  EXPECT_EQ(to_client(), answer_of({ok_payload})) << "its time begins when the one before has ended";
  EXPECT_EQ(session_->deadline(), now_.mono + Seconds{60});
  pass(Milliseconds{60'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "receive_timeout");
  EXPECT_EQ(sink_.count(R"("type":"session_end")", R"("reason":"receive_timeout")"), 1U);
}

TEST_F(SessionLimits, ASessionWithoutABegunCommandMayWait) {
  log_in();
  forwarded(select);
  answer({ok_payload});
  to_client();
  pass(Milliseconds{3'000'000});
  session_->time_passed(now_);
  EXPECT_TRUE(session_->idle());
}

TEST_F(SessionLimits, ATransactionThatIsOpenForTooLongEndsTheSession) {
  start_with({.transaction_timeout = Seconds{5}});
  log_in();
  forwarded(select);
  answer({ok_in_transaction});
  to_client();
  pass(Milliseconds{4'000});
  forwarded(select);
  answer({ok_in_transaction});
  to_client();
  EXPECT_TRUE(session_->idle());
  pass(Milliseconds{1'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout") << "counted from its beginning";
}

TEST_F(SessionLimits, TransactionsThatEndInTimeAreCountedAnew) {
  start_with({.transaction_timeout = Seconds{5}});
  log_in();
  for (int i = 0; i < 3; ++i) {
    forwarded(select);
    answer({ok_in_transaction});
    to_client();
    pass(Milliseconds{4'000});
    forwarded(select);
    answer({ok_payload});
    to_client();
    session_->time_passed(now_);
    ASSERT_TRUE(session_->idle());
  }
}

TEST_F(SessionLimits, ATransactionThatAnErrorLeavesIsFoundAndOneThatItEndsIsNotCounted) {
  const Buffer ping = packet(0, Buffer{0x0E});
  const Buffer failure = from_text("\xFF\x26\x04#23000Duplicate entry");
  start_with({.transaction_timeout = Seconds{5}});
  log_in();
  forwarded(query("INSERT INTO t VALUES (1), (1)"));
  answer({failure});
  EXPECT_EQ(to_client(), answer_of({failure}));
  EXPECT_EQ(to_backend(), ping);
  from_backend(packet(1, ok_in_transaction));
  EXPECT_TRUE(to_client().empty());
  pass(Milliseconds{4'000});
  forwarded(query("CALL p()"));
  answer({failure});
  to_client();
  EXPECT_EQ(to_backend(), ping);
  from_backend(packet(1, ok_payload));
  pass(Milliseconds{4'000});
  session_->time_passed(now_);
  EXPECT_TRUE(session_->idle()) << "it was rolled back";
  forwarded(query("INSERT INTO t VALUES (1), (1)"));
  answer({failure});
  to_client();
  to_backend();
  from_backend(packet(1, ok_in_transaction));
  pass(Milliseconds{5'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout");
}

TEST_F(SessionLimits, EachTransactionOfAChainIsCountedAnew) {
  start_with({.transaction_timeout = Seconds{5}});
  log_in();
  auto run = [&](std::string_view text) {
    pass(Milliseconds{3'000});
    session_->time_passed(now_);
    forwarded(query(text));
    answer({ok_in_transaction});
    to_client();
  };
  for (std::string_view text :
       {"BEGIN", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "START TRANSACTION", "SAVEPOINT a"}) {
    run(text);
    EXPECT_TRUE(session_->idle()) << text;
  }
  forwarded(query("ROLLBACK TO a"));
  answer({ok_in_transaction});
  to_client();
  pass(Milliseconds{2'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout") << "a savepoint begins nothing";
}

// Also where no command ends before it does, and where the server would say only at the end that there was one.
TEST_F(SessionLimits, ATransactionEndsInTimeWithinACommandAsWell) {
  account_limits_.statement_timeout = Seconds{3};
  start_with({.statement_timeout = Seconds{3}, .transaction_timeout = Seconds{5}});
  capabilities_ |= wire::capability::multi_statements | wire::capability::multi_results;
  start();
  log_in();
  from_client(query("BEGIN; INSERT INTO t VALUES (1); DO SLEEP(2); DO SLEEP(2); DO SLEEP(2); COMMIT"));
  for (int i = 0; i < 3; ++i) {
    commit();
    ASSERT_FALSE(to_backend().empty());
    pass(Milliseconds{1'500});
    session_->time_passed(now_);
    answer({ok_in_transaction});
    to_client();
  }
  commit();
  ASSERT_FALSE(to_backend().empty());
  pass(Milliseconds{500});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout");
}

TEST_F(SessionLimits, OneStatementIsATransactionToo) {
  start_with({.transaction_timeout = Seconds{5}});
  log_in();
  forwarded(query("INSERT INTO t SELECT 1 FROM u WHERE SLEEP(9)"));
  pass(Milliseconds{4'000});
  session_->time_passed(now_);
  EXPECT_TRUE(to_client().empty());
  pass(Milliseconds{1'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout");
}

TEST_F(SessionLimits, ATransactionIsCountedFromTheBeginningOfItsFirstStatement) {
  start_with({.transaction_timeout = Seconds{5}});
  log_in();
  forwarded(query("INSERT INTO t VALUES (1)"));
  pass(Milliseconds{4'000});
  answer({ok_in_transaction});
  to_client();
  pass(Milliseconds{1'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout");
}

// What that leaves of the transaction is asked for, and the session need not end.
TEST_F(SessionLimits, AStatementWhoseOwnTimeEndsNoLaterIsStopped) {
  start_with({.statement_timeout = Seconds{5}, .transaction_timeout = Seconds{5}});
  log_in();
  forwarded(query("INSERT INTO t SELECT 1 FROM u WHERE SLEEP(9)"));
  pass(Milliseconds{5'000});
  session_->time_passed(now_);
  EXPECT_TRUE(asked(Action::kill));
  pass(Milliseconds{200});
  session_->time_passed(now_);
  EXPECT_TRUE(to_client().empty()) << "while it is being stopped";
  KillOrder order = session_->kill_order();
  EXPECT_TRUE(session_->kill_due(order.number, now_));
  EXPECT_EQ(code_in(to_client()), "statement_timeout");
  answer({from_text("\xFF\x25\x05#70100Query execution was interrupted")});
  session_->kill_answered(order.number, {.status = KillOutcome::Status::done, .refusal = {}, .detail = {}}, now_);
  EXPECT_EQ(to_backend(), packet(0, Buffer{0x0E}));
  session_->time_passed(now_);
  EXPECT_TRUE(session_->idle()) << "until it is known";
  forwarded(select);
  from_backend(packet(1, ok_payload));
  pass(Milliseconds{4'900});
  session_->time_passed(now_);
  EXPECT_TRUE(to_client().empty()) << "that is another";
  answer({ok_in_transaction});
  to_client();
  pass(Milliseconds{100});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout") << "whose time is its own";
}

TEST_F(SessionLimits, WhereAKillComesTooLateTheTransactionIsAskedForAgain) {
  const Buffer ping = packet(0, Buffer{0x0E});
  const Buffer interrupted = from_text("\xFF\x25\x05#70100Query execution was interrupted");
  start_with({.transaction_timeout = Seconds{5}});
  log_in();
  forwarded(query("SELECT nothing"));
  answer({interrupted});
  to_client();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(to_backend(), ping);
    from_backend(packet(1, interrupted));
    EXPECT_TRUE(to_client().empty());
  }
  EXPECT_EQ(to_backend(), ping);
  pass(Milliseconds{4'000});
  from_backend(packet(1, ok_payload));
  EXPECT_TRUE(to_backend().empty());
  pass(Milliseconds{9'000});
  session_->time_passed(now_);
  EXPECT_TRUE(session_->idle()) << "there is none";
  forwarded(query("SELECT nothing"));
  answer({interrupted});
  to_client();
  EXPECT_EQ(to_backend(), ping);
  forwarded(select);
  pass(Milliseconds{4'000});
  Buffer both = packet(1, interrupted);
  wire::test::append(both, packet(1, ok_in_transaction));
  from_backend(both);
  EXPECT_EQ(to_client(), packet(1, ok_in_transaction));
  EXPECT_TRUE(to_backend().empty()) << "the command behind has said it";
  pass(Milliseconds{1'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout") << "counted from that";
}

TEST_F(SessionLimits, ANewConfigurationsTimesHoldForWhoWaits) {
  start_with({});
  log_in();
  forwarded(select);
  answer({ok_in_transaction});
  to_client();
  pass(Milliseconds{4'000});
  account_limits_.transaction_timeout = Seconds{5};
  session_->environment_changed(environment(), now_);
  session_->time_passed(now_);
  EXPECT_TRUE(to_client().empty());
  EXPECT_EQ(session_->deadline(), now_.mono + Seconds{1});
  pass(Milliseconds{1'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "transaction_timeout");

  start_with({});
  log_in();
  pass(Milliseconds{4'000});
  idle_timeout_ = Seconds{5};
  session_->environment_changed(environment(), now_);
  EXPECT_EQ(session_->deadline(), now_.mono + Seconds{1});
  pass(Milliseconds{1'000});
  session_->time_passed(now_);
  EXPECT_EQ(code_in(to_client()), "idle_timeout");
}

TEST_F(SessionLimits, NoTransactionIsPreparedThatWouldOutliveItsTime) {
  log_in();
  Buffer prepare = packet(0, from_text("\x16XA PREPARE 'a'"));
  EXPECT_EQ(forwarded(prepare), prepare) << "there is no such limit";
  from_backend(answer_of({{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}));
  forwarded(query("PREPARE s FROM 'XA PREPARE ''a'''"));
  answer({ok_payload});
  account_limits_.transaction_timeout = Seconds{5};
  session_->environment_changed(environment(), now_);
  to_client();
  std::vector<Buffer> refused{prepare, packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0})};
  for (std::string_view text : {"XA PREPARE 'a'", "SET STATEMENT max_statement_time = 1 FOR XA PREPARE 'a'",
                                "PREPARE t FROM 'XA PREPARE ''a'''", "EXECUTE IMMEDIATE 'XA PREPARE ''a'''",
                                "EXECUTE s", "BEGIN NOT ATOMIC IF 1 THEN XA PREPARE 'a'; END IF; END",
                                "CREATE PROCEDURE p() XA PREPARE 'a'", "ALTER EVENT e DO XA PREPARE 'a'"}) {
    refused.push_back(query(text));
  }
  for (const Buffer& command : refused) {
    from_client(command);
    EXPECT_EQ(code_in(to_client()), "xa_prepare_refused") << text_of(command);
    EXPECT_TRUE(to_backend().empty());
  }
  EXPECT_EQ(sink_.count("xa_prepare_refused"), refused.size());
  for (std::string_view text : {"XA START 'a'", "XA COMMIT 'a' ONE PHASE", "XA RECOVER", "PREPARE u FROM 'SELECT 1'"}) {
    EXPECT_EQ(forwarded(query(text)), query(text));
    answer({ok_payload});
    to_client();
  }
}

TEST_F(SessionLimits, AResultWithMoreRowsEndsInAnErrorAndTheSessionGoesOn) {
  start_with({.result_rows_max = 2});
  log_in();
  forwarded(select);
  answer({one_column, definition(), eof, {1, 'a'}, {1, 'b'}, {1, 'c'}, {1, 'd'}, {0xFE, 0, 0, 3, 0}});
  Buffer sent = to_client();
  Buffer whole = answer_of({one_column, definition(), eof, {1, 'a'}, {1, 'b'}});
  ASSERT_GT(sent.size(), whole.size());
  EXPECT_EQ(Buffer(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(whole.size())), whole);
  EXPECT_EQ(sent[whole.size() + 3], 6) << "the error has the number of the row whose place it takes";
  EXPECT_EQ(code_in(sent), "result_too_large");
  EXPECT_TRUE(session_->idle());
  EXPECT_EQ(sink_.count(R"("reason":"result_too_large")"), 1U);
  EXPECT_EQ(sink_.count(R"("rows":2)"), 1U);

  forwarded(select);
  answer({ok_payload});
  EXPECT_EQ(to_client(), answer_of({ok_payload}));
}

TEST_F(SessionLimits, AResultOfJustAsManyRowsIsWhole) {
  start_with({.result_rows_max = 2});
  log_in();
  forwarded(select);
  std::vector<Buffer> result{one_column, definition(), eof, {1, 'a'}, {1, 'b'}, eof};
  answer(result);
  EXPECT_EQ(to_client(), answer_of(result));
}

TEST_F(SessionLimits, ASessionThatEndsWhileTheRestOfAResultIsDroppedSaysWhyToTheNextCommand) {
  start_with({.result_rows_max = 1});
  log_in();
  forwarded(select);
  answer({one_column, definition(), eof, {1, 'a'}, {1, 'b'}});
  EXPECT_EQ(code_in(to_client()), "result_too_large");
  EXPECT_FALSE(session_->idle());
  session_->stop(now_);
  Buffer sent = to_client();
  EXPECT_EQ(code_in(sent), "drained");
  EXPECT_EQ(sent[3], 1);
}

}  // namespace
}  // namespace sallyport::session::test
