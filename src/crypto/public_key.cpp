// Reading public keys from JWK and PEM, with all that a key must satisfy to be trusted.
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <sodium.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "crypto/base64.h"
#include "crypto/key_impl.h"

namespace sallyport::crypto {
namespace {

using Octets = std::vector<std::uint8_t>;

std::optional<KeyError> fault_of_rsa(const BIGNUM* modulus, const BIGNUM* exponent) {
  const int modulus_bits = BN_num_bits(modulus);
  if (modulus_bits < rsa_bits_min) {
    return KeyError::too_short;
  }
  if (modulus_bits > rsa_bits_max) {
    return KeyError::too_long;
  }
  if (BN_is_odd(modulus) == 0) {
    return KeyError::malformed;
  }
  if (BN_is_odd(exponent) == 0 || BN_is_one(exponent) == 1 || BN_num_bits(exponent) > 64) {
    return KeyError::invalid_exponent;
  }
  return std::nullopt;
}

KeyPointer key_from_parameters(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPointer parameters{OSSL_PARAM_BLD_to_param(builder)};
  const KeyContextPointer context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return KeyPointer{key};
}

bool on_its_curve(EVP_PKEY* key) {
  const KeyContextPointer context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

// Of prime order too, which shuts out the small-order points whose signatures anyone can make.
bool is_ed25519_point(const Octets& point) {
  return sodium_init() >= 0 && point.size() == crypto_core_ed25519_BYTES &&
         crypto_core_ed25519_is_valid_point(point.data()) == 1;
}

Result<KeyPointer, KeyError> rsa_key(const JwkMembers& members) {
  const auto n = base64url_decode(members.n);
  const auto e = base64url_decode(members.e);
  // Far above what is accepted below, so that the numbers stay small whatever comes.
  constexpr std::size_t octets_max = 4096;
  if (!n || !e || n->empty() || e->empty()) {
    return Unexpected(KeyError::malformed);
  }
  if (n->size() > octets_max || e->size() > octets_max) {
    return Unexpected(KeyError::too_long);
  }
  const BignumPointer modulus{BN_bin2bn(n->data(), static_cast<int>(n->size()), nullptr)};
  const BignumPointer exponent{BN_bin2bn(e->data(), static_cast<int>(e->size()), nullptr)};
  const ParamBuilderPointer builder{OSSL_PARAM_BLD_new()};
  if (modulus == nullptr || exponent == nullptr || builder == nullptr) {
    return Unexpected(KeyError::operation_failed);
  }
  if (const auto fault = fault_of_rsa(modulus.get(), exponent.get())) {
    return Unexpected(*fault);
  }
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return Unexpected(KeyError::operation_failed);
  }
  KeyPointer key = key_from_parameters("RSA", builder.get());
  if (key == nullptr) {
    return Unexpected(KeyError::operation_failed);
  }
  return key;
}

struct Curve {
  std::string_view jwk_name;
  const char* group;
  KeyType type;
};
constexpr Curve curves[] = {{"P-256", "prime256v1", KeyType::ec_p256},
                            {"P-384", "secp384r1", KeyType::ec_p384},
                            {"P-521", "secp521r1", KeyType::ec_p521}};

Result<KeyPointer, KeyError> ec_key(const JwkMembers& members, const Curve& curve) {
  const auto x = base64url_decode(members.x);
  const auto y = base64url_decode(members.y);
  const std::size_t width = field_bytes(curve.type);
  if (!x || !y || x->size() != width || y->size() != width) {
    return Unexpected(KeyError::malformed);
  }
  Octets point{4};  // uncompressed, SEC 1 section 2.3.3
  point.insert(point.end(), x->begin(), x->end());
  point.insert(point.end(), y->begin(), y->end());
  const ParamBuilderPointer builder{OSSL_PARAM_BLD_new()};
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return Unexpected(KeyError::operation_failed);
  }
  KeyPointer key = key_from_parameters("EC", builder.get());
  if (key == nullptr || !on_its_curve(key.get())) {
    return Unexpected(KeyError::invalid_point);
  }
  return key;
}

Result<KeyPointer, KeyError> ed25519_key(const JwkMembers& members) {
  const auto x = base64url_decode(members.x);
  if (!x || x->size() != crypto_core_ed25519_BYTES) {
    return Unexpected(KeyError::malformed);
  }
  if (!is_ed25519_point(*x)) {
    return Unexpected(KeyError::invalid_point);
  }
  KeyPointer key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, x->data(), x->size())};
  if (key == nullptr) {
    return Unexpected(KeyError::operation_failed);
  }
  return key;
}

