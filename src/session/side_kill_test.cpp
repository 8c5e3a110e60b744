// A side connection's dialogue with a server, with a fault at each step.
#include "session/side_kill.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/test_packets.h"

namespace sallyport::session {
namespace {

using State = SideKill::State;
using Status = KillOutcome::Status;
using wire::test::Buffer;
using wire::test::from_text;
using wire::test::packet;

const Buffer ok_payload{0, 0, 0, 2, 0, 0, 0};

class SideKillDialogue : public testing::Test {
 protected:
  SideKillDialogue() { begin(); }

  void begin(BackendTlsMode tls = BackendTlsMode::disabled, std::string last_text = {}) {
    ConnectionSettings connection;
    connection.name = "shop";
    connection.flavor = Flavor::mariadb;
    connection.servers = {{.name = "primary", .host = "127.0.0.1"}};
    connection.tls.mode = tls;
    connection.logins.push_back({.name = "reader", .user = "reader_user", .password = Secret{std::string("p4ssword")}});
    auto environment = std::make_shared<Environment>(Environment{.limits = {.kill_timeout = Milliseconds{700}},
                                                                 .connections = {connection},
                                                                 .server_public_keys = {},
                                                                 .accounts = identity::AccountDirectory({}),
                                                                 .policy = {}});
    kill_ = std::make_unique<SideKill>(KillOrder{.environment = environment,
                                                 .kind = {.connection = "shop", .server = "primary", .login = "reader"},
                                                 .server = "somewhere",
                                                 .text = "KILL QUERY 7",
                                                 .last_text = std::move(last_text)},
                                       now_);
  }
  void receive(const Buffer& bytes) {
    ASSERT_TRUE(kill_->wants_bytes());
    MutableBytes space = kill_->space();
    std::copy(bytes.begin(), bytes.end(), space.begin());
    kill_->received(bytes.size());
  }
  std::string sent() {
    std::string text;
    std::array<Bytes, 4> pieces;
    while (!kill_->output().empty()) {
      std::size_t before = text.size();
      for (Bytes piece : std::span{pieces}.first(kill_->output().gather(pieces))) {
        text += text_of(piece);
      }
      kill_->output().sent(text.size() - before);
    }
    return text;
  }
  static Buffer greeting() {
    Buffer bytes;
    wire::PacketWriter writer{bytes};
    writer.begin(0);
    wire::write_greeting(writer, {.server_version = "8.0",
                                  .connection_id = 3,
                                  .nonce = {},
                                  .capabilities = wire::understood_capabilities,
                                  .auth_plugin = std::string(wire::plugin::mysql_native_password)});
    writer.end();
    return bytes;
  }
  static Buffer err(std::string_view text) { return packet(1, from_text("\xFF" + std::string(text))); }
  // Up to the question whether it is still wanted.
  void log_in() {
    kill_->connected();
    receive(greeting());
    EXPECT_NE(sent().find("reader_user"), std::string::npos);
    receive(packet(2, ok_payload));
    ASSERT_EQ(kill_->state(), State::wants_to_know);
    EXPECT_FALSE(kill_->wants_bytes());
  }
  void ask() {
    log_in();
    kill_->go_ahead(now_);
    EXPECT_EQ(kill_->state(), State::busy);
    EXPECT_EQ(sent().substr(5), "KILL QUERY 7");
  }
  Status status() const {
    EXPECT_EQ(kill_->state(), State::over);
    return kill_->outcome().status;
  }

