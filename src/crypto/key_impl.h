// What the key classes hold; for this module's .cpp files only.
#pragma once

#include <optional>

#include "crypto/key.h"
#include "crypto/openssl_pointers.h"

namespace sallyport::crypto {

struct PublicKey::Impl {
  KeyPointer key;
  KeyType type;
  Sha256Digest fingerprint{};  // of a public key
};

// The type of a key that the library has read; nothing for one that is not of KeyType.
std::optional<KeyType> type_of(const EVP_PKEY* key);

// Bytes of a coordinate of a curve's points; 0 for RSA.
std::size_t field_bytes(KeyType type);

// Text that was written to a memory BIO.
std::string_view text_in(BIO* memory);

}  // namespace sallyport::crypto
