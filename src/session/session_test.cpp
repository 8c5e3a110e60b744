// What a session does at its edges, one by one; tests/simulation runs whole sessions in every order.
#include "session/session.h"

#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

// The packet as an ERR of the gateway: "SEQUENCE_ID [code]"; what else it is where it is none.
std::string error_in(const Buffer& bytes) {
  std::string_view text = text_of(bytes);
  if (bytes.size() < 14 || bytes[4] != 0xFF) {
    return "no error: " + std::string(text);
  }
  return std::to_string(bytes[3]) + " " + std::string(text.substr(text.rfind('[')));
}

TEST_F(SessionTest, AClientWithoutTlsIsToldSoThoughItsMessageIsLongerThanATlsRequest) {
  to_client();
  capabilities_ &= ~wire::capability::ssl;
  Buffer whole = response(1);
  EXPECT_EQ(from_client(whole), whole.size());
  EXPECT_EQ(error_in(to_client()), "2 [tls_required]");
  EXPECT_EQ(sink_.count("tls_required"), 1U);
}

TEST_F(SessionTest, BytesBehindATlsRequestAreLeftToTls) {
  to_client();
  Buffer stream = tls_request();
  wire::test::append(stream, response(2));
  EXPECT_EQ(from_client(stream), tls_request_bytes);
  EXPECT_TRUE(asked(Action::start_client_tls));
  EXPECT_FALSE(session_->wants_client_bytes());
  EXPECT_TRUE(session_->client_space().empty());
}

TEST_F(SessionTest, AHandshakeMessageOfTheLargestSizeIsReadAndALargerOneRefused) {
  for (std::size_t more : {std::size_t{0}, std::size_t{1}}) {
    start();
    to_client();
    Buffer whole = packet(1, Buffer(handshake_bytes_max + more, 0));
    from_client(whole);
    EXPECT_EQ(error_in(to_client()), "2 [handshake_malformed]") << more;
    actions();
    EXPECT_TRUE(session_->ended());
  }
}

