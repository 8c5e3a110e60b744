// Base64 and base64url (RFC 4648 sections 4 and 5), strict: each byte string has exactly one accepted text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace sallyport::crypto {

// With padding.
std::string base64_encode(Bytes bytes);
// Nothing when padding is missing or too much, when bits beyond the last byte are not zero, or at any character
// that is not of the alphabet (line ends and blanks too).
std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text);

// Without padding, as JOSE has it (RFC 7515 section 2).
std::string base64url_encode(Bytes bytes);
// Nothing at padding, at bits beyond the last byte that are not zero, or at any character not of the alphabet.
std::optional<std::vector<std::uint8_t>> base64url_decode(std::string_view text);

}  // namespace sallyport::crypto
