// JWS signatures, and RSA encryption of a password.
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <utility>

#include "crypto/key_impl.h"

namespace sallyport::crypto {
namespace {

using Octets = std::vector<std::uint8_t>;

// Null for EdDSA, which hashes by itself.
const EVP_MD* digest_of(JwsAlgorithm algorithm) {
  switch (algorithm) {
    case JwsAlgorithm::rs256:
    case JwsAlgorithm::ps256:
    case JwsAlgorithm::es256:
      return EVP_sha256();
    case JwsAlgorithm::rs384:
    case JwsAlgorithm::ps384:
    case JwsAlgorithm::es384:
      return EVP_sha384();
    case JwsAlgorithm::rs512:
    case JwsAlgorithm::ps512:
    case JwsAlgorithm::es512:
      return EVP_sha512();
    case JwsAlgorithm::eddsa:
      break;
  }
  return nullptr;
}

enum class Scheme : std::uint8_t { rsa_pkcs1, rsa_pss, ecdsa, eddsa };

Scheme scheme_of(JwsAlgorithm algorithm) {
  switch (algorithm) {
    case JwsAlgorithm::rs256:
    case JwsAlgorithm::rs384:
    case JwsAlgorithm::rs512:
      return Scheme::rsa_pkcs1;
    case JwsAlgorithm::ps256:
    case JwsAlgorithm::ps384:
    case JwsAlgorithm::ps512:
      return Scheme::rsa_pss;
    case JwsAlgorithm::es256:
    case JwsAlgorithm::es384:
    case JwsAlgorithm::es512:
      return Scheme::ecdsa;
    case JwsAlgorithm::eddsa:
      break;
  }
  return Scheme::eddsa;
}

bool set_padding(EVP_PKEY_CTX* context, Scheme scheme) {
  switch (scheme) {
    case Scheme::rsa_pkcs1:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case Scheme::rsa_pss:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    case Scheme::ecdsa:
    case Scheme::eddsa:
      break;
  }
  return true;
}

// The DER form of r and s, each `width` bytes; empty when the signature has another length.
Octets der_of(Bytes signature, std::size_t width) {
  if (width == 0 || signature.size() != 2 * width) {
    return {};
  }
  BignumPointer r{BN_bin2bn(signature.data(), static_cast<int>(width), nullptr)};
  BignumPointer s{BN_bin2bn(signature.data() + width, static_cast<int>(width), nullptr)};
  const EcdsaSignaturePointer parts{ECDSA_SIG_new()};
  if (r == nullptr || s == nullptr || parts == nullptr || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) {
    return {};
  }
  std::ignore = r.release();
  std::ignore = s.release();
  const int length = i2d_ECDSA_SIG(parts.get(), nullptr);
  if (length <= 0) {
    return {};
  }
  Octets der(static_cast<std::size_t>(length));
  unsigned char* end = der.data();
  i2d_ECDSA_SIG(parts.get(), &end);
  return der;
}

// r and s, each `width` bytes; empty when it can't be.
Octets raw_of(const Octets& der, std::size_t width) {
  const unsigned char* begin = der.data();
  const EcdsaSignaturePointer parts{d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size()))};
  Octets raw(2 * width);
  const int length = static_cast<int>(width);
  if (parts == nullptr || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), raw.data(), length) != length ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), raw.data() + width, length) != length) {
    return {};
  }
  return raw;
}

bool set_oaep(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha1()) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha1()) == 1;
}

}  // namespace

bool PublicKey::verify(JwsAlgorithm algorithm, Bytes signing_input, Bytes signature) const {
  if (!fits(algorithm, impl_->type)) {
    return false;
  }
  const ErrorQueueScope scope;
  const Scheme scheme = scheme_of(algorithm);
  Octets der;
  if (scheme == Scheme::ecdsa) {
    der = der_of(signature, field_bytes(impl_->type));
    if (der.empty()) {
      return false;
    }
    signature = der;
  }
  const DigestContextPointer context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), &key_context, digest_of(algorithm), nullptr, impl_->key.get()) == 1 &&
         set_padding(key_context, scheme) &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), signing_input.data(),
                          signing_input.size()) == 1;
}

Result<Octets, KeyError> PrivateKey::sign(JwsAlgorithm algorithm, Bytes signing_input) const {
  if (!fits(algorithm, impl_->type)) {
    return Unexpected(KeyError::algorithm_mismatch);
  }
  const ErrorQueueScope scope;
  const Scheme scheme = scheme_of(algorithm);
  const DigestContextPointer context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  std::size_t length = 0;
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), &key_context, digest_of(algorithm), nullptr, impl_->key.get()) != 1 ||
      !set_padding(key_context, scheme) ||
      EVP_DigestSign(context.get(), nullptr, &length, signing_input.data(), signing_input.size()) != 1) {
    return Unexpected(KeyError::operation_failed);
  }
  Octets signature(length);
  if (EVP_DigestSign(context.get(), signature.data(), &length, signing_input.data(), signing_input.size()) != 1) {
    return Unexpected(KeyError::operation_failed);
  }
  signature.resize(length);
  if (scheme == Scheme::ecdsa) {
    signature = raw_of(signature, field_bytes(impl_->type));
    if (signature.empty()) {
      return Unexpected(KeyError::operation_failed);
    }
  }
  return signature;
}

Result<Octets, KeyError> PublicKey::rsa_oaep_encrypt(Bytes plaintext) const {
  if (impl_->type != KeyType::rsa) {
    return Unexpected(KeyError::algorithm_mismatch);
  }
  const ErrorQueueScope scope;
  constexpr std::size_t overhead_bytes = 42;  // RFC 8017 section 7.1.1: twice the digest's length and two more
  const auto modulus_bytes = static_cast<std::size_t>(EVP_PKEY_get_size(impl_->key.get()));
  if (plaintext.size() > modulus_bytes - overhead_bytes) {
    return Unexpected(KeyError::plaintext_too_long);
  }
  const KeyContextPointer context{EVP_PKEY_CTX_new_from_pkey(nullptr, impl_->key.get(), nullptr)};
  Octets ciphertext(modulus_bytes);
  std::size_t length = ciphertext.size();
  if (context == nullptr || EVP_PKEY_encrypt_init(context.get()) != 1 || !set_oaep(context.get()) ||
      EVP_PKEY_encrypt(context.get(), ciphertext.data(), &length, plaintext.data(), plaintext.size()) != 1) {
    return Unexpected(KeyError::operation_failed);
  }
  ciphertext.resize(length);
  return ciphertext;
}

Result<Octets, KeyError> PrivateKey::rsa_oaep_decrypt(Bytes ciphertext) const {
  if (impl_->type != KeyType::rsa) {
    return Unexpected(KeyError::algorithm_mismatch);
  }
  const ErrorQueueScope scope;
  const KeyContextPointer context{EVP_PKEY_CTX_new_from_pkey(nullptr, impl_->key.get(), nullptr)};
  Octets plaintext(static_cast<std::size_t>(EVP_PKEY_get_size(impl_->key.get())));
  std::size_t length = plaintext.size();
  if (context == nullptr || EVP_PKEY_decrypt_init(context.get()) != 1 || !set_oaep(context.get()) ||
      EVP_PKEY_decrypt(context.get(), plaintext.data(), &length, ciphertext.data(), ciphertext.size()) != 1) {
    return Unexpected(KeyError::operation_failed);
  }
  plaintext.resize(length);
  return plaintext;
}

}  // namespace sallyport::crypto
