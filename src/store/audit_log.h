// The audit log as the gateway has it: a journal for each event loop, and the threads that make a log of them.
//
// docs/audit-format.md says what is written; docs/adr/0029-the-audit-log.md why it is done like this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "audit/settings.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/file.h"
#include "store/log_state.h"
#include "store/loop_journal.h"
#include "store/segment_closer.h"
#include "store/sequencer.h"
#include "store/watched_files.h"

namespace sallyport::store {

// For metrics and readiness.
struct AuditLogStatus {
  bool failing = false;
  std::string failure;                // why, when it is
  std::uint64_t records = 0;          // in the log, on the disk
  std::uint64_t session_records = 0;  // written, of those that loops committed since the start
  std::uint64_t segment_bytes = 0;    // of the open segment
  std::uint64_t segments_closed = 0;  // since the start, as all that follow
  std::uint64_t checkpoints = 0;
  std::uint64_t syncs = 0;
  double sync_seconds = 0;          // that these took
  std::uint64_t failures = 0;       // vain attempts to write
  std::uint64_t waiting_bytes = 0;  // committed, and not on the disk yet
  std::uint64_t lost_records = 0;   // for which there was no room
};

class AuditLog {
 public:
  struct Options {
    audit::AuditSettings settings;  // origin and signing_key given
    std::uint32_t loops = 1;
    std::string version;  // of the program
    FileSystem& files = system_files();
    // Something went wrong that stops nothing. From any thread.
    std::function<void(const std::string& error)> report = [](const std::string&) {};
    // Each checkpoint that was signed, also while the log is opened; must return at once. From any thread.
    std::function<void(const std::string& note, const audit::Checkpoint& checkpoint)> signed_checkpoint =
        [](const std::string&, const audit::Checkpoint&) {};
  };
  // What was found, for the program's log.
  struct Found {
    std::uint64_t records = 0;
    std::uint64_t restored_records = 0;
    std::uint64_t torn_bytes = 0;
  };

  // Locks the directory, takes up what is there, writes audit_start, and makes the journals. The error is a sentence
  // for the operator.
  static Result<std::unique_ptr<AuditLog>, std::string> open(Options options);
  // As stop().
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  const Found& found() const { return found_; }
  LoopJournal& journal(std::uint32_t loop) { return *journals_[loop]; }

  // Once; what was committed before is written then.
  void start();
  // When nothing is committed any more: writes what was, and audit_stop behind it.
  void stop();

  // Settings that changed, but for directory, origin and journal_bytes. Where signing_key holds another key than
  // before, the log is handed over to it. The error is a sentence, and nothing is changed then.
  Result<Unit, std::string> configure(const audit::AuditSettings& settings);

  // Between start() and stop(): deletes closed segments by hand, with a record of it. Waits until that is done. The
  // error is a sentence.
  Result<Pruned, std::string> prune(const PruneBounds& bounds, std::string operator_name);
  // From any thread, between start() and stop(): puts a record of the log's own into it, and waits until it is on the
  // disk; false when the log ends before, or when `give_up` says so.
  bool record(std::string line, const std::function<bool()>& give_up) {
    return sequencer_->record(std::move(line), give_up);
  }
  // From any thread: the first record that a reader needs still. Retention keeps it, and what is behind it.
  void keep_from(std::uint64_t needed) { closer_->keep_from(needed); }

  AuditLogStatus status(MonoTime now) const;
  LogState& state() { return state_; }
  const LogState& state() const { return state_; }

 private:
  explicit AuditLog(Options options);

  Result<Unit, std::string> lock();
  Result<Unit, std::string> take_up();
  Result<Unit, std::string> make_journals();

  Options options_;
  Found found_;
  LogState state_;
  WatchedFiles watched_files_;
  int lock_ = -1;
  audit::KeyId key_id_{};
  std::vector<std::unique_ptr<LoopJournal>> journals_;
  std::unique_ptr<SegmentCloser> closer_;
  std::unique_ptr<Sequencer> sequencer_;
  bool stopped_ = false;
  std::thread sequencer_thread_;
  std::thread closer_thread_;
};

}  // namespace sallyport::store
