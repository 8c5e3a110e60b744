// One record of a log with all that is needed to verify it anywhere: a JSON object on a line. docs/evidence.md has the
// form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/note.h"
#include "audit/tree.h"
#include "base/result.h"

namespace sallyport::audit {

inline constexpr std::size_t proof_file_bytes_max = std::size_t{1} << 30;
// Changes of a log's key that are followed.
inline constexpr std::size_t hand_overs_max = 10'000;

// That a record is in the tree that a checkpoint is signed over.
struct InclusionStatement {
  std::string checkpoint;   // the note
  std::uint64_t index = 0;  // of the record
  std::vector<Hash> proof;  // RFC 6962, section 2.1.1
  std::string record;       // without its LF

  friend bool operator==(const InclusionStatement&, const InclusionStatement&) = default;
};

struct ProofFile {
  InclusionStatement statement;
  // The changes of key up to the checkpoint's, oldest first: for each its record, the last one of a checkpoint that
  // both keys signed.
  std::vector<InclusionStatement> hand_overs;

  friend bool operator==(const ProofFile&, const ProofFile&) = default;
};

// A line with its LF.
std::string to_json_line(const ProofFile& file);
// The error is a phrase. Takes what to_json_line makes, with or without its LF, and nothing else.
Result<ProofFile, std::string> parse_proof_file(std::string_view text);

// The same of a statement alone, as a line of `hand-overs` (docs/audit-format.md).
std::string to_json_line(const InclusionStatement& statement);
Result<InclusionStatement, std::string> parse_statement(std::string_view text);

// A change of the log's key, which both keys have signed.
struct HandOver {
  std::uint64_t index;  // of its record
  NoteKey previous;
  NoteKey next;
};
// The error is a sentence.
Result<HandOver, std::string> open_hand_over(const InclusionStatement& change);

struct ProvenRecord {
  Checkpoint checkpoint;
  std::string key;  // verifier key that signed it
};

// `public_key` is a verifier key's line or PEM: of the checkpoint's key or of an older one that the hand-overs lead
// from. The error is a sentence.
Result<ProvenRecord, std::string> check_proof(const ProofFile& file, std::string_view public_key);

}  // namespace sallyport::audit
