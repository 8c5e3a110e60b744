#include "session/backend_login.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/mariadb_ed25519.h"
#include "wire/frame.h"
#include "wire/response.h"
#include "wire/test_packets.h"

namespace sallyport::session {
namespace {

namespace capability = wire::capability;
namespace plugin = wire::plugin;
using Step = BackendLogin::Step;
using wire::test::Buffer;
using wire::test::from_text;

constexpr std::string_view password = "s3cret!";
constexpr wire::Capabilities server_capabilities = wire::understood_capabilities;
const std::string nonce(20, 'n');

Buffer xored(Bytes left, Bytes right) {
  Buffer out(left.begin(), left.end());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(out[i] ^ right[i % right.size()]);
  }
  return out;
}

Buffer native_answer(std::string_view challenge) {
  auto once = crypto::sha1({bytes_of(password)});
  return xored(once, crypto::sha1({bytes_of(challenge), crypto::sha1({once})}));
}

Buffer sha2_answer(std::string_view challenge) {
  auto once = crypto::sha256({bytes_of(password)});
  return xored(once, crypto::sha256({crypto::sha256({once}), bytes_of(challenge)}));
}

std::string switch_to(std::string_view name, std::string_view challenge = nonce) {
  return "\xFE" + std::string(name) + '\0' + std::string(challenge) + '\0';
}

const std::string ok_payload("\x00\x00\x00\x02\x00\x00\x00", 7);
const std::string full_authentication = "\x01\x04";
const std::string fast_success = "\x01\x03";
const std::string refusal("\xFF\x15\x04#28000Access denied", 22);

class BackendLoginTest : public testing::Test {
 protected:
  BackendLoginTest() {
    connection_.name = "shop";
    connection_.tls.mode = BackendTlsMode::disabled;
    login_settings_ = {.name = "reader", .user = "reader_user", .password = Secret{std::string(password)}};
    hello_.capabilities = capability::protocol_41 | capability::multi_statements | capability::multi_results;
    hello_.collation_id = 45;
  }

  BackendTarget target() {
    return {.connection = &connection_,
            .server = &server_,
            .login = &login_settings_,
            .set_role = {},
            .schema = {},
            .client = &hello_,
            .account = "reporter",
            .server_public_key_pem = key_pem_};
  }
  void start() { login_.emplace(target(), out_); }
  std::string greeting(std::string_view auth_plugin, wire::Capabilities capabilities = server_capabilities) {
    Buffer out;
    wire::PacketWriter writer{out};
    wire::Nonce bytes;
    bytes.fill('n');
    wire::write_greeting(writer, {.server_version = "8.4.0",
                                  .connection_id = 9,
                                  .nonce = bytes,
                                  .capabilities = capabilities,
                                  .collation_id = 45,
                                  .auth_plugin = std::string(auth_plugin)});
    return std::string(text_of(out));
  }
  Step packet(std::string_view payload) {
    EXPECT_EQ(login_->next_sequence_id(), sequence_id_);
    login_->set_next_sequence_id(++sequence_id_);
    return login_->on_packet(bytes_of(payload));
  }
  // The payload written since the last call.
  Buffer taken() {
    if (out_.empty()) {
      return {};
    }
    EXPECT_EQ(out_[3], sequence_id_++);
    Buffer payload(out_.begin() + wire::frame_header_bytes, out_.end());
    out_.clear();
    return payload;
  }
  wire::HandshakeResponse response_taken() {
    response_bytes_ = taken();
    auto response = wire::parse_handshake_response(response_bytes_, server_capabilities);
    EXPECT_TRUE(response);
    return response.value_or(wire::HandshakeResponse{});
  }
  // Greets, over TLS if the connection has it; the handshake response is left in response_bytes_.
  wire::HandshakeResponse greeted(std::string_view auth_plugin) {
    start();
    if (packet(greeting(auth_plugin)) == Step::start_tls) {
      EXPECT_EQ(taken().size(), wire::ssl_request_bytes);
      EXPECT_TRUE(login_->in_tls_handshake());
      login_->tls_established();
    }
    return response_taken();
  }
  void expect_failed(Step step, std::string_view in_detail, Reason reason = Reason::backend_login_failed) {
    EXPECT_EQ(step, Step::failed);
    EXPECT_EQ(login_->failure().reason, reason);
    EXPECT_NE(login_->failure().detail.find(in_detail), std::string::npos) << login_->failure().detail;
    EXPECT_EQ(login_->failure().detail.find(password), std::string::npos);
    EXPECT_TRUE(out_.empty() || text_of(out_).find(password) == std::string_view::npos);
  }

