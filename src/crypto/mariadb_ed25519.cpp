#include "crypto/mariadb_ed25519.h"

#include <sodium.h>

#include <algorithm>

#include "base/check.h"
#include "crypto/hash.h"

namespace sallyport::crypto {
namespace {

using Scalar = std::array<std::uint8_t, crypto_core_ed25519_SCALARBYTES>;

Scalar reduced(const Sha512Digest& wide) {
  Scalar scalar{};
  crypto_core_ed25519_scalar_reduce(scalar.data(), wide.data());
  return scalar;
}

}  // namespace

std::array<std::uint8_t, 64> mariadb_ed25519_sign(std::string_view password, Bytes nonce) {
  SALLYPORT_CHECK(nonce.size() == mariadb_ed25519_nonce_bytes);
  SALLYPORT_CHECK(sodium_init() >= 0);

  // RFC 8032 section 5.1.5 and 5.1.6, with the password in place of the private key.
  Sha512Digest expanded = sha512({bytes_of(password)});
  Scalar secret{};
  std::copy_n(expanded.begin(), secret.size(), secret.begin());
  secret[0] &= 248;
  secret[31] &= 127;
  secret[31] |= 64;
  const Bytes prefix = Bytes(expanded).subspan(32);

  // Neither scalar is zero, so neither multiplication fails: the clamped one has bit 254 set and the other is a hash
  // that no one can steer to zero.
  std::array<std::uint8_t, crypto_core_ed25519_BYTES> public_key{};
  SALLYPORT_CHECK(crypto_scalarmult_ed25519_base_noclamp(public_key.data(), secret.data()) == 0);

  Scalar r = reduced(sha512({prefix, nonce}));
  std::array<std::uint8_t, 64> signature{};
  SALLYPORT_CHECK(crypto_scalarmult_ed25519_base_noclamp(signature.data(), r.data()) == 0);

  const Scalar k = reduced(sha512({Bytes(signature).first(32), public_key, nonce}));
  // Multiplication wants a reduced factor.
  Sha512Digest wide{};
  std::copy(secret.begin(), secret.end(), wide.begin());
  Scalar reduced_secret = reduced(wide);
  Scalar product{};
  crypto_core_ed25519_scalar_mul(product.data(), k.data(), reduced_secret.data());
  crypto_core_ed25519_scalar_add(signature.data() + 32, r.data(), product.data());

  sodium_memzero(expanded.data(), expanded.size());
  sodium_memzero(secret.data(), secret.size());
  sodium_memzero(wide.data(), wide.size());
  sodium_memzero(reduced_secret.data(), reduced_secret.size());
  sodium_memzero(product.data(), product.size());
  sodium_memzero(r.data(), r.size());
  return signature;
}

}  // namespace sallyport::crypto
