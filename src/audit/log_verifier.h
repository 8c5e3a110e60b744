// Verifies a log of which it is told part by part, in order. docs/evidence.md says what is proven.
//
// No I/O: whoever reads the files hands over their content. Records come as scans (audit/log_scan.h), which can be made
// by several threads; everything else is little.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/log_scan.h"
#include "audit/proof_file.h"
#include "audit/range_json.h"
#include "audit/tree.h"

namespace sallyport::audit {

// Codes are stable; docs/evidence.md has them.
enum class FindingCode : std::uint8_t {
  checkpoint_missing,
  checkpoint_malformed,
  checkpoint_unsigned,
  checkpoint_outdated,
  key_unusable,
  key_change_unproven,
  records_altered,
  history_rewritten,
  records_missing,
  records_unproven,
  record_unfinished,
  record_malformed,
  segment_unreadable,
  segment_misplaced,
  tree_missing,
  tree_malformed,
  tree_altered,
  pruned_unexplained,
  answer_missing,
  answer_altered,
  answer_key_missing,
  witness_missing,
};
std::string_view name_of(FindingCode code);

struct Finding {
  FindingCode code;
  std::string file;                   // its name, or empty
  std::optional<RecordSpan> records;  // to which the fault is narrowed down
  std::string text;                   // a sentence: what was found, and what that means
};

struct PrunedRange {
  RecordSpan records;
  std::string time_first;  // as tree-FIRST.json says; not proven
  std::string time_last;
};

// Answers of which an outcome says that they are recorded.
struct AnswersReport {
  bool looked_at = false;
  std::uint64_t whole = 0;            // there, and those of which the outcome has the SHA-256
  std::uint64_t beginnings = 0;       // likewise, of which only the first bytes were recorded
  std::uint64_t bytes = 0;            // of both
  std::uint64_t sealed = 0;           // there, and of the right length; no key was given
  std::uint64_t deleted = 0;          // begun before what was deleted ends: pieces of them may be gone
  std::set<std::string> wanted_keys;  // ids, in hexadecimal
};

// What a witness says of the log: by cosignatures, or by a file of copies.
struct WitnessReport {
  std::string name;
  std::uint64_t covered = 0;               // records that its newest checkpoint covers which the log goes on from
  std::optional<std::uint64_t> time = {};  // of the newest cosignature, in seconds since 1970
  std::uint64_t checkpoints = 0;           // of it, that were accepted
};

struct VerificationReport {
  std::string origin;
  std::uint64_t records = 0;       // that were read
  std::uint64_t proven_end = 0;    // the newest signed checkpoint that agrees covers the records before this
  std::vector<RecordSpan> proven;  // which of these are there and as they were signed
  std::vector<PrunedRange> pruned;
  std::vector<std::string> keys;  // verifier keys by which checkpoints were accepted, in the order of their use
  std::size_t checkpoints = 0;    // that were accepted
  std::string time_first;         // of the first record, and of the last that the newest checkpoint covers
  std::string time_last;
  static constexpr std::size_t findings_max = 1000;
  AnswersReport answers;
  std::vector<WitnessReport> witnesses;  // one for each key and file that was given
  std::vector<Finding> findings;
  std::uint64_t findings_left_out = 0;  // beyond findings_max

  bool is_proven() const { return findings.empty(); }
};

class LogVerifier {
 public:
  // A checkpoint that was saved elsewhere, earlier or later; `name` says which.
  struct SavedCheckpoint {
    std::string name;
    std::string note;
  };
  struct Input {
    std::string public_key;  // a verifier key's line, or PEM
    std::string checkpoint;  // the file's content; empty when there is none
    std::string checkpoints;
    std::vector<SavedCheckpoint> saved;
    // Files of copies: each is a list of notes as `checkpoints` is.
    std::vector<SavedCheckpoint> copies = {};
    // Verifier keys of witnesses, lines; their cosignatures are looked for in all notes, and in `cosigned`, which is
    // the file's content.
    std::vector<std::string> witness_keys = {};
    std::string cosigned = {};
  };

  explicit LogVerifier(Input input);

  // Sizes at which the tree is to be compared: where scans are to be cut. Ascending; valid until renew_checkpoint().
  std::span<const std::uint64_t> cuts() const { return cuts_; }

  // Segments in ascending order; the records of each in order.
  void begin_segment(std::uint64_t first, std::string file);
  void take(const RecordScan& scan);
  // `tree` is the content of tree-FIRST.json; nothing where there is none, which a closed segment must have.
  void end_segment(const std::optional<std::string>& tree, bool closed);
  // A segment that has its tree-FIRST.json only.
  void pruned_segment(std::uint64_t first, const std::string& file, const std::string& tree);
  // What the reader of the files found.
  void fault(FindingCode code, std::string file, std::string text, std::optional<RecordSpan> records = std::nullopt);
  // Bytes behind the last record of a segment.
  void unfinished(std::size_t bytes);