std::optional<KeyError> fault_of(EVP_PKEY* key, KeyType type) {
  switch (type) {
    case KeyType::rsa: {
      BIGNUM* n = nullptr;
      BIGNUM* e = nullptr;
      const bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1;
      const BignumPointer modulus{n};
      const BignumPointer exponent{e};
      return read ? fault_of_rsa(modulus.get(), exponent.get()) : KeyError::malformed;
    }
    case KeyType::ec_p256:
    case KeyType::ec_p384:
    case KeyType::ec_p521:
      return on_its_curve(key) ? std::nullopt : std::optional(KeyError::invalid_point);
    case KeyType::ed25519: {
      Octets point(crypto_core_ed25519_BYTES);
      std::size_t length = point.size();
      const bool valid = EVP_PKEY_get_raw_public_key(key, point.data(), &length) == 1 && is_ed25519_point(point);
      return valid ? std::nullopt : std::optional(KeyError::invalid_point);
    }
  }
  return KeyError::unsupported;
}

std::optional<Sha256Digest> fingerprint_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  if (length <= 0) {
    return std::nullopt;
  }
  const auto digest = sha256({{der, static_cast<std::size_t>(length)}});
  OPENSSL_free(der);
  return digest;
}

}  // namespace

Result<PublicKey, KeyError> PublicKey::from_jwk(const JwkMembers& members) {
  const ErrorQueueScope scope;
  const auto made = [](Result<KeyPointer, KeyError> key, KeyType type) -> Result<PublicKey, KeyError> {
    if (!key) {
      return Unexpected(key.error());
    }
    const auto fingerprint = fingerprint_of(key->get());
    if (!fingerprint) {
      return Unexpected(KeyError::operation_failed);
    }
    return PublicKey(std::make_unique<Impl>(Impl{std::move(*key), type, *fingerprint}));
  };
  if (members.kty == "RSA") {
    return made(rsa_key(members), KeyType::rsa);
  }
  if (members.kty == "EC") {
    const auto* const curve = std::find_if(std::begin(curves), std::end(curves),
                                           [&](const Curve& known) { return known.jwk_name == members.crv; });
    if (curve != std::end(curves)) {
      return made(ec_key(members, *curve), curve->type);
    }
  }
  if (members.kty == "OKP" && members.crv == "Ed25519") {
    return made(ed25519_key(members), KeyType::ed25519);
  }
  return Unexpected(members.kty.empty() ? KeyError::malformed : KeyError::unsupported);
}

std::array<std::uint8_t, 32> PublicKey::ed25519_bytes() const {
  SALLYPORT_CHECK(impl_->type == KeyType::ed25519);
  std::array<std::uint8_t, 32> bytes{};
  std::size_t length = bytes.size();
  SALLYPORT_CHECK(EVP_PKEY_get_raw_public_key(impl_->key.get(), bytes.data(), &length) == 1 && length == bytes.size());
  return bytes;
}

Result<PublicKey, KeyError> PublicKey::from_pem(std::string_view pem) {
  const ErrorQueueScope scope;
  if (pem.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return Unexpected(KeyError::malformed);
  }
  const BioPointer bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  KeyPointer key{bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr};
  if (key == nullptr) {
    return Unexpected(KeyError::malformed);
  }
  const std::optional<KeyType> type = type_of(key.get());
  if (!type) {
    return Unexpected(KeyError::unsupported);
  }
  if (const auto fault = fault_of(key.get(), *type)) {
    return Unexpected(*fault);
  }
  const auto fingerprint = fingerprint_of(key.get());
  if (!fingerprint) {
    return Unexpected(KeyError::operation_failed);
  }
  return PublicKey(std::make_unique<Impl>(Impl{std::move(key), *type, *fingerprint}));
}

}  // namespace sallyport::crypto
