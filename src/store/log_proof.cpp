#include "store/log_proof.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "audit/canonical_json.h"
#include "audit/log_scan.h"
#include "audit/proof.h"
#include "audit/range_json.h"
#include "base/json_text.h"
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

  // Statements in the order of want().
  Result<std::vector<audit::InclusionStatement>, std::string> prove() {
    std::ranges::sort(cuts_);
    cuts_.erase(std::unique(cuts_.begin(), cuts_.end()), cuts_.end());
    auto log = list_log(directory_);
    if (!log) {
      return Unexpected(std::move(log).error());
    }
    for (const SegmentEntry& entry : log->segments) {
      if (known_.size() >= end_ || (!entry.has_records() && !entry.has(SegmentFile::tree))) {
        continue;
      }
      if (auto added = add_segment(entry.first); !added) {
        return Unexpected(std::move(added).error());
      }
    }
    std::vector<audit::InclusionStatement> statements;
    for (const Wanted& one : wanted_) {
      auto statement = statement_of(one);
      if (!statement) {
        return Unexpected(std::move(statement).error());
      }
      statements.push_back(std::move(*statement));
    }
    return statements;
  }

 private:
  // Whether a cut is within one of the complete subtrees of which the range has only the hash.
  bool cuts_through_subtree(const audit::Range& range) const {
    return std::ranges::any_of(audit::subtrees_of(range.first, range.end), [&](const audit::Subtree& subtree) {
      auto cut = std::ranges::upper_bound(cuts_, subtree.first);
      return cut != cuts_.end() && *cut < subtree.first + subtree.size();
    });
  }

  Result<Unit, std::string> add_segment(std::uint64_t first) {
    if (first != known_.size()) {
      return Unexpected("the segment before record " + std::to_string(first) + " ends at " +
                        std::to_string(known_.size()) + ". `sallyport audit verify` says more");
    }
    auto tree = read_small_file(directory_ / name_of(SegmentFile::tree, first), tree_bytes_max);
    if (!tree) {
      return Unexpected(std::move(tree).error());
    }
    auto declared = *tree ? audit::parse_segment_range(**tree) : std::nullopt;
    bool is_cut = declared && cuts_through_subtree(declared->range);
    // The record itself may be the whole segment.
    auto record = records_.lower_bound(first);
    bool has_record = declared && record != records_.end() && record->first < declared->range.end;
    if (declared && !is_cut && !has_record) {
      known_.append(declared->range);
      return Unit{};
    }
    auto reader = SegmentReader::open(directory_, first);
    if (!reader) {
      return Unexpected(reader.error().text + (declared ? ". They were deleted, and can't be proven" : ""));
    }
    return add_records(*reader);
  }

  Result<Unit, std::string> add_records(SegmentReader& reader) {
    while (true) {
      auto chunk = reader.next();
      if (!chunk) {
        return Unexpected(std::move(chunk).error().text);
      }
      if (chunk->empty()) {
        return Unit{};
      }
      for (const audit::ScannedRange& part : audit::scan_records(chunk->lines, chunk->index, cuts_).ranges) {
        known_.append(part.range);
      }
      keep_records(*chunk);
    }
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

  Result<audit::InclusionStatement, std::string> statement_of(const Wanted& wanted) const {
    audit::InclusionStatement statement{
        .checkpoint = wanted.note, .index = wanted.index, .proof = {}, .record = records_.at(wanted.index)};
    for (const audit::Node& node : audit::inclusion_nodes(wanted.index, wanted.checkpoint.size)) {
      auto hash = known_.hash_of(node);
      if (!hash) {
        return Unexpected("the log has no records " + std::to_string(node.first) + " to " +
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

  const std::filesystem::path& directory_;
  std::vector<Wanted> wanted_;
  std::vector<std::uint64_t> cuts_;
  std::uint64_t end_ = 0;
  std::map<std::uint64_t, std::string> records_;
  audit::KnownRanges known_;
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

// Of each change of key the checkpoint that both keys signed. Whether the record before it tells of one is seen later.
Result<std::vector<Wanted>, std::string> hand_overs_of(const std::filesystem::path& directory,
                                                       const audit::Checkpoint& newest) {
  auto text = read_small_file(directory / std::string(checkpoints_file), checkpoints_bytes_max);
  if (!text) {
    return Unexpected(std::move(text).error());
  }
  std::vector<Wanted> changes;
  std::string list = text->value_or("");
  for (std::string_view note : audit::split_notes(list).notes) {
    auto read = audit::parse_checkpoint(note);
    if (!read) {
      continue;
    }
    std::vector<audit::KeyId> signers;
    for (const audit::NoteSignature& signature : read->note.signatures) {
      if (signature.name == newest.origin && std::ranges::find(signers, signature.id) == signers.end()) {
        signers.push_back(signature.id);
      }
    }
    std::uint64_t size = read->checkpoint.size;
    if (signers.size() >= 2 && size != 0 && size <= newest.size) {
      changes.push_back({.note = std::string(note), .checkpoint = read->checkpoint, .index = size - 1});
    }
  }
  return changes;
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

Result<audit::ProofFile, std::string> prove_record(const std::filesystem::path& directory, std::uint64_t index,
                                                   Milliseconds patience) {
  std::string note;
  auto newest = covering_checkpoint(directory, index, patience, note);
  if (!newest) {
    return Unexpected(std::move(newest).error());
  }
  auto changes = hand_overs_of(directory, newest->checkpoint);
  if (!changes) {
    return Unexpected(std::move(changes).error());
  }
  Prover prover(directory);
  prover.want({.note = std::move(note), .checkpoint = newest->checkpoint, .index = index});
  for (Wanted& change : *changes) {
    prover.want(std::move(change));
  }
  auto statements = prover.prove();
  if (!statements) {
    return Unexpected(std::move(statements).error());
  }
  audit::ProofFile file{.statement = std::move(statements->front()), .hand_overs = {}};
  for (auto change = statements->begin() + 1; change != statements->end(); ++change) {
    if (audit::find_member(change->record, "type") == "\"audit_key_changed\"") {
      file.hand_overs.push_back(std::move(*change));
    }
  }
  return file;
}

}  // namespace sallyport::store
