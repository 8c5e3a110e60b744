// The functions without EVP: an EVP_MD_CTX lies on the heap and costs more than the digest of a short answer.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <cstring>

#include "base/check.h"
#include "crypto/hash.h"

namespace sallyport::crypto {

namespace {

SHA256_CTX load(const std::uint8_t* state) {
  SHA256_CTX context;
  std::memcpy(&context, state, sizeof context);
  return context;
}

}  // namespace

Sha256::Sha256() {
  static_assert(sizeof(SHA256_CTX) == state_bytes);
  SHA256_CTX context;
  SALLYPORT_CHECK(SHA256_Init(&context) == 1);
  std::memcpy(state_.data(), &context, sizeof context);
}

void Sha256::update(Bytes bytes) {
  SHA256_CTX context = load(state_.data());
  SALLYPORT_CHECK(SHA256_Update(&context, bytes.data(), bytes.size()) == 1);
  std::memcpy(state_.data(), &context, sizeof context);
}

Sha256Digest Sha256::digest() const {
  SHA256_CTX context = load(state_.data());
  Sha256Digest digest;
  SALLYPORT_CHECK(SHA256_Final(digest.data(), &context) == 1);
  return digest;
}

Sha256Digest sha256(std::initializer_list<Bytes> parts) {
  Sha256 hash;
  for (const Bytes part : parts) {
    hash.update(part);
  }
  return hash.digest();
}

}  // namespace sallyport::crypto
