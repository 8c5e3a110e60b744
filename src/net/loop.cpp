#include "net/loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "net/backends.h"
#include "net/catalogues.h"
#include "net/connection.h"
#include "net/side_kills.h"

namespace sallyport::net {
namespace {

// How often deadlines are looked at. A session's end by its token's expiry is due within a second.
constexpr Milliseconds tick_interval{200};

}  // namespace

Now read_clocks() {
  return {.wall = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now()),
          .mono = std::chrono::steady_clock::now()};
}

Loop::Loop(std::uint32_t index, store::LoopJournal& audit, LoopShared& shared)
    : index_(index),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      wake_watch_(reactor_, wake_.number(), Reactor::Watch::Kind::stream, [this] { run_posted(); }),
      shared_(shared),
      audit_(audit),
      now_(read_clocks()),
      next_tick_(now_.mono),
      backends_(std::make_unique<Backends>(*this, shared.backends)),
      side_kills_(std::make_unique<SideKills>(*this)),
      catalogues_(std::make_unique<Catalogues>(*this, shared.catalogues)) {
  audit_.set_wake([this] { ::eventfd_write(wake_.number(), 1); });
}

Loop::~Loop() = default;

void Loop::run() {
  thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  while (!stopped_) {
    turn();
  }
  awaiting_commit_.clear();
  commits_under_way_.clear();
  again_.clear();
  connections_.clear();
  side_kills_->close_all();
  catalogues_->close_all();
  backends_->close_all();
  audit_.flush(std::chrono::steady_clock::now());
}

// What the events of one turn have appended to the audit log is committed at the turn's end, at once for all.
void Loop::turn() {
  reactor_.wait(time_to_wait());
  now_ = read_clocks();
  run_again();
  reactor_.tell();
  run_timers();
  if (now_.mono >= next_tick_) {
    next_tick_ = now_.mono + tick_interval;
    tick();
  }
  if (!commits_under_way_.empty()) {
    settle_commits();
  }
  if (!awaiting_commit_.empty()) {
    commit();
  }
  if (audit_.has_uncommitted()) {
    audit_.flush(std::chrono::steady_clock::now());
  }
  if (std::exchange(posted_here_, false)) {
    run_tasks();
  }
}

Milliseconds Loop::time_to_wait() const {
  if (!again_.empty() || !awaiting_commit_.empty() || posted_here_) {
    return Milliseconds{0};
  }
  MonoTime due = timers_.empty() ? next_tick_ : std::min(next_tick_, timers_.begin()->first);
  return std::chrono::ceil<Milliseconds>(due - now_.mono);
}

void Loop::post(std::function<void()> task) {
  {
    std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(task));
  }
  if (thread_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    posted_here_ = true;  // the turn that is under way ends with it
  } else {
    ::eventfd_write(wake_.number(), 1);
  }
}

void Loop::run_posted() {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.number(), &ignored);
  run_tasks();
}

void Loop::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) {
    task();
  }
}

void Loop::after(Milliseconds delay, std::function<void()> task) {
  timers_.emplace(now_.mono + delay, std::move(task));
}

void Loop::run_timers() {
  while (!timers_.empty() && timers_.begin()->first <= now_.mono) {
    auto task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    task();
  }
}

void Loop::run_again() {
  std::vector<std::shared_ptr<Connection>> connections;
  connections.swap(again_);
  for (const auto& connection : connections) {
    connection->leg_ready();
  }
}

void Loop::set_runtime(std::shared_ptr<const Runtime> runtime) {
  post([this, runtime = std::move(runtime)]() mutable {
    runtime_ = std::move(runtime);
    verified_signatures_.keep_at_most(runtime_->environment->limits.verified_signatures_max);
    if (index_ == 0) {
      shared_.backends.use([](session::BackendPool& pool, auto& orders) {
        pool.start_generation(orders);
        return Unit{};
      });
    }
    catalogues_->configure();
    auto connections = connections_;  // one may end, and leave the set, on being told
    for (const auto& connection : connections) {
      connection->environment_changed(runtime_->environment, now_);
    }
  });
}

void Loop::set_keys(KeySnapshot keys) {
  post([this, keys = std::move(keys)]() mutable { keys_ = std::move(keys); });
}

