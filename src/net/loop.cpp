#include "net/loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "net/backends.h"
#include "net/connection.h"

namespace sallyport::net {
namespace {

// How often deadlines are looked at. A session's end by its token's expiry is due within a second.
constexpr Milliseconds tick_interval{200};

}  // namespace

Now read_clocks() {
  return {.wall = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now()),
          .mono = std::chrono::steady_clock::now()};
}

Loop::Loop(std::uint32_t index, std::unique_ptr<store::AuditFile> audit, LoopShared& shared)
    : index_(index),
      shared_(shared),
      audit_(std::move(audit)),
      backends_(std::make_unique<Backends>(*this, shared.backends)) {}

Loop::~Loop() = default;

void Loop::run() {
  auto work = boost::asio::make_work_guard(context_);
  schedule_tick();
  context_.run();
  awaiting_commit_.clear();
  connections_.clear();
  backends_->close_all();
  audit_->commit();
}

void Loop::set_runtime(std::shared_ptr<const Runtime> runtime) {
  boost::asio::post(context_, [this, runtime = std::move(runtime)]() mutable {
    runtime_ = std::move(runtime);
    if (index_ == 0) {
      shared_.backends.use([](session::BackendPool& pool, auto& orders) {
        pool.start_generation(orders);
        return Unit{};
      });
    }
    Now now = read_clocks();
    auto connections = connections_;  // one may end, and leave the set, on being told
    for (const auto& connection : connections) {
      connection->environment_changed(runtime_->environment, now);
    }
  });
}

void Loop::set_keys(KeySnapshot keys) {
  boost::asio::post(context_, [this, keys = std::move(keys)]() mutable { keys_ = std::move(keys); });
}

void Loop::reopen_audit() {
  boost::asio::post(context_, [this] {
    if (auto reopened = audit_->reopen(); !reopened) {
      shared_.log.write(Severity::error, "audit file not reopened; the old one stays in use",
                        {{"error", reopened.error()}});
    }
  });
}

void Loop::drain() {
  boost::asio::post(context_, [this] {
    draining_ = true;
    auto connections = connections_;
    for (const auto& connection : connections) {
      connection->drain(read_clocks());
    }
  });
}

void Loop::stop_when_empty() {
  boost::asio::post(context_, [this] {
    draining_ = stopping_ = true;
    auto connections = connections_;
    for (const auto& connection : connections) {
      connection->stop(read_clocks());
    }
    if (connections_.empty()) {
      context_.stop();
    }
  });
}

// Unique among the loops: loop i of n gives out i + 1, i + 1 + n, i + 1 + 2n, ...
std::uint32_t Loop::next_connection_id(std::uint32_t loop_count) {
  return index_ + 1 + loop_count * connections_made_++;
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
  if (stopping_ && connections_.empty()) {
    context_.stop();
  }
}

void Loop::request_commit(std::shared_ptr<Connection> connection) {
  awaiting_commit_.push_back(std::move(connection));
  if (!commit_scheduled_) {
    commit_scheduled_ = true;
    boost::asio::post(context_, [this] { commit(); });
  }
}

void Loop::commit() {
  commit_scheduled_ = false;
  std::vector<std::shared_ptr<Connection>> told;
  told.swap(awaiting_commit_);
  bool committed = commit_audit();
  Now now = read_clocks();
  for (const auto& connection : told) {
    connection->audit_done(committed, now);
  }
  if (awaiting_commit_.empty()) {
    told.clear();
    awaiting_commit_.swap(told);  // keeps the memory
  }
}

bool Loop::commit_audit() {
  bool committed = audit_->commit();
  if (committed == audit_failing_) {
    audit_failing_ = !committed;
    shared_.audit_failing.store(audit_failing_, std::memory_order_relaxed);
    if (committed) {
      shared_.log.write(Severity::info, "audit log is written again");
    } else {
      shared_.log.write(Severity::error, "audit log can't be written; every statement is refused until it can",
                        {{"error", audit_->last_error()}});
    }
  }
  return committed;
}

void Loop::schedule_tick() {
  timer_.expires_after(tick_interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      tick();
      schedule_tick();
    }
  });
}

void Loop::tick() {
  if (audit_->has_uncommitted()) {
    commit_audit();
  }
  Now now = read_clocks();
  std::vector<std::shared_ptr<Connection>> due;
  for (const auto& connection : connections_) {
    if (now.mono >= connection->deadline()) {
      due.push_back(connection);
    }
  }
  for (const auto& connection : due) {
    connection->time_passed(now);
  }
  backends_->time_passed(now);
}

}  // namespace sallyport::net
