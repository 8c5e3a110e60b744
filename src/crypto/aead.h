// Authenticated encryption: AES-256-GCM (NIST SP 800-38D), and the derivation of its keys: HKDF with SHA-256 (RFC
// 5869).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace sallyport::crypto {

// Holds a key ready for use; neither sealing nor opening allocates. One thread uses it at a time. The key is wiped with
// it.
class Aes256Gcm {
 public:
  static constexpr std::size_t key_bytes = 32;
  static constexpr std::size_t nonce_bytes = 12;
  static constexpr std::size_t tag_bytes = 16;
  using Nonce = std::array<std::uint8_t, nonce_bytes>;

  // `key` has key_bytes.
  explicit Aes256Gcm(Bytes key);
  Aes256Gcm(Aes256Gcm&& other) noexcept;
  Aes256Gcm& operator=(Aes256Gcm&& other) noexcept;
  ~Aes256Gcm();

  // Fills `out`, of tag_bytes more than `text`, with the ciphertext and its tag. A nonce must never be used twice with
  // one key. `associated` is authenticated, and not in `out`.
  void seal(const Nonce& nonce, Bytes associated, Bytes text, MutableBytes out);

  // Fills `out`, of tag_bytes less than `sealed`, with the text. False when it, or `associated`, is not what was sealed
  // with this key and nonce: `out` is zeros then. `sealed` has tag_bytes at least.
  bool open(const Nonce& nonce, Bytes associated, Bytes sealed, MutableBytes out);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

// Fills `out` (at most 8160 bytes) with what is derived from `key`. An empty salt is that of RFC 5869.
struct HkdfInput {
  Bytes key;
  Bytes salt;
  std::string_view info;
};
void hkdf_sha256(const HkdfInput& input, MutableBytes out);

}  // namespace sallyport::crypto
