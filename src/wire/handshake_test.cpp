#include "wire/handshake.h"

#include <gtest/gtest.h>

#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::Buffer;
using test::from_hex;

template <typename Write>
Buffer payload_of(Write write) {
  Buffer out;
  PacketWriter writer{out};
  write(writer);
  return out;
}

// Greetings as servers sent them.
constexpr std::string_view mysql_greeting =
    "0a392e372e342d320014010000761a21262f391c3d00ffffff0200ffdf1500000000000000000000227a507328320e346d3a5525"
    "0063616368696e675f736861325f70617373776f726400";
constexpr std::string_view mariadb_greeting =
    "0a352e352e352d31302e31312e31392d4d6172696144422d302b6465623132753100eb0000003d57213a3f6f324700fef7080200ff8115"
    "0000000000001d0000004f396b3255364c5c697d5821006d7973716c5f6e61746976655f70617373776f726400";

TEST(Greeting, OfMariaDbHasItsExtendedCapabilities) {
  Buffer raw = from_hex(mariadb_greeting);
  auto greeting = parse_greeting(raw);
  ASSERT_TRUE(greeting.has_value());
  EXPECT_EQ(greeting->server_version, "5.5.5-10.11.19-MariaDB-0+deb12u1");
  EXPECT_EQ(greeting->connection_id, 235U);
  EXPECT_EQ(greeting->auth_plugin, plugin::mysql_native_password);
  EXPECT_EQ(greeting->collation_id, 8);
  EXPECT_EQ(greeting->status_flags, status::autocommit);
  EXPECT_EQ(greeting->capabilities, 0x1d81fff7feU);
  EXPECT_FALSE(has(greeting->capabilities, capability::long_password)) << "how MariaDB says that it is MariaDB";
  EXPECT_EQ(text_of(Bytes{greeting->nonce}), "=W!:?o2GO9k2U6L\\i}X!");
}

TEST(Greeting, OfMySqlKeepsTheTwentyBytesOfTheNonceWithoutItsNul) {
  Buffer raw = from_hex(mysql_greeting);
  auto greeting = parse_greeting(raw);
  ASSERT_TRUE(greeting.has_value());
  EXPECT_EQ(greeting->server_version, "9.7.4-2");
  EXPECT_EQ(greeting->auth_plugin, plugin::caching_sha2_password);
  EXPECT_EQ(greeting->capabilities, 0xdfffffffU);
  EXPECT_EQ(Buffer(greeting->nonce.begin(), greeting->nonce.end()),
            from_hex("761a21262f391c3d227a507328320e346d3a5525"));
}

TEST(Greeting, IsWrittenAsMySqlWritesIt) {
  Buffer raw = from_hex(mysql_greeting);
  auto greeting = parse_greeting(raw);
  ASSERT_TRUE(greeting.has_value());
  EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_greeting(writer, *greeting); }), raw);
}

TEST(Greeting, WithoutANulBehindThePluginIsRead) {  // MySQL bug 59453: 5.5.7 to 5.5.9 and 5.6.0 to 5.6.1
  Buffer raw = from_hex(mariadb_greeting);
  raw.pop_back();
  auto greeting = parse_greeting(raw);
  ASSERT_TRUE(greeting.has_value());
  EXPECT_EQ(greeting->auth_plugin, plugin::mysql_native_password);
}

TEST(Greeting, CutShortBeforeThePluginIsNone) {
  Buffer raw = from_hex(mariadb_greeting);
  std::size_t fixed_bytes = raw.size() - plugin::mysql_native_password.size() - 1;
  for (std::size_t length = 0; length < fixed_bytes; ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_greeting(cut).has_value()) << length;
  }
}

TEST(Greeting, OfAnotherProtocolVersionOrAnErrorIsNone) {
  Buffer raw = from_hex(mariadb_greeting);
  for (int version : {0, 9, 11, 255}) {
    raw[0] = static_cast<std::uint8_t>(version);
    EXPECT_FALSE(parse_greeting(raw).has_value()) << version;
  }
}

