#include "crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <array>
#include <limits>
#include <utility>

#include "base/check.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "crypto/key_impl.h"

namespace sallyport::crypto {
namespace {

// Without it OpenSSL would ask for the pass phrase of an encrypted key on the terminal.
int no_pass_phrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*argument*/) {
  return -1;
}

BioPointer bio_of(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return nullptr;
  }
  return BioPointer{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

const char* group_name(KeyType type) {
  switch (type) {
    case KeyType::ec_p256:
      return "prime256v1";
    case KeyType::ec_p384:
      return "secp384r1";
    case KeyType::ec_p521:
      return "secp521r1";
    case KeyType::rsa:
    case KeyType::ed25519:
      break;
  }
  return nullptr;
}

std::string_view jwk_curve(KeyType type) {
  switch (type) {
    case KeyType::ec_p256:
      return "P-256";
    case KeyType::ec_p384:
      return "P-384";
    case KeyType::ec_p521:
      return "P-521";
    case KeyType::ed25519:
      return "Ed25519";
    case KeyType::rsa:
      break;
  }
  return "";
}

std::string bignum_parameter(const EVP_PKEY* key, const char* name, std::size_t width) {
  BIGNUM* raw = nullptr;
  SALLYPORT_CHECK(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
  const BignumPointer number{raw};
  const std::size_t length = width == 0 ? static_cast<std::size_t>(BN_num_bytes(number.get())) : width;
  std::vector<std::uint8_t> bytes(length);
  SALLYPORT_CHECK(BN_bn2binpad(number.get(), bytes.data(), static_cast<int>(length)) == static_cast<int>(length));
  return base64url_encode(bytes);
}

}  // namespace

std::string_view describe(KeyError error) {
  switch (error) {
    case KeyError::malformed:
      return "malformed";
    case KeyError::unsupported:
      return "of a type or curve that is not supported";
    case KeyError::too_short:
      return "shorter than 2048 bits";
    case KeyError::too_long:
      return "longer than 8192 bits";
    case KeyError::invalid_point:
      return "not a point of its curve";
    case KeyError::invalid_exponent:
      return "with an exponent that is even, below 3 or above 64 bits";
    case KeyError::operation_failed:
      return "refused by the cryptographic library";
    case KeyError::algorithm_mismatch:
      return "of another type than the algorithm needs";
    case KeyError::plaintext_too_long:
      return "too short for the text to encrypt";
  }
  return "unknown";
}

bool fits(JwsAlgorithm algorithm, KeyType type) {
  switch (algorithm) {
    case JwsAlgorithm::rs256:
    case JwsAlgorithm::rs384:
    case JwsAlgorithm::rs512:
    case JwsAlgorithm::ps256:
    case JwsAlgorithm::ps384:
    case JwsAlgorithm::ps512:
      return type == KeyType::rsa;
    case JwsAlgorithm::es256:
      return type == KeyType::ec_p256;
    case JwsAlgorithm::es384:
      return type == KeyType::ec_p384;
    case JwsAlgorithm::es512:
      return type == KeyType::ec_p521;
    case JwsAlgorithm::eddsa:
      return type == KeyType::ed25519;
  }
  return false;
}

std::string thumbprint(const JwkMembers& members) {
  // RFC 7638 section 3.2: the required members in the order of their names. Base64url needs no escapes.
  std::string text = "{";
  const auto append = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      text.append(text.size() > 1 ? "," : "").append("\"").append(name).append("\":\"").append(value).append("\"");
    }
  };
  append("crv", members.crv);
  append("e", members.e);
  append("kty", members.kty);
  append("n", members.n);
  append("x", members.x);
  append("y", members.y);
  text += "}";
  return base64url_encode(sha256({bytes_of(text)}));
}

std::optional<KeyType> type_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    return KeyType::rsa;
  }
  if (EVP_PKEY_is_a(key, "ED25519") == 1) {
    return KeyType::ed25519;
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    std::array<char, 64> name{};
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1) {
      for (const KeyType type : {KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521}) {
        if (std::string_view(name.data(), length) == group_name(type)) {
          return type;
        }
      }
    }
  }
  return std::nullopt;
}

std::size_t field_bytes(KeyType type) {
  switch (type) {
    case KeyType::ec_p256:
    case KeyType::ed25519:
      return 32;
    case KeyType::ec_p384:
      return 48;
    case KeyType::ec_p521:
      return 66;
    case KeyType::rsa:
      break;
  }
  return 0;
}

std::string_view text_in(BIO* memory) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory, &text);
  return {text, length < 0 ? 0 : static_cast<std::size_t>(length)};
}

PublicKey::PublicKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PublicKey::PublicKey(PublicKey&& other) noexcept = default;
PublicKey& PublicKey::operator=(PublicKey&& other) noexcept = default;
PublicKey::~PublicKey() = default;

