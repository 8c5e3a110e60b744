// What a load balancer says of the client before the client's own bytes.
//
// Source: "The PROXY protocol, versions 1 & 2" (HAProxy, doc/proxy-protocol.txt), section 2.2. Version 1, a text of no
// fixed length, is not read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace sallyport::net {

inline constexpr std::size_t proxy_head_bytes = 16;
// Of the rest: addresses, and what load balancers add to them, which is not looked at.
inline constexpr std::size_t proxy_rest_bytes_max = 4096;

enum class ProxyError : std::uint8_t {
  no_header,  // the first bytes are none
  malformed,
  too_large  // beyond proxy_rest_bytes_max
};

// A sentence for the log.
std::string_view explain(ProxyError error);

// From the first proxy_head_bytes: how many bytes follow.
Result<std::size_t, ProxyError> proxy_rest_bytes(Bytes head);

// The client's address as "192.0.2.1:5000"; empty when the load balancer speaks for itself (a health check) or does not
// know it. `rest` has the length that proxy_rest_bytes() told.
Result<std::string, ProxyError> proxied_client(Bytes head, Bytes rest);

}  // namespace sallyport::net
