#include "crypto/aead.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <algorithm>

#include "base/check.h"
#include "base/secret.h"
#include "crypto/openssl_pointers.h"

namespace sallyport::crypto {
namespace {

// EVP counts in int.
constexpr std::size_t update_bytes_max = std::size_t{1} << 30;

using CipherContextPointer = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;

CipherContextPointer make_context(Bytes key, int encrypts) {
  CipherContextPointer context{EVP_CIPHER_CTX_new()};
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  SALLYPORT_CHECK(context != nullptr && cipher != nullptr);
  SALLYPORT_CHECK(EVP_CipherInit_ex(context.get(), cipher, nullptr, key.data(), nullptr, encrypts) == 1);
  EVP_CIPHER_free(cipher);  // the context holds it
  return context;
}

void update(EVP_CIPHER_CTX* context, std::uint8_t* out, Bytes in) {
  while (!in.empty()) {
    Bytes part = in.first(std::min(in.size(), update_bytes_max));
    int length = 0;
    SALLYPORT_CHECK(EVP_CipherUpdate(context, out, &length, part.data(), static_cast<int>(part.size())) == 1);
    SALLYPORT_CHECK(static_cast<std::size_t>(length) == part.size());
    out = out == nullptr ? nullptr : out + length;
    in = in.subspan(part.size());
  }
}

void begin(EVP_CIPHER_CTX* context, const Aes256Gcm::Nonce& nonce, Bytes associated) {
  SALLYPORT_CHECK(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), -1) == 1);
  update(context, nullptr, associated);
}

}  // namespace

struct Aes256Gcm::Contexts {
  CipherContextPointer sealing;
  CipherContextPointer opening;
};

Aes256Gcm::Aes256Gcm(Bytes key) {
  SALLYPORT_CHECK(key.size() == key_bytes);
  contexts_ = std::make_unique<Contexts>(Contexts{.sealing = make_context(key, 1), .opening = make_context(key, 0)});
}

Aes256Gcm::Aes256Gcm(Aes256Gcm&& other) noexcept = default;
Aes256Gcm& Aes256Gcm::operator=(Aes256Gcm&& other) noexcept = default;
Aes256Gcm::~Aes256Gcm() = default;

void Aes256Gcm::seal(const Nonce& nonce, Bytes associated, Bytes text, MutableBytes out) {
  SALLYPORT_CHECK(out.size() == text.size() + tag_bytes);
  EVP_CIPHER_CTX* context = contexts_->sealing.get();
  begin(context, nonce, associated);
  update(context, out.data(), text);
  int length = 0;
  std::uint8_t* tag = out.data() + text.size();
  SALLYPORT_CHECK(EVP_CipherFinal_ex(context, tag, &length) == 1 && length == 0);
  SALLYPORT_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes), tag) == 1);
}

bool Aes256Gcm::open(const Nonce& nonce, Bytes associated, Bytes sealed, MutableBytes out) {
  SALLYPORT_CHECK(sealed.size() == out.size() + tag_bytes);
  ErrorQueueScope errors;
  EVP_CIPHER_CTX* context = contexts_->opening.get();
  begin(context, nonce, associated);
  update(context, out.data(), sealed.first(out.size()));
  std::array<std::uint8_t, tag_bytes> tag{};
  std::copy_n(sealed.data() + out.size(), tag_bytes, tag.data());
  SALLYPORT_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes), tag.data()) == 1);
  int length = 0;
  std::array<std::uint8_t, tag_bytes> none{};
  if (EVP_CipherFinal_ex(context, none.data(), &length) == 1) {
    return true;
  }
  wipe(out.data(), out.size());
  return false;
}

void hkdf_sha256(const HkdfInput& input, MutableBytes out) {
  KeyContextPointer context{EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr)};
  auto size = out.size();
  SALLYPORT_CHECK(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  SALLYPORT_CHECK(EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1);
  SALLYPORT_CHECK(input.salt.empty() || EVP_PKEY_CTX_set1_hkdf_salt(context.get(), input.salt.data(),
                                                                    static_cast<int>(input.salt.size())) == 1);
  SALLYPORT_CHECK(EVP_PKEY_CTX_set1_hkdf_key(context.get(), input.key.data(), static_cast<int>(input.key.size())) == 1);
  Bytes info = bytes_of(input.info);
  SALLYPORT_CHECK(EVP_PKEY_CTX_add1_hkdf_info(context.get(), info.data(), static_cast<int>(info.size())) == 1);
  SALLYPORT_CHECK(EVP_PKEY_derive(context.get(), out.data(), &size) == 1 && size == out.size());
}

}  // namespace sallyport::crypto
