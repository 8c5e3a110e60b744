// Checkpoints of a log: C2SP tlog-checkpoint, https://c2sp.org/tlog-checkpoint, in a signed note. docs/audit-format.md
// says what is signed when.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/note.h"
#include "audit/tree.h"
#include "base/result.h"

namespace sallyport::audit {

struct Checkpoint {
  std::string origin;  // the log's name
  std::uint64_t size;  // the number of records that are covered
  Hash root;           // over these

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

enum class CheckpointError : std::uint8_t {
  too_large,
  malformed,          // no signed note, or one whose text isn't origin, size and root; extension lines are not taken
  unknown_signers,    // not signed by one of the keys, or the keys are of a log of another name
  invalid_signature,  // a signature that claims to be of one of the keys is not
};

// A phrase in lower case.
std::string_view describe(CheckpointError error);

// The three lines that are signed.
std::string text_of(const Checkpoint& checkpoint);
// Without trust; `text` is a note's. Error: malformed.
Result<Checkpoint, CheckpointError> parse_checkpoint_text(std::string_view text);

// A checkpoint that is read, and not trusted yet.
struct SignedCheckpoint {
  Checkpoint checkpoint;
  Note note;
};
// Errors: too_large, malformed.
Result<SignedCheckpoint, CheckpointError> parse_checkpoint(std::string_view note);

// The whole note. The origin is the name of each signer, of which there is at least one.
std::string sign(const Checkpoint& checkpoint, std::span<const NoteSigner* const> signers);

// A checkpoint that at least one of the keys, of the name that is the origin, signed.
Result<Checkpoint, CheckpointError> open(std::string_view note, std::span<const NoteKey> keys);

// The notes of the file `checkpoints`, each of which is followed by an empty line. What remains at the end without
// one (a write may have been torn) is left out; `taken` is how many bytes were not. The views are of `text`.
struct NoteList {
  std::vector<std::string_view> notes;
  std::size_t taken = 0;
};
NoteList split_notes(std::string_view text);

}  // namespace sallyport::audit