TEST(Greeting, WithoutProtocol41IsNone) {
  Greeting greeting{.server_version = "4.0", .capabilities = capability::plugin_auth, .auth_plugin = "x"};
  EXPECT_FALSE(parse_greeting(payload_of([&](PacketWriter& writer) { write_greeting(writer, greeting); })).has_value());
}

TEST(Greeting, WithoutPluginAuthNamesNoPlugin) {
  Greeting greeting{.server_version = "5.1", .capabilities = capability::protocol_41, .auth_plugin = "x"};
  Buffer raw = payload_of([&](PacketWriter& writer) { write_greeting(writer, greeting); });
  auto parsed = parse_greeting(raw);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->auth_plugin, "");
  EXPECT_EQ(raw.back(), 0) << "the nonce's NUL is the last byte";
}

// The layout of "Protocol::HandshakeResponse41" in the MySQL source documentation.
constexpr std::string_view documented_response =
    "0582180000000040080000000000000000000000000000000000000000000000"
    "7065737400"                                  // user "pest"
    "1447d10a0f0b3c2e2a01b5b6b9f2a2c3d4e5f60718"  // 20 bytes of answer
    "6d7973716c5f6e61746976655f70617373776f726400"
    "140c5f636c69656e745f6e616d65066c69626d7973";

TEST(HandshakeResponse, IsReadFieldByField) {
  Buffer raw = from_hex(documented_response);
  auto response = parse_handshake_response(raw, ~Capabilities{0});
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->user, "pest");
  EXPECT_EQ(response->max_packet_bytes, 0x40000000U);
  EXPECT_EQ(response->collation_id, 8);
  EXPECT_EQ(response->auth_response.size(), 20U);
  EXPECT_EQ(response->auth_plugin, plugin::mysql_native_password);
  ASSERT_EQ(response->attributes.size(), 1U);
  EXPECT_EQ(response->attributes[0].key, "_client_name");
  EXPECT_EQ(response->attributes[0].value, "libmys");
}

struct Part {
  Capabilities flag;
  std::string_view name;
};

constexpr Part optional_parts[] = {{capability::connect_with_db, "connect_with_db"},
                                   {capability::plugin_auth, "plugin_auth"},
                                   {capability::connect_attrs, "connect_attrs"},
                                   {capability::plugin_auth_lenenc_data, "plugin_auth_lenenc_data"},
                                   {capability::secure_connection, "secure_connection"},
                                   {capability::ssl, "ssl"}};

TEST(HandshakeResponse, IsReadBackWithEveryOptionalPartOnAndOff) {
  for (unsigned choice = 0; choice < 1U << std::size(optional_parts); ++choice) {
    Capabilities capabilities = capability::protocol_41;
    for (std::size_t i = 0; i < std::size(optional_parts); ++i) {
      capabilities |= (choice >> i & 1) != 0 ? optional_parts[i].flag : 0;
    }
    SCOPED_TRACE(capabilities);
    HandshakeResponse written{.capabilities = capabilities,
                              .max_packet_bytes = 1U << 24,
                              .collation_id = 45,
                              .user = "reader",
                              .auth_response = bytes_of("an answer"),
                              .schema = "shop",
                              .auth_plugin = "caching_sha2_password",
                              .attributes = {{.key = "_os", .value = "Linux"}, {.key = "empty", .value = ""}}};
    Buffer raw = payload_of([&](PacketWriter& writer) { write_handshake_response(writer, written); });
    auto parsed = parse_handshake_response(raw, ~Capabilities{0});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->capabilities, capabilities);
    EXPECT_EQ(parsed->user, "reader");
    EXPECT_EQ(text_of(parsed->auth_response), "an answer");
    EXPECT_EQ(parsed->schema, has(capabilities, capability::connect_with_db) ? "shop" : "");
    EXPECT_EQ(parsed->auth_plugin, has(capabilities, capability::plugin_auth) ? "caching_sha2_password" : "");
    ASSERT_EQ(parsed->attributes.size(), has(capabilities, capability::connect_attrs) ? 2U : 0U);
    Buffer again = payload_of([&](PacketWriter& writer) { write_handshake_response(writer, *parsed); });
    EXPECT_EQ(again, raw);
  }
}

