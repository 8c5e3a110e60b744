#include "net/proxy_protocol.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace sallyport::net {
namespace {

constexpr std::array<std::uint8_t, 12> signature{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                                 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
constexpr std::uint8_t version_2 = 0x20;
constexpr std::uint8_t command_local = 0;
constexpr std::uint8_t command_proxy = 1;
// Address family in the upper half, transport protocol in the lower.
constexpr std::uint8_t unspecified = 0x00;
constexpr std::uint8_t tcp_over_ipv4 = 0x11;
constexpr std::uint8_t tcp_over_ipv6 = 0x21;

// Source address, destination address, source port, destination port.
std::string source_of(int family, Bytes rest) {
  std::size_t address_bytes = family == AF_INET ? 4 : 16;
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, rest.data(), text.data(), text.size());
  std::size_t port_at = 2 * address_bytes;
  unsigned port = static_cast<unsigned>(rest[port_at] << 8) | rest[port_at + 1];
  std::string address(text.data());
  return (family == AF_INET6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

std::string_view explain(ProxyError error) {
  switch (error) {
    case ProxyError::no_header:
      return "the first bytes are no PROXY protocol version 2 header";
    case ProxyError::malformed:
      return "the PROXY protocol header is malformed or not for TCP";
    case ProxyError::too_large:
      return "the PROXY protocol header is too large";
  }
  return {};
}

Result<std::size_t, ProxyError> proxy_rest_bytes(Bytes head) {
  if (head.size() < proxy_head_bytes || !std::equal(signature.begin(), signature.end(), head.begin())) {
    return Unexpected(ProxyError::no_header);
  }
  std::size_t bytes = (std::size_t{head[14]} << 8) | head[15];
  if (bytes > proxy_rest_bytes_max) {
    return Unexpected(ProxyError::too_large);
  }
  return bytes;
}

Result<std::string, ProxyError> proxied_client(Bytes head, Bytes rest) {
  auto bytes = proxy_rest_bytes(head);
  if (!bytes) {
    return Unexpected(bytes.error());
  }
  std::uint8_t command = head[12] & 0x0F;
  if ((head[12] & 0xF0) != version_2 || command > command_proxy || rest.size() != *bytes) {
    return Unexpected(ProxyError::malformed);
  }
  if (command == command_local || head[13] == unspecified) {
    return std::string{};
  }
  if (head[13] == tcp_over_ipv4 && rest.size() >= 12) {
    return source_of(AF_INET, rest);
  }
  if (head[13] == tcp_over_ipv6 && rest.size() >= 36) {
    return source_of(AF_INET6, rest);
  }
  return Unexpected(ProxyError::malformed);
}

}  // namespace sallyport::net
