#include "session/client_login.h"

#include <gtest/gtest.h>

#include "wire/frame.h"
#include "wire/test_packets.h"

namespace sallyport::session {
namespace {

namespace capability = wire::capability;
namespace plugin = wire::plugin;
using Step = ClientLogin::Step;

constexpr std::string_view token = "header.payload.signature";
constexpr std::uint32_t token_bytes_max = 64;
constexpr wire::Capabilities modern = capability::protocol_41 | capability::ssl | capability::secure_connection |
                                      capability::plugin_auth | capability::plugin_auth_lenenc_data |
                                      capability::connect_with_db | capability::connect_attrs;

struct Answer {
  std::string_view plugin;
  std::string secret;
  wire::Capabilities capabilities = modern;
};

std::string response_of(const Answer& answer) {
  std::vector<std::uint8_t> out;
  wire::PacketWriter writer{out};
  wire::write_handshake_response(writer, {.capabilities = answer.capabilities,
                                          .max_packet_bytes = 1U << 24,
                                          .collation_id = 45,
                                          .user = "shop.reader",
                                          .auth_response = bytes_of(answer.secret),
                                          .schema = "sales",
                                          .auth_plugin = answer.plugin,
                                          .attributes = {{.key = "program", .value = "test"}}});
  return std::string(text_of(out));
}

std::string tls_request() {
  std::vector<std::uint8_t> out;
  wire::PacketWriter writer{out};
  wire::write_ssl_request(writer, {.capabilities = modern, .max_packet_bytes = 1U << 24, .collation_id = 45});
  return std::string(text_of(out));
}

std::string openid(std::string_view text) {
  return std::string(1, '\x01') + static_cast<char>(text.size()) + std::string(text);
}

class ClientLoginTest : public testing::Test {
 protected:
  explicit ClientLoginTest(AuthMethod method = AuthMethod::caching_sha2_password)
      : profile_{.name = "main", .flavor = Flavor::mysql, .server_version = {}, .auth_method = method},
        login_(profile_, out_) {
    wire::Nonce nonce;
    nonce.fill('n');
    login_.greet({.connection_id = 7, .nonce = nonce});
    taken();
  }

  // The payload written since the last call; its sequence id has to be the one that is due.
  std::string taken() {
    if (out_.empty()) {
      return {};
    }
    EXPECT_EQ(out_[3], sequence_id_);
    std::string payload(text_of(Bytes{out_}.subspan(wire::frame_header_bytes)));
    out_.clear();
    ++sequence_id_;
    return payload;
  }
  Step message(std::string_view payload) {
    EXPECT_EQ(login_.next_sequence_id(), sequence_id_);
    login_.set_next_sequence_id(++sequence_id_);
    return login_.on_message(bytes_of(payload), token_bytes_max);
  }
  void start_tls() {
    ASSERT_EQ(message(tls_request()), Step::start_tls);
    EXPECT_TRUE(login_.in_tls_handshake());
    EXPECT_EQ(taken(), "");
    login_.tls_established();
  }
  std::string token_taken() { return std::string(login_.take_token().reveal()); }

