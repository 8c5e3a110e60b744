// Verifies the audit log in a directory, with several threads: the reader of files for audit::LogVerifier.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "audit/answers_key.h"
#include "audit/log_verifier.h"
#include "base/clock.h"
#include "base/result.h"

namespace sallyport::store {

struct VerificationOptions {
  std::filesystem::path directory;
  std::string public_key;  // a verifier key's line, or PEM
  std::vector<audit::LogVerifier::SavedCheckpoint> saved;
  unsigned threads = 1;  // that hash, besides the one that reads
  // Files of copies of checkpoints, and verifier keys of witnesses whose cosignatures are looked for.
  std::vector<audit::LogVerifier::SavedCheckpoint> copies = {};
  std::vector<std::string> witness_keys = {};
  // Whether recorded answers are looked at, and the keys of those that are encrypted.
  enum class Answers : std::uint8_t { verified, left_aside };
  Answers answers = Answers::verified;
  std::vector<audit::AnswersKey> answers_keys = {};
  // How long a checkpoint over the last records is waited for: the log may be written meanwhile.
  Milliseconds patience{4000};
};

// The error is a sentence: the directory can't be read. Everything else is in the report.
Result<audit::VerificationReport, std::string> verify_log(const VerificationOptions& options);

}  // namespace sallyport::store