KeyType PublicKey::type() const {
  return impl_->type;
}
int PublicKey::bits() const {
  return EVP_PKEY_get_bits(impl_->key.get());
}
const Sha256Digest& PublicKey::fingerprint() const {
  return impl_->fingerprint;
}

PrivateKey::PrivateKey(std::unique_ptr<PublicKey::Impl> impl) : impl_(std::move(impl)) {}
PrivateKey::PrivateKey(PrivateKey&& other) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept = default;
PrivateKey::~PrivateKey() = default;

KeyType PrivateKey::type() const {
  return impl_->type;
}

Result<PrivateKey, KeyError> PrivateKey::generate(KeyType type) {
  const ErrorQueueScope scope;
  KeyPointer key;
  switch (type) {
    case KeyType::rsa:
      return generate_rsa(rsa_bits_min);
    case KeyType::ec_p256:
    case KeyType::ec_p384:
    case KeyType::ec_p521:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", group_name(type)));
      break;
    case KeyType::ed25519:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
  }
  if (key == nullptr) {
    return Unexpected(KeyError::operation_failed);
  }
  return PrivateKey(std::make_unique<PublicKey::Impl>(PublicKey::Impl{std::move(key), type, {}}));
}

Result<PrivateKey, KeyError> PrivateKey::generate_rsa(int bits) {
  const ErrorQueueScope scope;
  if (bits < 512 || bits > rsa_bits_max) {
    return Unexpected(KeyError::operation_failed);
  }
  KeyPointer key{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits))};
  if (key == nullptr) {
    return Unexpected(KeyError::operation_failed);
  }
  return PrivateKey(std::make_unique<PublicKey::Impl>(PublicKey::Impl{std::move(key), KeyType::rsa, {}}));
}

Result<PrivateKey, KeyError> PrivateKey::ed25519_from_seed(Bytes seed) {
  const ErrorQueueScope scope;
  if (seed.size() != 32) {
    return Unexpected(KeyError::malformed);
  }
  KeyPointer key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size())};
  if (key == nullptr) {
    return Unexpected(KeyError::operation_failed);
  }
  return PrivateKey(std::make_unique<PublicKey::Impl>(PublicKey::Impl{std::move(key), KeyType::ed25519, {}}));
}

Result<PrivateKey, KeyError> PrivateKey::from_pem(std::string_view pem) {
  const ErrorQueueScope scope;
  const BioPointer bio = bio_of(pem);
  KeyPointer key{bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr) : nullptr};
  if (key == nullptr) {
    return Unexpected(KeyError::malformed);
  }
  const std::optional<KeyType> type = type_of(key.get());
  if (!type) {
    return Unexpected(KeyError::unsupported);
  }
  return PrivateKey(std::make_unique<PublicKey::Impl>(PublicKey::Impl{std::move(key), *type, {}}));
}

Secret PrivateKey::to_pem() const {
  const ErrorQueueScope scope;
  const BioPointer bio{BIO_new(BIO_s_secmem())};
  SALLYPORT_CHECK(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0,
                                                                  nullptr, nullptr) == 1);
  return Secret(std::string(text_in(bio.get())));
}

std::string PrivateKey::public_pem() const {
  const ErrorQueueScope scope;
  const BioPointer bio{BIO_new(BIO_s_mem())};
  SALLYPORT_CHECK(bio != nullptr && PEM_write_bio_PUBKEY(bio.get(), impl_->key.get()) == 1);
  return std::string(text_in(bio.get()));
}

JwkMembers PrivateKey::public_jwk() const {
  const ErrorQueueScope scope;
  const EVP_PKEY* key = impl_->key.get();
  JwkMembers members;
  members.crv = jwk_curve(impl_->type);
  switch (impl_->type) {
    case KeyType::rsa:
      members.kty = "RSA";
      members.n = bignum_parameter(key, OSSL_PKEY_PARAM_RSA_N, 0);
      members.e = bignum_parameter(key, OSSL_PKEY_PARAM_RSA_E, 0);
      break;
    case KeyType::ec_p256:
    case KeyType::ec_p384:
    case KeyType::ec_p521:
      members.kty = "EC";
      members.x = bignum_parameter(key, OSSL_PKEY_PARAM_EC_PUB_X, field_bytes(impl_->type));
      members.y = bignum_parameter(key, OSSL_PKEY_PARAM_EC_PUB_Y, field_bytes(impl_->type));
      break;
    case KeyType::ed25519: {
      members.kty = "OKP";
      std::array<std::uint8_t, 32> point{};
      std::size_t length = point.size();
      SALLYPORT_CHECK(EVP_PKEY_get_raw_public_key(key, point.data(), &length) == 1 && length == point.size());
      members.x = base64url_encode(point);
      break;
    }
  }
  return members;
}

}  // namespace sallyport::crypto
