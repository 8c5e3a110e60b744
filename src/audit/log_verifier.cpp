#include "audit/log_verifier.h"

#include <algorithm>
#include <array>
#include <utility>

#include "audit/canonical_json.h"
#include "base/check.h"

namespace sallyport::audit {
namespace {

constexpr std::array<std::string_view, 22> code_names{
    "checkpoint_missing",  "checkpoint_malformed", "checkpoint_unsigned", "checkpoint_outdated", "key_unusable",
    "key_change_unproven", "records_altered",      "history_rewritten",   "records_missing",     "records_unproven",
    "record_unfinished",   "record_malformed",     "segment_unreadable",  "segment_misplaced",   "tree_missing",
    "tree_malformed",      "tree_altered",         "pruned_unexplained",  "answer_missing",      "answer_altered",
    "answer_key_missing",  "witness_missing"};

constexpr std::string_view own_checkpoint = "checkpoint";

std::string phrase_of(RecordSpan span) {
  if (span.end == span.first) {
    return "no records";
  }
  if (span.end == span.first + 1) {
    return "record " + std::to_string(span.first);
  }
  return "records " + std::to_string(span.first) + " to " + std::to_string(span.end - 1);
}

std::string tree_file_of(std::string_view records_file) {
  std::size_t dash = records_file.find('-');
  std::size_t dot = records_file.find('.');
  return dash == std::string_view::npos || dot == std::string_view::npos || dot < dash
             ? std::string(records_file)
             : "tree" + std::string(records_file.substr(dash, dot - dash)) + ".json";
}

}  // namespace

std::string_view name_of(FindingCode code) {
  return code_names[static_cast<std::size_t>(code)];
}

LogVerifier::LogVerifier(Input input) : input_(std::move(input)) {
  read_checkpoints();
  compute_cuts();
  compare_roots();
}

void LogVerifier::find(FindingCode code, std::string file, std::optional<RecordSpan> records, std::string text) {
  if (report_.findings.size() == VerificationReport::findings_max) {
    ++report_.findings_left_out;
    return;
  }
  report_.findings.push_back({.code = code, .file = std::move(file), .records = records, .text = std::move(text)});
}

void LogVerifier::fault(FindingCode code, std::string file, std::string text, std::optional<RecordSpan> records) {
  find(code, std::move(file), records, std::move(text));
}

bool LogVerifier::add_mark(std::string source, std::string_view note, bool saved) {
  auto read = parse_checkpoint(note);
  if (!read) {
    std::string text = source + " is " + std::string(describe(read.error())) + ": it proves nothing";
    find(FindingCode::checkpoint_malformed, std::move(source), std::nullopt, std::move(text));
    return false;
  }
  marks_.push_back({.source = std::move(source), .read = std::move(*read), .saved = saved});
  return true;
}

void LogVerifier::read_checkpoints() {
  if (input_.checkpoint.empty()) {
    find(FindingCode::checkpoint_missing, std::string(own_checkpoint), std::nullopt,
         "there is no checkpoint: nothing says how many records there have to be");
  } else {
    add_mark(std::string(own_checkpoint), input_.checkpoint, false);
  }
  NoteList list = split_notes(input_.checkpoints);
  for (std::size_t i = 0; i < list.notes.size(); ++i) {
    add_mark("checkpoints, note " + std::to_string(i + 1), list.notes[i], false);
  }
  if (list.taken != input_.checkpoints.size()) {
    find(FindingCode::checkpoint_malformed, "checkpoints", std::nullopt,
         "checkpoints ends in " + std::to_string(input_.checkpoints.size() - list.taken) +
             " bytes that are no whole note: it was cut off or changed");
  }
  for (const SavedCheckpoint& saved : input_.saved) {
    add_mark(saved.name, saved.note, true);
  }
  for (std::size_t i = 0; i < input_.copies.size(); ++i) {
    add_notes(input_.copies[i].name, input_.copies[i].note, i);
  }
  if (!input_.witness_keys.empty()) {
    add_notes("cosigned", input_.cosigned, input_.copies.size());
  }
}

// Of a list that is kept elsewhere, or that anybody may have written.
void LogVerifier::add_notes(const std::string& source, std::string_view notes, std::size_t list) {
  NoteList split = split_notes(notes);
  for (std::size_t i = 0; i < split.notes.size(); ++i) {
    if (add_mark(source + ", note " + std::to_string(i + 1), split.notes[i], true)) {
      marks_.back().list = list;
    }
  }
  if (split.taken != notes.size()) {
    find(FindingCode::checkpoint_malformed, source, std::nullopt,
         source + " ends in " + std::to_string(notes.size() - split.taken) +
             " bytes that are no whole note: it was cut off or changed");
  }
}

void LogVerifier::compute_cuts() {
  std::ranges::stable_sort(marks_, {}, &Mark::size);
  cuts_.clear();
  for (const Mark& mark : marks_) {
    if (cuts_.empty() || cuts_.back() != mark.size()) {
      cuts_.push_back(mark.size());
    }
  }
}

std::uint64_t LogVerifier::newest_own_size() const {
  std::uint64_t size = 0;
  for (const Mark& mark : marks_) {
    size = mark.saved ? size : std::max(size, mark.size());
  }
  return size;
}

std::string LogVerifier::files_of(RecordSpan records) const {
  std::string names;
  auto behind = files_.lower_bound(records.end);
  for (auto at = behind; at != files_.begin();) {
    --at;
    names = names.empty() ? at->second : at->second + (at->first <= records.first ? " to " : " ") + names;
    if (at->first <= records.first) {
      break;
    }
    names = names.substr(names.rfind(' ') + 1);  // of several, the first and the last
  }
  return names;
}

// The next records are those from `first` on.
void LogVerifier::move_to(std::uint64_t first, const std::string& file) {
  files_[first] = file;
  if (first == position_) {
    return;
  }
  if (declared_ && declared_->size() == first) {
    // Only the records of the segment before are other ones, says its tree file, and the next one follows on that.
    std::uint64_t found = position_;
    adopt_declared();
    position_ = first;
    find(FindingCode::segment_misplaced, file, RecordSpan{std::min(found, first), std::max(found, first)},
         file + " begins with record " + std::to_string(first) + ", but the records before it end at " +
             std::to_string(found) + ": " + (found < first ? "some were removed" : "some were inserted"));
    return;
  }
  if (first > position_) {
    RecordSpan missing{position_, first};
    find(FindingCode::records_missing, file, missing,
         phrase_of(missing) + " are not there, nor a tree file in their place: " + file +
             " does not follow on what is before it, and nothing from there on can be proven");
  } else {
    find(FindingCode::segment_misplaced, file, RecordSpan{first, position_},
         file + " begins with record " + std::to_string(first) + ", which the segment before it has already");
  }
  broken_ = true;
  declared_.reset();
  position_ = first;
}

void LogVerifier::begin_segment(std::uint64_t first, std::string file) {
  compare_pending();
  move_to(first, file);
  segment_ = Segment{.first = first,
                     .file = std::move(file),
                     .before = tree_,
                     .declared_before = declared_,
                     .range = RangeTree(first),
                     .time_first = {},
                     .time_last = {}};
}

void LogVerifier::take(const RecordScan& scan) {
  SALLYPORT_CHECK(scan.first == position_);
  if (scan.count != 0 && position_ == segment_.first) {
    segment_.time_first = scan.time_first;
  }
  if (scan.count != 0 && report_.records == 0) {
    report_.time_first = scan.time_first;
  }
  report_.records += scan.count;
  for (const ScannedRange& part : scan.ranges) {
    compare_pending();
    SALLYPORT_CHECK(segment_.range.append_range(part.range));
    if (!broken_) {
      SALLYPORT_CHECK(tree_.append_range(part.range));
    }
    if (declared_ && !declared_->append_range(part.range)) {
      declared_.reset();
    }
    position_ = part.range.end;
    segment_.time_last = part.time_last;
    if (std::ranges::binary_search(cuts_, position_)) {
      times_[position_] = part.time_last;
      pending_ = true;  // at a segment's end its tree file may help
    }
  }
  for (const NumberedRecord& record : scan.key_changes) {
    take_key_change(record);
  }
  for (RecordSpan deleted : scan.deletions) {
    explain(deleted);
  }
  for (const RecordFault& one : scan.faults) {
    find(FindingCode::record_malformed, segment_.file, RecordSpan{one.index, one.index + 1},
         "record " + std::to_string(one.index) + " in " + segment_.file + " is not as the format asks: " + one.what);
  }
  if (scan.fault_count > scan.faults.size()) {
    find(FindingCode::record_malformed, segment_.file, RecordSpan{scan.first, scan.first + scan.count},
         "and " + std::to_string(scan.fault_count - scan.faults.size()) + " more of " +
             phrase_of({scan.first, scan.first + scan.count}));
  }
}

// A record tells of what is deleted before it: that was come by already.
void LogVerifier::explain(RecordSpan deleted) {
  auto at = unexplained_.lower_bound(deleted.first);
  while (at != unexplained_.end() && at->second <= deleted.end) {
    at = unexplained_.erase(at);
  }
}

void LogVerifier::compare_pending() {
  if (std::exchange(pending_, false)) {
    compare_roots();
  }
}

// There are `position_` records now: compares the tree with the checkpoints of this size.
void LogVerifier::compare_roots() {
  auto first = std::ranges::lower_bound(marks_, position_, {}, &Mark::size);
  auto last = std::ranges::upper_bound(marks_, position_, {}, &Mark::size);
  std::span<Mark> at_size(first, last);
  if (broken_ || at_size.empty()) {
    return;
  }
  Hash root = tree_.root();
  bool any_own = false;
  bool agrees = false;
  bool declared_agrees = false;
  const Mark* against = nullptr;
  for (Mark& mark : at_size) {
    mark.agrees = mark.read.checkpoint.root == root;
    if (!mark.saved) {
      any_own = true;
      agrees |= mark.agrees;
      declared_agrees |= declared_ && declared_->root() == mark.read.checkpoint.root;
      against = mark.agrees ? against : &mark;
    }
  }
  if (!any_own) {
    return;
  }
  if (agrees) {
    resolve_doubts(FindingCode::tree_altered);
    declared_.reset();
    for (const Mark& mark : at_size) {
      if (!mark.saved && !mark.agrees) {
        find(FindingCode::history_rewritten, mark.source, RecordSpan{0, position_},
             mark.source + " and another checkpoint of " + std::to_string(position_) +
                 " records are of different records: it was forged, or two histories were signed");
      }
    }
  } else if (declared_agrees) {
    adopt_declared();
    for (Mark& mark : at_size) {
      mark.agrees = mark.read.checkpoint.root == tree_.root();
    }
  } else if (!diverged_) {
    RecordSpan records{agreed_, position_};
    altered_.push_back(records);
    find(FindingCode::records_altered, files_of(records), records,
         "of " + phrase_of(records) + " (" + files_of(records) +
             ") at least one was changed, removed, inserted or moved: the checkpoint of " + std::to_string(position_) +
             " records (" + against->source + ") is signed over others");
    diverged_ = true;
  }
  if (agrees || declared_agrees) {
    agreed_ = position_;
    diverged_ = false;
  }
}

// The tree files are right, and the records of the doubts are not those that were signed.
void LogVerifier::adopt_declared() {
  for (const Doubt& doubt : doubts_) {
    altered_.push_back(doubt.records);
  }
  resolve_doubts(FindingCode::records_altered);
  tree_ = *declared_;
  declared_.reset();
}

void LogVerifier::resolve_doubts(FindingCode code) {
  for (const Doubt& doubt : std::exchange(doubts_, {})) {
    if (code == FindingCode::tree_altered) {
      find(code, doubt.tree_file, doubt.records,
           doubt.tree_file +
               " does not have the hashes of its records, which are those that were signed: the file was "
               "changed, the records were not");
    } else {
      find(code, doubt.records_file, doubt.records,
           "of " + phrase_of(doubt.records) + " in " + doubt.records_file +
               " at least one was changed, removed, inserted or moved: " + doubt.tree_file +
               " has the hashes of those that were signed");
    }
  }
}

void LogVerifier::compare_range(const SegmentRange& declared) {
  const Range& found = segment_.range.range();
  std::string tree_file = tree_file_of(segment_.file);
  if (found == declared.range) {
    if (segment_.time_first != declared.time_first || segment_.time_last != declared.time_last) {
      find(FindingCode::tree_altered, tree_file, RecordSpan{found.first, found.end},
           tree_file + " does not have the times of its first and last record: it was changed");
    }
    return;
  }
  Doubt doubt{.records_file = segment_.file,
              .tree_file = tree_file,
              .records = {found.first, std::max(found.end, declared.range.end)}};
  std::vector<Subtree> subtrees = subtrees_of(found.first, found.end);
  bool same_place = found.end == declared.range.end;
  for (std::size_t i = 0; i < subtrees.size() && same_place; ++i) {
    if (found.hashes[i] != declared.range.hashes[i]) {
      doubt.records = {subtrees[i].first, subtrees[i].first + subtrees[i].size()};
      doubts_.push_back(doubt);
    }
  }
  if (!same_place) {
    doubts_.push_back(doubt);
  }
  Tree other = segment_.declared_before ? *segment_.declared_before : segment_.before;
  declared_.reset();
  if (!broken_ && other.append_range(declared.range)) {
    declared_ = other;
  }
}

void LogVerifier::end_segment(const std::optional<std::string>& tree, bool closed) {
  std::string tree_file = tree_file_of(segment_.file);
  if (!tree) {
    if (closed) {
      find(FindingCode::tree_missing, tree_file, RecordSpan{segment_.first, position_},
           tree_file + ", which each closed segment has, is not there");
    }
    return;
  }
  auto declared = parse_segment_range(*tree);
  if (!declared || declared->range.first != segment_.first) {
    find(FindingCode::tree_malformed, tree_file, RecordSpan{segment_.first, position_},
         tree_file + " is not what a gateway writes: it was changed or cut off");
    return;
  }
  compare_range(*declared);
  compare_pending();
}

void LogVerifier::pruned_segment(std::uint64_t first, const std::string& file, const std::string& tree) {
  compare_pending();
  move_to(first, file);
  auto declared = parse_segment_range(tree);
  if (!declared || declared->range.first != first) {
    find(FindingCode::tree_malformed, file, std::nullopt,
         file + " is not what a gateway writes: it was changed or cut off, and the records from " +
             std::to_string(first) + " on are not there");
    return;
  }
  if (!broken_) {
    SALLYPORT_CHECK(tree_.append_range(declared->range));
  }
  if (declared_ && !declared_->append_range(declared->range)) {
    declared_.reset();
  }
  position_ = declared->range.end;
  report_.pruned.push_back(
      {.records = {first, position_}, .time_first = declared->time_first, .time_last = declared->time_last});
  unexplained_[first] = position_;
  if (std::ranges::binary_search(cuts_, position_)) {
    times_[position_] = declared->time_last;
    compare_roots();
  }
}

void LogVerifier::unfinished(std::size_t bytes) {
  find(
      FindingCode::record_unfinished, segment_.file, RecordSpan{position_, position_ + 1},
      segment_.file + " ends in " + std::to_string(bytes) + " bytes behind record " +
          (position_ == 0 ? "none" : std::to_string(position_ - 1)) +
          " that are no whole record: the gateway was ended while it wrote and has not been started since, or somebody "
          "added or cut them");
}

std::optional<std::uint64_t> LogVerifier::wanted_checkpoint() const {
  std::uint64_t newest = 0;
  bool have = false;
  for (const Mark& mark : marks_) {
    if (mark.source == own_checkpoint && !mark.saved) {
      newest = std::max(newest, mark.size());
      have = true;
    }
  }
  std::uint64_t needed = std::max(position_, newest_own_size());
  return have && newest >= needed ? std::nullopt : std::optional(needed);
}

std::optional<std::uint64_t> LogVerifier::renew_checkpoint(const std::string& note, std::uint64_t size_min) {
  auto read = parse_checkpoint(note);
  if (!read || read->checkpoint.size < size_min) {
    return std::nullopt;
  }
  std::uint64_t size = read->checkpoint.size;
  add_mark(std::string(own_checkpoint), note, false);
  compute_cuts();
  if (size == position_) {
    times_[position_] = segment_.time_last;
    pending_ = true;
  }
  return size;
}

VerificationReport LogVerifier::finish() {
  compare_pending();
  for (const Doubt& doubt : std::exchange(doubts_, {})) {
    find(FindingCode::records_altered, doubt.records_file, doubt.records,
         doubt.records_file + " and " + doubt.tree_file + " do not agree on " + phrase_of(doubt.records) +
             ": one of the two was changed, and no checkpoint tells which");
    altered_.push_back(doubt.records);
  }
  finish_signatures();
  finish_own_marks();
  finish_saved_marks();
  finish_witnesses();
  finish_pruned();
  finish_summary();
  return std::move(report_);
}

}  // namespace sallyport::audit
