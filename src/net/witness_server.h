// This gateway as a witness of other audit logs: C2SP tlog-witness' add-checkpoint, on a thread of its own, as what is
// cosigned has to be on the disk before it is answered.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audit/settings.h"
#include "audit/witness.h"
#include "base/result.h"
#include "net/log.h"
#include "store/witness_files.h"

namespace sallyport::net {

class WitnessServer {
 public:
  using Done = std::function<void(audit::WitnessAnswer)>;

  // Makes the signing key where it isn't there. The error is a sentence for the operator.
  static Result<std::unique_ptr<WitnessServer>, std::string> open(const audit::ServedWitnessSettings& settings,
                                                                  Log& log);
  // Waits for the request that is answered; those that wait are not.
  ~WitnessServer();
  WitnessServer(const WitnessServer&) = delete;
  WitnessServer& operator=(const WitnessServer&) = delete;

  const audit::WitnessKey& key() const { return cosigner_.witness_key(); }

  // The body of a request; `done` is called on the server's thread. More than requests_max that wait are answered with
  // status 503 at once.
  static constexpr std::size_t requests_max = 64;
  void add_checkpoint(std::string body, Done done);

 private:
  struct Request {
    std::string body;
    Done done;
  };
  WitnessServer(audit::Cosigner cosigner, std::vector<audit::NoteKey> keys,
                const audit::ServedWitnessSettings& settings, Log& log);
  void work();
  audit::WitnessAnswer answer(const std::string& body);
  void tell_of_other_history(const audit::Checkpoint& checkpoint, std::uint64_t known_size);

  audit::Cosigner cosigner_;
  std::vector<audit::NoteKey> keys_;
  store::WitnessedLogs logs_;
  Log& log_;
  MonoTime next_telling_{};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request> requests_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sallyport::net
