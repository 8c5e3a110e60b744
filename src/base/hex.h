// Bytes in hexadecimal.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sallyport {

inline constexpr std::string_view lower_hex_digits = "0123456789abcdef";
inline constexpr std::string_view upper_hex_digits = "0123456789ABCDEF";

// Two digits for each byte.
inline void append_hex(std::string& out, Bytes bytes, std::string_view digits = lower_hex_digits) {
  std::size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (std::uint8_t byte : bytes) {
    out[at++] = digits[byte >> 4];
    out[at++] = digits[byte & 15];
  }
}

inline std::string to_hex(Bytes bytes, std::string_view digits = lower_hex_digits) {
  std::string out;
  append_hex(out, bytes, digits);
  return out;
}

}  // namespace sallyport