TEST(HandshakeResponse, CutShortNeverReadsBeyondTheEnd) {
  Buffer raw = from_hex(documented_response);
  std::size_t before_plugin = 32 + 5 + 21;
  for (std::size_t length = 0; length < raw.size(); ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    auto parsed = parse_handshake_response(cut, ~Capabilities{0});
    if (length < before_plugin) {
      EXPECT_FALSE(parsed.has_value()) << length;
    }
  }
}

TEST(HandshakeResponse, IsJudgedByTheCapabilitiesThatBothHave) {
  HandshakeResponse written{.capabilities = capability::protocol_41 | capability::plugin_auth |
                                            capability::secure_connection | capability::zstd_compression,
                            .user = "u",
                            .auth_plugin = "p"};
  Buffer raw = payload_of([&](PacketWriter& writer) { write_handshake_response(writer, written); });
  auto parsed = parse_handshake_response(raw, capability::protocol_41 | capability::secure_connection);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->capabilities, capability::protocol_41 | capability::secure_connection);
  EXPECT_EQ(parsed->auth_plugin, "");
  EXPECT_FALSE(parse_handshake_response(raw, capability::secure_connection).has_value());
}

TEST(HandshakeResponse, EndsWithTheLevelOfZstdWhichIsOneOf22) {
  for (int level : {0, 1, 3, 22, 23, 255}) {
    HandshakeResponse written{.capabilities = capability::protocol_41 | capability::secure_connection |
                                              capability::plugin_auth | capability::connect_attrs |
                                              capability::zstd_compression,
                              .user = "u",
                              .auth_plugin = "p",
                              .attributes = {{.key = "program_name", .value = "test"}},
                              .zstd_level = static_cast<std::uint8_t>(level)};
    Buffer raw = payload_of([&](PacketWriter& writer) { write_handshake_response(writer, written); });
    auto parsed = parse_handshake_response(raw, ~Capabilities{0});
    EXPECT_EQ(parsed.has_value(), level >= 1 && level <= zstd_level_max) << level;
    EXPECT_TRUE(!parsed || parsed->zstd_level == level);
    EXPECT_TRUE(parse_handshake_response(raw, ~capability::zstd_compression));
    raw.pop_back();
    EXPECT_FALSE(parse_handshake_response(raw, ~Capabilities{0}));
  }
}

TEST(HandshakeResponse, OfAWholeTokenIsLengthEncoded) {
  std::string token(2000, 't');
  HandshakeResponse written{
      .capabilities = capability::protocol_41 | capability::secure_connection | capability::plugin_auth_lenenc_data,
      .user = "u",
      .auth_response = bytes_of(token)};
  Buffer raw = payload_of([&](PacketWriter& writer) { write_handshake_response(writer, written); });
  auto parsed = parse_handshake_response(raw, ~Capabilities{0});
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(text_of(parsed->auth_response), token);
}

TEST(HandshakeResponse, LeavesOutAnAnswerThatDoesNotFitItsForm) {
  for (std::size_t length : {0U, 1U, 255U, 256U, 300U}) {
    std::string answer(length, 'a');
    HandshakeResponse written{
        .capabilities = capability::protocol_41 | capability::secure_connection | capability::plugin_auth,
        .user = "u",
        .auth_response = bytes_of(answer),
        .auth_plugin = "mysql_clear_password"};
    Buffer raw = payload_of([&](PacketWriter& writer) { write_handshake_response(writer, written); });
    auto parsed = parse_handshake_response(raw, ~Capabilities{0});
    ASSERT_TRUE(parsed.has_value()) << length;
    EXPECT_EQ(parsed->auth_response.size(), length <= 255 ? length : 0);
    EXPECT_EQ(parsed->auth_plugin, "mysql_clear_password") << length;
  }
}

