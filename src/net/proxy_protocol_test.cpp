#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport::net {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer head(std::uint8_t version_and_command, std::uint8_t family, std::size_t rest_bytes) {
  Buffer bytes{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, version_and_command, family};
  bytes.push_back(static_cast<std::uint8_t>(rest_bytes >> 8));
  bytes.push_back(static_cast<std::uint8_t>(rest_bytes));
  return bytes;
}

const Buffer over_ipv4{192, 0, 2, 1, 203, 0, 113, 5, 0x13, 0x88, 0x0C, 0xEB};

Buffer over_ipv6() {
  Buffer rest(36, 0);
  rest[0] = 0x20;
  rest[1] = 0x01;
  rest[2] = 0x0D;
  rest[3] = 0xB8;
  rest[15] = 1;
  rest[32] = 0x13;
  rest[33] = 0x88;
  return rest;
}

TEST(ProxyProtocol, TheClientIsTheSourceAddress) {
  EXPECT_EQ(proxied_client(head(0x21, 0x11, over_ipv4.size()), over_ipv4).value(), "192.0.2.1:5000");
  EXPECT_EQ(proxied_client(head(0x21, 0x21, 36), over_ipv6()).value(), "[2001:db8::1]:5000");
}

TEST(ProxyProtocol, WhatFollowsTheAddressesIsNotLookedAt) {
  Buffer rest = over_ipv4;
  rest.insert(rest.end(), {0x04, 0x00, 0x01, 0xFF});
  EXPECT_EQ(proxied_client(head(0x21, 0x11, rest.size()), rest).value(), "192.0.2.1:5000");
}

TEST(ProxyProtocol, ALoadBalancerThatSpeaksForItselfNamesNoClient) {
  EXPECT_EQ(proxied_client(head(0x20, 0x11, over_ipv4.size()), over_ipv4).value(), "");
  EXPECT_EQ(proxied_client(head(0x20, 0x00, 0), {}).value(), "");
  EXPECT_EQ(proxied_client(head(0x21, 0x00, 0), {}).value(), "");
}

TEST(ProxyProtocol, OtherBytesAreRefused) {
  Buffer cut = head(0x21, 0x11, 12);
  cut.pop_back();
  EXPECT_EQ(proxy_rest_bytes(cut).error(), ProxyError::no_header);
  Buffer wrong = head(0x21, 0x11, 12);
  wrong[11] = 'x';
  EXPECT_EQ(proxy_rest_bytes(wrong).error(), ProxyError::no_header);
  EXPECT_EQ(proxy_rest_bytes(head(0x21, 0x11, proxy_rest_bytes_max)).value(), proxy_rest_bytes_max);
  EXPECT_EQ(proxy_rest_bytes(head(0x21, 0x11, proxy_rest_bytes_max + 1)).error(), ProxyError::too_large);
  EXPECT_EQ(proxied_client(head(0x11, 0x11, 12), over_ipv4).error(), ProxyError::malformed) << "another version";
  EXPECT_EQ(proxied_client(head(0x22, 0x11, 12), over_ipv4).error(), ProxyError::malformed) << "another command";
  EXPECT_EQ(proxied_client(head(0x21, 0x12, 12), over_ipv4).error(), ProxyError::malformed) << "UDP";
  EXPECT_EQ(proxied_client(head(0x21, 0x31, 12), over_ipv4).error(), ProxyError::malformed) << "a Unix socket";
  EXPECT_EQ(proxied_client(head(0x21, 0x11, 11), Bytes{over_ipv4}.first(11)).error(), ProxyError::malformed);
  EXPECT_EQ(proxied_client(head(0x21, 0x21, 12), over_ipv4).error(), ProxyError::malformed) << "too short for IPv6";
  EXPECT_EQ(proxied_client(head(0x21, 0x11, 13), over_ipv4).error(), ProxyError::malformed) << "another length";
}

}  // namespace
}  // namespace sallyport::net
