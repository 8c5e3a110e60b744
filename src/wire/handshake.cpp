#include "wire/handshake.h"

#include <algorithm>

namespace sallyport::wire {
namespace {

constexpr std::uint8_t protocol_version = 10;
constexpr std::size_t nonce_first_part_bytes = 8;

// A NUL-terminated string, or all that is left when the peer omitted the NUL at the end of the packet.
std::string_view text_to_nul_or_end(ByteReader& reader) {
  Bytes rest = reader.rest();
  bool terminated = std::find(rest.begin(), rest.end(), std::uint8_t{0}) != rest.end();
  return text_of(terminated ? reader.until_nul() : reader.take_rest());
}

bool parse_attributes(ByteReader& reader, std::vector<ConnectAttribute>& attributes) {
  ByteReader list{read_lenenc_bytes(reader)};
  while (reader.ok() && !list.at_end()) {
    std::string_view key = text_of(read_lenenc_bytes(list));
    std::string_view value = text_of(read_lenenc_bytes(list));
    if (!list.ok() || attributes.size() == connect_attributes_max) {
      return false;
    }
    attributes.push_back({.key = key, .value = value});
  }
  return reader.ok();
}

// MariaDB's capabilities above the 32nd travel where MySQL has zeros, and count only where CLIENT_LONG_PASSWORD, of
// old always set, is left out.
std::uint32_t extended_part(Capabilities capabilities) {
  return has(capabilities, capability::long_password) ? 0 : static_cast<std::uint32_t>(capabilities >> 32);
}

Capabilities extended_capabilities(Capabilities lower, std::uint32_t extended) {
  return has(lower, capability::long_password) ? 0 : Capabilities{extended} << 32;
}

void write_response_head(PacketWriter& writer, const HandshakeResponse& response) {
  writer.u32(static_cast<std::uint32_t>(response.capabilities));
  writer.u32(response.max_packet_bytes);
  writer.u8(response.collation_id);
  writer.zeros(19);
  writer.u32(extended_part(response.capabilities));
}

void write_attributes(PacketWriter& writer, const HandshakeResponse& response) {
  if (!has(response.capabilities, capability::connect_attrs)) {
    return;
  }
  std::vector<std::uint8_t> list;
  PacketWriter attributes{list};
  for (const ConnectAttribute& attribute : response.attributes) {
    attributes.lenenc_text(attribute.key);
    attributes.lenenc_text(attribute.value);
  }
  writer.lenenc_bytes(list);
}

}  // namespace

void write_greeting(PacketWriter& writer, const Greeting& greeting) {
  Bytes nonce{greeting.nonce};
  writer.u8(protocol_version);
  writer.text_nul(greeting.server_version);
  writer.u32(greeting.connection_id);
  writer.bytes(nonce.first(nonce_first_part_bytes));
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(greeting.capabilities));
  writer.u8(greeting.collation_id);
  writer.u16(greeting.status_flags);
  writer.u16(static_cast<std::uint16_t>(greeting.capabilities >> 16));
  writer.u8(nonce_bytes + 1);
  writer.zeros(6);
  writer.u32(extended_part(greeting.capabilities));
  writer.bytes(nonce.subspan(nonce_first_part_bytes));
  writer.u8(0);
  if (has(greeting.capabilities, capability::plugin_auth)) {
    writer.text_nul(greeting.auth_plugin);
  }
}

std::optional<Greeting> parse_greeting(Bytes payload) {
  ByteReader reader{payload};
  if (reader.u8() != protocol_version) {
    return std::nullopt;
  }
  Greeting greeting;
  greeting.server_version = text_of(reader.until_nul());
  greeting.connection_id = reader.u32();
  Bytes first_part = reader.take(nonce_first_part_bytes);
  reader.take(1);
  greeting.capabilities = reader.u16();
  greeting.collation_id = reader.u8();
  greeting.status_flags = reader.u16();
  greeting.capabilities |= static_cast<Capabilities>(reader.u16()) << 16;
  std::size_t nonce_length = reader.u8();
  reader.take(6);
  greeting.capabilities |= extended_capabilities(greeting.capabilities, reader.u32());
  // The second part takes at least 13 bytes on the wire, the last of them a NUL.
  Bytes second_part = reader.take(std::max<std::size_t>(13, nonce_length - std::min<std::size_t>(nonce_length, 8)));
  if (!reader.ok() || !has(greeting.capabilities, capability::protocol_41)) {
    return std::nullopt;
  }
  std::copy(first_part.begin(), first_part.end(), greeting.nonce.begin());
  std::copy_n(second_part.begin(), nonce_bytes - nonce_first_part_bytes, greeting.nonce.begin() + 8);
  if (has(greeting.capabilities, capability::plugin_auth)) {
    greeting.auth_plugin = text_to_nul_or_end(reader);
  }
  return greeting;
}

bool is_ssl_request(Bytes payload) {
  ByteReader reader{payload};
  return payload.size() == ssl_request_bytes && has(reader.u32(), capability::ssl);
}

void write_ssl_request(PacketWriter& writer, const HandshakeResponse& response) {
  write_response_head(writer, response);
}

