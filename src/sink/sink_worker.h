// One sink at work: a thread that follows the log on the disk, delivers its records in portions, and moves the cursor
// behind what the receiver has acknowledged. docs/adr/0030-sinks.md says why it is done like this.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "sink/backoff.h"
#include "sink/cursor.h"
#include "sink/formatter.h"
#include "sink/halt.h"
#include "sink/receiver.h"
#include "sink/record_feed.h"
#include "sink/resend.h"
#include "sink/session_finder.h"
#include "sink/settings.h"
#include "store/file.h"
#include "store/log_state.h"

namespace sallyport::sink {

// For the operator's log.
struct SinkEvent {
  enum class Kind : std::uint8_t {
    delivers,  // for the first time, or again
    fails,     // and tries again
    refused,   // the receiver says no; likewise
    dropped,   // records were left out
    anew       // its cursor could not be used, and all that the log has is delivered
  };
  Kind kind;
  std::string sink;
  std::string text;
};

// For metrics; of counts: since the sink was started.
struct SinkStatus {
  std::string name;
  std::string kind;
  bool failing = false;
  std::string failure;               // why, when it is
  std::uint64_t delivered = 0;       // records that were acknowledged; one that was sent again counts again
  std::uint64_t failures = 0;        // vain attempts
  std::uint64_t dropped = 0;         // records
  std::uint64_t behind_records = 0;  // on the disk, and not acknowledged
  std::uint64_t behind_bytes = 0;    // about, as they lie on the disk
  double last_success_seconds = 0;   // since 1970; 0: never
};

class SinkWorker {
 public:
  struct Parts {
    SinkSettings settings;
    std::filesystem::path directory;  // of the log
    std::string origin;               // the log's name
    const store::LogState& log;
    store::FileSystem& files;
    // Puts a record into the log and waits until it is on the disk; false when the log ends, or `give_up` says so.
    std::function<bool(std::string line, const std::function<bool()>& give_up)> record;
    // The cursor has moved. On the sink's thread.
    std::function<void()> moved;
    std::function<void(SinkEvent event)> tell;
    std::function<std::unique_ptr<Receiver>(const SinkSettings& settings, const Halt& halt)> make_receiver;
  };
  // Begins at the cursor where there is one, and else at the log's end or beginning.
  explicit SinkWorker(Parts parts);
  ~SinkWorker();
  SinkWorker(const SinkWorker&) = delete;
  SinkWorker& operator=(const SinkWorker&) = delete;

  void start();
  // What is there is delivered until then, as long as the receiver takes it.
  void ask_to_stop(MonoTime deadline) { halt_.ask(deadline); }
  void join();

  const SinkSettings& settings() const { return parts_.settings; }
  // These from any thread. The record from which on being behind counts, and the first that may be needed after a
  // crash.
  std::uint64_t counts_from() const { return std::max(start_, next_.load(std::memory_order_acquire)); }
  std::uint64_t needed() const { return needed_.load(std::memory_order_acquire); }
  SinkStatus status() const;

 private:
  Cursor find_cursor();
  std::string fault_of(const Cursor& cursor, std::uint64_t end) const;
  std::uint64_t taken_until() const;
  void begin();
  void run();
  void step(const store::LogEnd& end);
  bool collect(const store::LogEnd& end);
  void take_feed_error(const std::string& error);
  void deliver();
  bool deliver_less();
  void be_idle(const store::LogEnd& end);
  bool drop_what_is_beyond(const store::LogEnd& end);
  bool drop_until(std::uint64_t end, std::string_view reason);
  void move_to(std::uint64_t next);
  void advance_to(std::uint64_t end);
  void succeeded();
  void failed(const DeliveryError& error);
  void tell_what_is_so(MonoTime now);
  std::string failure() const;
  void rewind();
  void read_from(std::uint64_t index);
  void save(MonoTime now);
  void save_if_due(MonoTime now);
  void set_needed();
  void measure(const store::LogEnd& end, MonoTime now);
  bool takes(std::string_view record) const;

  Parts parts_;
  Halt halt_;
  std::unique_ptr<Receiver> receiver_;
  SessionFinder finder_;
  Formatter formatter_;
  RecordFeed feed_;
  Backoff backoff_;
  std::optional<Cursor> saved_;
  Cursor cursor_;  // behind saved_, which finding it sets
  MonoTime saved_at_;
  MonoTime retry_at_;
  MonoTime measured_at_;
  std::vector<Message> batch_;                // to be delivered, those that were not acknowledged
  std::uint64_t batch_end_ = 0;               // index behind the records that it was made of
  std::string batch_leaf_;                    // of the record before that, where the cursor is to move there
  std::uint64_t batch_bytes_max_;             // with line ends; a single message may be longer
  std::size_t message_bytes_max_ = SIZE_MAX;  // of the one that was too large for the receiver, to be cut
  Resend resend_;
  bool has_delivered_ = false;            // since it counted as a success last, or went back
  std::optional<SinkEvent::Kind> state_;  // delivers, fails, refused; what is so, and what the operator knows
  std::optional<SinkEvent::Kind> told_;
  std::optional<MonoTime> told_delivers_at_;
  std::optional<MonoTime> told_fails_at_;
  const std::uint64_t start_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> needed_{0};
  mutable std::mutex status_mutex_;
  SinkStatus status_;
  std::thread thread_;
};

}  // namespace sallyport::sink
