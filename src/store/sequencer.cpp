#include "store/sequencer.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "audit/record.h"
#include "base/json_text.h"
#include "store/log_directory.h"
#include "store/log_records.h"
#include "store/watched_files.h"

namespace sallyport::store {
namespace {

// How much is written at a time.
constexpr std::size_t batch_bytes_max = 1U << 20;
constexpr Milliseconds sync_interval{100};
constexpr Milliseconds checkpoint_interval{1000};
constexpr Milliseconds retry_interval{100};
constexpr Milliseconds loss_interval{1000};
constexpr Milliseconds give_up_interval{100};
// While one note is added to the list of checkpoints.
constexpr int cuts_of_list_max = 3;
// How long the sequencer rests when nobody waits for it: little while there is something to do, more when there was
// nothing for long.
constexpr Milliseconds pause_min{10};
constexpr Milliseconds pause_max{25};

Now read_clocks() {
  return {.wall = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now()),
          .mono = std::chrono::steady_clock::now()};
}

MonoTime mono_now() {
  return std::chrono::steady_clock::now();
}

std::string time_text(WallTime time) {
  std::string text;
  audit::append_time(text, time);
  return text;
}

}  // namespace

Sequencer::Sequencer(Parts parts)
    : state_(parts.state),
      journals_(parts.journals),
      files_(parts.files),
      directory_(parts.directory),
      writer_(parts.files, std::move(parts.directory), std::move(parts.position)),
      closed_(std::move(parts.closed)),
      signed_checkpoint_(std::move(parts.signed_checkpoint)),
      signer_(std::move(parts.signer)),
      checkpoints_bytes_(parts.checkpoints_bytes),
      settings_(std::move(parts.settings)),
      pause_(pause_min) {}

FileResult<Unit> Sequencer::begin(const Restored& restored, std::string_view start) {
  MonoTime now = mono_now();
  answers_ = restored.answers;
  auto done = write_answers();
  if (done) {
    done = writer_.write(restored.records + std::string(start));
  }
  if (done) {
    done = sync();
  }
  if (done) {
    done = sign_checkpoint(Kept::for_good, now);
  }
  next_sync_ = now + sync_interval;
  return done;
}

void Sequencer::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    MonoTime now = mono_now();
    turn(now);
    rest(now);
  }
  finish();
  std::lock_guard lock(mutex_);
  ended_ = true;
  own_settled_.notify_all();
}

void Sequencer::stop(std::string last) {
  {
    std::lock_guard lock(mutex_);
    last_ = std::move(last);
  }
  stopping_.store(true, std::memory_order_release);
  state_.ring_bell();
}

void Sequencer::configure(const audit::AuditSettings& settings) {
  std::lock_guard lock(mutex_);
  new_settings_ = settings;
}

void Sequencer::change_key(audit::NoteSigner signer) {
  std::lock_guard lock(mutex_);
  new_signer_ = std::move(signer);
}

bool Sequencer::record(std::string line, const std::function<bool()>& give_up) {
  std::unique_lock lock(mutex_);
  std::uint64_t number = ++own_number_;
  own_.push_back({.line = std::move(line), .number = number});
  while (!own_settled_.wait_for(lock, give_up_interval, [&] { return ended_ || own_settled_number_ >= number; })) {
    if (give_up && give_up()) {
      return false;
    }
  }
  return own_settled_number_ >= number;
}

void Sequencer::add_record(std::string line) {
  std::lock_guard lock(mutex_);
  own_.push_back({.line = std::move(line), .number = ++own_number_});
}

void Sequencer::turn(MonoTime now) {
  if (failing_ && now < retry_at_) {
    return;
  }
  {
    std::lock_guard lock(mutex_);
    if (new_settings_) {
      settings_ = *std::exchange(new_settings_, std::nullopt);
    }
    if (new_signer_ && !next_signer_) {
      next_signer_ = std::exchange(new_signer_, std::nullopt);
    }
  }
  if (auto done = attempt(now); !done) {
    fail(done.error(), now);
    return;
  }
  if (std::exchange(failing_, false)) {
    next_loss_ = now;
  }
  state_.works();
  note_losses(now);
}

