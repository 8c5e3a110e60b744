#include "session/spare_backend.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/test_packets.h"

namespace sallyport::session {
namespace {

using State = SpareBackend::State;
using wire::test::Buffer;
using wire::test::from_text;
using wire::test::packet;

const Buffer ok_payload{0, 0, 0, 2, 0, 0, 0};
const Buffer eof_payload{0xFE, 0, 0, 2, 0};

class SpareBackendTest : public testing::Test {
 protected:
  explicit SpareBackendTest(Flavor flavor = Flavor::mysql) {
    ConnectionSettings connection;
    connection.name = "shop";
    connection.flavor = flavor;
    connection.servers = {{.name = "primary", .host = "127.0.0.1"}};
    connection.tls.mode = BackendTlsMode::disabled;
    connection.logins.push_back({.name = "reader", .user = "reader_user", .password = Secret{std::string("p4ssword")}});
    environment_ = std::make_shared<Environment>(Environment{.limits = {},
                                                             .connections = {connection},
                                                             .server_public_keys = {},
                                                             .accounts = identity::AccountDirectory({}),
                                                             .policy = {}});
  }

  void reset(std::vector<std::uint8_t> unsent = {}) {
    spare_ = std::make_unique<SpareBackend>(
        SpareBackend::Setting{.environment = environment_,
                              .kind = {.connection = "shop", .server = "primary", .login = "reader"}},
        SpareBackend::Handover{.facts = {.negotiated = wire::capability::protocol_41 | wire::capability::plugin_auth,
                                         .server_version = "8.4.0",
                                         .connection_id = 3},
                               .unsent = std::move(unsent)},
        "proof", now_);
  }
  void receive(const Buffer& bytes) {
    MutableBytes space = spare_->space();
    std::copy(bytes.begin(), bytes.end(), space.begin());
    spare_->received(bytes.size());
  }
  std::string sent() {
    std::string text;
    std::array<Bytes, 4> pieces;
    while (!spare_->output().empty()) {
      std::size_t before = text.size();
      for (Bytes piece : std::span{pieces}.first(spare_->output().gather(pieces))) {
        text += text_of(piece);
      }
      spare_->output().sent(text.size() - before);
    }
    return text;
  }
  void roll_back() {
    std::string first = sent();
    EXPECT_NE(first.find("ROLLBACK AND NO CHAIN NO RELEASE"), std::string::npos);
    EXPECT_EQ(first.find("reader_user"), std::string::npos) << "nothing before it is known to have been done";
    receive(packet(1, ok_payload));
  }
  void change_user() {
    roll_back();
    EXPECT_NE(sent().find("\x11reader_user"), std::string::npos);
    receive(packet(1, from_text("\xFEmysql_native_password" + std::string(1, '\0') + std::string(20, 'n') +
                                std::string(1, '\0'))));
    EXPECT_FALSE(sent().empty());
    receive(packet(3, ok_payload));
  }
  // COM_SET_OPTION, the network time-outs, the optimizer's trace, and the three of the resource group.
  void answer_statements(int count) {
    sent();
    receive(packet(1, eof_payload));
    for (int i = 1; i < count; ++i) {
      receive(packet(1, ok_payload));
    }
  }
  void answer_proof(std::string_view text) {
    receive(packet(1, Buffer{1}));
    receive(packet(2, from_text("\x03"
                                "def")));
    receive(packet(3, eof_payload));
    receive(packet(4, from_text(static_cast<char>(text.size()) + std::string(text))));
    receive(packet(5, eof_payload));
  }

  Now now_{wall_from_unix_seconds(1'800'000'000), MonoTime{Seconds{50}}};
  std::shared_ptr<const Environment> environment_;
  std::unique_ptr<SpareBackend> spare_;
};

TEST_F(SpareBackendTest, AResetConnectionIsIdleOnceTheProofCameBack) {
  reset({5, 0, 0, 0, 0x19, 1, 0, 0, 0});
  change_user();
  answer_statements(6);
  EXPECT_EQ(spare_->state(), State::busy);
  answer_proof("proof0");
  EXPECT_EQ(spare_->state(), State::idle);
  EXPECT_EQ(spare_->deadline(), MonoTime::max());
}

TEST_F(SpareBackendTest, AnAnswerTooManyOnTheWayIsFound) {
  reset();
  change_user();
  answer_statements(7);
  EXPECT_EQ(spare_->state(), State::failed) << "an OK in the place of the proof";
}

TEST_F(SpareBackendTest, AnotherTextIsNoProof) {
  for (std::string_view text : {"proof", "proof1", "other0", "proof12"}) {
    reset();
    change_user();
    answer_statements(6);
    answer_proof(text);
    EXPECT_EQ(spare_->state(), State::failed) << text;
  }
}

TEST_F(SpareBackendTest, BytesBehindTheProofAreFound) {
  reset();
  change_user();
  answer_statements(6);
  receive(packet(1, Buffer{1}));
  receive(packet(2, from_text("\x03"
                              "def")));
  receive(packet(3, eof_payload));
  receive(packet(4, from_text("\x06proof0")));
  Buffer last = packet(5, eof_payload);
  wire::test::append(last, {7});
  receive(last);
  EXPECT_EQ(spare_->state(), State::failed);
}

TEST_F(SpareBackendTest, AnIdleConnectionThatReceivesAnythingIsGone) {
  reset();
  change_user();
  answer_statements(6);
  answer_proof("proof0");
  receive({0});
  EXPECT_EQ(spare_->state(), State::failed);
}

TEST_F(SpareBackendTest, ACheckIsAnswered) {
  reset();
  change_user();
  answer_statements(6);
  answer_proof("proof0");
  spare_->check(now_);
  EXPECT_EQ(spare_->state(), State::busy);
  EXPECT_EQ(sent(), std::string("\x01\0\0\0\x0E", 5));
  receive(packet(1, ok_payload));
  EXPECT_EQ(spare_->state(), State::idle);
}

TEST_F(SpareBackendTest, AConnectionWithAPreparedTransactionIsClosed) {
  reset();
  sent();
  receive(packet(1, from_text("\xFF\x77\x05#XAE07the global transaction is in the PREPARED state")));
  EXPECT_EQ(spare_->state(), State::failed);
  EXPECT_EQ(sent().find("reader_user"), std::string::npos);
}

TEST_F(SpareBackendTest, ARefusalOrSilenceFailsTheReset) {
  reset();
  roll_back();
  sent();
  receive(packet(1, from_text("\xFF\x15\x04#28000Access denied")));
  EXPECT_EQ(spare_->state(), State::failed);
  reset();
  now_.mono = spare_->deadline();
  spare_->time_passed(now_);
  EXPECT_EQ(spare_->state(), State::failed);
}

}  // namespace
}  // namespace sallyport::session
