// The connection phase: greeting, TLS request, handshake response and authentication packets.
//
// All functions take or give payloads, without frame headers. Parsed views borrow from the payload.
// Source: MySQL source documentation, "Connection Phase Packets" (Protocol::HandshakeV10, Protocol::SSLRequest,
// Protocol::HandshakeResponse41, Protocol::AuthSwitchRequest, Protocol::AuthMoreData).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "wire/capabilities.h"
#include "wire/encoding.h"

namespace sallyport::wire {

inline constexpr std::size_t nonce_bytes = 20;
using Nonce = std::array<std::uint8_t, nonce_bytes>;

namespace plugin {
inline constexpr std::string_view caching_sha2_password = "caching_sha2_password";
inline constexpr std::string_view sha256_password = "sha256_password";
inline constexpr std::string_view mysql_native_password = "mysql_native_password";
inline constexpr std::string_view mysql_clear_password = "mysql_clear_password";
inline constexpr std::string_view client_ed25519 = "client_ed25519";
inline constexpr std::string_view dialog = "dialog";
inline constexpr std::string_view openid_connect = "authentication_openid_connect_client";
}  // namespace plugin

// The server's first packet, protocol version 10.
struct Greeting {
  std::string server_version;
  std::uint32_t connection_id = 0;
  Nonce nonce{};
  Capabilities capabilities = 0;
  std::uint8_t collation_id = 0;
  std::uint16_t status_flags = 0;
  std::string auth_plugin;
};

void write_greeting(PacketWriter& writer, const Greeting& greeting);

// Nothing when the payload is no well-formed greeting of protocol version 10 with CLIENT_PROTOCOL_41.
std::optional<Greeting> parse_greeting(Bytes payload);

struct ConnectAttribute {
  std::string_view key;
  std::string_view value;
};

struct HandshakeResponse {
  Capabilities capabilities = 0;
  std::uint32_t max_packet_bytes = 0;
  std::uint8_t collation_id = 0;
  std::string_view user;
  Bytes auth_response;
  std::string_view schema;       // empty: none
  std::string_view auth_plugin;  // empty: the client named none
  std::vector<ConnectAttribute> attributes;
  // What the client wants the other end to compress with; 1 to 22. With zstd_compression only. Source: MySQL 9.7,
  // "Protocol::HandshakeResponse41".
  std::uint8_t zstd_level = 3;
};

inline constexpr std::uint8_t zstd_level_max = 22;
inline constexpr std::size_t ssl_request_bytes = 32;
inline constexpr std::size_t connect_attributes_max = 128;

// Whether the payload is the short form of the handshake response that asks for TLS: 32 bytes with CLIENT_SSL.
bool is_ssl_request(Bytes payload);

void write_ssl_request(PacketWriter& writer, const HandshakeResponse& response);
// Writes the parts that `response.capabilities` says. An `auth_response` of more than 255 bytes without
// CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA is left out: the server then asks for it.
void write_handshake_response(PacketWriter& writer, const HandshakeResponse& response);

// `offered`: the capabilities of the greeting; a client that sets others is judged by those that both have.
// Nothing when malformed, when CLIENT_PROTOCOL_41 is missing, or with more attributes than connect_attributes_max.
std::optional<HandshakeResponse> parse_handshake_response(Bytes payload, Capabilities offered);

// COM_CHANGE_USER: a new login on the same connection. Source: "Protocol::COM_CHANGE_USER".
struct ChangeUser {
  std::string_view user;
  Bytes auth_response;
  std::string_view schema;         // empty: none
  std::uint16_t collation_id = 0;  // 0: the client said none
  std::string_view auth_plugin;    // empty: the client named none
  std::vector<ConnectAttribute> attributes;
};

// `payload` includes the command byte. Nothing when malformed.
std::optional<ChangeUser> parse_change_user(Bytes payload, Capabilities negotiated);

// COM_CHANGE_USER with the parts that `response.capabilities` says; its `auth_response` has at most 255 bytes.
void write_change_user(PacketWriter& writer, const HandshakeResponse& response);

struct AuthSwitchRequest {
  std::string_view auth_plugin;
  Bytes plugin_bytes;  // as sent, with a trailing NUL if there was one
};

void write_auth_switch_request(PacketWriter& writer, std::string_view auth_plugin, Bytes plugin_bytes);

// `payload` starts with 0xFE. The old form (0xFE alone) is no match: it asks for a pre-4.1 password hash.
std::optional<AuthSwitchRequest> parse_auth_switch_request(Bytes payload);

// AuthMoreData: 0x01 and what the plugin says.
void write_auth_more_data(PacketWriter& writer, Bytes plugin_bytes);

// The states that caching_sha2_password announces in AuthMoreData.
inline constexpr std::uint8_t fast_auth_success = 0x03;
inline constexpr std::uint8_t perform_full_authentication = 0x04;
// What clients send to ask for the server's RSA key: caching_sha2_password and sha256_password differ.
inline constexpr std::uint8_t request_public_key_caching_sha2 = 0x02;
inline constexpr std::uint8_t request_public_key_sha256 = 0x01;

// The token in an answer of MySQL's OpenID Connect client plugin: 0x01, then a length-encoded string.
// Nothing when malformed.
std::optional<std::string_view> parse_openid_connect_answer(Bytes payload);

}  // namespace sallyport::wire
