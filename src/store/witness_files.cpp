#include "store/witness_files.h"

#include <utility>

#include "audit/cosignature.h"
#include "base/hex.h"
#include "crypto/hash.h"
#include "store/log_directory.h"

namespace sallyport::store {
namespace {

constexpr std::size_t copies_bytes_max = 256U << 20;
// Of so many witnesses of a gateway before the notes in `cosigned` stay.
constexpr std::size_t witnesses_kept_max = 64;
// Digits of the digest of a log's name that name its file.
constexpr std::size_t name_bytes = 16;

}  // namespace

Result<Unit, CopyError> CheckpointCopies::read() {
  auto text = read_small_file(path_, copies_bytes_max);
  if (!text) {
    return Unexpected(CopyError{.text = std::move(text).error()});
  }
  audit::NoteList list = audit::split_notes(text->has_value() ? **text : std::string_view{});
  bytes_ = list.taken;
  last_.reset();
  is_ours_ = false;
  if (!list.notes.empty()) {
    auto read = audit::parse_checkpoint(list.notes.back());
    if (!read) {
      return Unexpected(CopyError{.text = path_.string() + " holds something else than checkpoints, or was changed"});
    }
    last_ = std::move(read->checkpoint);
  }
  is_known_ = true;
  return Unit{};
}

Result<Unit, CopyError> CheckpointCopies::look_at(const audit::Checkpoint& checkpoint, const Prove& prove) {
  if (!is_known_) {
    if (auto done = read(); !done) {
      return done;
    }
  }
  if (!last_ || is_ours_) {
    return Unit{};
  }
  if (last_->origin != checkpoint.origin) {
    return Unexpected(CopyError{.text = path_.string() + " has checkpoints of the log '" + last_->origin + "'"});
  }
  bool goes_on = last_->size <= checkpoint.size;
  if (goes_on && last_->size < checkpoint.size) {
    auto proof = prove(last_->size);
    if (!proof) {
      return Unexpected(CopyError{.text = "no proof that the log goes on from the last checkpoint of " +
                                          path_.string() + ", of " + std::to_string(last_->size) +
                                          " records: " + std::move(proof).error()});
    }
    goes_on = audit::is_consistent({.size = last_->size, .root = last_->root},
                                   {.size = checkpoint.size, .root = checkpoint.root}, *proof);
  } else if (goes_on) {
    goes_on = last_->root == checkpoint.root;
  }
  if (!goes_on) {
    return Unexpected(
        CopyError{.kind = CopyError::Kind::other_history,
                  .text = path_.string() + " has a checkpoint of " + std::to_string(last_->size) +
                          " records that this log does not go on from: an older state of the log was put in place, or "
                          "its history is another"});
  }
  return Unit{};
}

Result<Unit, CopyError> CheckpointCopies::add(std::string_view note, const audit::Checkpoint& checkpoint,
                                              const Prove& prove) {
  if (auto good = look_at(checkpoint, prove); !good) {
    return good;
  }
  if (last_ == checkpoint) {
    return Unit{};
  }
  std::string text = std::string(note) + "\n";
  if (auto done = append_behind(files_, path_, bytes_, text); !done) {
    is_known_ = false;
    return Unexpected(CopyError{.text = std::move(done).error().text});
  }
  bytes_ += text.size();
  last_ = checkpoint;
  is_ours_ = true;
  return Unit{};
}

// Anybody may have written to the file: what is kept of it is bounded. Where it can't be read it begins anew.
void CosignedCheckpoints::load() {
  if (std::exchange(is_known_, true)) {
    return;
  }
  auto text = read_small_file(directory_ / std::string(cosigned_file), copies_bytes_max);
  for (std::string_view note : audit::split_notes(text && *text ? **text : std::string_view{}).notes) {
    auto read = audit::parse_checkpoint(note);
    std::string witness;
    for (const audit::NoteSignature& one : read ? read->note.signatures : std::vector<audit::NoteSignature>{}) {
      bool is_cosignature = one.name != read->checkpoint.origin && one.bytes.size() == audit::cosignature_bytes;
      witness = is_cosignature ? one.name : witness;
    }
    if (!witness.empty() && (notes_.size() < witnesses_kept_max || notes_.contains(witness))) {
      notes_[witness] = note;
    }
  }
}

Result<Unit, std::string> CosignedCheckpoints::put(const std::string& witness, std::string note) {
  load();
  notes_[witness] = std::move(note);
  std::string text;
  for (const auto& [name, one] : notes_) {
    text += one + "\n";
  }
  auto done = replace_file(files_, directory_ / std::string(cosigned_file), text);
  return done ? Result<Unit, std::string>(Unit{}) : Unexpected(std::move(done).error().text);
}

std::filesystem::path WitnessedLogs::path_of(const std::string& origin) const {
  crypto::Sha256Digest digest = crypto::sha256({bytes_of(origin)});
  return directory_ / (to_hex(Bytes(digest).first(name_bytes)) + ".checkpoint");
}

Result<std::optional<audit::TreeHead>, std::string> WitnessedLogs::newest(const std::string& origin) const {
  auto text = read_small_file(path_of(origin), audit::note_bytes_max);
  if (!text) {
    return Unexpected(std::move(text).error());
  }
  if (!text->has_value()) {
    return std::optional<audit::TreeHead>{};
  }
  auto read = audit::parse_checkpoint(**text);
  if (!read || read->checkpoint.origin != origin) {
    return Unexpected(path_of(origin).string() + " is damaged");
  }
  return std::optional(audit::TreeHead{.size = read->checkpoint.size, .root = read->checkpoint.root});
}

Result<Unit, std::string> WitnessedLogs::put(const audit::Checkpoint& checkpoint, std::string_view note) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  auto done = replace_file(files_, path_of(checkpoint.origin), note);
  if (done) {
    done = files_.sync_directory(directory_);
  }
  return done ? Result<Unit, std::string>(Unit{}) : Unexpected(std::move(done).error().text);
}

}  // namespace sallyport::store
