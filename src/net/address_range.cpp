#include "net/address_range.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace sallyport::net {
namespace {

constexpr std::size_t mapped_bytes = 12;  // of an IPv4-mapped address stand before the IPv4 address

std::uint8_t mask_of(std::size_t index, std::uint8_t prefix_bits) {
  std::size_t before = index * 8;
  if (prefix_bits >= before + 8) {
    return 0xFF;
  }
  return prefix_bits <= before ? std::uint8_t{0} : static_cast<std::uint8_t>(0xFF << (before + 8 - prefix_bits));
}

}  // namespace

std::optional<AddressBytes> parse_address(const std::string& text) {
  AddressBytes bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    return bytes;
  }
  bytes.fill(0);
  bytes[10] = bytes[11] = 0xFF;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data() + mapped_bytes) == 1) {
    return bytes;
  }
  return std::nullopt;
}

bool AddressRange::contains(const AddressBytes& other) const {
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (((address[i] ^ other[i]) & mask_of(i, prefix_bits)) != 0) {
      return false;
    }
  }
  return true;
}

std::optional<AddressRange> parse_address_range(const std::string& text) {
  std::size_t slash = text.find('/');
  auto address = parse_address(text.substr(0, slash));
  if (!address) {
    return std::nullopt;
  }
  AddressRange range{.address = *address, .prefix_bits = 128};
  if (slash != std::string::npos) {
    bool is_v4 = text.find(':') == std::string::npos;
    unsigned bits = 0;
    const char* end = text.data() + text.size();
    auto [at, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc{} || at != end || bits > (is_v4 ? 32U : 128U)) {
      return std::nullopt;
    }
    range.prefix_bits = static_cast<std::uint8_t>(bits + (is_v4 ? mapped_bytes * 8 : 0));
  }
  for (std::size_t i = 0; i < range.address.size(); ++i) {
    if ((range.address[i] & ~mask_of(i, range.prefix_bits)) != 0) {
      return std::nullopt;
    }
  }
  return range;
}

}  // namespace sallyport::net