  Now now_{wall_from_unix_seconds(1'800'000'000), MonoTime{Seconds{50}}};
  std::unique_ptr<SideKill> kill_;
};

const std::string quit("\x01\0\0\0\x01", 5);

TEST_F(SideKillDialogue, LogsInSaysItsOneStatementAndGoes) {
  ask();
  receive(packet(1, ok_payload));
  EXPECT_EQ(status(), Status::done);
  EXPECT_EQ(sent(), quit);
  EXPECT_FALSE(kill_->found_server_unreachable());
}

TEST_F(SideKillDialogue, AsksForTheLastThingOnceTheTargetsConnectionHadTimeToGo) {
  for (bool is_gone : {true, false}) {
    begin(BackendTlsMode::disabled, "KILL CONNECTION 7");
    ask();
    receive(packet(1, ok_payload));
    ASSERT_EQ(kill_->state(), State::pausing);
    EXPECT_EQ(sent(), "");
    now_.mono += Milliseconds{99};
    kill_->time_passed(now_);
    EXPECT_EQ(kill_->state(), State::pausing);
    now_.mono += Milliseconds{1};
    EXPECT_GE(now_.mono, kill_->deadline());
    kill_->time_passed(now_);
    EXPECT_EQ(sent().substr(5), "KILL CONNECTION 7");
    receive(is_gone ? err("\x46\x04#HY000Unknown thread id: 7") : packet(1, ok_payload));
    EXPECT_EQ(status(), Status::done);
    EXPECT_FALSE(kill_->outcome().refusal);
    EXPECT_EQ(sent(), quit);
  }
  begin(BackendTlsMode::disabled, "KILL CONNECTION 7");
  ask();
  receive(packet(1, ok_payload));
  now_.mono += Milliseconds{100};
  kill_->time_passed(now_);
  now_.mono += Milliseconds{700};
  kill_->time_passed(now_);
  EXPECT_EQ(status(), Status::failed) << "nobody answers";
}

TEST_F(SideKillDialogue, WhatIsNoLongerWantedIsNotSaid) {
  log_in();
  kill_->call_off();
  EXPECT_EQ(status(), Status::not_wanted);
  EXPECT_EQ(sent(), quit);
  kill_->go_ahead(now_);
  EXPECT_EQ(sent(), "");
}

TEST_F(SideKillDialogue, AThreadThatIsGoneIsARefusalOfAServerThatWasReached) {
  ask();
  receive(err("\x46\x04#HY000Unknown thread id: 7"));
  EXPECT_EQ(status(), Status::refused);
  EXPECT_EQ(kill_->outcome().refusal->code, 1094);
  EXPECT_EQ(kill_->outcome().refusal->sql_state, "HY000");
  EXPECT_EQ(kill_->outcome().detail, "1094 Unknown thread id: 7");
  EXPECT_EQ(sent(), quit);
  EXPECT_FALSE(kill_->found_server_unreachable());
}

TEST_F(SideKillDialogue, AServerThatIsAwayIsKnownToBe) {
  kill_->failed("the server can't be reached: Connection refused");
  EXPECT_EQ(status(), Status::failed);
  EXPECT_TRUE(kill_->found_server_unreachable());
  begin();
  kill_->connected();
  receive(packet(0, from_text("\xFF\x10\x04Too many connections")));
  EXPECT_EQ(status(), Status::failed);
  EXPECT_TRUE(kill_->found_server_unreachable());
  EXPECT_NE(kill_->outcome().detail.find("Too many connections"), std::string::npos);
}

TEST_F(SideKillDialogue, AServerThatHangsIsGivenUpInTimeWhereverItDoes) {
  for (int step = 0; step < 4; ++step) {
    begin();
    if (step == 1) {
      kill_->connected();
    } else if (step == 2) {
      kill_->connected();
      receive(greeting());
    } else if (step == 3) {
      ask();
    }
    EXPECT_EQ(kill_->deadline(), now_.mono + Milliseconds{700});
    now_.mono += Milliseconds{699};
    kill_->time_passed(now_);
    EXPECT_NE(kill_->state(), State::over);
    now_.mono += Milliseconds{1};
    kill_->time_passed(now_);
    EXPECT_EQ(status(), Status::failed) << step;
    EXPECT_EQ(kill_->found_server_unreachable(), step < 3);
    EXPECT_FALSE(kill_->wants_bytes());
  }
}

TEST_F(SideKillDialogue, AServerThatClosesIsSeenWhereverItDoes) {
  for (int step = 0; step < 3; ++step) {
    begin();
    if (step == 0) {
      kill_->connected();
    } else if (step == 1) {
      log_in();
    } else {
      ask();
    }
    kill_->closed();
    EXPECT_EQ(status(), Status::failed) << step;
    EXPECT_EQ(sent(), "");
  }
}

TEST_F(SideKillDialogue, ALoginThatIsRefusedSaysWhyAndNothingSecret) {
  kill_->connected();
  receive(greeting());
  sent();
  receive(packet(2, from_text("\xFF\x15\x04#28000Access denied")));
  EXPECT_EQ(status(), Status::failed);
  EXPECT_FALSE(kill_->found_server_unreachable()) << "it was reached";
  EXPECT_NE(kill_->outcome().detail.find("Access denied"), std::string::npos);
  EXPECT_EQ(kill_->outcome().detail.find("p4ssword"), std::string::npos);
}

TEST_F(SideKillDialogue, AnAnswerThatIsNoneIsAFailure) {
  for (const Buffer& answer : {packet(1, Buffer{1}), packet(2, ok_payload), packet(1, Buffer{})}) {
    begin();
    ask();
    receive(answer);
    EXPECT_EQ(status(), Status::failed);
  }
  begin();
  ask();
  Buffer two = packet(1, ok_payload);
  wire::test::append(two, packet(1, ok_payload));
  receive(two);
  EXPECT_EQ(status(), Status::failed) << "more than was asked for";
}

TEST_F(SideKillDialogue, PasswordsGoOverTlsWhereTheConnectionIsToHaveIt) {
  begin(BackendTlsMode::verify_full);
  kill_->connected();
  receive(greeting());
  EXPECT_EQ(kill_->state(), State::wants_tls);
  EXPECT_EQ(sent().find("reader_user"), std::string::npos);
  EXPECT_FALSE(kill_->wants_bytes());
  kill_->tls_established();
  EXPECT_NE(sent().find("reader_user"), std::string::npos);
  EXPECT_EQ(kill_->state(), State::busy);
}

}  // namespace
}  // namespace sallyport::session
