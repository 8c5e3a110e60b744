// Encrypts pieces of answers. docs/audit-format.md has the form.
#pragma once

#include <cstdint>
#include <string>

#include "audit/sink.h"
#include "store/sealer.h"

namespace sallyport::store {

// Of an answer so much is sealed in one piece at most, so that a reader needs no more memory than that.
inline constexpr std::size_t sealed_bytes_max = std::size_t{1} << 20;

class AnswerSealer {
 public:
  explicit AnswerSealer(audit::AnswersKey key, Sealer::Limits limits = {})
      : sealer_(std::move(key), audit::AnswersKey::Use::answers, limits) {}

  // Pieces of sealed_bytes_max at most. A session's id is of 255 bytes at most. Allocates where `out` has no room.
  void append_pieces(std::string& out, const audit::AnswerChunk& chunk);

 private:
  Sealer sealer_;
};

class AnswerOpener : public Opener {
 public:
  AnswerOpener() : AnswerOpener(std::vector<audit::AnswersKey>{}) {}
  explicit AnswerOpener(std::vector<audit::AnswersKey> keys)
      : Opener(std::move(keys), audit::AnswersKey::Use::answers) {}
};

}  // namespace sallyport::store