  ConnectionSettings connection_;
  ServerSettings server_{.name = "primary", .host = "db"};
  DatabaseLogin login_settings_;
  ClientHello hello_;
  std::string key_pem_;
  Buffer out_;
  Buffer response_bytes_;
  std::optional<BackendLogin> login_;
  std::uint8_t sequence_id_ = 0;
};

TEST_F(BackendLoginTest, TheFastPathOfCachingSha2NeedsAScrambleOnly) {
  auto response = greeted(plugin::caching_sha2_password);
  EXPECT_EQ(response.user, "reader_user");
  EXPECT_EQ(response.auth_plugin, plugin::caching_sha2_password);
  EXPECT_EQ(Buffer(response.auth_response.begin(), response.auth_response.end()), sha2_answer(nonce));
  EXPECT_EQ(packet(fast_success), Step::more);
  EXPECT_EQ(taken(), Buffer{});
  EXPECT_EQ(packet(ok_payload), Step::logged_in);
  EXPECT_EQ(login_->facts().connection_id, 9U);
}

TEST_F(BackendLoginTest, FullAuthenticationSendsThePasswordInTlsOrOverASocketOnly) {
  for (bool by_socket : {false, true}) {
    SCOPED_TRACE(by_socket);
    sequence_id_ = 0;
    connection_.tls.mode = by_socket ? BackendTlsMode::disabled : BackendTlsMode::verify_full;
    server_.socket_path = by_socket ? "/run/db.sock" : "";
    greeted(plugin::caching_sha2_password);
    EXPECT_EQ(packet(full_authentication), Step::more);
    EXPECT_EQ(taken(), from_text(std::string(password) + '\0'));
    EXPECT_EQ(packet(ok_payload), Step::logged_in);
  }
}

TEST_F(BackendLoginTest, WithoutTlsThePasswordIsEncryptedWithAKeyThatIsAskedForOnlyWhenTrusted) {
  greeted(plugin::caching_sha2_password);
  expect_failed(packet(full_authentication), "can't be sent without TLS");

  auto key = crypto::PrivateKey::generate(crypto::KeyType::rsa);
  ASSERT_TRUE(key);
  connection_.trust_server_public_key = true;
  sequence_id_ = 0;
  greeted(plugin::caching_sha2_password);
  EXPECT_EQ(packet(full_authentication), Step::more);
  EXPECT_EQ(taken(), Buffer{wire::request_public_key_caching_sha2});
  EXPECT_EQ(packet("\x01" + key->public_pem()), Step::more);
  auto clear = key->rsa_oaep_decrypt(taken());
  ASSERT_TRUE(clear);
  EXPECT_EQ(xored(*clear, bytes_of(nonce)), from_text(std::string(password) + '\0'));
  EXPECT_EQ(packet(ok_payload), Step::logged_in);
}

TEST_F(BackendLoginTest, APinnedKeyIsUsedUnasked) {
  auto key = crypto::PrivateKey::generate(crypto::KeyType::rsa);
  ASSERT_TRUE(key);
  key_pem_ = key->public_pem();
  for (std::string_view name : {plugin::caching_sha2_password, plugin::sha256_password}) {
    SCOPED_TRACE(name);
    sequence_id_ = 0;
    greeted(plugin::caching_sha2_password);
    EXPECT_EQ(packet(name == plugin::sha256_password ? switch_to(name) : full_authentication), Step::more);
    auto clear = key->rsa_oaep_decrypt(taken());
    ASSERT_TRUE(clear);
    EXPECT_EQ(xored(*clear, bytes_of(nonce)), from_text(std::string(password) + '\0'));
  }
}

TEST_F(BackendLoginTest, AKeyThatIsNoneIsRefused) {
  connection_.trust_server_public_key = true;
  greeted(plugin::caching_sha2_password);
  packet(full_authentication);
  taken();
  expect_failed(packet("\x01not a key"), "public key is not usable");
}

TEST_F(BackendLoginTest, NativePasswordsByGreetingAndBySwitch) {
  auto response = greeted(plugin::mysql_native_password);
  EXPECT_EQ(Buffer(response.auth_response.begin(), response.auth_response.end()), native_answer(nonce));
  EXPECT_EQ(packet(ok_payload), Step::logged_in);

  sequence_id_ = 0;
  greeted(plugin::caching_sha2_password);
  std::string other(20, 'm');
  EXPECT_EQ(packet(switch_to(plugin::mysql_native_password, other)), Step::more);
  EXPECT_EQ(taken(), native_answer(other));
}

TEST_F(BackendLoginTest, ASwitchToEd25519IsAnsweredWithASignature) {
  greeted(plugin::mysql_native_password);
  std::string challenge(32, 'c');
  EXPECT_EQ(packet("\xFE" + std::string(plugin::client_ed25519) + '\0' + challenge), Step::more);
  auto signature = crypto::mariadb_ed25519_sign(password, bytes_of(challenge));
  EXPECT_EQ(taken(), Buffer(signature.begin(), signature.end()));
}

TEST_F(BackendLoginTest, Sha256SendsThePasswordInTls) {
  connection_.tls.mode = BackendTlsMode::verify_full;
  greeted(plugin::caching_sha2_password);
  EXPECT_EQ(packet(switch_to(plugin::sha256_password)), Step::more);
  EXPECT_EQ(taken(), from_text(std::string(password) + '\0'));
}

TEST_F(BackendLoginTest, AnEmptyPasswordIsAnEmptyPacketToNativeAndANulToOthers) {
  login_settings_.password = Secret{};
  auto response = greeted(plugin::mysql_native_password);
  EXPECT_TRUE(response.auth_response.empty());
  EXPECT_EQ(packet(switch_to(plugin::mysql_native_password)), Step::more);
  ASSERT_EQ(out_.size(), wire::frame_header_bytes);
  EXPECT_EQ(taken(), Buffer{});

  for (std::string_view name : {plugin::caching_sha2_password, plugin::sha256_password}) {
    sequence_id_ = 0;
    greeted(plugin::mysql_native_password);
    EXPECT_EQ(packet(switch_to(name)), Step::more);
    EXPECT_EQ(taken(), Buffer{0}) << name;
  }
}

TEST_F(BackendLoginTest, WhatAMaliciousServerAsksForIsRefused) {
  struct Case {
    std::string_view why;
    std::vector<std::string> packets;  // behind the handshake response; the last one fails
    std::string_view detail;
  };
  const std::vector<Case> cases{
      {"the clear password", {switch_to(plugin::mysql_clear_password)}, "mysql_clear_password"},
      {"dialog", {switch_to(plugin::dialog)}, "dialog"},
      {"an unknown plugin", {switch_to("authentication_ldap")}, "authentication_ldap"},
      {"a pre-4.1 hash", {"\xFE"}, "malformed"},
      {"switches without end",
       {switch_to(plugin::mysql_native_password), switch_to(plugin::mysql_native_password),
        switch_to(plugin::mysql_native_password)},
       "switch"},
      {"a short nonce", {switch_to(plugin::mysql_native_password, "short")}, "nonce is too short"},
      {"a short nonce for ed25519", {switch_to(plugin::client_ed25519, nonce)}, "nonce for client_ed25519"},
      {"sha256 without TLS", {switch_to(plugin::sha256_password)}, "can't be sent without TLS"},
      {"an unknown state", {"\x01\x07"}, "unknown state"},
      {"a key that was not asked for", {"\x01-----BEGIN PUBLIC KEY-----"}, "unexpected"},
      {"an ERR", {refusal}, "1045 Access denied"},
      {"a malformed OK", {std::string(1, '\0')}, "malformed"},
      {"an empty packet", {""}, "out of turn"},
      {"garbage", {"garbage"}, "unknown authentication packet"}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.why);
    sequence_id_ = 0;
    greeted(plugin::caching_sha2_password);
    Step step = Step::more;
    for (const std::string& payload : one.packets) {
      ASSERT_EQ(step, Step::more);
      step = packet(payload);
      if (step == Step::more) {
        taken();
      }
    }
    expect_failed(step, one.detail);
  }
}

