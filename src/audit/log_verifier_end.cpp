// The end of a verification: keys and their changes, signatures, and what all of it proves.
#include <algorithm>
#include <set>
#include <utility>

#include "audit/canonical_json.h"
#include "audit/cosignature.h"
#include "audit/log_verifier.h"

namespace sallyport::audit {
namespace {

// Empty when the record has no such text.
std::string text_in(std::string_view record, std::string_view name) {
  std::string_view text = find_member(record, name);
  return text.starts_with('"') ? unescaped(text) : std::string();
}

// What is left of `spans` (ascending, apart) without `removed`.
std::vector<RecordSpan> without(const std::vector<RecordSpan>& spans, RecordSpan removed) {
  std::vector<RecordSpan> rest;
  for (RecordSpan span : spans) {
    RecordSpan before{span.first, std::min(span.end, removed.first)};
    RecordSpan behind{std::max(span.first, removed.end), span.end};
    if (removed.first >= removed.end || removed.end <= span.first || removed.first >= span.end) {
      rest.push_back(span);
      continue;
    }
    if (before.first < before.end) {
      rest.push_back(before);
    }
    if (behind.first < behind.end) {
      rest.push_back(behind);
    }
  }
  return rest;
}

std::string covering(std::uint64_t size) {
  return "of " + std::to_string(size) + " records";
}

}  // namespace

std::optional<NoteKey> LogVerifier::given_key() {
  for (const Mark& mark : marks_) {
    if (!mark.saved) {
      report_.origin = mark.read.checkpoint.origin;
    }
  }
  // A PEM file has no name: it is the log's own.
  std::string name = report_.origin;
  if (name.empty() && !marks_.empty()) {
    name = marks_.front().read.checkpoint.origin;
  }
  bool is_pem = input_.public_key.find("-----BEGIN") != std::string::npos;
  auto key = is_pem ? NoteKey::from_pem(input_.public_key, name) : NoteKey::parse(input_.public_key);
  if (!key) {
    if (!is_pem || !name.empty()) {
      find(FindingCode::key_unusable, "", std::nullopt,
           "the public key can't be used: it is " + std::string(describe(key.error())));
    }
    return std::nullopt;
  }
  return std::move(*key);
}

void LogVerifier::take_key_change(const NumberedRecord& record) {
  auto previous = NoteKey::parse(text_in(record.text, "previous_key"));
  auto next = NoteKey::parse(text_in(record.text, "key"));
  if (!previous || !next) {
    find(FindingCode::key_change_unproven, "", RecordSpan{record.index, record.index + 1},
         "record " + std::to_string(record.index) + " tells of a change of key, and doesn't name both keys");
    return;
  }
  add_key_change({.index = record.index, .previous = std::move(*previous), .next = std::move(*next)});
}

void LogVerifier::add_key_change(HandOver change) {
  std::uint64_t index = change.index;
  if (key_changes_.size() < hand_overs_max) {
    key_changes_.try_emplace(index, std::move(change));
    return;
  }
  find(FindingCode::key_change_unproven, "", RecordSpan{index, index + 1},
       "record " + std::to_string(index) + " tells of another change of key than the first " +
           std::to_string(hand_overs_max) + ", which are all that are followed");
}

void LogVerifier::hand_overs(std::string_view lines) {
  for (std::size_t number = 1; !lines.empty(); ++number) {
    std::string_view line = lines.substr(0, std::min(lines.find('\n'), lines.size() - 1) + 1);
    lines.remove_prefix(line.size());
    auto statement = parse_statement(line);
    auto change = statement && line.ends_with('\n') ? open_hand_over(*statement)
                                                    : Unexpected(std::string("it is no line that a gateway writes"));
    if (!change) {
      find(FindingCode::key_change_unproven, "hand-overs", std::nullopt,
           "hand-overs, line " + std::to_string(number) + ", hands nothing over: " + change.error());
      continue;
    }
    // Of a record that is there the record itself counts.
    bool is_deleted = std::ranges::any_of(report_.pruned, [&](const PrunedRange& range) {
      return range.records.first <= change->index && change->index < range.records.end;
    });
    if (is_deleted && contradicts(*change, *statement)) {
      find(FindingCode::key_change_unproven, "hand-overs", RecordSpan{change->index, change->index + 1},
           "hand-overs, line " + std::to_string(number) + ", hands nothing over: of record " +
               std::to_string(change->index) + " the log, or a line before, says something else");
    } else if (is_deleted && kept_hand_overs_.insert(change->index).second) {
      add_key_change(std::move(*change));
    }
  }
}

std::span<const LogVerifier::Mark> LogVerifier::marks_at(std::uint64_t size) const {
  auto begin = std::ranges::lower_bound(marks_, size, {}, &Mark::size);
  return {begin, std::ranges::upper_bound(begin, marks_.end(), size, {}, &Mark::size)};
}

bool LogVerifier::contradicts(const HandOver& change, const InclusionStatement& statement) const {
  auto known = key_changes_.find(change.index);
  if (known != key_changes_.end() &&
      !(known->second.previous == change.previous && known->second.next == change.next)) {
    return true;
  }
  auto read = parse_checkpoint(statement.checkpoint);
  return std::ranges::any_of(marks_at(change.index + 1), [&](const Mark& mark) {
    return mark.agrees && read && mark.read.checkpoint.root != read->checkpoint.root;
  });
}

bool LogVerifier::is_vouched_for(const HandOver& change) const {
  if (kept_hand_overs_.contains(change.index)) {
    return true;
  }
  return std::ranges::any_of(marks_at(change.index + 1), [&](const Mark& mark) {
    return mark.agrees && mark.read.checkpoint.origin == change.previous.name() &&
           change.previous.name() == change.next.name() &&
           signed_by(mark.read.note, change.previous) == SignedBy::valid &&
           signed_by(mark.read.note, change.next) == SignedBy::valid;
  });
}

std::uint64_t LogVerifier::deleted_end() const {
  std::uint64_t end = 0;
  for (const PrunedRange& range : report_.pruned) {
    end = range.records.first == end ? range.records.end : end;
  }
  return end;
}

LogVerifier::KeyChain LogVerifier::chain_of(const NoteKey& given) {
  KeyChain chain{.changes = {}, .keys = {}, .trusted_first = 0, .trusted_end = 0};
  for (auto& [index, change] : std::exchange(key_changes_, {})) {
    chain.changes.push_back(std::move(change));
  }
  chain.deleted_keys_end = deleted_end();
  if (std::uint64_t newest = newest_own_size(); newest <= chain.deleted_keys_end) {
    chain.deleted_keys_end = newest == 0 ? 0 : newest - 1;
  }
  if (chain.changes.empty()) {
    chain.keys.push_back(&given);
    chain.trusted_end = 1;
    return chain;
  }
  chain.keys.push_back(&chain.changes.front().previous);
  std::vector<bool> linked;
  for (std::size_t i = 0; i < chain.changes.size(); ++i) {
    const HandOver& change = chain.changes[i];
    bool follows = change.previous == *chain.keys.back();
    linked.push_back(follows && is_vouched_for(change));
    if (!linked.back()) {
      find(FindingCode::key_change_unproven, "checkpoints", RecordSpan{change.index, change.index + 1},
           "record " + std::to_string(change.index) + " tells of a change of key from " +
               text_of(change.previous.id()) + " to " + text_of(change.next.id()) + ", but " +
               (follows ? "no checkpoint of " + std::to_string(change.index + 1) + " records is signed by both"
                        : "the key before was another") +
               ": the other key proves nothing");
    }
    chain.keys.push_back(&change.next);
  }
  auto known = std::ranges::find_if(chain.keys, [&](const NoteKey* key) { return *key == given; });
  if (known == chain.keys.end()) {
    find(FindingCode::key_unusable, "", std::nullopt,
         "the public key " + text_of(given.id()) + " is none that this log was ever signed with, says the log");
    return chain;
  }
  chain.trusted_first = static_cast<std::size_t>(known - chain.keys.begin());
  chain.trusted_end = chain.trusted_first + 1;
  while (chain.trusted_first > 0 && linked[chain.trusted_first - 1]) {
    --chain.trusted_first;
  }
  while (chain.trusted_end < chain.keys.size() && linked[chain.trusted_end - 1]) {
    ++chain.trusted_end;
  }
  return chain;
}

void LogVerifier::check_signature(Mark& mark, const KeyChain& chain) {
  // The keys of the log when it had so many records: one, or both at a change.
  std::size_t epoch = 0;
  while (epoch < chain.changes.size() && chain.changes[epoch].index + 1 < mark.size()) {
    ++epoch;
  }
  bool at_change = epoch < chain.changes.size() && chain.changes[epoch].index + 1 == mark.size();
  const std::string& source = mark.source;
  bool is_signed = false;
  bool is_absent = true;
  std::string why = "not signed by the key that this log had then";
  for (std::size_t i = epoch; i < epoch + (at_change ? 2U : 1U); ++i) {
    const NoteKey& key = *chain.keys[i];
    SignedBy by = key.name() == mark.read.checkpoint.origin ? signed_by(mark.read.note, key) : SignedBy::absent;
    is_absent &= by == SignedBy::absent && key.name() == mark.read.checkpoint.origin;
    bool is_trusted = i >= chain.trusted_first && i < chain.trusted_end;
    if (by == SignedBy::invalid) {
      is_signed = false;
      why = "not what key " + text_of(key.id()) + " signed: it was changed";
      break;
    }
    is_signed |= by == SignedBy::valid && is_trusted;
    if (by == SignedBy::absent && key.name() != mark.read.checkpoint.origin) {
      why = "of another log, " + mark.read.checkpoint.origin;
    }
    if (by == SignedBy::valid && is_trusted) {
      std::string line = key.to_line();
      if (std::ranges::find(report_.keys, line) == report_.keys.end()) {
        report_.keys.push_back(std::move(line));
      }
    }
  }
  bool is_single = mark.saved && !mark.list;
  bool is_of_unknown_key = is_absent && std::ranges::any_of(mark.read.note.signatures, [&](const auto& signature) {
                             return signature.name == mark.read.checkpoint.origin;
                           });
  if (!is_signed && is_of_unknown_key && epoch == 0 && !is_single && mark.size() <= chain.deleted_keys_end) {
    return;
  }
  if (!is_signed) {
    find(FindingCode::checkpoint_unsigned, source, std::nullopt,
         source + ", a checkpoint " + covering(mark.size()) + ", is " + why + ". It proves nothing");
    return;
  }
  mark.trusted = true;
}

void LogVerifier::finish_signatures() {
  auto given = given_key();
  if (!given) {
    return;
  }
  KeyChain chain = chain_of(*given);
  for (Mark& mark : marks_) {
    check_signature(mark, chain);
  }
}

void LogVerifier::finish_own_marks() {
  std::uint64_t newest = newest_own_size();
  if (std::max(newest, position_) == 0) {
    find(FindingCode::records_missing, "", std::nullopt,
         "there are no records, not even the one with which each log begins");
  }
  if (newest > position_) {
    RecordSpan missing{position_, newest};
    find(FindingCode::records_missing, "checkpoint", missing,
         "the log ends before record " + std::to_string(position_) + ", but a checkpoint covers " +
             std::to_string(newest) + ": the last " + std::to_string(missing.end - missing.first) + " are missing");
  }
  std::uint64_t current = 0;
  for (const Mark& mark : marks_) {
    current = mark.source == "checkpoint" && !mark.saved ? std::max(current, mark.size()) : current;
  }
  if (current < newest && !input_.checkpoint.empty()) {
    find(FindingCode::checkpoint_outdated, "checkpoint", std::nullopt,
         "checkpoint covers " + std::to_string(current) + " records, and checkpoints has one of " +
             std::to_string(newest) + ": an older one was put in its place");
  }
  if (position_ > newest) {
    RecordSpan tail{newest, position_};
    find(FindingCode::records_unproven, files_of(tail), tail,
         std::to_string(tail.end - tail.first) + " records, from " + std::to_string(tail.first) + " to the end in " +
             files_of(tail) + ", are behind the last checkpoint: nothing is signed of them");
  }
  bool compared = std::ranges::any_of(
      marks_, [&](const Mark& mark) { return !mark.saved && mark.size() == newest && mark.agrees; });
  if (newest <= position_ && newest > agreed_ && !compared && !diverged_ && !broken_) {
    find(FindingCode::records_unproven, "checkpoint", RecordSpan{agreed_, newest},
         "the newest checkpoint, " + covering(newest) + ", ends within records that were deleted");
  }
}

void LogVerifier::finish_saved_marks() {
  std::vector<std::uint64_t> newest_of_list(input_.copies.size() + 1);
  for (const Mark& mark : marks_) {
    if (mark.list && mark.trusted && mark.agrees) {
      newest_of_list[*mark.list] = std::max(newest_of_list[*mark.list], mark.size());
    }
  }
  std::uint64_t deleted = deleted_end();
  for (const Mark& mark : marks_) {
    if (!mark.saved || !mark.trusted || mark.agrees) {
      continue;
    }
    if (mark.size() > position_) {
      RecordSpan missing{position_, mark.size()};
      find(FindingCode::records_missing, mark.source, missing,
           "the log has " + std::to_string(position_) + " records, but " + mark.source + " was signed when it had " +
               std::to_string(mark.size()) + ": the last " + std::to_string(missing.end - missing.first) +
               " were cut off, or an older state of the log was put in its place");
      continue;
    }
    bool in_pruned = std::ranges::any_of(report_.pruned, [&](const PrunedRange& range) {
      return range.records.first < mark.size() && mark.size() < range.records.end;
    });
    if (in_pruned && mark.size() <= deleted && mark.list && newest_of_list[*mark.list] > mark.size()) {
      continue;  // a newer one of the same witness says more, and no record is left of which only this one would
    }
    if (broken_ || in_pruned) {
      find(FindingCode::records_unproven, mark.source, std::nullopt,
           mark.source + " can't be compared with the log: " +
               (in_pruned ? "the records at which it was signed were deleted" : "records before it are missing"));
      continue;
    }
    find(FindingCode::history_rewritten, mark.source, RecordSpan{0, mark.size()},
         "history was rewritten: " + mark.source + ", signed over the first " + std::to_string(mark.size()) +
             " records, was signed over others than the log has");
  }
}

void LogVerifier::finish_witnesses() {
  for (std::size_t list = 0; list < input_.copies.size(); ++list) {
    WitnessReport report{.name = input_.copies[list].name};
    for (const Mark& mark : marks_) {
      if (mark.list == list && mark.trusted && mark.agrees) {
        report.covered = std::max(report.covered, mark.size());
        ++report.checkpoints;
      }
    }
    report_.witnesses.push_back(std::move(report));
  }
  for (const std::string& line : input_.witness_keys) {
    auto key = WitnessKey::parse(line);
    if (!key) {
      find(FindingCode::key_unusable, "", std::nullopt,
           "the witness' key can't be used: it is " + std::string(describe(key.error())));
      continue;
    }
    WitnessReport report{.name = key->name()};
    for (const Mark& mark : marks_) {
      auto time = mark.trusted && mark.agrees ? key->cosigned_at(mark.read.note) : std::nullopt;
      if (time) {
        report.covered = std::max(report.covered, mark.size());
        report.time = std::max(report.time.value_or(0), *time);
        ++report.checkpoints;
      }
    }
    report_.witnesses.push_back(std::move(report));
  }
  for (const WitnessReport& report : report_.witnesses) {
    if (report.checkpoints == 0) {
      find(FindingCode::witness_missing, "", std::nullopt,
           "witness " + report.name + " has no checkpoint that this log goes on from");
    }
  }
}

void LogVerifier::finish_pruned() {
  for (const auto& [first, end] : unexplained_) {
    RecordSpan span{first, end};
    find(FindingCode::pruned_unexplained, files_of(span), span,
         "records " + std::to_string(span.first) + " to " + std::to_string(span.end - 1) +
             " are not there, and no record tells that the gateway deleted them");
  }
}

void LogVerifier::finish_summary() {
  for (const Mark& mark : marks_) {
    if (mark.trusted && mark.agrees) {
      ++report_.checkpoints;
      report_.proven_end = std::max(report_.proven_end, mark.size());
    }
  }
  std::vector<RecordSpan> proven;
  if (report_.proven_end != 0) {
    proven.push_back({0, report_.proven_end});
  }
  for (const PrunedRange& range : report_.pruned) {
    proven = without(proven, range.records);
  }
  for (RecordSpan span : altered_) {
    proven = without(proven, span);
  }
  report_.proven = std::move(proven);
  if (auto time = times_.find(report_.proven_end); time != times_.end()) {
    report_.time_last = time->second;
  }
}

}  // namespace sallyport::audit
