// The sinks of an audit log: made and ended as the configuration says; and what the log has to do for their sake.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sink/settings.h"
#include "sink/sink_worker.h"
#include "store/audit_log.h"

namespace sallyport::sink {

class Sinks {
 public:
  struct Parts {
    store::AuditLog& log;  // outlives this
    std::filesystem::path directory;
    std::string origin;
    store::FileSystem& files = store::system_files();
    std::function<void(SinkEvent event)> tell;
    std::function<std::unique_ptr<Receiver>(const SinkSettings& settings, const Halt& halt)> make_receiver;
  };
  explicit Sinks(Parts parts) : parts_(std::move(parts)) {}
  // At once: what is there is left.
  ~Sinks();
  Sinks(const Sinks&) = delete;
  Sinks& operator=(const Sinks&) = delete;

  // One thread calls these. What is as before goes on; what has changed goes on at its cursor; what is gone ends, and
  // keeps its cursor. Waits for receivers that are in use, for about a second.
  void configure(const std::vector<SinkSettings>& settings);
  // Sinks work from now on. The log is started.
  void start();
  // Delivers what is there for at most so long, as far as receivers take it.
  void stop(Milliseconds at_most);

  // From any thread.
  std::vector<SinkStatus> status() const;

 private:
  std::unique_ptr<SinkWorker> make(const SinkSettings& settings);
  void settle();

  Parts parts_;
  bool started_ = false;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<SinkWorker>> workers_;  // in the order of the configuration
};

}  // namespace sallyport::sink