// All that is due. After an error the rest waits for another attempt, which begins where this one has got to.
FileResult<Unit> Sequencer::attempt(MonoTime now) {
  if (segment_ends_) {
    if (auto done = next_segment(now); !done) {
      return done;
    }
  }
  if (next_signer_) {
    if (auto done = hand_over(); !done) {
      return done;
    }
  }
  auto done = write_batches(now);
  if (done) {
    done = write_own();
  }
  if (!done) {
    return done;
  }
  bool full = segment_is_full();
  if (writer_.has_unsynced() && (now >= next_sync_ || full || failing_ || urgent())) {
    if (done = sync(); !done) {
      return done;
    }
    next_sync_ = now + sync_interval;
  }
  if (full) {
    return next_segment(now);
  }
  return checkpoint_is_due(now) ? sign_checkpoint(Kept::newest, now) : done;
}

FileResult<Unit> Sequencer::write_batches(MonoTime now) {
  std::uint64_t before = writer_.written().tree.size();
  auto done = merge(now);
  counts_.session_records.fetch_add(writer_.written().tree.size() - before, std::memory_order_relaxed);
  return done;
}

// Merges the journals by the times at which the commits began. Commits that began later are left: one that has not been
// seen in a journal yet may have come before them.
FileResult<Unit> Sequencer::merge(MonoTime now) {
  auto until = static_cast<std::uint64_t>(now.time_since_epoch().count());
  heads_.resize(journals_.size());
  for (std::size_t i = 0; i < journals_.size(); ++i) {
    heads_[i] = journals_[i]->peek(until);
  }
  for (;;) {
    std::size_t first = journals_.size();
    for (std::size_t i = 0; i < journals_.size(); ++i) {
      bool earlier =
          heads_[i] && (first == journals_.size() || heads_[i]->head.stamp_ns < heads_[first]->head.stamp_ns);
      first = earlier ? i : first;
    }
    if (first == journals_.size()) {
      auto done = write_answers();
      return done ? write_buffer() : done;
    }
    (heads_[first]->head.kind == FrameKind::answer ? answers_ : buffer_) += heads_[first]->payload;
    journals_[first]->take();
    heads_[first] = journals_[first]->peek(until);
    if (buffer_.size() + answers_.size() >= batch_bytes_max) {
      auto done = write_answers();
      if (done) {
        done = write_buffer();
      }
      // What came before a large record has not to wait for all that comes behind it.
      if (done && writer_.unsynced_bytes() >= WatchedFiles::request_bytes_max) {
        done = sync();
      }
      if (!done) {
        return done;
      }
    }
  }
}

FileResult<Unit> Sequencer::write_buffer() {
  if (buffer_.empty()) {
    return Unit{};
  }
  pause_ = pause_min;
  auto done = writer_.write(buffer_);
  buffer_.clear();
  if (buffer_.capacity() > 2 * batch_bytes_max) {
    buffer_.shrink_to_fit();
  }
  return done;
}

FileResult<Unit> Sequencer::write_answers() {
  if (answers_.empty()) {
    return Unit{};
  }
  auto done = writer_.write_answers(answers_);
  answers_.clear();
  if (answers_.capacity() > 2 * batch_bytes_max) {
    answers_.shrink_to_fit();
  }
  return done;
}

FileResult<Unit> Sequencer::write_own() {
  {
    std::lock_guard lock(mutex_);
    for (; own_taken_ < own_.size(); ++own_taken_) {
      buffer_ += own_[own_taken_].line;
    }
  }
  return write_buffer();
}

