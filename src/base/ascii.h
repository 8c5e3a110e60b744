// Texts of which every character set that a client may have says the same.
#pragma once

#include <algorithm>
#include <string_view>

namespace sallyport {

inline bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

}  // namespace sallyport
