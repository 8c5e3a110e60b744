#include "store/loop_journal.h"

#include <utility>

#include "base/check.h"
#include "store/answer_pieces.h"
#include "store/record_seal.h"

namespace sallyport::store {
namespace {

// What may wait in memory: because the log can't be written, or because the ring has no room. A record that finds less
// waiting is taken whatever its size. While the log can be written, large records have a bound of their own: that one
// of them takes its time is no reason to have no room for others. Pieces of answers are small.
constexpr std::size_t pending_bytes_max = 8U << 20;
constexpr std::size_t large_record_bytes = 64U << 10;
constexpr std::size_t large_bytes_max = 64U << 20;
constexpr std::size_t pending_bytes_kept = 256U << 10;

std::uint64_t nanoseconds_of(MonoTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

LoopJournal::LoopJournal(std::unique_ptr<JournalRing> ring, LogState& state)
    : ring_(std::move(ring)), state_(state), cursor_(ring_->released()) {}

bool LoopJournal::has_room(bool for_large) const {
  std::size_t small =
      pending_.size() - pending_large_ + pending_answers_.size() + held_small_bytes_.load(std::memory_order_relaxed);
  std::size_t large = pending_large_ + held_large_bytes_.load(std::memory_order_relaxed);
  if (!state_.can_be_written()) {
    return small + large <= pending_bytes_max;
  }
  return for_large ? large <= large_bytes_max : small <= pending_bytes_max;
}

bool LoopJournal::append(std::string_view line) {
  bool is_large = line.size() >= large_record_bytes;
  if (!has_room(is_large)) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  pending_ += line;
  pending_large_ += is_large ? line.size() : 0;
  return true;
}

bool LoopJournal::append_answer(const audit::AnswerChunk& chunk) {
  auto& sealers = current_sealers();
  if (!has_room(false) || (chunk.only_sealed && !sealers)) {
    return false;
  }
  if (sealers) {
    sealers->answers.append_pieces(pending_answers_, chunk);
  } else {
    append_answer_piece(pending_answers_, chunk);
  }
  return true;
}

bool LoopJournal::seal(std::string& out, const audit::RecordPlace& place, std::string_view members) {
  auto& sealers = current_sealers();
  if (sealers) {
    append_sealed(out, sealers->literals, place, members);
  }
  return sealers.has_value();
}

void LoopJournal::set_answers_key(const std::optional<audit::AnswersKey>& key) {
  std::lock_guard lock(sealers_mutex_);
  next_sealers_.reset();
  if (key) {
    next_sealers_.emplace(
        Sealers{.answers = AnswerSealer(*key), .literals = Sealer(*key, audit::AnswersKey::Use::literals)});
  }
  sealers_changed_.store(true, std::memory_order_release);
}

std::optional<LoopJournal::Sealers>& LoopJournal::current_sealers() {
  if (sealers_changed_.load(std::memory_order_acquire)) {
    std::lock_guard lock(sealers_mutex_);
    sealers_ = std::exchange(next_sealers_, std::nullopt);
    sealers_changed_.store(false, std::memory_order_relaxed);
  }
  return sealers_;
}

LoopJournal::Commit LoopJournal::commit(MonoTime now) {
  if (state_.failing(now)) {
    put_into_ring(now);
    return Commit::failed;
  }
  bool strict = state_.durability() == audit::Durability::strict;
  if (!strict && put_into_ring(now) && held_bytes_.load(std::memory_order_acquire) == 0) {
    return Commit::done;
  }
  // Said before anything is put: the sequencer that takes what is put tells.
  waits_.store(true, std::memory_order_seq_cst);
  if (!put_into_ring(now)) {
    hold(now);
  }
  if (settled() == number_) {
    return Commit::done;
  }
  state_.wake();
  return Commit::waits;
}

void LoopJournal::flush(MonoTime now) {
  if (!put_into_ring(now) && !state_.failing(now)) {
    hold(now);
    state_.wake();
  }
}

FrameHead LoopJournal::next_head(FrameKind kind, MonoTime now) {
  return {.kind = kind, .number = ++number_, .stamp_ns = nanoseconds_of(now)};
}

// False when it has no room, or when what came before goes by memory and is not on the disk yet.
bool LoopJournal::put_into_ring(MonoTime now) {
  if (!has_uncommitted()) {
    return true;
  }
  if (held_bytes_.load(std::memory_order_acquire) != 0 ||
      !ring_->has_room(pending_answers_.size() + pending_.size() + JournalRing::overhead_bytes)) {
    return false;
  }
  for (auto [kind, payload] :
       {std::pair{FrameKind::answer, &pending_answers_}, std::pair{FrameKind::records, &pending_}}) {
    if (payload->empty()) {
      continue;
    }
    SALLYPORT_CHECK(ring_->put(next_head(kind, now), *payload));
    payload->clear();
    if (payload->capacity() > pending_bytes_kept) {
      payload->shrink_to_fit();
    }
  }
  pending_large_ = 0;
  return true;
}

void LoopJournal::hold(MonoTime now) {
  hold(FrameKind::answer, std::exchange(pending_answers_, {}), 0, now);
  hold(FrameKind::records, std::exchange(pending_, {}), std::exchange(pending_large_, 0), now);
}

void LoopJournal::hold(FrameKind kind, std::string payload, std::size_t large_bytes, MonoTime now) {
  if (payload.empty()) {
    return;
  }
  auto held = std::make_unique<const Held>(
      Held{.head = next_head(kind, now), .payload = std::move(payload), .large_bytes = large_bytes});
  held_large_bytes_.fetch_add(large_bytes, std::memory_order_relaxed);
  held_small_bytes_.fetch_add(held->payload.size() - large_bytes, std::memory_order_relaxed);
  held_bytes_.fetch_add(held->payload.size(), std::memory_order_seq_cst);
  std::lock_guard lock(held_mutex_);
  held_.push_back(std::move(held));
}

std::optional<LoopJournal::Batch> LoopJournal::peek(std::uint64_t until_ns) {
  next_ = Source::none;
  auto frame = ring_->at(cursor_);
  if (frame && frame->head.stamp_ns < until_ns) {
    next_ = Source::ring;
    next_end_ = frame->end;
    next_number_ = frame->head.number;
    return Batch{.head = frame->head, .payload = frame->payload};
  }
  if (frame || held_bytes_.load(std::memory_order_acquire) == 0) {
    return std::nullopt;
  }
  std::lock_guard lock(held_mutex_);
  if (held_taken_ == held_.size() || held_[held_taken_]->head.stamp_ns >= until_ns) {
    return std::nullopt;
  }
  next_ = Source::memory;
  const Held& held = *held_[held_taken_];
  next_number_ = held.head.number;
  return Batch{.head = held.head, .payload = held.payload};
}

void LoopJournal::take() {
  SALLYPORT_CHECK(next_ != Source::none);
  if (next_ == Source::ring) {
    cursor_ = next_end_;
  } else {
    ++held_taken_;
  }
  number_taken_ = next_number_;
  next_ = Source::none;
}

void LoopJournal::rewind() {
  cursor_ = ring_->released();
  held_taken_ = 0;
  number_taken_ = settled_.load(std::memory_order_relaxed);
  next_ = Source::none;
}

void LoopJournal::release() {
  if (number_taken_ == settled_.load(std::memory_order_relaxed)) {
    return;
  }
  ring_->release(cursor_);
  std::uint64_t freed = 0;
  std::uint64_t freed_large = 0;
  {
    std::lock_guard lock(held_mutex_);
    for (; held_taken_ > 0; --held_taken_) {
      freed += held_.front()->payload.size();
      freed_large += held_.front()->large_bytes;
      held_.pop_front();
    }
  }
  held_large_bytes_.fetch_sub(freed_large, std::memory_order_relaxed);
  held_small_bytes_.fetch_sub(freed - freed_large, std::memory_order_relaxed);
  // Last, so that who sees it settled finds the ring in use again.
  held_bytes_.fetch_sub(freed, std::memory_order_release);
  settled_.store(number_taken_, std::memory_order_release);
}

void LoopJournal::tell() {
  if (wake_ && waits_.load(std::memory_order_seq_cst)) {
    wake_();
  }
}

bool LoopJournal::urgent() const {
  std::uint64_t in_ring = ring_->waiting_bytes();
  bool held = held_bytes_.load(std::memory_order_seq_cst) != 0;
  return held || in_ring > ring_->capacity() / 2 || (in_ring != 0 && waits_.load(std::memory_order_seq_cst));
}

std::uint64_t LoopJournal::waiting_bytes() const {
  return ring_->waiting_bytes() + held_bytes_.load(std::memory_order_relaxed);
}

}  // namespace sallyport::store
