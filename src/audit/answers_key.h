// The key that encrypts recorded answers, and seals literals. docs/audit-format.md says what is derived from it, and
// how.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"

namespace sallyport::audit {

class AnswersKey {
 public:
  static constexpr std::size_t key_bytes = 32;
  static constexpr std::size_t salt_bytes = 16;
  // Names the key, and says nothing else of it.
  using Id = std::array<std::uint8_t, 8>;
  using Salt = std::array<std::uint8_t, salt_bytes>;

  // 32 bytes, as 64 hexadecimal digits or as base64 with padding; a line end behind it is none of it. The error is a
  // phrase, without anything of the text: "neither 64 hexadecimal digits nor base64 of 32 bytes".
  static Result<AnswersKey, std::string_view> parse(std::string_view text);

  const Id& id() const { return id_; }
  enum class Use : std::uint8_t { answers, literals };
  // Of this key and that salt, for that use alone; the same on each machine.
  crypto::Aes256Gcm data_key(Use use, const Salt& salt) const;

  friend bool operator==(const AnswersKey& left, const AnswersKey& right) { return left.id_ == right.id_; }

 private:
  explicit AnswersKey(Secret bytes);
  Secret bytes_;
  Id id_{};
};

}  // namespace sallyport::audit