void write_handshake_response(PacketWriter& writer, const HandshakeResponse& response) {
  write_response_head(writer, response);
  writer.text_nul(response.user);
  if (has(response.capabilities, capability::plugin_auth_lenenc_data)) {
    writer.lenenc_bytes(response.auth_response);
  } else if (has(response.capabilities, capability::secure_connection)) {
    Bytes answer = response.auth_response.size() <= 0xFF ? response.auth_response : Bytes{};
    writer.u8(static_cast<std::uint8_t>(answer.size()));
    writer.bytes(answer);
  } else {
    writer.text_nul(text_of(response.auth_response));
  }
  if (has(response.capabilities, capability::connect_with_db)) {
    writer.text_nul(response.schema);
  }
  if (has(response.capabilities, capability::plugin_auth)) {
    writer.text_nul(response.auth_plugin);
  }
  write_attributes(writer, response);
  if (has(response.capabilities, capability::zstd_compression)) {
    writer.u8(response.zstd_level);
  }
}

void write_change_user(PacketWriter& writer, const HandshakeResponse& response) {
  constexpr std::uint8_t com_change_user = 0x11;
  writer.u8(com_change_user);
  writer.text_nul(response.user);
  writer.u8(static_cast<std::uint8_t>(response.auth_response.size()));
  writer.bytes(response.auth_response);
  writer.text_nul(response.schema);
  writer.u16(response.collation_id);
  if (has(response.capabilities, capability::plugin_auth)) {
    writer.text_nul(response.auth_plugin);
  }
  write_attributes(writer, response);
}

std::optional<HandshakeResponse> parse_handshake_response(Bytes payload, Capabilities offered) {
  ByteReader reader{payload};
  HandshakeResponse response;
  Capabilities given = reader.u32();
  response.capabilities = given & offered;
  if (!has(response.capabilities, capability::protocol_41)) {
    return std::nullopt;
  }
  response.max_packet_bytes = reader.u32();
  response.collation_id = reader.u8();
  reader.take(19);
  response.capabilities |= extended_capabilities(given, reader.u32()) & offered;
  response.user = text_of(reader.until_nul());
  if (has(response.capabilities, capability::plugin_auth_lenenc_data)) {
    response.auth_response = read_lenenc_bytes(reader);
  } else if (has(response.capabilities, capability::secure_connection)) {
    response.auth_response = reader.take(reader.u8());
  } else {
    response.auth_response = reader.until_nul();
  }
  if (has(response.capabilities, capability::connect_with_db)) {
    response.schema = text_to_nul_or_end(reader);
  }
  if (has(response.capabilities, capability::plugin_auth)) {
    response.auth_plugin = text_to_nul_or_end(reader);
  }
  if (has(response.capabilities, capability::connect_attrs) && !reader.at_end() &&
      !parse_attributes(reader, response.attributes)) {
    return std::nullopt;
  }
  if (has(response.capabilities, capability::zstd_compression)) {
    response.zstd_level = reader.u8();
    if (response.zstd_level == 0 || response.zstd_level > zstd_level_max) {
      return std::nullopt;
    }
  }
  if (!reader.ok()) {
    return std::nullopt;
  }
  return response;
}

std::optional<ChangeUser> parse_change_user(Bytes payload, Capabilities negotiated) {
  ByteReader reader{payload};
  reader.u8();
  ChangeUser request;
  request.user = text_of(reader.until_nul());
  request.auth_response =
      has(negotiated, capability::secure_connection) ? reader.take(reader.u8()) : reader.until_nul();
  request.schema = text_to_nul_or_end(reader);
  // What follows came with later versions: each part may be the last.
  if (!reader.at_end()) {
    request.collation_id = reader.u16();
  }
  if (!reader.at_end() && has(negotiated, capability::plugin_auth)) {
    request.auth_plugin = text_to_nul_or_end(reader);
  }
  if (!reader.at_end() && has(negotiated, capability::connect_attrs) && !parse_attributes(reader, request.attributes)) {
    return std::nullopt;
  }
  if (!reader.ok()) {
    return std::nullopt;
  }
  return request;
}

void write_auth_switch_request(PacketWriter& writer, std::string_view auth_plugin, Bytes plugin_bytes) {
  writer.u8(0xFE);
  writer.text_nul(auth_plugin);
  writer.bytes(plugin_bytes);
}

std::optional<AuthSwitchRequest> parse_auth_switch_request(Bytes payload) {
  ByteReader reader{payload};
  if (reader.u8() != 0xFE || reader.at_end()) {
    return std::nullopt;
  }
  std::string_view auth_plugin = text_to_nul_or_end(reader);
  return AuthSwitchRequest{.auth_plugin = auth_plugin, .plugin_bytes = reader.rest()};
}

void write_auth_more_data(PacketWriter& writer, Bytes plugin_bytes) {
  writer.u8(0x01);
  writer.bytes(plugin_bytes);
}

std::optional<std::string_view> parse_openid_connect_answer(Bytes payload) {
  ByteReader reader{payload};
  if (reader.u8() != 0x01) {
    return std::nullopt;
  }
  std::string_view token = text_of(read_lenenc_bytes(reader));
  // The plugin may leave a NUL behind, as the clear-text plugins do.
  if (!reader.ok() || reader.remaining() > 1) {
    return std::nullopt;
  }
  return token;
}

}  // namespace sallyport::wire
