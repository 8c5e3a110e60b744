// COM_CHANGE_USER, byte by byte; tests/simulation has it among other commands.
#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

class ChangeUserTest : public SessionTest {
 protected:
  Buffer change_user(std::string_view user = "shop", std::uint16_t collation_id = 45) const {
    Buffer payload;
    wire::PacketWriter writer{payload};
    writer.u8(0x11);
    writer.text_nul(user);
    writer.u8(6);
    writer.text("s3cret");
    writer.text_nul("");
    writer.u16(collation_id);
    writer.text_nul(wire::plugin::mysql_native_password);
    return packet(0, payload);
  }
  // Up to the second login's token.
  void give_second_token() {
    from_client(change_user());
    actions();
    to_client();
    to_backend();
    from_client(packet(2, Buffer(32, 's')));
    EXPECT_EQ(to_client(), packet(3, Buffer{1, 4}));
    from_client(packet(4, from_text("the-token")));
  }
};

TEST_F(ChangeUserTest, EndsTheSessionAndAsksForATokenAnew) {
  log_in();
  from_client(change_user());
  std::vector<Action> asked = actions();
  EXPECT_EQ(asked, (std::vector{Action::commit_audit, Action::close_backend}));
  EXPECT_EQ(to_backend(), packet(0, Buffer{1}));
  Buffer answer = to_client();
  EXPECT_EQ(answer[3], 1);  // sequence id
  EXPECT_EQ(answer[4], 0xFE);
  EXPECT_EQ(text_of(Bytes{answer}.subspan(5, 21)), "caching_sha2_password");
  EXPECT_EQ(answer.size(), 4U + 1 + 22 + 21);
  EXPECT_EQ(sink_.count(R"("reason":"user_changed")"), 1U);
  EXPECT_EQ(sink_.count("s3cret"), 0U);
  EXPECT_FALSE(session_->idle());
}

TEST_F(ChangeUserTest, TheNewLoginIsVerifiedRecordedAndOpensAServerConnectionOfItsOwn) {
  log_in();
  prepare(1);
  give_second_token();
  ASSERT_TRUE(asked(Action::verify_token));
  session_->token_verified(principal(), now_);
  EXPECT_EQ(sink_.count(R"("seq":1,"session":"s.1",)", R"("type":"login_accepted")"), 1U) << sink_.lines.back();
  EXPECT_EQ(sink_.count(R"("previous_session":"s")"), 1U);
  commit();
  ASSERT_TRUE(asked(Action::connect_backend));
  choose();
  session_->backend_connected(now_);
  finish_login();
  from_client(packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0}));  // the statement of the session before
  EXPECT_NE(text_of(to_client()).find("statement_unknown"), std::string_view::npos);
}

TEST_F(ChangeUserTest, ARefusedTokenEndsTheConnectionWithAnError) {
  log_in();
  give_second_token();
  ASSERT_TRUE(asked(Action::verify_token));
  session_->token_verified(
      Unexpected(identity::Refusal{
          .error = identity::TokenError::signature_invalid, .detail = "forged", .issuer = std::nullopt}),
      now_);
  Buffer answer = to_client();
  EXPECT_EQ(answer[3], 5);
  EXPECT_NE(text_of(answer).find("token_signature_invalid"), std::string_view::npos);
  EXPECT_EQ(sink_.count(R"("session":"s.1",)", R"("type":"login_refused")"), 1U);
  actions();
  EXPECT_TRUE(session_->ended());
  EXPECT_TRUE(session_->backend_output().empty());
}

TEST_F(ChangeUserTest, WhatFollowsTheCommandIsAnAnswerOfTheLoginAndNoCommand) {
  log_in();
  Buffer stream = change_user();
  wire::test::append(stream, packet(0, from_text("\x03SELECT 1")));
  from_client(stream);
  EXPECT_NE(text_of(to_client()).find("handshake_malformed"), std::string_view::npos);
  EXPECT_EQ(sink_.count("SELECT 1"), 0U);
}

TEST_F(ChangeUserTest, ASlowLoginIsEnded) {
  log_in();
  from_client(change_user());
  to_client();
  pass(Milliseconds{10'001});
  session_->time_passed(now_);
  EXPECT_NE(text_of(to_client()).find("handshake_timeout"), std::string_view::npos);
}

TEST_F(ChangeUserTest, AnUnreadableCommandIsRefusedAndTheSessionStays) {
  log_in();
  from_client(packet(0, from_text("\x11shop")));
  EXPECT_NE(text_of(to_client()).find("command_malformed"), std::string_view::npos);
  from_client(change_user("shop", 2304));
  EXPECT_NE(text_of(to_client()).find("command_not_supported"), std::string_view::npos);
  EXPECT_TRUE(session_->idle());
}

TEST_F(ChangeUserTest, TheServerIsNotAskedForWhatSetOptionSwitchedOn) {
  log_in();
  forwarded(packet(0, Buffer{0x1B, 0, 0}));
  to_client();
  give_second_token();
  actions();
  session_->token_verified(principal(), now_);
  commit();
  choose();
  session_->backend_connected(now_);
  from_backend(backend_greeting());
  Buffer response = to_backend();
  ASSERT_GT(response.size(), 8U);
  EXPECT_EQ(response[6] & 1, 0) << "CLIENT_MULTI_STATEMENTS";
}

}  // namespace
}  // namespace sallyport::session::test