TEST_F(SessionTest, ErrorsOfALoginBearTheNumberThatTheClientReadsNext) {
  to_client();
  pass(Milliseconds{10'001});
  session_->time_passed(now_);
  EXPECT_EQ(error_in(to_client()), "2 [handshake_timeout]");  // behind the response, 1, that is due

  start();
  to_client();
  from_client(tls_request());
  actions();
  session_->client_tls_established({}, now_);
  session_->stop(now_);
  EXPECT_EQ(error_in(to_client()), "3 [drained]");

  start();
  to_client();
  from_client(tls_request());
  actions();
  session_->client_tls_established({}, now_);
  from_client(response(2));
  to_client();
  pass(Milliseconds{10'001});
  session_->time_passed(now_);
  EXPECT_EQ(error_in(to_client()), "5 [handshake_timeout]");  // behind the token, 4
}

TEST_F(SessionTest, NothingIsSaidDuringTheTlsHandshake) {
  to_client();
  from_client(tls_request());
  session_->stop(now_);
  EXPECT_TRUE(to_client().empty());
  EXPECT_TRUE(asked(Action::close_client));
  EXPECT_TRUE(session_->ended());
}

TEST_F(SessionTest, AReloadDuringTheLoginLeavesToTheLoginWhatItRefersTo) {
  connect();
  const ConnectionSettings* connection = session_->backend_target().connection;
  auto reloaded = environment();
  session_->environment_changed(reloaded, now_);
  EXPECT_EQ(session_->backend_target().connection, connection);
  finish_login();
  EXPECT_EQ(session_->backend_target().connection, reloaded->find_connection("shop"));
  EXPECT_EQ(sink_.count("a schema whose name lies on the heap"), 1U);
}

TEST_F(SessionTest, AReloadThatTakesTheAccountEndsTheSessionAtOnce) {
  log_in();
  session_->environment_changed(environment({.without_account = true}), now_);
  EXPECT_EQ(error_in(to_client()), "1 [account_disabled]");
  EXPECT_TRUE(asked(Action::close_backend));
}

TEST_F(SessionTest, AReloadThatChangesTheDatabaseUserEndsTheSession) {
  log_in();
  session_->environment_changed(environment({.user = "writer_user"}), now_);
  EXPECT_EQ(error_in(to_client()), "1 [account_changed]");
}

TEST_F(SessionTest, AConnectionThatComesUpTooLateIsClosed) {
  give_token();
  commit();
  ASSERT_TRUE(asked(Action::connect_backend));
  session_->stop(now_);
  EXPECT_TRUE(asked(Action::close_backend));  // the attempt
  session_->backend_connected(now_);
  EXPECT_TRUE(asked(Action::close_backend));
  EXPECT_FALSE(session_->wants_backend_bytes());
}

TEST_F(SessionTest, RefusalsThatAreNotReadStopTheReadingOfCommands) {
  log_in();
  Buffer refused = packet(0, from_text("\x12"));
  Buffer many;
  for (int i = 0; i < 3000; ++i) {
    wire::test::append(many, refused);
  }
  std::size_t given = 0;
  for (int i = 0; i < 100 && session_->wants_client_bytes(); ++i) {
    given += from_client(many);
  }
  EXPECT_FALSE(session_->wants_client_bytes());
  EXPECT_LT(session_->client_output().made_bytes(), made_bytes_max + 1024);
  std::size_t read = 0;
  while (!session_->client_output().empty()) {
    Buffer part = to_client();
    read += part.size();
  }
  EXPECT_GT(read, made_bytes_max);
  EXPECT_TRUE(session_->wants_client_bytes());
  EXPECT_EQ(sink_.count("command_not_supported"), given / refused.size());
}

TEST_F(SessionTest, ARefusedCommandLeavesTheSessionUsable) {
  log_in();
  for (std::string_view command : {"\x03"
                                   "DELETE FROM denied",
                                   "\x11", "\x17", "\x19\x09", "\xF0"}) {
    from_client(packet(0, from_text(command)));
    Buffer error = to_client();
    EXPECT_EQ(error_in(error).substr(0, 2), command[0] == '\x19' ? "no" : "1 ");
    EXPECT_TRUE(session_->idle());
    EXPECT_TRUE(to_backend().empty());
  }
  EXPECT_EQ(forwarded(packet(0, from_text("\x03SELECT 1"))), packet(0, from_text("\x03SELECT 1")));
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
}

TEST_F(SessionTest, NoCommandIsForwardedBeforeItsRecordIsCommitted) {
  log_in();
  from_client(packet(0, from_text("\x03SELECT 1")));
  EXPECT_EQ(sink_.count("SELECT 1"), 1U);
  EXPECT_TRUE(session_->backend_output().empty());
  session_->audit_failed(now_);
  EXPECT_EQ(error_in(to_client()), "1 [audit_unavailable]");
  EXPECT_TRUE(session_->backend_output().empty());
  EXPECT_TRUE(session_->idle());
}

TEST_F(SessionTest, ACommandThatTheLogDoesNotTakeIsRefusedAndHasNoOutcome) {
  log_in();
  sink_.full = true;
  from_client(packet(0, from_text("\x03SELECT 1")));
  EXPECT_EQ(error_in(to_client()), "1 [audit_unavailable]");
  sink_.full = false;
  from_client(packet(0, from_text("\x01")));
  EXPECT_EQ(sink_.count("\"type\":\"outcome\""), 1U);  // of COM_QUIT
  EXPECT_EQ(sink_.count("\"records_lost\":1"), 1U);
}

TEST_F(SessionTest, AnExpiredTokenForwardsNothingAlsoBeforeTheTimerSaysSo) {
  log_in();
  from_client(packet(0, from_text("\x03SELECT 1")));
  now_.wall = expires_at_;
  actions();
  session_->audit_committed(now_);
  EXPECT_TRUE(session_->backend_output().empty());
  EXPECT_EQ(error_in(to_client()), "1 [token_expired]");

  start();
  now_.wall = expires_at_ - Seconds{1};
  log_in();
  now_.wall = expires_at_;
  from_client(packet(0, from_text("\x03SELECT 2")));
  EXPECT_EQ(error_in(to_client()), "1 [token_expired]");
  EXPECT_EQ(sink_.count("SELECT 2"), 0U);
}

TEST_F(SessionTest, WhileARowIsAwaitedTheDeadlineIsThatOfTheEnd) {
  log_in();
  forwarded(packet(0, from_text("\x03SELECT 1")));
  Buffer rows = answer_of({{1}, definition(), {0xFE, 0, 0, 2, 0}, Buffer(100, 'x')});
  rows.resize(rows.size() - 10);
  from_backend(rows);
  to_client();
  now_.wall = expires_at_;
  session_->time_passed(now_);
  EXPECT_EQ(session_->deadline(), now_.mono + closing_timeout);
  // The row's end comes in time: the client can be told.
  from_backend(Buffer(10, 'x'));
  Buffer end = to_client();
  EXPECT_EQ(error_in({end.begin() + 10, end.end()}), "5 [token_expired]");
}

TEST_F(SessionTest, WhatTheServerSendsBeyondAnAnswerIsNoAnswerToTheNextCommand) {
  log_in();
  forwarded(packet(0, from_text("\x03SELECT 1")));
  Buffer two = packet(1, ok_payload);
  wire::test::append(two, packet(1, ok_payload));
  from_backend(two);
  EXPECT_EQ(sink_.count("backend_violation"), 1U);
  EXPECT_TRUE(asked(Action::close_backend));
}

TEST_F(SessionTest, BytesOfTheServerBetweenCommandsAreNotTheBeginningOfAnAnswer) {
  log_in();
  from_backend({7, 0});
  from_client(packet(0, from_text("\x03SELECT 1")));
  commit();
  EXPECT_TRUE(session_->backend_output().empty());
  EXPECT_EQ(error_in(to_client()), "1 [backend_violation]");
}

TEST_F(SessionTest, TheLastWordsOfAServerAreOnRecord) {
  log_in();
  from_backend(packet(0, from_text("\xFF\x15\x04#08S01Too idle")));
  EXPECT_EQ(error_in(to_client()), "1 [backend_closed]");
  EXPECT_EQ(sink_.count("Too idle"), 1U);
}

TEST_F(SessionTest, TheServersLastPreparedStatementIsNamedByItsNumber) {
  log_in();
  prepare(0);
  Buffer execute = packet(0, Buffer{0x17, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0, 0});
  EXPECT_EQ(forwarded(execute), packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(sink_.count("\"statement_id\":1,", "\"prepared_seq\""), 1U);
}

TEST_F(SessionTest, APrepareThatIsRefusedLeavesNoLastPreparedStatement) {
  log_in();
  prepare(0);
  from_client(packet(0, from_text("\x16SELECT * FROM " + std::string(denied_table))));
  EXPECT_EQ(error_in(to_client()), "1 [denied_by_policy]");
  from_client(packet(0, Buffer{0x17, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0, 0}));
  EXPECT_EQ(error_in(to_client()), "1 [statement_unknown]");
}

const Buffer execute_with_types{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0};
const Buffer execute_without_types{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0};

TEST_F(SessionTest, TypesOfARefusedExecutionReachTheServerWithTheNext) {
  log_in();
  prepare(1);
  denies_executions_ = true;
  from_client(packet(0, execute_with_types));
  EXPECT_EQ(error_in(to_client()), "1 [denied_by_policy]");
  denies_executions_ = false;
  Buffer expected = execute_with_types;
  expected[14] = 6;
  EXPECT_EQ(forwarded(packet(0, execute_without_types)), packet(0, expected));
  from_backend(packet(1, ok_payload));
  to_client();
  EXPECT_EQ(forwarded(packet(0, execute_without_types)), packet(0, execute_without_types));
}

TEST_F(SessionTest, AMalformedExecutionDoesNotChangeHowTheNextIsRead) {
  log_in();
  prepare(1);
  forwarded(packet(0, execute_with_types));
  from_backend(packet(1, ok_payload));
  to_client();
  Buffer malformed = execute_with_types;
  malformed[12] = 3;  // a LONG
  malformed.resize(malformed.size() - 6);
  from_client(packet(0, malformed));
  EXPECT_EQ(error_in(to_client()), "1 [command_malformed]");
  forwarded(packet(0, execute_without_types));
  EXPECT_EQ(sink_.count("{\"type\":8,\"value\":6}"), 1U);
}

TEST_F(SessionTest, TheLongDataOfARefusedExecutionIsForgottenByTheServer) {
  log_in();
  prepare(1);
  Buffer part = packet(0, Buffer{0x18, 1, 0, 0, 0, 0, 0, 'a'});
  EXPECT_EQ(forwarded(part), part);
  denies_executions_ = true;
  Buffer execute = packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 252, 0});
  from_client(execute);
  EXPECT_EQ(error_in(to_client()), "1 [denied_by_policy]");
  denies_executions_ = false;
  // As after an execution that a server has refused itself: the parameter is sent again.
  Buffer expected = packet(0, Buffer{0x1A, 1, 0, 0, 0});
  wire::test::append(expected, part);
  EXPECT_EQ(forwarded(part), expected);
  EXPECT_TRUE(session_->idle());
  EXPECT_EQ(forwarded(execute), execute);
  Buffer answers = packet(1, ok_payload);
  wire::test::append(answers, packet(1, Buffer{0, 1, 0, 2, 0, 0, 0}));
  from_backend(answers);
  EXPECT_EQ(to_client(), packet(1, Buffer{0, 1, 0, 2, 0, 0, 0}));
}

TEST_F(SessionTest, AnExecutionWhoseParameterWasRefusedInPartIsRefusedOnce) {
  log_in();
  prepare(1);
  Buffer part = packet(0, Buffer{0x18, 1, 0, 0, 0, 0, 0, 'a'});
  from_client(part);
  actions();
  session_->audit_failed(now_);
  EXPECT_TRUE(to_client().empty());
  Buffer execute = packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 252, 0});
  from_client(execute);
  EXPECT_EQ(error_in(to_client()), "1 [parameter_incomplete]");
  forwarded(part);
  forwarded(execute);
  from_backend(packet(1, ok_payload));
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
}

TEST_F(SessionTest, ResetConnectionSetsTheSessionUpAgainAndForgetsStatements) {
  log_in();
  prepare(0);
  Buffer reset = packet(0, from_text("\x1F"));
  EXPECT_EQ(forwarded(reset), reset);
  from_backend(packet(1, ok_payload));
  EXPECT_TRUE(to_client().empty());
  EXPECT_TRUE(text_of(to_backend()).find("session_track_schema") != std::string_view::npos);
  from_backend(packet(1, ok_payload));
  EXPECT_TRUE(to_client().empty());
  from_backend(reading({}));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  from_client(packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(error_in(to_client()), "1 [statement_unknown]");
}

TEST_F(SessionTest, ASchemaThatTheServerDoesNotReportIsAskedFor) {
  log_in();
  for (const Buffer& command : {packet(0, from_text("\x02Orders")), query(" use orders")}) {
    EXPECT_EQ(forwarded(command), command);
    from_backend(packet(1, ok_payload));
    EXPECT_EQ(to_client(), packet(1, ok_payload));
    say_reading({.mode = "", .schema = "orders"});
    EXPECT_TRUE(to_client().empty());
    EXPECT_TRUE(session_->idle());
    forwarded(query("DO 1"));
    from_backend(packet(1, ok_payload));
    to_client();
  }
  EXPECT_EQ(sink_.count(R"("schema":"orders")", R"("text":"DO 1")"), 2U);
  forwarded(query("USE nothing"));
  from_backend(packet(1, from_text("\xFF\x19\x04#42000Unknown database")));
  EXPECT_TRUE(to_backend().empty()) << "an error has chosen nothing";
}

TEST_F(SessionTest, MorePreparedStatementsThanTheLimitAreRefused) {
  log_in();
  for (std::uint8_t id = 1; id <= 3; ++id) {
    forwarded(packet(0, from_text("\x16SELECT 1")));
    from_backend(packet(1, Buffer{0, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    to_client();
  }
  from_client(packet(0, from_text("\x16SELECT 1")));
  EXPECT_EQ(error_in(to_client()), "1 [prepared_statements_max]");
  forwarded(packet(0, Buffer{0x19, 2, 0, 0, 0}));
  forwarded(packet(0, from_text("\x16SELECT 1")));
  EXPECT_FALSE(session_->idle());
}

TEST_F(SessionTest, APacketAboveTheLimitEndsTheSessionByItsHeader) {
  log_in();
  from_client({1, 0, 16, 0});  // 1 MiB and a byte
  EXPECT_EQ(error_in(to_client()), "1 [packet_too_large]");
}

TEST_F(SessionTest, TheMemoryOfALargeCommandIsGivenBack) {
  log_in();
  std::size_t before = session_->buffer_bytes();
  Buffer large = packet(0, from_text("\x03SELECT '" + std::string(1'000'000, 'x') + "'"));
  from_client(large);
  EXPECT_GT(session_->buffer_bytes(), 1'000'000U);
  commit();
  EXPECT_EQ(to_backend(), large);
  from_backend(packet(1, ok_payload));
  to_client();
  EXPECT_EQ(session_->next_action(), std::nullopt);
  EXPECT_LE(session_->buffer_bytes(), before);
}

TEST_F(SessionTest, ACommandOfSeveralFramesPassesAndItsAnswerGoesOnFromItsNumbers) {
  packet_bytes_max_ = 32U << 20;
  start();
  log_in();
  Buffer large = packet(0, from_text("\x03SELECT '" + std::string(wire::frame_payload_max + 10, 'x') + "'"));
  EXPECT_TRUE(forwarded(large) == large);
  from_backend(packet(2, ok_payload));
  EXPECT_EQ(to_client(), packet(2, ok_payload));
  EXPECT_TRUE(session_->idle());
}

TEST_F(SessionTest, AnExecutionThatNeedsOneMoreFrameWithItsTypesIsAnsweredWithTheClientsNumbers) {
  packet_bytes_max_ = 32U << 20;
  start();
  log_in();
  prepare(1);
  denies_executions_ = true;
  from_client(packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 253, 0, 1, 'x'}));
  EXPECT_EQ(error_in(to_client()), "1 [denied_by_policy]");
  denies_executions_ = false;
  Buffer payload{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0xFD};
  std::size_t value_bytes = wire::frame_payload_max - 1 - payload.size() - 3;
  for (int shift = 0; shift < 24; shift += 8) {
    payload.push_back(static_cast<std::uint8_t>(value_bytes >> shift));
  }
  payload.resize(payload.size() + value_bytes, 'v');
  EXPECT_EQ(forwarded(packet(0, payload)).size(), payload.size() + 2 + 2 * wire::frame_header_bytes);
  from_backend(packet(2, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
}

TEST_F(SessionTest, ASlowAnswerLeavesTheClientItsWholeTimeToTakeIt) {
  log_in();
  forwarded(packet(0, from_text("\x03SELECT SLEEP(1000)")));
  pass(Milliseconds{1'000'000});
  from_backend(packet(1, ok_payload));
  EXPECT_GT(session_->deadline(), now_.mono);
  session_->time_passed(now_);
  EXPECT_EQ(to_client(), packet(1, ok_payload));
}

TEST_F(SessionTest, DrainWaitsForTheEndOfATransaction) {
  log_in();
  forwarded(packet(0, from_text("\x03"
                                "BEGIN")));
  from_backend(packet(1, Buffer{0, 0, 0, 3, 0, 0, 0}));
  to_client();
  session_->drain(now_);
  EXPECT_TRUE(session_->idle());
  forwarded(packet(0, from_text("\x03"
                                "COMMIT")));
  from_backend(packet(1, ok_payload));
  Buffer out = to_client();
  EXPECT_EQ(error_in({out.begin() + 11, out.end()}), "1 [drained]");
  EXPECT_TRUE(asked(Action::close_backend));
  EXPECT_EQ(sink_.count("\"reason\":\"drained\""), 1U);
}

TEST_F(SessionTest, NoSecretIsOnRecord) {
  log_in();
  from_client(packet(0, from_text("\x01")));
  EXPECT_EQ(sink_.count("the-token"), 0U);
  EXPECT_EQ(sink_.count("p4ssword"), 0U);
  EXPECT_TRUE(session_->token().empty());
  actions();
  EXPECT_TRUE(session_->ended());
}

}  // namespace
}  // namespace sallyport::session::test