TEST(HandshakeResponse, HasABoundedNumberOfAttributes) {
  HandshakeResponse written{
      .capabilities = capability::protocol_41 | capability::secure_connection | capability::connect_attrs, .user = "u"};
  written.attributes.resize(connect_attributes_max, {.key = "k", .value = "v"});
  auto write = [&](PacketWriter& writer) { write_handshake_response(writer, written); };
  Buffer most = payload_of(write);
  EXPECT_TRUE(parse_handshake_response(most, ~Capabilities{0}).has_value());
  written.attributes.push_back({.key = "k", .value = "v"});
  Buffer too_many = payload_of(write);
  EXPECT_FALSE(parse_handshake_response(too_many, ~Capabilities{0}).has_value());
}

TEST(HandshakeResponse, WithAttributesThatDoNotFitTheirListIsNone) {
  std::string head = "00021000 00000000 00" + std::string(46, '0') + "7500";  // protocol_41, connect_attrs, "u"
  for (std::string_view list : {"00 05 0161", "00 02 0161", "00 03 016101", "00 fb", "00 02 0261", "00 fe"}) {
    Buffer raw = from_hex(head + std::string(list));
    EXPECT_FALSE(parse_handshake_response(raw, ~Capabilities{0}).has_value()) << list;
  }
  Buffer fits = from_hex(head + "00 04 0161 0162");
  EXPECT_TRUE(parse_handshake_response(fits, ~Capabilities{0}).has_value());
}

TEST(SslRequest, IsTheHeadOfTheResponseAlone) {
  HandshakeResponse response{.capabilities = capability::protocol_41 | capability::ssl,
                             .max_packet_bytes = 1U << 24,
                             .collation_id = 45,
                             .user = "u"};
  Buffer raw = payload_of([&](PacketWriter& writer) { write_ssl_request(writer, response); });
  EXPECT_EQ(raw, from_hex("000a0000 00000001 2d" + std::string(46, '0')));
  EXPECT_TRUE(is_ssl_request(raw));
  raw.push_back(0);
  EXPECT_FALSE(is_ssl_request(raw));
  raw.resize(31);
  EXPECT_FALSE(is_ssl_request(raw));
  raw.resize(32);
  raw[1] = 0x02;  // without CLIENT_SSL
  EXPECT_FALSE(is_ssl_request(raw));
  EXPECT_FALSE(is_ssl_request({}));
}

TEST(AuthSwitchRequest, KeepsTheNonceAsSentWithItsNul) {
  std::string nonce = std::string(20, 'n') + '\0';
  Buffer raw = payload_of(
      [&](PacketWriter& writer) { write_auth_switch_request(writer, "caching_sha2_password", bytes_of(nonce)); });
  EXPECT_EQ(raw.size(), 1 + 22 + 21U) << "libmysqlclient takes 21 bytes and no other number";
  auto request = parse_auth_switch_request(raw);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->auth_plugin, "caching_sha2_password");
  EXPECT_EQ(text_of(request->plugin_bytes), nonce);
}

TEST(AuthSwitchRequest, InItsOldFormIsNone) {
  EXPECT_FALSE(parse_auth_switch_request(from_hex("fe")).has_value());
  EXPECT_FALSE(parse_auth_switch_request({}).has_value());
  EXPECT_FALSE(parse_auth_switch_request(from_hex("0061")).has_value());
}

TEST(AuthSwitchRequest, WithoutBytesOfThePluginIsRead) {
  Buffer raw = from_hex("fe 6d7973716c5f636c6561725f70617373776f7264");
  auto request = parse_auth_switch_request(raw);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->auth_plugin, plugin::mysql_clear_password);
  EXPECT_TRUE(request->plugin_bytes.empty());
}

TEST(AuthMoreData, IsOneByteAndWhatThePluginSays) {
  Buffer full{perform_full_authentication};
  EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_auth_more_data(writer, full); }), from_hex("0104"));
}

