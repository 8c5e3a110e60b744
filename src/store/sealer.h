// Encrypts what the audit log keeps for the holders of a key, and undoes it. docs/audit-format.md has the form,
// docs/adr/0032-answers-at-rest.md the reasons.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/answers_key.h"
#include "base/bytes.h"
#include "crypto/aead.h"

namespace sallyport::store {

// What stands in the clear before the ciphertext.
struct SealHead {
  static constexpr std::size_t bytes = 32;
  audit::AnswersKey::Id key{};
  audit::AnswersKey::Salt salt{};
  std::uint64_t counter = 0;
};
// Longer by so much is what is sealed.
inline constexpr std::size_t seal_overhead_bytes = SealHead::bytes + crypto::Aes256Gcm::tag_bytes;

// As it stands before the ciphertext. `bytes` are SealHead::bytes.
SealHead parse_seal_head(Bytes bytes);

// Of one thread: it has a data key of its own, which is in memory only, and counts what it seals with it. So a nonce
// is never used twice with a key, whatever happens to the process or its files.
class Sealer {
 public:
  // How many texts and bytes are sealed with one data key.
  struct Limits {
    std::uint64_t pieces = std::uint64_t{1} << 32;
    std::uint64_t bytes = std::uint64_t{1} << 38;
  };
  Sealer(audit::AnswersKey key, audit::AnswersKey::Use use, Limits limits);
  Sealer(audit::AnswersKey key, audit::AnswersKey::Use use) : Sealer(std::move(key), use, Limits{}) {}

  // Appends the head, the ciphertext of `text` and its tag. What `out` holds from `begin` on, with the head, is
  // authenticated with it.
  void append(std::string& out, std::size_t begin, Bytes text);

 private:
  void renew();

  audit::AnswersKey key_;
  audit::AnswersKey::Use use_;
  Limits limits_;
  SealHead head_;
  std::optional<crypto::Aes256Gcm> cipher_;
  std::uint64_t sealed_bytes_ = 0;
};

// Has the keys that the reader was given. Of one thread.
class Opener {
 public:
  Opener(std::vector<audit::AnswersKey> keys, audit::AnswersKey::Use use) : keys_(std::move(keys)), use_(use) {}

  bool has(const audit::AnswersKey::Id& key) const;
  // `clear`: what was authenticated, of which the last SealHead::bytes are `head`. `sealed`: the ciphertext and its
  // tag. Nothing when it is not what was sealed, or has(head.key) is false. The bytes live until the next call.
  std::optional<Bytes> open(Bytes clear, const SealHead& head, Bytes sealed);

 private:
  std::vector<audit::AnswersKey> keys_;
  audit::AnswersKey::Use use_;
  // Made for the text before, and mostly the right one for the next.
  std::optional<crypto::Aes256Gcm> cipher_;
  SealHead cipher_of_;
  std::vector<std::uint8_t> text_;
};

}  // namespace sallyport::store
