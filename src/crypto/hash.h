// Digests and the comparison of secrets.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"

namespace sallyport::crypto {

using Sha1Digest = std::array<std::uint8_t, 20>;
using Sha256Digest = std::array<std::uint8_t, 32>;
using Sha512Digest = std::array<std::uint8_t, 64>;

// Digest of the concatenation of `parts`. SHA-1 is here for MySQL's mysql_native_password only.
Sha1Digest sha1(std::initializer_list<Bytes> parts);
Sha256Digest sha256(std::initializer_list<Bytes> parts);
Sha512Digest sha512(std::initializer_list<Bytes> parts);

// A SHA-256 of bytes that come one after the other. A value: a copy goes on by itself. It holds no memory of its own.
class Sha256 {
 public:
  Sha256();
  void update(Bytes bytes);
  // Of all bytes so far.
  Sha256Digest digest() const;

 private:
  static constexpr std::size_t state_bytes = 112;
  alignas(8) std::array<std::uint8_t, state_bytes> state_;
};

// Whether two byte strings are equal, in a time that depends on their lengths only.
bool equal_in_constant_time(Bytes left, Bytes right);

}  // namespace sallyport::crypto
