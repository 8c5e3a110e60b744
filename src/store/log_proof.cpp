#include "store/log_proof.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "audit/canonical_json.h"
#include "audit/log_scan.h"
#include "audit/proof.h"
#include "audit/range_json.h"
#include "base/json_text.h"
#include "store/hand_overs.h"
#include "store/log_directory.h"
#include "store/segment_reader.h"

namespace sallyport::store {
namespace {

constexpr std::size_t tree_bytes_max = 64U << 10;
constexpr std::size_t checkpoints_bytes_max = 256U << 20;
constexpr Milliseconds poll_interval{50};

// A record that is to be proven, in the tree of a checkpoint.
struct Wanted {
  std::string note;
  audit::Checkpoint checkpoint;
  std::uint64_t index;
};

class Prover {
 public:
  explicit Prover(const std::filesystem::path& directory) : directory_(directory) {}

  void want(Wanted wanted) {
    std::uint64_t size = wanted.checkpoint.size;
    cuts_.push_back(wanted.index);
    cuts_.push_back(wanted.index + 1);
    cuts_.push_back(size);
    for (const audit::Node& node : audit::inclusion_nodes(wanted.index, size)) {
      cuts_.push_back(node.first);
      cuts_.push_back(node.end);
    }
    end_ = std::max(end_, size);
    records_[wanted.index];
    wanted_.push_back(std::move(wanted));
  }

  // Once, behind want(). Of a segment that can't be read counts what its tree file declares; the segments behind one
  // that has none are not known.
  Result<Unit, std::string> load() {
    std::ranges::sort(cuts_);
    cuts_.erase(std::unique(cuts_.begin(), cuts_.end()), cuts_.end());
    auto log = list_log(directory_);
    if (!log) {
      return Unexpected(std::move(log).error());
    }
    for (const SegmentEntry& entry : log->segments) {
      bool is_segment = entry.has_records() || entry.has(SegmentFile::tree);
      if (is_segment && known_.size() < end_ && !add_segment(entry.first)) {
        break;
      }
    }
    return Unit{};
  }

  // After load(), of one that is wanted.
  Result<audit::InclusionStatement, std::string> statement_of(const Wanted& wanted) const {
    if (const Fault* fault = fault_within({wanted.index, wanted.index + 1})) {
      return Unexpected(fault->text);
    }
    audit::InclusionStatement statement{
        .checkpoint = wanted.note, .index = wanted.index, .proof = {}, .record = records_.at(wanted.index)};
    for (const audit::Node& node : audit::inclusion_nodes(wanted.index, wanted.checkpoint.size)) {
      auto hash = known_.hash_of(node);
      if (!hash) {
        const Fault* fault = fault_within({node.first, node.end});
        return Unexpected(fault != nullptr ? fault->text
                                           : "the log has no records " + std::to_string(node.first) + " to " +
                                                 std::to_string(node.end - 1) + ". `sallyport audit verify` says more");
      }
      statement.proof.push_back(*hash);
    }
    auto root = audit::root_by_inclusion(audit::leaf_hash(statement.record), wanted.index, wanted.checkpoint.size,
                                         statement.proof);
    if (root != wanted.checkpoint.root) {
      return Unexpected("record " + std::to_string(wanted.index) +
                        " can't be proven: the log is not as it was signed. `sallyport audit verify` says more");
    }
    return statement;
  }

  // After load(): those of what is wanted, but for the first ones, that are changes of key.
  ProvenHandOvers hand_overs(std::size_t behind) const {
    ProvenHandOvers found;
    for (auto one = wanted_.begin() + static_cast<std::ptrdiff_t>(behind); one != wanted_.end(); ++one) {
      auto statement = statement_of(*one);
      bool is_new = found.proven.empty() || found.proven.back().index != one->index;
      if (!statement && is_new && found.fault.empty()) {
        found.fault = std::move(statement).error();
      } else if (statement && is_new && open_hand_over(*statement)) {
        found.proven.push_back(std::move(*statement));
      }
    }
    return found;
  }

 private:
  // Records that can't be read.
  struct Fault {
    audit::RecordSpan records;
    std::string text;
  };

  const Fault* fault_within(audit::RecordSpan span) const {
    auto found = std::ranges::find_if(
        faults_, [&](const Fault& fault) { return fault.records.first < span.end && span.first < fault.records.end; });
    return found == faults_.end() ? nullptr : &*found;
  }

  // Whether a cut is within one of the complete subtrees of which the range has only the hash.
  bool cuts_through_subtree(const audit::Range& range) const {
    return std::ranges::any_of(audit::subtrees_of(range.first, range.end), [&](const audit::Subtree& subtree) {
      auto cut = std::ranges::upper_bound(cuts_, subtree.first);
      return cut != cuts_.end() && *cut < subtree.first + subtree.size();
    });
  }

