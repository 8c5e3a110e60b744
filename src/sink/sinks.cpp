#include "sink/sinks.h"

#include <algorithm>
#include <utility>

namespace sallyport::sink {

Sinks::~Sinks() {
  stop(Milliseconds{0});
}

std::unique_ptr<SinkWorker> Sinks::make(const SinkSettings& settings) {
  store::AuditLog& log = parts_.log;
  return std::make_unique<SinkWorker>(SinkWorker::Parts{
      .settings = settings,
      .directory = parts_.directory,
      .origin = parts_.origin,
      .log = log.state(),
      .files = parts_.files,
      .record = [&log](std::string line,
                       const std::function<bool()>& give_up) { return log.record(std::move(line), give_up); },
      .moved = [this] { settle(); },
      .tell = parts_.tell,
      .make_receiver = parts_.make_receiver});
}

// The list is as it was until all is made, so that the log keeps what the old ones need.
void Sinks::configure(const std::vector<SinkSettings>& settings) {
  auto is_wanted = [&](const auto& worker) {
    return std::find(settings.begin(), settings.end(), worker->settings()) != settings.end();
  };
  for (auto& worker : workers_) {
    if (!is_wanted(worker)) {
      worker->ask_to_stop(MonoTime{});
    }
  }
  for (auto& worker : workers_) {
    if (!is_wanted(worker)) {
      worker->join();
    }
  }
  std::vector<std::unique_ptr<SinkWorker>> now(settings.size());
  for (std::size_t i = 0; i < settings.size(); ++i) {
    bool is_there = std::any_of(workers_.begin(), workers_.end(),
                                [&](const auto& worker) { return worker->settings() == settings[i]; });
    now[i] = is_there ? nullptr : make(settings[i]);
  }
  std::vector<SinkWorker*> made;
  {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < settings.size(); ++i) {
      if (now[i] != nullptr) {
        made.push_back(now[i].get());
        continue;
      }
      now[i] = std::move(*std::find_if(workers_.begin(), workers_.end(), [&](const auto& worker) {
        return worker != nullptr && worker->settings() == settings[i];
      }));
    }
    workers_.swap(now);
  }
  settle();
  for (SinkWorker* worker : made) {
    if (started_) {
      worker->start();
    }
  }
}

void Sinks::start() {
  started_ = true;
  for (auto& worker : workers_) {
    worker->start();
  }
}

void Sinks::stop(Milliseconds at_most) {
  MonoTime deadline = std::chrono::steady_clock::now() + at_most;
  for (auto& worker : workers_) {
    worker->ask_to_stop(deadline);
  }
  for (auto& worker : workers_) {
    worker->join();
  }
}

// What the sinks need stays in the log, and the log gets no further ahead of one that blocks than that allows.
void Sinks::settle() {
  std::lock_guard lock(mutex_);
  store::LogAllowance allowance;
  std::uint64_t needed = UINT64_MAX;
  for (const auto& worker : workers_) {
    needed = std::min(needed, worker->needed());
    const SinkSettings& settings = worker->settings();
    if (settings.when_behind != WhenBehind::block) {
      continue;
    }
    std::uint64_t from = worker->counts_from();
    if (from + settings.behind_records_max < allowance.refuse_beyond) {
      allowance.refuse_beyond = from + settings.behind_records_max;
      allowance.reader = "the sink " + settings.name;
    }
    allowance.resume_at = std::min(allowance.resume_at, from + settings.behind_records_max / 2);
  }
  parts_.log.state().allow(std::move(allowance));
  parts_.log.keep_from(needed);
}

std::vector<SinkStatus> Sinks::status() const {
  std::lock_guard lock(mutex_);
  std::vector<SinkStatus> all;
  for (const auto& worker : workers_) {
    all.push_back(worker->status());
  }
  return all;
}

}  // namespace sallyport::sink
