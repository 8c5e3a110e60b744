#include "store/answer_verification.h"

#include <algorithm>
#include <set>
#include <utility>

#include "audit/record_members.h"
#include "base/hex.h"
#include "store/log_directory.h"
#include "store/segment_reader.h"

namespace sallyport::store {
namespace {

using audit::FindingCode;

std::string name_of_answer(std::string_view session, std::uint64_t command) {
  return std::to_string(command) + "/" + std::string(session);
}

std::string phrase_of(const audit::RecordedAnswer& outcome) {
  return "the answer to command " + std::to_string(outcome.command) + " of session " + outcome.session +
         ", whose outcome is record " + std::to_string(outcome.index);
}

}  // namespace

AnswerVerification::AnswerVerification(std::filesystem::path directory, std::vector<audit::AnswersKey> keys, Find find)
    : directory_(std::move(directory)), any_key_(!keys.empty()), opener_(std::move(keys)), find_(std::move(find)) {
  report_.looked_at = true;
}

void AnswerVerification::begin_segment(std::uint64_t first, std::optional<AnswerPieceReader> answers) {
  segments_.push_back(first);
  files_.push_back(std::move(answers));
  while (segments_.size() - at_ > files_max) {
    while (files_[at_] && files_[at_]->next()) {
      take_piece();
    }
    next_file();
  }
}

void AnswerVerification::take(const audit::RecordScan& scan) {
  for (const std::string& key : scan.answers_keys) {
    if (known_keys_.size() < keys_max) {
      known_keys_.insert(key);
    }
  }
  add_commands(scan.commands);
  for (const audit::RecordedAnswer& outcome : scan.answers) {
    judge(outcome);
  }
  for (std::uint64_t command : scan.outcomes) {
    commands_.erase(command);
  }
}

void AnswerVerification::add_commands(const std::vector<std::uint64_t>& commands) {
  std::size_t segment = segments_.empty() ? 0 : segments_.size() - 1;
  for (std::uint64_t command : commands) {
    if (commands_.size() == commands_max && purged_before_ != segment) {
      std::erase_if(commands_, [&](const auto& known) { return known.second != segment; });
      purged_before_ = segment;
    }
    if (commands_.size() < commands_max) {
      commands_[command] = segment;
    }
  }
}

bool AnswerVerification::is_before_command(const audit::RecordedAnswer& outcome, const OpenAnswer& answer) const {
  auto command = commands_.find(outcome.command_hash);
  return command != commands_.end() && answer.first_file < command->second;
}

// False when there is none behind it yet.
bool AnswerVerification::next_file() {
  if (at_ + 1 >= segments_.size()) {
    return false;
  }
  std::optional<AnswerPieceReader>& file = files_[at_];
  if (file && file->position() != file->file_bytes()) {
    damage_ = name_of(SegmentFile::answers, segments_[at_]) + " can't be read behind its byte " +
              std::to_string(file->position());
  }
  file.reset();
  ++at_;
  return true;
}

// Adds the piece at hand to its answer; null where it is none of an answer that is awaited.
AnswerVerification::OpenAnswer* AnswerVerification::take_piece() {
  AnswerPieceReader& file = *files_[at_];
  const AnswerPiece& piece = file.piece();
  auto found = by_name_.find(name_of_answer(piece.session, piece.command));
  if (found == by_name_.end()) {
    // One that goes on from nowhere was there before, or its beginning was deleted.
    if (piece.offset != 0) {
      return nullptr;
    }
    if (open_.size() == open_answers_max) {
      by_name_.erase(open_.front().name);
      open_.pop_front();
    }
    open_.emplace_back().name = name_of_answer(piece.session, piece.command);
    open_.back().first_file = at_;
    found = by_name_.emplace(open_.back().name, std::prev(open_.end())).first;
  }
  OpenAnswer& answer = *found->second;
  if (piece.offset != answer.bytes) {
    return nullptr;
  }
  answer.bytes += piece.bytes;
  switch (file.read(opener_, UINT64_MAX, [&](Bytes part) { answer.digest.update(part); })) {
    case AnswerPieceReader::Content::whole:
      break;
    case AnswerPieceReader::Content::key_wanted:
      answer.wanted_keys.insert(file.piece().seal->key);
      answer.damaged |= answer.wanted_keys.size() > answer_keys_max;
      break;
    case AnswerPieceReader::Content::damaged:
      answer.damaged = true;
      break;
  }
  return &answer;
}

// The answer, as soon as so much of it was read; what there is when the files end before.
AnswerVerification::OpenAnswer* AnswerVerification::read_on(const std::string& name, std::uint64_t bytes) {
  auto known = by_name_.find(name);
  if (known != by_name_.end() && known->second->bytes >= bytes) {
    return &*known->second;
  }
  while (!segments_.empty()) {
    std::optional<AnswerPieceReader>& file = files_[at_];
    if (!file) {
      file = AnswerPieceReader::open(directory_ / name_of(SegmentFile::answers, segments_[at_]));
    }
    if (!file || !file->next()) {
      if (!next_file()) {
        break;
      }
      continue;
    }
    OpenAnswer* answer = take_piece();
    if (answer != nullptr && answer->bytes >= bytes && answer->name == name) {
      return answer;
    }
  }
  known = by_name_.find(name);
  return known == by_name_.end() ? nullptr : &*known->second;
}

void AnswerVerification::judge(const audit::RecordedAnswer& outcome) {
  std::string name = name_of_answer(outcome.session, outcome.command);
  if (outcome.recorded_bytes == 0) {
    return;  // nothing could be written of it, says the record
  }
  OpenAnswer* answer = read_on(name, outcome.recorded_bytes);
  if (answer == nullptr || answer->bytes < outcome.recorded_bytes) {
    missing(outcome, answer == nullptr ? 0 : answer->bytes);
  } else {
    count(outcome, *answer);
  }
  if (auto known = by_name_.find(name); known != by_name_.end()) {
    open_.erase(known->second);
    by_name_.erase(known);
  }
}

void AnswerVerification::count(const audit::RecordedAnswer& outcome, const OpenAnswer& answer) {
  if (is_before_command(outcome, answer)) {
    find_(FindingCode::answer_altered, name_of(SegmentFile::answers, segments_[answer.first_file]),
          phrase_of(outcome) + ", has a piece in the file of a segment that ended before the command: it was moved",
          audit::RecordSpan{outcome.index, outcome.index + 1});
    return;
  }
  bool is_longer = answer.bytes != outcome.recorded_bytes;
  if (!answer.wanted_keys.empty() && !answer.damaged && !is_longer) {
    ++report_.sealed;
    for (const audit::AnswersKey::Id& id : answer.wanted_keys) {
      want_key(to_hex(id), outcome);
    }
    return;
  }
  if (answer.damaged || is_longer || answer.digest.digest() != outcome.recorded_sha256) {
    std::string what = is_longer        ? "is longer in its pieces than what was recorded"
                       : answer.damaged ? "has a piece that its key did not encrypt"
                                        : "is not that of which the record has the SHA-256";
    find_(FindingCode::answer_altered, name_of(SegmentFile::answers, segments_[at_]),
          phrase_of(outcome) + ", " + what + ": its pieces were changed",
          audit::RecordSpan{outcome.index, outcome.index + 1});
    return;
  }
  ++(outcome.is_whole() ? report_.whole : report_.beginnings);
  report_.bytes += outcome.recorded_bytes;
}

void AnswerVerification::want_key(const std::string& key, const audit::RecordedAnswer& outcome) {
  if (sealed_.size() < keys_max || sealed_.contains(key)) {
    Sealed& sealed = sealed_[key];
    sealed.first = sealed.count++ == 0 ? outcome : std::move(sealed.first);
  }
  if (any_key_) {
    find_(FindingCode::answer_key_missing, name_of(SegmentFile::answers, segments_[at_]),
          phrase_of(outcome) + ", is encrypted with key " + key + ", which is none of those that were given",
          audit::RecordSpan{outcome.index, outcome.index + 1});
  }
}

void AnswerVerification::missing(const audit::RecordedAnswer& outcome, std::uint64_t bytes) {
  if (any_pruned_ && doubts_.size() < doubts_max) {
    doubts_.push_back({.outcome = outcome, .bytes = bytes});
    return;
  }
  std::string text = "of " + phrase_of(outcome) + ", " + std::to_string(outcome.recorded_bytes) +
                     " bytes were recorded, and " + std::to_string(bytes) + " are found: pieces of it were removed" +
                     (damage_.empty() ? std::string{} : ", or " + damage_);
  std::string file = segments_.empty() ? std::string{} : name_of(SegmentFile::answers, segments_.back());
  find_(FindingCode::answer_missing, std::move(file), std::move(text),
        audit::RecordSpan{outcome.index, outcome.index + 1});
}

// Where records were deleted, an answer that goes on behind them may have lost its beginning. It has if its command is
// none of the records that are left.
void AnswerVerification::settle_doubts() {
  std::set<std::string> wanted;
  for (const Doubt& doubt : doubts_) {
    wanted.insert(name_of_answer(doubt.outcome.session, doubt.outcome.command));
  }
  std::set<std::string> found;
  for (std::uint64_t first : doubts_.empty() ? std::vector<std::uint64_t>{} : segments_) {
    auto reader = SegmentReader::open(directory_, first);
    while (reader) {
      auto chunk = reader->next();
      if (!chunk || chunk->empty()) {
        break;
      }
      for (std::string_view lines = chunk->lines; !lines.empty();) {
        std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        auto seq = audit::number_of(audit::member_value(line, "seq"));
        std::string name =
            seq ? name_of_answer(audit::string_of(audit::member_value(line, "session")), *seq) : std::string{};
        if (wanted.contains(name)) {
          found.insert(std::move(name));
        }
      }
    }
  }
  any_pruned_ = false;
  for (const Doubt& doubt : std::exchange(doubts_, {})) {
    if (found.contains(name_of_answer(doubt.outcome.session, doubt.outcome.command))) {
      missing(doubt.outcome, doubt.bytes);
    } else {
      ++report_.deleted;
    }
  }
}

// Whoever changes an answer could have it taken for one whose key was not given. Which keys there are is on record, but
// for what was deleted.
void AnswerVerification::settle_keys() {
  for (const auto& [key, sealed] : sealed_) {
    report_.wanted_keys.insert(key);
    if (known_keys_.contains(key) || any_pruned_ || any_key_) {
      continue;
    }
    find_(FindingCode::answer_altered, {},
          std::to_string(sealed.count) + " answers, the first of which is " + phrase_of(sealed.first) +
              ", are encrypted with key " + key + ", which no record of this log names: they were changed",
          audit::RecordSpan{sealed.first.index, sealed.first.index + 1});
  }
}

audit::AnswersReport AnswerVerification::finish() {
  settle_keys();
  settle_doubts();
  return std::move(report_);
}

}  // namespace sallyport::store