  ListenerProfile profile_;
  std::vector<std::uint8_t> out_;
  ClientLogin login_;
  std::uint8_t sequence_id_ = 0;
};

const std::string full_authentication = "\x01\x04";

TEST_F(ClientLoginTest, ACachingSha2ClientIsAskedForItsWholePassword) {
  start_tls();
  EXPECT_EQ(message(response_of({plugin::caching_sha2_password, std::string(32, 's')})), Step::more);
  EXPECT_EQ(taken(), full_authentication);
  EXPECT_EQ(message(std::string(token) + '\0'), Step::token);
  EXPECT_EQ(token_taken(), token);
  EXPECT_EQ(login_.hello().user, "shop.reader");
  EXPECT_EQ(login_.hello().schema, "sales");
  EXPECT_EQ(login_.hello().attributes.size(), 1U);
}

TEST_F(ClientLoginTest, ATokenNeedsNoNul) {
  start_tls();
  message(response_of({plugin::caching_sha2_password, std::string(32, 's')}));
  taken();
  EXPECT_EQ(message(token), Step::token);
  EXPECT_EQ(token_taken(), token);
}

TEST_F(ClientLoginTest, AClientThatPrefersNativePasswordsIsSwitchedAndItsScrambleIgnored) {
  start_tls();
  EXPECT_EQ(message(response_of({plugin::mysql_native_password, std::string(20, 's')})), Step::more);
  std::string request = taken();
  EXPECT_EQ(request, "\xFE" + std::string(plugin::caching_sha2_password) + '\0' + std::string(20, 'n') + '\0');
  EXPECT_EQ(message(std::string(32, 's')), Step::more);
  EXPECT_EQ(taken(), full_authentication);
  EXPECT_EQ(message(token), Step::token);
  EXPECT_EQ(token_taken(), token);
}

TEST_F(ClientLoginTest, ATokenInTheResponseIsTakenWhereThePluginSendsItClear) {
  start_tls();
  EXPECT_EQ(message(response_of({plugin::mysql_clear_password, std::string(token) + '\0'})), Step::token);
  EXPECT_EQ(taken(), "");
  EXPECT_EQ(token_taken(), token);
}

TEST_F(ClientLoginTest, ATokenInTheResponseOfTheOpenIdPluginIsTaken) {
  start_tls();
  EXPECT_EQ(message(response_of({plugin::openid_connect, openid(token)})), Step::token);
  EXPECT_EQ(token_taken(), token);
}

TEST_F(ClientLoginTest, ATokenLongerThanTheLimitIsPassedOnCutToOneByteMore) {
  start_tls();
  message(response_of({plugin::caching_sha2_password, std::string(32, 's')}));
  taken();
  EXPECT_EQ(message(std::string(5000, 'x')), Step::token);
  EXPECT_EQ(token_taken().size(), token_bytes_max + 1);
}

TEST_F(ClientLoginTest, MessagesThatAreRefused) {
  struct Case {
    std::string_view why;
    std::vector<std::string> in_tls;  // messages; the last one is refused
    Reason reason;
  };
  const std::vector<Case> cases{
      {"an empty password", {response_of({plugin::caching_sha2_password, ""})}, Reason::token_missing},
      {"an empty password behind a switch",
       {response_of({plugin::mysql_native_password, "x"}), ""},
       Reason::token_missing},
      {"one NUL behind a switch",
       {response_of({plugin::mysql_native_password, "x"}), std::string(1, '\0')},
       Reason::token_missing},
      {"an empty token", {response_of({plugin::caching_sha2_password, "x"}), ""}, Reason::token_missing},
      {"a NUL for a token",
       {response_of({plugin::caching_sha2_password, "x"}), std::string(1, '\0')},
       Reason::token_missing},
      {"a malformed answer of the OpenID plugin",
       {response_of({plugin::openid_connect, "\x02" + std::string(token)})},
       Reason::handshake_malformed},
      {"a driver without plugins",
       {response_of(
           {"", std::string(20, 's'), capability::protocol_41 | capability::ssl | capability::secure_connection})},
       Reason::driver_too_old},
      {"a response that denies TLS",
       {response_of({plugin::caching_sha2_password, "x", modern & ~capability::ssl})},
       Reason::handshake_malformed},
      {"a second TLS request", {tls_request()}, Reason::handshake_malformed},
      {"an empty message", {""}, Reason::handshake_malformed},
      {"a response cut short",
       {response_of({plugin::caching_sha2_password, "x"}).substr(0, 40)},
       Reason::handshake_malformed}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.why);
    std::vector<std::uint8_t> out;
    ClientLogin login{profile_, out};
    login.greet({.connection_id = 7, .nonce = {}});
    ASSERT_EQ(login.on_message(bytes_of(tls_request()), token_bytes_max), Step::start_tls);
    login.tls_established();
    Step step = Step::more;
    for (const std::string& message : one.in_tls) {
      ASSERT_EQ(step, Step::more);
      step = login.on_message(bytes_of(message), token_bytes_max);
    }
    EXPECT_EQ(step, Step::refused);
    EXPECT_EQ(login.refusal(), one.reason);
    EXPECT_TRUE(login.take_token().empty());
  }
}

TEST_F(ClientLoginTest, NothingIsAskedForBeforeTls) {
  EXPECT_TRUE(login_.awaits_tls_request());
  EXPECT_EQ(message(response_of({plugin::mysql_clear_password, std::string(token)})), Step::refused);
  EXPECT_EQ(login_.refusal(), Reason::tls_required);
  EXPECT_EQ(taken(), "");
  EXPECT_EQ(token_taken(), "");
}

TEST_F(ClientLoginTest, WhatIsNoHandshakeResponseIsMalformed) {
  EXPECT_EQ(message("GET / HTTP/1.1"), Step::refused);
  EXPECT_EQ(login_.refusal(), Reason::handshake_malformed);
}

TEST_F(ClientLoginTest, AMessageInTheClearDuringTheTlsHandshakeIsRefused) {
  ASSERT_EQ(message(tls_request()), Step::start_tls);
  EXPECT_EQ(message(response_of({plugin::mysql_clear_password, std::string(token)})), Step::refused);
  EXPECT_EQ(token_taken(), "");
}

// The other ways of asking: what the listener is configured to switch clients to.
struct Way {
  AuthMethod method;
  std::string_view request;  // behind 0xFE
  std::string answer;
};

class ClientLoginBySwitchTest : public ClientLoginTest, public testing::WithParamInterface<Way> {
 protected:
  ClientLoginBySwitchTest() : ClientLoginTest(GetParam().method) {}
};

TEST_P(ClientLoginBySwitchTest, TheTokenComesAsTheAnswer) {
  start_tls();
  EXPECT_EQ(message(response_of({plugin::caching_sha2_password, std::string(32, 's')})), Step::more);
  EXPECT_EQ(taken(), "\xFE" + std::string(GetParam().request));
  EXPECT_EQ(message(GetParam().answer), Step::token);
  EXPECT_EQ(token_taken(), token);
}

TEST_P(ClientLoginBySwitchTest, AnEmptyAnswerIsRefused) {
  start_tls();
  message(response_of({plugin::caching_sha2_password, std::string(32, 's')}));
  taken();
  EXPECT_EQ(message(""), Step::refused);
}

using namespace std::string_view_literals;
INSTANTIATE_TEST_SUITE_P(
    Ways, ClientLoginBySwitchTest,
    testing::Values(Way{AuthMethod::mysql_clear_password, "mysql_clear_password\0"sv, std::string(token) + '\0'},
                    Way{AuthMethod::openid_connect, "authentication_openid_connect_client\0"sv, openid(token)},
                    Way{AuthMethod::dialog, "dialog\0\x04Password: "sv, std::string(token) + '\0'}));

TEST(ClientGreeting, NamesAVersionByFlavorAndNeverAClearPlugin) {
  for (Flavor flavor : {Flavor::mysql, Flavor::mariadb}) {
    for (AuthMethod method :
         {AuthMethod::caching_sha2_password, AuthMethod::mysql_clear_password, AuthMethod::dialog}) {
      ListenerProfile profile{.name = "main", .flavor = flavor, .server_version = {}, .auth_method = method};
      std::vector<std::uint8_t> out;
      ClientLogin login{profile, out};
      login.greet({.connection_id = 7, .nonce = {}});
      auto greeting = wire::parse_greeting(Bytes{out}.subspan(wire::frame_header_bytes));
      ASSERT_TRUE(greeting);
      EXPECT_EQ(greeting->auth_plugin, plugin::caching_sha2_password);
      EXPECT_EQ(greeting->server_version.starts_with("5.5.5-"), flavor == Flavor::mariadb);
      EXPECT_TRUE(wire::has(greeting->capabilities, capability::compress));
      EXPECT_EQ(wire::has(greeting->capabilities, capability::zstd_compression), flavor == Flavor::mysql);
      EXPECT_TRUE(wire::has(greeting->capabilities, capability::ssl));
      EXPECT_EQ(wire::has(greeting->capabilities, capability::query_attributes), flavor == Flavor::mysql);
    }
  }
}

TEST(ClientGreeting, OffersTheCompressionThatTheListenerSays) {
  for (wire::Capabilities offered :
       {wire::Capabilities{0}, capability::compress, capability::zstd_compression, compression_capabilities}) {
    for (Flavor flavor : {Flavor::mysql, Flavor::mariadb}) {
      ListenerProfile profile{
          .name = "main", .flavor = flavor, .server_version = {}, .auth_method = {}, .compression = offered};
      std::vector<std::uint8_t> out;
      ClientLogin login{profile, out};
      login.greet({.connection_id = 7, .nonce = {}});
      auto greeting = wire::parse_greeting(Bytes{out}.subspan(wire::frame_header_bytes));
      ASSERT_TRUE(greeting);
      wire::Capabilities had = flavor == Flavor::mysql ? offered : offered & capability::compress;
      EXPECT_EQ(greeting->capabilities & compression_capabilities, had);
    }
  }
}

}  // namespace
}  // namespace sallyport::session