  // False when nothing can follow on it.
  bool add_segment(std::uint64_t first) {
    if (first != known_.size()) {
      faults_.push_back({.records = {known_.size(), UINT64_MAX},
                         .text = "the segment before record " + std::to_string(first) + " ends at " +
                                 std::to_string(known_.size()) + ". `sallyport audit verify` says more"});
      return false;
    }
    auto tree = read_small_file(directory_ / name_of(SegmentFile::tree, first), tree_bytes_max);
    auto declared = tree && *tree ? audit::parse_segment_range(**tree) : std::nullopt;
    if (declared && declared->range.first != first) {
      declared.reset();
    }
    bool is_cut = declared && cuts_through_subtree(declared->range);
    // The record itself may be the whole segment.
    auto record = records_.lower_bound(first);
    bool has_record = declared && record != records_.end() && record->first < declared->range.end;
    if (declared && !is_cut && !has_record) {
      return known_.append(declared->range);
    }
    auto ranges = read_segment(first, declared ? std::optional(declared->range.end) : std::nullopt);
    if (!ranges) {
      faults_.push_back({.records = {first, declared ? declared->range.end : UINT64_MAX}, .text = ranges.error()});
      return declared && known_.append(declared->range);
    }
    for (const audit::Range& range : *ranges) {
      known_.append(range);
    }
    return true;
  }

  // The ranges between the cuts.
  Result<std::vector<audit::Range>, std::string> read_segment(std::uint64_t first, std::optional<std::uint64_t> end) {
    auto reader = SegmentReader::open(directory_, first);
    if (!reader) {
      bool is_deleted = end && reader.error().kind == SegmentError::Kind::absent;
      return Unexpected(reader.error().text + (is_deleted ? ". They were deleted, and can't be proven" : ""));
    }
    std::vector<audit::Range> ranges;
    while (true) {
      auto chunk = reader->next();
      if (!chunk) {
        return Unexpected(std::move(chunk).error().text);
      }
      if (chunk->empty()) {
        break;
      }
      for (audit::ScannedRange& part : audit::scan_records(chunk->lines, chunk->index, cuts_).ranges) {
        ranges.push_back(std::move(part.range));
      }
      keep_records(*chunk);
    }
    if (end && reader->position() != *end) {
      return Unexpected(reader->file().filename().string() + " has other records than " +
                        name_of(SegmentFile::tree, first) + " says. `sallyport audit verify` says more");
    }
    return ranges;
  }

  void keep_records(const LineChunk& chunk) {
    std::string_view rest = chunk.lines;
    std::uint64_t index = chunk.index;
    for (auto record = records_.lower_bound(index);
         record != records_.end() && record->first < chunk.index + chunk.count; ++record) {
      for (; index < record->first; ++index) {
        rest.remove_prefix(rest.find('\n') + 1);
      }
      record->second = rest.substr(0, rest.find('\n'));
    }
  }