FileResult<Unit> Sequencer::sync() {
  MonoTime began = mono_now();
  if (auto done = writer_.sync(); !done) {
    return done;
  }
  counts_.syncs.fetch_add(1, std::memory_order_relaxed);
  counts_.sync_nanoseconds.fetch_add(static_cast<std::uint64_t>((mono_now() - began).count()),
                                     std::memory_order_relaxed);
  session_records_synced_ = counts_.session_records.load(std::memory_order_relaxed);
  tell_end();
  for (auto& journal : journals_) {
    journal->release();
    journal->tell();
  }
  std::lock_guard lock(mutex_);
  for (; own_taken_ > 0; --own_taken_) {
    own_settled_number_ = own_.front().number;
    own_.pop_front();
  }
  own_settled_.notify_all();
  return Unit{};
}

void Sequencer::tell_end() {
  const LogPosition& synced = writer_.synced();
  counts_.records.store(synced.tree.size(), std::memory_order_relaxed);
  counts_.segment_bytes.store(synced.segment_bytes, std::memory_order_relaxed);
  state_.synced(
      {.records = synced.tree.size(), .segment = synced.segment.range().first, .bytes = synced.segment_bytes});
}

FileResult<Unit> Sequencer::sign_checkpoint(Kept kept, MonoTime now) {
  audit::Checkpoint checkpoint{
      .origin = signer_.name(), .size = writer_.synced().tree.size(), .root = writer_.synced().tree.root()};
  std::array<const audit::NoteSigner*, 2> signers{&signer_, next_signer_ ? &*next_signer_ : nullptr};
  std::string note = audit::sign(checkpoint, std::span{signers}.first(next_signer_ ? 2 : 1));
  auto done = replace_file(files_, directory_ / std::string(checkpoint_file), note);
  if (done && kept == Kept::for_good) {
    done = keep(note);
  }
  if (done) {
    checkpointed_ = checkpoint.size;
    next_checkpoint_ = now + checkpoint_interval;
    counts_.checkpoints.fetch_add(1, std::memory_order_relaxed);
    signed_checkpoint_(note, checkpoint);
  }
  return done;
}

FileResult<Unit> Sequencer::keep(const std::string& note) {
  auto path = directory_ / std::string(checkpoints_file);
  std::string entry = note + "\n";
  for (int cuts = 0;; ++cuts) {
    auto place = place_of_next_note(path, checkpoints_bytes_);
    if (!place) {
      return Unexpected(FileError{std::move(place).error()});
    }
    auto done = append_behind(files_, path, *place, entry);
    if (done) {
      checkpoints_bytes_ = *place + entry.size();
      return done;
    }
    // Somebody may have cut the list behind the look at it.
    std::error_code error;
    auto bytes = std::filesystem::file_size(path, error);
    if ((!error && bytes >= *place) || cuts == cuts_of_list_max) {
      return done;
    }
  }
}

// Behind the record of it comes a checkpoint that both keys have signed, and nothing in between. Nobody is told of the
// record before: should the process end now, recover_log() takes it out, and the hand-over is made anew.
FileResult<Unit> Sequencer::hand_over() {
  Now now = read_clocks();
  if (!hand_over_recorded_) {
    if (auto done = writer_.has_unsynced() ? sync() : Unit{}; !done) {
      return done;
    }
    KeyChangedRecord record{.key = next_signer_->verifier_key().to_line(),
                            .previous_key = signer_.verifier_key().to_line()};
    auto done = writer_.write(to_line(record, now.wall));
    if (done) {
      done = writer_.sync();
    }
    if (!done) {
      return done;
    }
    hand_over_recorded_ = true;
  }
  if (auto done = sign_checkpoint(Kept::for_good, now.mono); !done) {
    return done;
  }
  signer_ = *std::exchange(next_signer_, std::nullopt);
  hand_over_recorded_ = false;
  tell_end();
  return Unit{};
}