TEST_F(BackendLoginTest, GreetingsThatAreRefused) {
  hello_.capabilities |= capability::query_attributes;
  struct Case {
    std::string payload;
    Reason reason;
    std::string_view detail;
  };
  const std::vector<Case> cases{
      {std::string("\xFF\x10\x04Too many connections", 23), Reason::backend_unavailable, "1040"},
      {"garbage", Reason::backend_login_failed, "malformed"},
      {ok_payload, Reason::backend_login_failed, "malformed"},
      {greeting(plugin::caching_sha2_password, server_capabilities & ~capability::plugin_auth),
       Reason::backend_incompatible, "lacks"},
      {greeting(plugin::caching_sha2_password, server_capabilities & ~capability::query_attributes),
       Reason::backend_incompatible, "lacks"}};
  for (const Case& one : cases) {
    sequence_id_ = 0;
    start();
    expect_failed(packet(one.payload), one.detail, one.reason);
  }
}

TEST_F(BackendLoginTest, TlsThatIsRequiredAndNotOfferedIsRefusedBeforeAnySecret) {
  connection_.tls.mode = BackendTlsMode::required;
  start();
  expect_failed(packet(greeting(plugin::caching_sha2_password, server_capabilities & ~capability::ssl)),
                "offers no TLS");
}