  const std::filesystem::path& directory_;
  std::vector<Wanted> wanted_;
  std::vector<std::uint64_t> cuts_;
  std::uint64_t end_ = 0;
  std::map<std::uint64_t, std::string> records_;
  audit::KnownRanges known_;
  std::vector<Fault> faults_;
};

Result<audit::SignedCheckpoint, std::string> covering_checkpoint(const std::filesystem::path& directory,
                                                                 std::uint64_t index, Milliseconds patience,
                                                                 std::string& note) {
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    auto text = read_small_file(directory / std::string(checkpoint_file), audit::note_bytes_max);
    if (!text) {
      return Unexpected(std::move(text).error());
    }
    if (!*text) {
      return Unexpected(directory.string() + " has no checkpoint: it is no audit log, or nothing was signed yet");
    }
    auto read = audit::parse_checkpoint(**text);
    if (!read) {
      return Unexpected(std::string(checkpoint_file) + " is " + std::string(describe(read.error())));
    }
    if (read->checkpoint.size > index) {
      note = std::move(**text);
      return std::move(*read);
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return Unexpected("the newest checkpoint covers the records 0 to " + std::to_string(read->checkpoint.size) +
                        " (not included): record " + std::to_string(index) + " can't be proven yet");
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

// Whether the record's segment was not deleted.
bool has_record(const LogDirectory& log, std::uint64_t index) {
  bool found = false;
  for (const SegmentEntry& entry : log.segments) {
    bool is_segment = entry.has_records() || entry.has(SegmentFile::tree);
    found = is_segment && entry.first <= index ? entry.has_records() : found;
  }
  return found;
}

// Of each change of key before record `end` whose record is there the checkpoint that both keys signed, oldest first.
// Whether its last record tells of one is seen later.
Result<std::vector<Wanted>, std::string> notes_of_two_keys(const LogDirectory& log, std::uint64_t end) {
  auto text = read_small_file(log.path / std::string(checkpoints_file), checkpoints_bytes_max);
  if (!text) {
    return Unexpected(std::move(text).error());
  }
  std::vector<Wanted> found;
  std::string list = text->value_or("");
  for (std::string_view note : audit::split_notes(list).notes) {
    auto read = audit::parse_checkpoint(note);
    if (!read) {
      continue;
    }
    const audit::Checkpoint& checkpoint = read->checkpoint;
    std::vector<audit::KeyId> signers;
    for (const audit::NoteSignature& signature : read->note.signatures) {
      if (signature.name == checkpoint.origin && std::ranges::find(signers, signature.id) == signers.end()) {
        signers.push_back(signature.id);
      }
    }
    bool may_be_change = signers.size() >= 2 && checkpoint.size != 0 && checkpoint.size <= end;
    if (may_be_change && has_record(log, checkpoint.size - 1)) {
      found.push_back({.note = std::string(note), .checkpoint = checkpoint, .index = checkpoint.size - 1});
    }
  }
  std::ranges::stable_sort(found, {}, &Wanted::index);
  return found;
}

}  // namespace

Result<std::optional<std::uint64_t>, std::string> find_record(const std::filesystem::path& directory,
                                                              std::string_view session, std::uint64_t seq) {
  if (!is_utf8(session)) {
    return std::optional<std::uint64_t>{};
  }
  std::string quoted;
  append_json_string(quoted, session);
  std::string member = "\"session\":" + quoted;
  std::string number = std::to_string(seq);
  auto log = list_log(directory);
  if (!log) {
    return Unexpected(std::move(log).error());
  }
  for (const SegmentEntry& entry : log->segments) {
    auto reader = entry.has_records() ? SegmentReader::open(directory, entry.first)
                                      : Result<SegmentReader, SegmentError>(
                                            Unexpected(SegmentError{.kind = SegmentError::Kind::absent, .text = {}}));
    while (reader) {
      auto chunk = reader->next();
      if (!chunk) {
        return Unexpected(std::move(chunk).error().text);
      }
      if (chunk->empty()) {
        break;
      }
      std::size_t at = 0;
      while ((at = chunk->lines.find(member, at)) != std::string_view::npos) {
        std::size_t begin = chunk->lines.rfind('\n', at) + 1;  // npos + 1 is 0
        std::size_t end = chunk->lines.find('\n', at);
        audit::RecordOutline outline;
        bool canonical = !audit::check_canonical_object(chunk->lines.substr(begin, end - begin), outline);
        if (canonical && outline.session == quoted && outline.seq == number) {
          auto before = std::ranges::count(chunk->lines.substr(0, begin), '\n');
          return std::optional(chunk->index + static_cast<std::uint64_t>(before));
        }
        at = end;
      }
    }
    if (!reader && reader.error().kind != SegmentError::Kind::absent) {
      return Unexpected(reader.error().text);
    }
  }
  return std::optional<std::uint64_t>{};
}

ProvenHandOvers prove_hand_overs(const std::filesystem::path& directory, std::uint64_t end) {
  auto log = list_log(directory);
  auto notes = log ? notes_of_two_keys(*log, end) : Unexpected(std::move(log).error());
  if (!notes || notes->empty()) {
    return {.proven = {}, .fault = notes ? std::string() : std::move(notes).error()};
  }
  Prover prover(directory);
  for (Wanted& note : *notes) {
    prover.want(std::move(note));
  }
  auto loaded = prover.load();
  return loaded ? prover.hand_overs(0) : ProvenHandOvers{.proven = {}, .fault = std::move(loaded).error()};
}

Result<audit::ProofFile, std::string> prove_record(const std::filesystem::path& directory, std::uint64_t index,
                                                   Milliseconds patience) {
  std::string note;
  auto newest = covering_checkpoint(directory, index, patience, note);
  if (!newest) {
    return Unexpected(std::move(newest).error());
  }
  auto log = list_log(directory);
  if (!log) {
    return Unexpected(std::move(log).error());
  }
  auto kept = read_hand_overs(directory);
  auto changes = notes_of_two_keys(*log, newest->checkpoint.size);
  if (!kept || !changes) {
    return Unexpected(!kept ? std::move(kept).error() : std::move(changes).error());
  }
  Prover prover(directory);
  Wanted wanted{.note = std::move(note), .checkpoint = newest->checkpoint, .index = index};
  prover.want(wanted);
  for (Wanted& change : *changes) {
    prover.want(std::move(change));
  }
  if (auto loaded = prover.load(); !loaded) {
    return Unexpected(std::move(loaded).error());
  }
  auto statement = prover.statement_of(wanted);
  if (!statement) {
    return Unexpected(std::move(statement).error());
  }
  audit::ProofFile file{.statement = std::move(*statement), .hand_overs = proven_hand_overs(*kept)};
  std::erase_if(file.hand_overs,
                [&](const audit::InclusionStatement& change) { return has_record(*log, change.index); });
  std::ranges::move(prover.hand_overs(1).proven, std::back_inserter(file.hand_overs));
  std::ranges::sort(file.hand_overs, {}, &audit::InclusionStatement::index);
  return file;
}

}  // namespace sallyport::store
