// Asymmetric keys: verification and making of JWS signatures (RFC 7515, RFC 7518, RFC 8037), and RSA encryption
// as MySQL's authentication uses it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/algorithm.h"
#include "crypto/hash.h"

namespace sallyport::crypto {

enum class KeyType : std::uint8_t { rsa, ec_p256, ec_p384, ec_p521, ed25519 };

enum class KeyError : std::uint8_t {
  malformed,           // members or PEM that are no key: bad base64url, missing member, wrong length
  unsupported,         // a type or a curve that is not of KeyType
  too_short,           // RSA below rsa_bits_min
  too_long,            // RSA above rsa_bits_max
  invalid_point,       // not a point of its curve
  invalid_exponent,    // RSA exponent even, below 3 or above 64 bits
  operation_failed,    // the library refused the operation
  algorithm_mismatch,  // the algorithm is not one of the key's type
  plaintext_too_long,  // more than RSA-OAEP can hold
};

// A phrase in lower case, without key material: "shorter than 2048 bits".
std::string_view describe(KeyError error);

inline constexpr int rsa_bits_min = 2048;
inline constexpr int rsa_bits_max = 8192;

// Whether a key of this type makes signatures of this algorithm: ES256 only P-256, ES384 only P-384, and so on.
bool fits(JwsAlgorithm algorithm, KeyType type);

// The public members of a JWK (RFC 7518 section 6, RFC 8037 section 2); values are base64url, absent ones empty.
struct JwkMembers {
  std::string kty = {};
  std::string crv = {};
  std::string n = {};
  std::string e = {};
  std::string x = {};
  std::string y = {};
};

// RFC 7638 SHA-256 thumbprint, base64url: a name for a key that anyone can compute from it.
std::string thumbprint(const JwkMembers& members);

class PrivateKey;

// Immutable; may be used from several threads at once.
class PublicKey {
 public:
  // RSA, EC (P-256, P-384, P-521) and OKP (Ed25519). Points are checked to lie on their curve.
  static Result<PublicKey, KeyError> from_jwk(const JwkMembers& members);
  // The first "PUBLIC KEY" block (SubjectPublicKeyInfo) of a text.
  static Result<PublicKey, KeyError> from_pem(std::string_view pem);

  PublicKey(PublicKey&& other) noexcept;
  PublicKey& operator=(PublicKey&& other) noexcept;
  ~PublicKey();

  KeyType type() const;
  // Bits of the modulus or of the curve's field.
  int bits() const;
  // SHA-256 of the key's SubjectPublicKeyInfo (RFC 5280): the same for the same key however it was written, and for no
  // other.
  const Sha256Digest& fingerprint() const;

  // RFC 8032's 32-byte public key of an Ed25519 key, the only type that may be asked.
  std::array<std::uint8_t, 32> ed25519_bytes() const;

  // Whether `signature` is this key's over `signing_input`. False too for an algorithm that does not fit the key's
  // type. ES*: r and s, each of the curve's length (RFC 7518 section 3.4). PS*: the salt is as long as the digest.
  bool verify(JwsAlgorithm algorithm, Bytes signing_input, Bytes signature) const;

  // RSA-OAEP with SHA-1 and MGF1, which is OpenSSL's RSA_PKCS1_OAEP_PADDING: how a MySQL password travels without
  // TLS. At most the modulus' bytes less 42. Errors: algorithm_mismatch, plaintext_too_long, operation_failed.
  Result<std::vector<std::uint8_t>, KeyError> rsa_oaep_encrypt(Bytes plaintext) const;

 private:
  friend class PrivateKey;
  struct Impl;
  explicit PublicKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Keys of the development issuer, of development certificates and of tests.
class PrivateKey {
 public:
  // A new key; an RSA key has 2048 bits.
  static Result<PrivateKey, KeyError> generate(KeyType type);
  // Of a size that the gateway itself would not accept, for tests of its refusal.
  static Result<PrivateKey, KeyError> generate_rsa(int bits);
  // RFC 8032's 32-byte private key.
  static Result<PrivateKey, KeyError> ed25519_from_seed(Bytes seed);
  // The first "PRIVATE KEY" block (PKCS #8, not encrypted) of a text.
  static Result<PrivateKey, KeyError> from_pem(std::string_view pem);

  PrivateKey(PrivateKey&& other) noexcept;
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  ~PrivateKey();

  KeyType type() const;
  // PKCS #8, not encrypted.
  Secret to_pem() const;
  std::string public_pem() const;
  JwkMembers public_jwk() const;

  // A signature in the form that PublicKey::verify takes. Errors: algorithm_mismatch, operation_failed.
  Result<std::vector<std::uint8_t>, KeyError> sign(JwsAlgorithm algorithm, Bytes signing_input) const;

  // Reverses rsa_oaep_encrypt; for tests that play the server.
  Result<std::vector<std::uint8_t>, KeyError> rsa_oaep_decrypt(Bytes ciphertext) const;

 private:
  explicit PrivateKey(std::unique_ptr<PublicKey::Impl> impl);
  std::unique_ptr<PublicKey::Impl> impl_;
};

}  // namespace sallyport::crypto
