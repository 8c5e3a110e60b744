// The handshake response: what is parsed, written and parsed again is the same, and only what both ends can do counts.
#include <algorithm>

#include "base/check.h"
#include "fuzz/targets.h"
#include "wire/handshake.h"

namespace sallyport::fuzz {

void fuzz_handshake_response(Bytes input) {
  ByteReader reader{input};
  wire::Capabilities offered = reader.u32();
  Bytes payload = reader.rest();
  SALLYPORT_CHECK(!wire::is_ssl_request(payload) || payload.size() == wire::ssl_request_bytes);
  auto first = wire::parse_handshake_response(payload, offered);
  if (!first) {
    return;
  }
  SALLYPORT_CHECK((first->capabilities & ~offered) == 0);
  SALLYPORT_CHECK(first->attributes.size() <= wire::connect_attributes_max);
  SALLYPORT_CHECK(first->user.size() + first->auth_response.size() + first->schema.size() + first->auth_plugin.size() <=
                  payload.size());
  std::vector<std::uint8_t> written;
  wire::PacketWriter writer{written};
  wire::write_handshake_response(writer, *first);
  auto second = wire::parse_handshake_response(written, offered);
  SALLYPORT_CHECK(second.has_value());
  SALLYPORT_CHECK(second->capabilities == first->capabilities);
  SALLYPORT_CHECK(second->max_packet_bytes == first->max_packet_bytes);
  SALLYPORT_CHECK(second->collation_id == first->collation_id);
  SALLYPORT_CHECK(second->user == first->user);
  SALLYPORT_CHECK(text_of(second->auth_response) == text_of(first->auth_response));
  SALLYPORT_CHECK(second->schema == first->schema);
  SALLYPORT_CHECK(second->auth_plugin == first->auth_plugin);
  SALLYPORT_CHECK(std::equal(second->attributes.begin(), second->attributes.end(), first->attributes.begin(),
                             first->attributes.end(),
                             [](const auto& a, const auto& b) { return a.key == b.key && a.value == b.value; }));
}

}  // namespace sallyport::fuzz
