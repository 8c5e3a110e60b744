// Authentication packets: a switch request is read back as written, an OpenID Connect answer lies within its packet.
#include "base/check.h"
#include "fuzz/targets.h"
#include "wire/handshake.h"

namespace sallyport::fuzz {

void fuzz_auth_packets(Bytes input) {
  if (auto request = wire::parse_auth_switch_request(input)) {
    std::vector<std::uint8_t> written;
    wire::PacketWriter writer{written};
    wire::write_auth_switch_request(writer, request->auth_plugin, request->plugin_bytes);
    auto again = wire::parse_auth_switch_request(written);
    SALLYPORT_CHECK(again && again->auth_plugin == request->auth_plugin);
    SALLYPORT_CHECK(text_of(again->plugin_bytes) == text_of(request->plugin_bytes));
  }
  if (auto change = wire::parse_change_user(input, wire::understood_capabilities)) {
    SALLYPORT_CHECK(change->user.size() + change->auth_response.size() + change->schema.size() +
                        change->auth_plugin.size() <
                    input.size());
    SALLYPORT_CHECK(change->attributes.size() <= wire::connect_attributes_max);
  }
  if (auto token = wire::parse_openid_connect_answer(input)) {
    SALLYPORT_CHECK(token->size() + 2 <= input.size());
    std::vector<std::uint8_t> written;
    wire::PacketWriter writer{written};
    writer.u8(1);
    writer.lenenc_text(*token);
    auto again = wire::parse_openid_connect_answer(written);
    SALLYPORT_CHECK(again && *again == *token);
  }
}

}  // namespace sallyport::fuzz
