// The functions without EVP: an EVP_MD_CTX lies on the heap and costs more than the digest of a short answer.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <cstring>
#include <new>
#include <type_traits>

#include "base/check.h"
#include "crypto/hash.h"

namespace sallyport::crypto {

namespace {

Sha256Digest final_of(SHA256_CTX& context) {
  Sha256Digest digest;
  SALLYPORT_CHECK(SHA256_Final(digest.data(), &context) == 1);
  return digest;
}

}  // namespace

// The context lies in `state_`; it is trivial, so a copy of the bytes is a copy of it.
Sha256::Sha256() {
  static_assert(sizeof(SHA256_CTX) == state_bytes && std::is_trivial_v<SHA256_CTX>);
  auto* context = new (state_.data()) SHA256_CTX;
  SALLYPORT_CHECK(SHA256_Init(context) == 1);
}

void Sha256::update(Bytes bytes) {
  auto* context = std::launder(reinterpret_cast<SHA256_CTX*>(state_.data()));
  SALLYPORT_CHECK(SHA256_Update(context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::digest() const {
  SHA256_CTX context;
  std::memcpy(&context, state_.data(), sizeof context);
  return final_of(context);
}

Sha256Digest sha256(std::initializer_list<Bytes> parts) {
  SHA256_CTX context;
  SALLYPORT_CHECK(SHA256_Init(&context) == 1);
  for (const Bytes part : parts) {
    SALLYPORT_CHECK(SHA256_Update(&context, part.data(), part.size()) == 1);
  }
  return final_of(context);
}

}  // namespace sallyport::crypto
