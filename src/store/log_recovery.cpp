#include "store/log_recovery.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "audit/checkpoint.h"
#include "audit/range_json.h"
#include "audit/record_members.h"
#include "store/answer_pieces.h"
#include "store/journal_ring.h"
#include "store/log_directory.h"
#include "store/log_records.h"
#include "store/record_view.h"
#include "store/segment_reader.h"

namespace sallyport::store {
namespace {

using Failure = std::optional<std::string>;

constexpr std::size_t tree_file_bytes_max = 1U << 16;

// Of what a write that was not whole leaves behind none is one.
bool is_record(std::string_view line) {
  return line.size() >= 2 && line.front() == '{' && line.back() == '}' &&
         std::none_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

// Of a hand-over without the checkpoint of both keys, which is the first that covers it, the record is cut off as well.
// The key that such a record names.
std::optional<std::string> next_key_in(std::string_view line) {
  auto view = view_record(line);
  return view && view->is("audit_key_changed") ? std::optional(audit::text_member(line, "key").value_or(std::string{}))
                                               : std::nullopt;
}

class Recovery {
 public:
  Recovery(FileSystem& files, const std::filesystem::path& directory, std::span<const audit::NoteKey* const> keys)
      : files_(files), directory_(directory), keys_(keys) {}

  Result<RecoveredLog, std::string> run();

 private:
  Failure read_checkpoint();
  Failure take_segments();
  Failure take_range(const SegmentEntry& entry);
  Failure take_records(const SegmentEntry& entry);
  Failure close_segment(const SegmentEntry& entry);
  Failure take_answers();
  Failure compare();
  Failure choose_key();
  Failure complete_checkpoints();
  Failure take_journals();
  Failure remove_temporary_files();
  void take_record(std::string_view line);
  void note_root(const audit::Tree& tree);
  std::string mismatch(const std::string& what) const;
  std::string other_key() const;

  FileSystem& files_;
  const std::filesystem::path& directory_;
  std::span<const audit::NoteKey* const> keys_;
  LogDirectory listing_;
  RecoveredLog log_;
  std::optional<audit::Checkpoint> checkpoint_;
  std::string note_;                                 // that it stands in
  std::string handed_over_to_;                       // the key in the last record that it covers, if that changes it
  std::optional<audit::Hash> root_;                  // of the tree of as many records as the checkpoint covers
  std::map<audit::Hash, std::uint64_t> in_segment_;  // how often a record is in the open segment
};

Result<RecoveredLog, std::string> Recovery::run() {
  auto listing = list_log(directory_);
  if (!listing) {
    return Unexpected(std::move(listing).error());
  }
  listing_ = std::move(listing).value();
  for (auto step : {&Recovery::read_checkpoint, &Recovery::take_segments, &Recovery::take_answers, &Recovery::compare,
                    &Recovery::choose_key, &Recovery::complete_checkpoints, &Recovery::take_journals,
                    &Recovery::remove_temporary_files}) {
    if (Failure failure = (this->*step)()) {
      return Unexpected(*std::move(failure));
    }
  }
  return std::move(log_);
}

std::string Recovery::mismatch(const std::string& what) const {
  return "the audit log in " + directory_.string() + " is not as it was left: " + what +
         ". Find out why with 'sallyport audit verify', keep the directory as evidence, and let audit.directory be "
         "another one until then";
}

std::string Recovery::other_key() const {
  return "the newest checkpoint in " + directory_.string() +
         " was signed by another key than audit.signing_key. Set audit.previous_signing_key to the file of the key "
         "that signed so far, so that the log is handed over; a log whose key is lost can't be gone on with, so let "
         "audit.directory be another one then";
}

Failure Recovery::read_checkpoint() {
  auto text = read_small_file(directory_ / std::string(checkpoint_file), audit::note_bytes_max);
  if (!text) {
    return std::move(text).error();
  }
  if (!text->has_value()) {
    bool is_new = std::none_of(listing_.segments.begin(), listing_.segments.end(),
                               [](const SegmentEntry& entry) { return entry.has(SegmentFile::tree); }) &&
                  !std::filesystem::exists(directory_ / std::string(checkpoints_file));
    return is_new ? Failure{} : mismatch("its file 'checkpoint' is missing");
  }
  auto read = audit::parse_checkpoint(**text);
  if (!read) {
    return mismatch("its file 'checkpoint' is damaged");
  }
  if (read->checkpoint.origin != keys_.front()->name()) {
    return "the audit log in " + directory_.string() + " is that of '" + read->checkpoint.origin +
           "', and audit.origin is '" + keys_.front()->name() +
           "'. Set audit.origin to the log's name, or audit.directory to another directory";
  }
  for (std::size_t i = 0; i < keys_.size() && !log_.key; ++i) {
    if (signed_by(read->note, *keys_[i]) == audit::SignedBy::valid) {
      log_.key = i;
    }
  }
  if (!log_.key) {
    return other_key();
  }
  checkpoint_ = std::move(read->checkpoint);
  note_ = **std::move(text);
  return {};
}

// What a crash left of a note at the end would spoil the next one. And the newest checkpoint may have been one to be
// kept, such as that of a hand-over, which it is not kept as yet.
Failure Recovery::complete_checkpoints() {
  auto path = directory_ / std::string(checkpoints_file);
  auto text = read_small_file(path, checkpoints_bytes_max);
  if (!text) {
    return std::move(text).error();
  }
  std::string_view content = text->has_value() ? std::string_view(**text) : std::string_view{};
  audit::NoteList list = audit::split_notes(content);
  bool is_kept = note_.empty() || (!list.notes.empty() && list.notes.back() == note_);
  std::string entry = is_kept ? std::string{} : note_ + "\n";
  log_.checkpoints_bytes = list.taken + entry.size();
  if (list.taken == content.size() && is_kept) {
    return {};
  }
  auto done = append_behind(files_, path, list.taken, entry);
  return done ? Failure{} : Failure(done.error().text);
}

void Recovery::note_root(const audit::Tree& tree) {
  if (checkpoint_ && tree.size() == checkpoint_->size) {
    root_ = tree.root();
  }
}

Failure Recovery::take_segments() {
  std::erase_if(listing_.segments,
                [](const SegmentEntry& entry) { return !entry.has_records() && !entry.has(SegmentFile::tree); });
  note_root(log_.position.tree);
  for (const SegmentEntry& entry : listing_.segments) {
    if (entry.first != log_.position.tree.size()) {
      return mismatch("behind the record " + std::to_string(log_.position.tree.size()) + " a segment is missing");
    }
    bool is_last = &entry == &listing_.segments.back();
    Failure failure = entry.has(SegmentFile::tree) ? take_range(entry) : take_records(entry);
    if (!failure && !entry.has(SegmentFile::tree) && !is_last) {
      failure = close_segment(entry);
    }
    if (failure) {
      return failure;
    }
    if (entry.has(SegmentFile::records) && (entry.has(SegmentFile::tree) || !is_last)) {
      log_.to_compress.push_back(entry.first);
    }
    if (entry.has(SegmentFile::tree) || !is_last) {
      log_.position.segment = audit::RangeTree(log_.position.tree.size());
      log_.position.segment_bytes = 0;
      log_.position.time_first.clear();
      log_.position.time_last.clear();
      in_segment_.clear();
    }
  }
  return {};
}

// Of a closed segment the hashes are enough, unless the checkpoint ends within it, or the gateway may have ended before
// it was done with it.
Failure Recovery::take_range(const SegmentEntry& entry) {
  std::string name = name_of(SegmentFile::tree, entry.first);
  auto text = read_small_file(directory_ / name, tree_file_bytes_max);
  auto segment = text && text->has_value() ? audit::parse_segment_range(**text) : std::nullopt;
  if (!segment || segment->range.first != entry.first) {
    return mismatch("its file '" + name + "' is damaged");
  }
  bool checkpoint_is_within = checkpoint_ && checkpoint_->size > entry.first && checkpoint_->size < segment->range.end;
  if (checkpoint_is_within || entry.has(SegmentFile::records)) {
    LogPosition before = log_.position;
    if (Failure failure = take_records(entry)) {
      return failure;
    }
    if (log_.position.segment.range() != segment->range) {
      return mismatch("its file '" + name + "' does not belong to the segment");
    }
    log_.position = std::move(before);
  }
  if (!log_.position.tree.append_range(segment->range)) {
    return mismatch("its file '" + name + "' is damaged");
  }
  note_root(log_.position.tree);
  return {};
}

void Recovery::take_record(std::string_view line) {
  audit::Hash leaf = audit::leaf_hash(line);
  log_.position.tree.append(leaf);
  log_.position.segment.append(leaf);
  log_.position.segment_bytes += line.size() + 1;
  ++in_segment_[leaf];
  note_root(log_.position.tree);
}

Failure Recovery::take_records(const SegmentEntry& entry) {
  auto reader = SegmentReader::open(directory_, entry.first);
  if (!reader) {
    return std::move(reader).error().text;
  }
  log_.position.segment = audit::RangeTree(entry.first);
  log_.position.segment_bytes = 0;
  bool torn = false;
  std::optional<LogPosition> before_key_change;  // that is the last record
  for (;;) {
    auto chunk = reader->next();
    if (!chunk) {
      return std::move(chunk).error().text;
    }
    if (chunk->empty()) {
      break;
    }
    std::string_view lines = chunk->lines;
    std::string_view last;
    while (!lines.empty() && !torn) {
      std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(line.size() + 1);
      // What the checkpoint covers was on the disk; of what follows a loss of power may have left anything.
      bool covered = checkpoint_ && log_.position.tree.size() < checkpoint_->size;
      torn = !covered && !is_record(line);
      if (!torn) {
        before_key_change.reset();
        bool may_hand_over = !covered || log_.position.tree.size() + 1 == checkpoint_->size;
        auto next_key = may_hand_over ? next_key_in(line) : std::nullopt;
        if (covered && next_key) {
          handed_over_to_ = *next_key;
        }
        if (!covered && next_key) {
          before_key_change = log_.position;
          before_key_change->time_last = last.empty() ? log_.position.time_last : time_of_record(last);
        }
        if (log_.position.segment_bytes == 0) {
          log_.position.time_first = time_of_record(line);
        }
        take_record(line);
        last = line;
      }
    }
    if (!last.empty()) {
      log_.position.time_last = time_of_record(last);
    }
  }
  if (before_key_change) {
    log_.position = *std::move(before_key_change);
  }
  std::error_code ignored;
  auto size = std::filesystem::file_size(directory_ / name_of(SegmentFile::records, entry.first), ignored);
  log_.torn_bytes = ignored ? 0 : size - log_.position.segment_bytes;
  return {};
}

// A segment that another one follows, and whose hashes a crash has left out.
Failure Recovery::close_segment(const SegmentEntry& entry) {
  const audit::Range& range = log_.position.segment.range();
  if (log_.torn_bytes != 0 || range.end == range.first) {
    return mismatch("its segment " + name_of(SegmentFile::records, entry.first) + " is damaged");
  }
  audit::SegmentRange closed{
      .range = range, .time_first = log_.position.time_first, .time_last = log_.position.time_last};
  auto done = replace_file(files_, directory_ / name_of(SegmentFile::tree, entry.first), to_json_line(closed));
  return done ? Failure{} : Failure(done.error().text);
}

// Of the open segment. What a crash left of a piece would hide those that follow.
Failure Recovery::take_answers() {
  auto file = directory_ / name_of(SegmentFile::answers, log_.position.segment.range().first);
  log_.position.answers_bytes = whole_pieces_bytes(file);
  return {};
}

Failure Recovery::compare() {
  if (!checkpoint_) {
    return {};
  }
  std::uint64_t size = log_.position.tree.size();
  if (size < checkpoint_->size) {
    return mismatch("it has " + std::to_string(size) + " records, and its checkpoint covers " +
                    std::to_string(checkpoint_->size));
  }
  if (!root_) {
    return mismatch("its checkpoint ends at record " + std::to_string(checkpoint_->size) +
                    ", in a segment whose records were deleted");
  }
  if (*root_ != checkpoint_->root) {
    return mismatch("its first " + std::to_string(checkpoint_->size) + " records are not those that were signed");
  }
  return {};
}

// The checkpoint of a hand-over has signatures of both keys, and the log is the new one's.
Failure Recovery::choose_key() {
  if (handed_over_to_.empty()) {
    return {};
  }
  auto key = std::find_if(keys_.begin(), keys_.end(),
                          [&](const audit::NoteKey* one) { return one->to_line() == handed_over_to_; });
  if (key == keys_.end()) {
    return other_key();
  }
  log_.key = static_cast<std::size_t>(key - keys_.begin());
  return {};
}

Failure Recovery::take_journals() {
  std::vector<LeftFrame> frames;
  for (const std::string& name : listing_.journals) {
    auto left = read_journal(directory_ / name);
    if (!left) {
      return std::move(left).error();
    }
    log_.unreadable_journals += std::uint64_t{!left->readable};
    std::move(left->frames.begin(), left->frames.end(), std::back_inserter(frames));
  }
  std::stable_sort(frames.begin(), frames.end(), [](const LeftFrame& left, const LeftFrame& right) {
    return left.head.stamp_ns < right.head.stamp_ns;
  });
  for (const LeftFrame& frame : frames) {
    // A piece that is there twice does not follow on its answer, and is left out by readers.
    if (frame.head.kind == FrameKind::answer) {
      log_.restored_answers += frame.payload;
      continue;
    }
    std::string_view lines = frame.payload;
    while (!lines.empty()) {
      std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(std::min(lines.size(), line.size() + 1));
      auto found = in_segment_.find(audit::leaf_hash(line));
      if (found != in_segment_.end() && found->second > 0) {
        --found->second;  // it was written, and its room not given back yet
        continue;
      }
      log_.restored.append(line).append("\n");
      ++log_.restored_records;
    }
  }
  return {};
}

Failure Recovery::remove_temporary_files() {
  for (const std::string& name : listing_.unknown) {
    if (!name.ends_with(".tmp")) {
      continue;
    }
    if (auto removed = files_.remove(directory_ / name); !removed) {
      return removed.error().text;
    }
  }
  return {};
}

}  // namespace

Result<RecoveredLog, std::string> recover_log(FileSystem& files, const std::filesystem::path& directory,
                                              std::span<const audit::NoteKey* const> keys) {
  return Recovery(files, directory, keys).run();
}

}  // namespace sallyport::store
