// Ranges of IP addresses, as "10.0.0.0/8" or "2001:db8::/32".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::net {

// IPv4 addresses are held as IPv4-mapped IPv6 ones.
using AddressBytes = std::array<std::uint8_t, 16>;

// A numeric address; nothing for any other text.
std::optional<AddressBytes> parse_address(const std::string& text);

struct AddressRange {
  AddressBytes address{};
  std::uint8_t prefix_bits = 128;

  bool contains(const AddressBytes& other) const;
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

// An address, which is a range of one, or address and length of the prefix. Nothing for any other text, nor when the
// address has bits beyond the prefix.
std::optional<AddressRange> parse_address_range(const std::string& text);

}  // namespace sallyport::net
