// The answer to a challenge of MariaDB's authentication plugin `client_ed25519`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace sallyport::crypto {

inline constexpr std::size_t mariadb_ed25519_nonce_bytes = 32;

// Ed25519 over `nonce` (exactly 32 bytes), where SHA-512 of the password takes the place of SHA-512 of the seed
// (MariaDB's plugin/auth_ed25519/ref10/sign.c). A password of 32 bytes is thus an ordinary Ed25519 seed.
std::array<std::uint8_t, 64> mariadb_ed25519_sign(std::string_view password, Bytes nonce);

}  // namespace sallyport::crypto
