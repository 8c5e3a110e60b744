// Sends checkpoints of the audit log to its witnesses, each on a thread of its own: nothing of it is in the way of a
// session. What becomes of them is in the metrics, in the program's log, and on record when it changes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/settings.h"
#include "base/clock.h"
#include "net/log.h"
#include "store/file.h"
#include "store/witness_files.h"

namespace sallyport::net {

enum class WitnessState : std::uint8_t {
  unknown,      // nothing was sent yet
  current,      // it has what was sent last
  failing,      // it can't be reached, or refuses; tried again
  inconsistent  // it knows of another history of this log
};
std::string_view name_of(WitnessState state);

struct WitnessStatus {
  std::string name;
  WitnessState state = WitnessState::unknown;
  std::uint64_t covered = 0;   // records that the checkpoint it has covers
  std::uint64_t failures = 0;  // vain attempts
};

class Witnesses {
 public:
  struct Parts {
    std::vector<audit::WitnessSettings> settings;
    std::filesystem::path directory;  // of the log
    store::FileSystem& files;
    // Puts a record into the log; it may wait for the disk.
    std::function<void(std::string line)> record;
    Log& log;
  };
  explicit Witnesses(Parts parts);
  ~Witnesses();
  Witnesses(const Witnesses&) = delete;
  Witnesses& operator=(const Witnesses&) = delete;

  // Once. Before that nothing is sent.
  void start();

  // The newest one; of those that come faster than a witness wants them the last is sent. From any thread; returns at
  // once.
  void signed_checkpoint(const std::string& note, const audit::Checkpoint& checkpoint);

  // Once, behind the log's last checkpoint: witnesses that are not failing are sent what they do not have yet. Takes
  // as long as some exchanges of five seconds at most.
  void stop();

  std::vector<WitnessStatus> status() const;

 private:
  struct Newest {
    std::string note;
    audit::Checkpoint checkpoint;
  };
  class Witness;

  Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Newest> newest_;
  bool stopping_ = false;
  std::mutex cosigned_mutex_;
  store::CosignedCheckpoints cosigned_;
  std::vector<std::unique_ptr<Witness>> witnesses_;
  std::vector<std::thread> threads_;
};

}  // namespace sallyport::net