TEST_F(BackendLoginTest, APacketDuringTheTlsHandshakeIsRefused) {
  connection_.tls.mode = BackendTlsMode::verify_full;
  start();
  ASSERT_EQ(packet(greeting(plugin::caching_sha2_password)), Step::start_tls);
  taken();
  expect_failed(packet(full_authentication), "out of turn");
}

TEST_F(BackendLoginTest, EndOfRowsIsNegotiatedAsWithTheClient) {
  EXPECT_FALSE(wire::has(greeted(plugin::caching_sha2_password).capabilities, capability::deprecate_eof));
  hello_.capabilities |= capability::deprecate_eof;
  sequence_id_ = 0;
  EXPECT_TRUE(wire::has(greeted(plugin::caching_sha2_password).capabilities, capability::deprecate_eof));
}

TEST_F(BackendLoginTest, AServerWithoutProgressReportsIsLoggedInToWithoutThem) {
  hello_.capabilities = (hello_.capabilities & ~capability::long_password) | capability::mariadb_progress;
  for (bool has_progress : {true, false}) {
    start();
    sequence_id_ = 0;
    wire::Capabilities offered =
        (server_capabilities & ~capability::long_password) & ~(has_progress ? 0 : capability::mariadb_progress);
    ASSERT_EQ(packet(greeting(plugin::mysql_native_password, offered)), Step::more);
    EXPECT_EQ(wire::has(response_taken().capabilities, capability::mariadb_progress), has_progress);
    EXPECT_EQ(packet(ok_payload), Step::logged_in);
    EXPECT_EQ(wire::has(login_->facts().negotiated, capability::mariadb_progress), has_progress);
  }
}

class BackendSetupTest : public BackendLoginTest {
 protected:
  TrackedState state_;

  std::vector<std::string> statements() const {
    std::vector<std::string> texts;
    Bytes rest{out_};
    while (!rest.empty()) {
      auto header = wire::read_frame_header(rest);
      texts.emplace_back(text_of(rest.subspan(wire::frame_header_bytes, header->payload_bytes)));
      rest = rest.subspan(wire::frame_header_bytes + header->payload_bytes);
    }
    return texts;
  }
};

TEST_F(BackendSetupTest, TracksTheSchemaThenTakesRoleAndSchema) {
  BackendTarget full = target();
  full.set_role = "odd`role";
  full.schema = "sales";
  BackendSetup setup{full, out_};
  EXPECT_EQ(statements(), (std::vector<std::string>{"\x03SET SESSION session_track_schema=1",
                                                    "\x03SET ROLE `odd``role`", "\x02sales"}));
  EXPECT_EQ(setup.on_packet(bytes_of(ok_payload), 0, state_), BackendSetup::Step::more);
  EXPECT_EQ(setup.on_packet(bytes_of(ok_payload), 0, state_), BackendSetup::Step::more);
  EXPECT_EQ(setup.on_packet(bytes_of(ok_payload), 0, state_), BackendSetup::Step::done);
  EXPECT_EQ(state_.status_flags, wire::status::autocommit);
}

TEST_F(BackendSetupTest, AnErrorFailsItAlsoOneWithoutAText) {
  for (const std::string& error : {refusal, std::string("\xFF\x15\x04#28000", 9), std::string("\xFF\x15\x04", 3)}) {
    for (bool on_schema : {false, true}) {
      BackendTarget wanted = target();
      wanted.schema = "sales";
      BackendSetup setup{wanted, out_};
      if (on_schema) {
        ASSERT_EQ(setup.on_packet(bytes_of(ok_payload), 0, state_), BackendSetup::Step::more);
      }
      if (on_schema) {
        EXPECT_EQ(setup.on_packet(bytes_of(error), 0, state_), BackendSetup::Step::failed);
      } else {
        EXPECT_EQ(setup.on_packet(bytes_of(error), 0, state_), BackendSetup::Step::more);
        EXPECT_EQ(setup.on_packet(bytes_of("\xFF\x19\x04#42000Unknown database"), 0, state_),
                  BackendSetup::Step::failed)
            << "the first error is what failed";
      }
      EXPECT_EQ(setup.failure().code, 1045);
      EXPECT_EQ(setup.failure().on_schema, on_schema);
    }
  }
}

TEST_F(BackendSetupTest, AnAnswerThatIsNeitherOkNorErrorFailsIt) {
  BackendSetup setup{target(), out_};
  EXPECT_EQ(setup.on_packet(bytes_of("\x02rows"), 0, state_), BackendSetup::Step::failed);
}

}  // namespace
}  // namespace sallyport::session
