// The one thread that writes the audit log: takes what event loops committed, in the order in which they did, gives
// each record its place in the log, writes, syncs, signs checkpoints and begins segments.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/settings.h"
#include "store/file.h"
#include "store/log_state.h"
#include "store/loop_journal.h"
#include "store/segment_writer.h"

namespace sallyport::store {

// What has happened since the start. From any thread.
struct SequencerCounts {
  std::atomic<std::uint64_t> records{0};          // in the log, and on the disk
  std::atomic<std::uint64_t> session_records{0};  // written, of those that loops committed since the start
  std::atomic<std::uint64_t> segment_bytes{0};
  std::atomic<std::uint64_t> segments_closed{0};
  std::atomic<std::uint64_t> checkpoints{0};
  std::atomic<std::uint64_t> syncs{0};
  std::atomic<std::uint64_t> sync_nanoseconds{0};
  std::atomic<std::uint64_t> failures{0};
};

class Sequencer {
 public:
  struct Parts {
    LogState& state;
    std::vector<std::unique_ptr<LoopJournal>>& journals;
    FileSystem& files;
    std::filesystem::path directory;
    LogPosition position;
    std::uint64_t checkpoints_bytes;  // of the list of checkpoints
    audit::NoteSigner signer;
    audit::AuditSettings settings;
    // Called on the sequencer's thread when a segment is closed; its first record's index.
    std::function<void(std::uint64_t first)> closed;
    // Likewise, with each checkpoint that was signed.
    std::function<void(const std::string& note, const audit::Checkpoint& checkpoint)> signed_checkpoint;
  };
  explicit Sequencer(Parts parts);

  // Before run(): writes and syncs what was restored and the line behind it, and signs a checkpoint.
  struct Restored {
    std::string records;
    std::string answers;
  };
  FileResult<Unit> begin(const Restored& restored, std::string_view start);
  // Until stop() is called and all is written, and `last` behind it; or until that fails for as long as the stall
  // limit.
  void run();
  void stop(std::string last);

  // From any thread. Takes effect at the next turn.
  void configure(const audit::AuditSettings& settings);
  // The log is handed over to another key.
  void change_key(audit::NoteSigner signer);
  // Adds a record of the log's own, and waits until it is on the disk. False when the sequencer ended before, or when
  // `give_up`, which is asked now and then, says so; then it may be there later.
  bool record(std::string line, const std::function<bool()>& give_up = {});
  // The same without waiting.
  void add_record(std::string line);
  const SequencerCounts& counts() const { return counts_; }

 private:
  struct Own {
    std::string line;
    std::uint64_t number;
  };

  void turn(MonoTime now);
  FileResult<Unit> attempt(MonoTime now);
  FileResult<Unit> hand_over();
  FileResult<Unit> write_batches(MonoTime now);
  FileResult<Unit> merge(MonoTime now);
  FileResult<Unit> write_answers();
  FileResult<Unit> write_own();
  FileResult<Unit> write_buffer();
  FileResult<Unit> sync();
  void tell_end();
  enum class Kept : std::uint8_t { newest, for_good };
  FileResult<Unit> sign_checkpoint(Kept kept, MonoTime now);
  FileResult<Unit> keep(const std::string& note);
  FileResult<Unit> next_segment(MonoTime now);
  void fail(const FileError& error, MonoTime now);
  void note_losses(MonoTime now);
  bool urgent() const;
  bool checkpoint_is_due(MonoTime now) const;
  bool segment_is_full() const;
  void rest(MonoTime now);
  void finish();

  LogState& state_;
  std::vector<std::unique_ptr<LoopJournal>>& journals_;
  FileSystem& files_;
  std::filesystem::path directory_;
  SegmentWriter writer_;
  std::function<void(std::uint64_t first)> closed_;
  std::function<void(const std::string& note, const audit::Checkpoint& checkpoint)> signed_checkpoint_;
  audit::NoteSigner signer_;
  std::optional<audit::NoteSigner> next_signer_;
  bool hand_over_recorded_ = false;  // of the one under way
  bool segment_ends_ = false;        // nothing more may be written to it: the next one is to be begun
  std::uint64_t checkpoints_bytes_;
  audit::AuditSettings settings_;
  SequencerCounts counts_;

  std::string buffer_;                                    // records
  std::string answers_;                                   // pieces of answers
  std::vector<std::optional<LoopJournal::Batch>> heads_;  // of each journal: what is taken next
  MonoTime next_sync_;
  MonoTime next_checkpoint_;
  MonoTime retry_at_;
  MonoTime next_loss_;
  Milliseconds pause_;
  std::uint64_t checkpointed_ = 0;  // size of the log at the newest checkpoint
  std::uint64_t lost_ = 0;          // that a record has said
  std::uint64_t session_records_synced_ = 0;
  bool failing_ = false;
  WallTime failing_since_;
  std::string last_failure_;
  std::size_t own_taken_ = 0;

  // Of other threads.
  std::mutex mutex_;
  std::condition_variable own_settled_;
  std::deque<Own> own_;
  std::uint64_t own_number_ = 0;
  std::uint64_t own_settled_number_ = 0;
  std::optional<audit::AuditSettings> new_settings_;
  std::optional<audit::NoteSigner> new_signer_;
  std::optional<std::string> last_;
  bool ended_ = false;
  std::atomic<bool> stopping_{false};
};

}  // namespace sallyport::store