TEST(OpenIdConnectAnswer, IsALengthEncodedTokenBehindOneByte) {
  struct {
    std::string_view hex;
    std::string_view token;
    bool is_answer;
  } const cases[] = {{"01 03 616263", "abc", true},
                     {"01 03 616263 00", "abc", true},
                     {"01 00", "", true},
                     {"01 03 616263 0000", "", false},
                     {"01 04 616263", "", false},
                     {"01", "", false},
                     {"", "", false},
                     {"02 03 616263", "", false},
                     {"01 fb", "", false},
                     {"01 fe 03000000000000 00 616263", "abc", true}};
  for (const auto& c : cases) {
    Buffer raw = from_hex(c.hex);
    auto token = parse_openid_connect_answer(raw);
    EXPECT_EQ(token.has_value(), c.is_answer) << c.hex;
    EXPECT_EQ(token.value_or(""), c.token) << c.hex;
  }
}

TEST(ChangeUser, IsReadAsFarAsItGoes) {
  constexpr Capabilities all = capability::secure_connection | capability::plugin_auth | capability::connect_attrs;
  struct Case {
    std::string_view hex;
    Capabilities negotiated;
    bool is_read;
    std::string_view user, answer, schema;
    std::uint16_t collation_id;
    std::string_view plugin;
    std::size_t attributes;
  };
  for (const Case& c : {
           Case{"11 6100 00 00", all, true, "a", "", "", 0, "", 0},
           Case{"11 6100 02 6263 6400", all, true, "a", "bc", "d", 0, "", 0},
           Case{"11 6100 02 6263 6400 2d00", all, true, "a", "bc", "d", 45, "", 0},
           Case{"11 6100 02 6263 6400 2d01 7000", all, true, "a", "bc", "d", 301, "p", 0},
           Case{"11 6100 02 6263 6400 2d00 7000 04 016b 0176", all, true, "a", "bc", "d", 45, "p", 1},
           Case{"11 6100 626300 64", 0, true, "a", "bc", "d", 0, "", 0},
           Case{"11 61", all, false, {}, {}, {}, 0, {}, 0},
           Case{"11 6100 09 6263", all, false, {}, {}, {}, 0, {}, 0},
           Case{"11 6100 00 00 2d", all, false, {}, {}, {}, 0, {}, 0},
           Case{"11 6100 00 00 2d00 7000 04 016b 05", all, false, {}, {}, {}, 0, {}, 0},
       }) {
    Buffer raw = from_hex(c.hex);
    auto request = parse_change_user(raw, c.negotiated);
    ASSERT_EQ(request.has_value(), c.is_read) << c.hex;
    if (request) {
      EXPECT_EQ(request->user, c.user) << c.hex;
      EXPECT_EQ(text_of(request->auth_response), c.answer) << c.hex;
      EXPECT_EQ(request->schema, c.schema) << c.hex;
      EXPECT_EQ(request->collation_id, c.collation_id) << c.hex;
      EXPECT_EQ(request->auth_plugin, c.plugin) << c.hex;
      EXPECT_EQ(request->attributes.size(), c.attributes) << c.hex;
    }
  }
}

TEST(HandshakeResponse, HasExtendedCapabilitiesOnlyWhereBothEndsLeaveOutLongPassword) {
  constexpr Capabilities extended = capability::mariadb_extended_metadata;
  constexpr Capabilities common = capability::protocol_41 | capability::secure_connection;
  struct Case {
    Capabilities sent, offered, taken;
  };
  for (const Case& c : {Case{common | extended, common | extended, common | extended},
                        Case{common | extended | (1ULL << 36), common | extended, common | extended},
                        Case{common | extended, common, common},
                        Case{common | extended | capability::long_password, common | extended, common}}) {
    std::vector<std::uint8_t> packet;
    PacketWriter writer{packet};
    writer.begin(1);
    write_handshake_response(writer, {.capabilities = c.sent, .user = "shop", .auth_response = {}, .schema = {}});
    writer.end();
    auto parsed = parse_handshake_response(Bytes{packet}.subspan(frame_header_bytes), c.offered);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->capabilities, c.taken);
  }
}

}  // namespace
}  // namespace sallyport::wire
