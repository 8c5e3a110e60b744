// A load balancer's header: its length is bounded before anything of the rest is read, and an address that is told is
// one.
#include "base/check.h"
#include "fuzz/targets.h"
#include "net/proxy_protocol.h"

namespace sallyport::fuzz {

void fuzz_proxy_header(Bytes input) {
  if (input.size() < net::proxy_head_bytes) {
    SALLYPORT_CHECK(!net::proxy_rest_bytes(input));
    return;
  }
  Bytes head = input.first(net::proxy_head_bytes);
  Bytes rest = input.subspan(net::proxy_head_bytes);
  auto bytes = net::proxy_rest_bytes(head);
  auto client = net::proxied_client(head, rest);
  if (!bytes || *bytes != rest.size()) {
    SALLYPORT_CHECK(!client);
    return;
  }
  SALLYPORT_CHECK(*bytes <= net::proxy_rest_bytes_max);
  if (client && !client->empty()) {
    SALLYPORT_CHECK(client->find_first_not_of("0123456789abcdef.:[]") == std::string::npos);
    SALLYPORT_CHECK(client->rfind(':') != std::string::npos && client->size() <= 48);
  }
}

}  // namespace sallyport::fuzz