// Once the segment's file of hashes may be there, the segment is as that says: also where the next one can't be begun.
FileResult<Unit> Sequencer::next_segment(MonoTime now) {
  if (!segment_ends_) {
    if (auto done = sign_checkpoint(Kept::for_good, now); !done) {
      return done;
    }
    // So what a journal holds is in no segment before the one that is begun now.
    for (auto& journal : journals_) {
      if (!journal->sync_header()) {
        return Unexpected(FileError{"cannot sync a journal in " + directory_.string()});
      }
    }
    segment_ends_ = true;
  }
  std::uint64_t first = writer_.synced().segment.range().first;
  if (auto done = writer_.begin_next(); !done) {
    return done;
  }
  segment_ends_ = false;
  counts_.segments_closed.fetch_add(1, std::memory_order_relaxed);
  tell_end();
  closed_(first);
  return Unit{};
}

void Sequencer::fail(const FileError& error, MonoTime now) {
  if (!std::exchange(failing_, true)) {
    failing_since_ = read_clocks().wall;
  }
  last_failure_ = error.text;
  retry_at_ = now + retry_interval;
  counts_.failures.fetch_add(1, std::memory_order_relaxed);
  buffer_.clear();
  answers_.clear();
  writer_.rewind();
  counts_.session_records.store(session_records_synced_, std::memory_order_relaxed);
  for (auto& journal : journals_) {
    journal->rewind();
  }
  {
    std::lock_guard lock(mutex_);
    own_taken_ = 0;
  }
  state_.fails(error.text);
  for (auto& journal : journals_) {
    journal->tell();
  }
}

// Says how many records were not taken because there was no room for them.
void Sequencer::note_losses(MonoTime now) {
  if (now < next_loss_) {
    return;
  }
  next_loss_ = now + loss_interval;
  std::uint64_t lost = 0;
  for (auto& journal : journals_) {
    lost += journal->lost();
  }
  if (lost == lost_) {
    return;
  }
  WallTime wall = read_clocks().wall;
  bool known = !last_failure_.empty() && is_utf8(last_failure_);
  GapRecord gap{.lost_records = lost - lost_,
                .reason = known ? last_failure_ : "no room",
                .since = known ? failing_since_ : wall - loss_interval};
  lost_ = lost;
  last_failure_.clear();
  std::lock_guard lock(mutex_);
  own_.push_back({.line = to_line(gap, wall), .number = ++own_number_});
}

bool Sequencer::urgent() const {
  return std::any_of(journals_.begin(), journals_.end(), [](const auto& journal) { return journal->urgent(); });
}

bool Sequencer::checkpoint_is_due(MonoTime now) const {
  std::uint64_t size = writer_.synced().tree.size();
  return size != checkpointed_ && (now >= next_checkpoint_ || size - checkpointed_ >= settings_.checkpoint_records);
}

bool Sequencer::segment_is_full() const {
  const LogPosition& position = writer_.written();
  if (position.time_first.empty()) {
    return false;
  }
  return position.segment_bytes + position.answers_bytes >= settings_.segment_bytes ||
         position.time_first < time_text(read_clocks().wall - settings_.segment_age);
}

void Sequencer::rest(MonoTime now) {
  state_.sleep_begins();
  if (failing_) {
    state_.wait_for_bell(std::chrono::ceil<Milliseconds>(std::max(retry_at_ - now, Nanoseconds{0})));
  } else if (!urgent()) {
    state_.wait_for_bell(pause_);
    pause_ = std::min(2 * pause_, pause_max);
  }
  state_.sleep_ended();
}

void Sequencer::finish() {
  MonoTime give_up = mono_now() + state_.stall_limit();
  for (MonoTime now = mono_now(); now < give_up; now = mono_now()) {
    next_sync_ = now;
    turn(now);
    if (!failing_ && !writer_.has_unsynced()) {
      break;
    }
    if (failing_) {
      state_.wait_for_bell(retry_interval);
    }
  }
  std::string last;
  {
    std::lock_guard lock(mutex_);
    last = last_.value_or(std::string{});
  }
  if (failing_ || last.empty()) {
    return;
  }
  auto done = writer_.write(last);
  if (done) {
    done = sync();
  }
  if (done) {
    done = sign_checkpoint(Kept::for_good, mono_now());
  }
  if (!done) {
    fail(done.error(), mono_now());
  }
}

}  // namespace sallyport::store