  // Records so far.
  std::uint64_t position() const { return position_; }
  // Whether a newer `checkpoint` is needed, as there are records or older checkpoints that the one at hand doesn't
  // cover: the number of records that it has to cover at least.
  std::optional<std::uint64_t> wanted_checkpoint() const;
  // The newer content of `checkpoint`; yields how many records it covers. Nothing, and nothing is changed, when those
  // are fewer than `size_min`, or it is no checkpoint.
  std::optional<std::uint64_t> renew_checkpoint(const std::string& note, std::uint64_t size_min);

  // The content of `hand-overs`, read when the segments were: changes of key whose records were deleted.
  void hand_overs(std::string_view lines);

  VerificationReport finish();

 private:
  struct Mark {
    std::string source;  // the name of its file
    SignedCheckpoint read;
    bool saved = false;  // elsewhere
    // Which of Input::copies, or one behind these for `cosigned`, it is one of.
    std::optional<std::size_t> list = {};
    bool agrees = false;   // its root is that of the records, or of what they once were
    bool trusted = false;  // it is signed by the key of its time
    std::uint64_t size() const { return read.checkpoint.size; }
  };
  // Where a segment's records have other hashes than its tree-FIRST.json says.
  struct Doubt {
    std::string records_file;
    std::string tree_file;
    RecordSpan records;
  };
  struct Segment {
    std::uint64_t first = 0;
    std::string file;
    Tree before;                          // of all records before it
    std::optional<Tree> declared_before;  // the same of declared_
    RangeTree range{0};                   // of its records
    std::string time_first;
    std::string time_last;
  };
  // The key of each epoch between two changes, and which epochs are vouched for by the key that was given.
  struct KeyChain {
    std::vector<HandOver> changes;
    std::vector<const NoteKey*> keys;
    std::size_t trusted_first = 0;
    std::size_t trusted_end = 0;
    // Notes of at most so many records, in the log's own files and those of witnesses, may be of a key whose hand-over
    // was deleted, before hand-overs were kept. They prove nothing, and are missed no more than if they were not there.
    std::uint64_t deleted_keys_end = 0;
  };

  void read_checkpoints();
  bool add_mark(std::string source, std::string_view note, bool saved);
  void add_notes(const std::string& source, std::string_view notes, std::size_t list);
  void compute_cuts();
  std::uint64_t newest_own_size() const;
  std::span<const Mark> marks_at(std::uint64_t size) const;
  void find(FindingCode code, std::string file, std::optional<RecordSpan> records, std::string text);
  void move_to(std::uint64_t first, const std::string& file);
  void compare_roots();
  void compare_pending();
  void adopt_declared();
  void resolve_doubts(FindingCode code);
  void compare_range(const SegmentRange& declared);
  std::string files_of(RecordSpan records) const;

  std::optional<NoteKey> given_key();
  void take_key_change(const NumberedRecord& record);
  void add_key_change(HandOver change);
  bool contradicts(const HandOver& change, const InclusionStatement& statement) const;
  std::uint64_t deleted_end() const;  // all records up to there are deleted
  KeyChain chain_of(const NoteKey& given);
  bool is_vouched_for(const HandOver& change) const;
  void check_signature(Mark& mark, const KeyChain& chain);
  void finish_signatures();
  void finish_own_marks();
  void finish_saved_marks();
  void finish_witnesses();
  void finish_pruned();
  void explain(RecordSpan deleted);
  void finish_summary();

  Input input_;
  std::vector<Mark> marks_;  // by size
  std::vector<std::uint64_t> cuts_;
  std::uint64_t position_ = 0;
  Tree tree_;                     // of the records as they are
  std::optional<Tree> declared_;  // of them with a range that tree-FIRST.json says, where that is another
  std::vector<Doubt> doubts_;     // where the two differ
  std::uint64_t agreed_ = 0;      // the newest size at which the tree was that of a checkpoint of this directory
  bool pending_ = false;          // there are checkpoints of this size, which are compared before anything is added
  bool broken_ = false;           // the tree can't be known from here on, as records are missing
  bool diverged_ = false;         // a root did not agree, and that was reported
  Segment segment_;
  std::map<std::uint64_t, std::string> files_;          // of the segments, by their first record
  std::map<std::uint64_t, HandOver> key_changes_;       // by the index of their records, of hand_overs_max at most
  std::set<std::uint64_t> kept_hand_overs_;             // those of `hand-overs`
  std::map<std::uint64_t, std::uint64_t> unexplained_;  // deleted segments that no record tells of: first and end
  std::vector<RecordSpan> altered_;
  std::map<std::uint64_t, std::string> times_;  // of the last records before cuts
  VerificationReport report_;
};

}  // namespace sallyport::audit
