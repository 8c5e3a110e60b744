// Encrypts pieces of answers, and undoes it. docs/audit-format.md has the form, docs/adr/0032-answers-at-rest.md the
// reasons.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/answers_key.h"
#include "audit/sink.h"
#include "base/bytes.h"

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
// Of an answer so much is sealed in one piece at most, so that a reader needs no more memory than that.
inline constexpr std::size_t sealed_bytes_max = std::size_t{1} << 20;

// Of one thread: it has a data key of its own, which is in memory only, and counts what it seals with it. So a nonce
// is never used twice with a key, whatever happens to the process or its files.
class AnswerSealer {
 public:
  // How many pieces and bytes are sealed with one data key.
  struct Limits {
    std::uint64_t pieces = std::uint64_t{1} << 32;
    std::uint64_t bytes = std::uint64_t{1} << 38;
  };
  explicit AnswerSealer(audit::AnswersKey key) : AnswerSealer(std::move(key), Limits{}) {}
  AnswerSealer(audit::AnswersKey key, Limits limits);

  // Pieces of sealed_bytes_max at most. A session's id is of 255 bytes at most. Allocates where `out` has no room.
  void append_pieces(std::string& out, const audit::AnswerChunk& chunk);

 private:
  void append_piece(std::string& out, const audit::AnswerChunk& chunk);
  void renew();

  audit::AnswersKey key_;
  Limits limits_;
  SealHead head_;
  std::optional<crypto::Aes256Gcm> cipher_;
  std::uint64_t sealed_bytes_ = 0;
};

// Has the keys that the reader was given.
class AnswerOpener {
 public:
  AnswerOpener() = default;
  explicit AnswerOpener(std::vector<audit::AnswersKey> keys) : keys_(std::move(keys)) {}

  bool has(const audit::AnswersKey::Id& key) const;
  // `clear`: the piece up to the ciphertext, of which the last SealHead::bytes are `head`. `sealed`: the ciphertext and
  // its tag. Nothing when it is not what was sealed, or has(head.key) is false. The bytes live until the next call.
  std::optional<Bytes> open(Bytes clear, const SealHead& head, Bytes sealed);

 private:
  std::vector<audit::AnswersKey> keys_;
  // Made for the piece before, and mostly the right one for the next.
  std::optional<crypto::Aes256Gcm> cipher_;
  SealHead cipher_of_;
  std::vector<std::uint8_t> text_;
};

// As it stands in the piece. `bytes` are SealHead::bytes.
SealHead parse_seal_head(Bytes bytes);

}  // namespace sallyport::store
