// Where one event loop's records go: into its ring, at the end of each of its turns; or, when that has no room, by
// memory. The sequencer takes them from both.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "audit/sink.h"
#include "base/clock.h"
#include "store/answer_sealer.h"
#include "store/journal_ring.h"
#include "store/log_state.h"

namespace sallyport::store {

class LoopJournal final : public audit::Sink {
 public:
  // `state` outlives the journal.
  LoopJournal(std::unique_ptr<JournalRing> ring, LogState& state);
  // Is called from the sequencer's thread when commits that wait have settled or failed. Set before that thread runs.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }
  // Pieces of answers that are taken from now on are encrypted with this key before they are anywhere but in memory;
  // without one they are in the clear, and nothing is sealed. From any thread.
  void set_answers_key(const std::optional<audit::AnswersKey>& key);

  // The loop's thread.
  bool append(std::string_view line) override;
  bool append_answer(const audit::AnswerChunk& chunk) override;
  bool seal(std::string& out, const audit::RecordPlace& place, std::string_view members) override;

  enum class Commit : std::uint8_t {
    done,    // what was appended outlives what the durability promises
    waits,   // it will, when settled() has reached last_commit()
    failed,  // nothing may be forwarded; what was appended is kept and written when that is possible again
  };
  // `now` is read for it: a record that is begun after another's commit has come to an end is behind it in the log.
  Commit commit(MonoTime now);
  // The same where nobody waits for it: not more than what makes the records outlive the process.
  void flush(MonoTime now);
  bool has_uncommitted() const { return !pending_.empty() || !pending_answers_.empty(); }
  std::uint64_t last_commit() const { return number_; }
  std::uint64_t settled() const { return settled_.load(std::memory_order_acquire); }
  // Then commits that wait have failed, of which the first began then.
  bool failing(MonoTime began, MonoTime now) const { return state_.stalls(began, now); }
  // Nobody waits any more.
  void waited() { waits_.store(false, std::memory_order_relaxed); }

  // The sequencer's thread. What was committed first and not taken yet, of what began before `until_ns`; the view lives
  // until it is released. Taking it moves the cursor; rewind() moves it back to what was not released.
  struct Batch {
    FrameHead head;
    std::string_view payload;
  };
  std::optional<Batch> peek(std::uint64_t until_ns);
  void take();
  void rewind();
  // What was taken so far is on the disk.
  void release();
  // Tells the loop that it is, or that it failed, if it waits.
  void tell();
  // Whether someone waits for what is not released, or room is short: then the disk is asked at once.
  bool urgent() const;
  bool sync_header() { return ring_->sync_header(); }

  // From any thread.
  std::uint64_t waiting_bytes() const;
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  // By memory: in the order of their numbers, and while one is there all that follow come this way too.
  struct Held {
    FrameHead head;
    std::string payload;
    std::size_t large_bytes;  // of large records in it
  };

  bool has_room(bool for_large) const;
  struct Sealers {
    AnswerSealer answers;
    Sealer literals;
  };
  // Those of the newest key; nothing where there is none.
  std::optional<Sealers>& current_sealers();
  FrameHead next_head(FrameKind kind, MonoTime now);
  bool put_into_ring(MonoTime now);
  void hold(MonoTime now);
  void hold(FrameKind kind, std::string payload, std::size_t large_bytes, MonoTime now);

  std::unique_ptr<JournalRing> ring_;
  LogState& state_;
  std::function<void()> wake_;
  std::string pending_;            // records
  std::size_t pending_large_ = 0;  // bytes of large records in it
  std::string pending_answers_;    // pieces of answers, of which each is before the record of its outcome
  std::optional<Sealers> sealers_;
  std::uint64_t number_ = 0;
  std::atomic<std::uint64_t> settled_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<bool> waits_{false};
  std::atomic<std::uint64_t> held_bytes_{0};
  // The same, each by itself: the two change one behind the other.
  std::atomic<std::uint64_t> held_small_bytes_{0};
  std::atomic<std::uint64_t> held_large_bytes_{0};

  mutable std::mutex held_mutex_;
  std::deque<std::unique_ptr<const Held>> held_;  // ends are added by the loop, taken off by the sequencer

  // What set_answers_key() has left for the loop.
  std::mutex sealers_mutex_;
  std::optional<Sealers> next_sealers_;
  std::atomic<bool> sealers_changed_{false};

  // The sequencer's.
  std::uint64_t cursor_;
  std::size_t held_taken_ = 0;
  std::uint64_t number_taken_ = 0;
  enum class Source : std::uint8_t { none, ring, memory };
  Source next_ = Source::none;  // of what peek() returned
  std::uint64_t next_end_ = 0;
  std::uint64_t next_number_ = 0;
};

}  // namespace sallyport::store