void Loop::record(std::string line) {
  post([this, line = std::move(line)] {
    audit_.append(line);
    audit_.flush(std::chrono::steady_clock::now());
  });
}

void Loop::drain() {
  post([this] {
    draining_ = true;
    auto connections = connections_;
    for (const auto& connection : connections) {
      connection->drain(now_);
    }
  });
}

void Loop::stop_when_empty() {
  post([this] {
    draining_ = stopping_ = true;
    auto connections = connections_;
    for (const auto& connection : connections) {
      connection->stop(now_);
    }
    stop_if_done();
  });
}

// Unique among the loops: loop i of n gives out i + 1, i + 1 + n, i + 1 + 2n, ...
std::uint32_t Loop::next_connection_id(std::uint32_t loop_count) {
  return session::first_connection_id | (index_ + 1 + loop_count * connections_made_++);
}

void Loop::add(const std::shared_ptr<Connection>& connection) {
  connections_.insert(connection);
  counters_.raise(Level::connections_open);
  connection_count_.store(static_cast<std::uint32_t>(connections_.size()), std::memory_order_relaxed);
}

void Loop::remove(const std::shared_ptr<Connection>& connection) {
  if (connections_.erase(connection) == 0) {
    return;
  }
  counters_.lower(Level::connections_open);
  shared_.connections_open.fetch_sub(1, std::memory_order_relaxed);
  connection_count_.store(static_cast<std::uint32_t>(connections_.size()), std::memory_order_relaxed);
  stop_if_done();
}

void Loop::stop_if_done() {
  stopped_ = stopped_ || (stopping_ && connections_.empty() && side_kills_->empty());
}

void Loop::request_commit(std::shared_ptr<Connection> connection) {
  awaiting_commit_.push_back(std::move(connection));
}

void Loop::commit() {
  std::vector<std::shared_ptr<Connection>> connections;
  connections.swap(awaiting_commit_);
  MonoTime began = std::chrono::steady_clock::now();
  switch (audit_.commit(began)) {
    case store::LoopJournal::Commit::done:
      tell(connections, CommitResult::committed);
      settle_commits();  // those before it have settled, too
      break;
    case store::LoopJournal::Commit::failed:
      tell(connections, CommitResult::failed);
      break;
    case store::LoopJournal::Commit::waits:
      commits_under_way_.push_back(
          {.number = audit_.last_commit(), .began = began, .connections = std::move(connections)});
      return;
  }
  if (awaiting_commit_.empty()) {
    connections.clear();
    awaiting_commit_.swap(connections);  // keeps the memory
  }
}

// Commits settle in their order, and fail all at once: when the log can't be written, or doesn't get on.
void Loop::settle_commits() {
  if (commits_under_way_.empty()) {
    audit_.waited();
    return;
  }
  std::uint64_t settled = audit_.settled();
  while (!commits_under_way_.empty() && commits_under_way_.front().number <= settled) {
    CommitUnderWay commit = std::move(commits_under_way_.front());
    commits_under_way_.pop_front();
    tell(commit.connections, CommitResult::committed);
  }
  MonoTime now = std::chrono::steady_clock::now();
  if (!commits_under_way_.empty() && audit_.failing(commits_under_way_.front().began, now)) {
    std::deque<CommitUnderWay> failed;
    failed.swap(commits_under_way_);
    for (const CommitUnderWay& commit : failed) {
      tell(commit.connections, CommitResult::failed);
    }
  }
  if (commits_under_way_.empty()) {
    audit_.waited();
  }
}

void Loop::tell(const std::vector<std::shared_ptr<Connection>>& connections, CommitResult result) {
  now_ = read_clocks();
  for (const auto& connection : connections) {
    connection->audit_done(result, now_);
  }
}

void Loop::tick() {
  std::vector<std::shared_ptr<Connection>> due;
  for (const auto& connection : connections_) {
    if (now_.mono >= connection->deadline()) {
      due.push_back(connection);
    }
  }
  for (const auto& connection : due) {
    connection->time_passed(now_);
  }
  side_kills_->time_passed(now_);
  catalogues_->time_passed(now_);
  backends_->time_passed(now_);
}

}  // namespace sallyport::net
