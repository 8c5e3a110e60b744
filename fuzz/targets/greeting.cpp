// The greeting: what is parsed, written and parsed again is the same.
#include "base/check.h"
#include "fuzz/targets.h"
#include "wire/handshake.h"

namespace sallyport::fuzz {

void fuzz_greeting(Bytes input) {
  auto first = wire::parse_greeting(input);
  if (!first) {
    return;
  }
  std::vector<std::uint8_t> written;
  wire::PacketWriter writer{written};
  wire::write_greeting(writer, *first);
  auto second = wire::parse_greeting(written);
  SALLYPORT_CHECK(second.has_value());
  SALLYPORT_CHECK(second->server_version == first->server_version);
  SALLYPORT_CHECK(second->connection_id == first->connection_id);
  SALLYPORT_CHECK(second->nonce == first->nonce);
  SALLYPORT_CHECK(second->capabilities == first->capabilities);
  SALLYPORT_CHECK(second->collation_id == first->collation_id);
  SALLYPORT_CHECK(second->status_flags == first->status_flags);
  SALLYPORT_CHECK(second->auth_plugin == first->auth_plugin);
}

}  // namespace sallyport::fuzz
