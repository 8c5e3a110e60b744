// Sinks on a real log, with a receiver that fails as it is told.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "audit/record_members.h"
#include "sink/sinks.h"
#include "store/audit_log.h"

namespace sallyport::sink::test {

// What a receiver has got, and how it behaves. Shared by the receivers of a sink that is ended and made again.
class Script {
 public:
  // The next so many attempts fail, before or behind what is taken.
  void fail(int attempts) { failures_ = attempts; }
  void fail_behind(int attempts) { failures_behind_ = attempts; }
  void lose_connection() { lost_ = true; }
  // The receiver reads all, and ends each connection behind so many messages; then so many attempts fail.
  void end_connections_behind(std::uint64_t messages, int attempts = 0) {
    attempts_away_ = attempts;
    messages_max_ = messages;
  }
  void set_uncertain(std::uint64_t records) { uncertain_ = records; }
  // What is longer, as lines, is too large for it.
  void set_bytes_max(std::uint64_t bytes) { bytes_max_ = bytes; }

  Delivered take(const std::vector<Message>& messages) {
    if (failures_ != 0) {
      --failures_;
      return error();
    }
    std::lock_guard lock(mutex_);
    taken_ += messages.size();
    if (taken_ > messages_max_) {
      taken_ = 0;
      failures_ = attempts_away_.load();
      return error();
    }
    std::uint64_t bytes = 0;
    for (const Message& message : messages) {
      bytes += message.text.size() + 1;
    }
    batches_.push_back(bytes);
    if (bytes > bytes_max_) {
      return Unexpected(DeliveryError{.kind = DeliveryError::Kind::too_large, .text = "too large", .retry_after = {}});
    }
    for (const Message& message : messages) {
      texts_[message.index] = message.text;
      order_.push_back(message.index);
    }
    if (failures_behind_ != 0) {
      --failures_behind_;
      return error();
    }
    return Unit{};
  }
  Delivered idle() { return lost_.exchange(false) ? error() : Delivered(Unit{}); }
  std::uint64_t uncertain() const { return uncertain_; }

  std::map<std::uint64_t, std::string> texts() const {
    std::lock_guard lock(mutex_);
    return texts_;
  }
  std::vector<std::uint64_t> order() const {
    std::lock_guard lock(mutex_);
    return order_;
  }
  // How many bytes each attempt had, as lines.
  std::vector<std::uint64_t> batches() const {
    std::lock_guard lock(mutex_);
    return batches_;
  }
  void forget() {
    std::lock_guard lock(mutex_);
    texts_.clear();
    order_.clear();
  }

 private:
  static Delivered error() {
    return Unexpected(
        DeliveryError{.kind = DeliveryError::Kind::unreachable, .text = "as it was told", .retry_after = {}});
  }

  std::atomic<int> failures_{0};
  std::atomic<int> failures_behind_{0};
  std::atomic<bool> lost_{false};
  std::atomic<std::uint64_t> uncertain_{0};
  std::atomic<std::uint64_t> bytes_max_{UINT64_MAX};
  std::atomic<std::uint64_t> messages_max_{UINT64_MAX};
  std::atomic<int> attempts_away_{0};
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::string> texts_;
  std::vector<std::uint64_t> order_;
  std::vector<std::uint64_t> batches_;
  std::uint64_t taken_ = 0;  // of the connection
};

class ScriptedReceiver final : public Receiver {
 public:
  explicit ScriptedReceiver(Script& script) : script_(script) {}
  Delivered deliver(const std::vector<Message>& messages) override { return script_.take(messages); }
  Delivered idle() override { return script_.idle(); }
  std::uint64_t uncertain_records() const override { return script_.uncertain(); }

 private:
  Script& script_;
};

class SinkFixture : public testing::Test {
 protected:
  SinkFixture() {
    char name[] = "/tmp/sallyport-sink-XXXXXX";
    root_ = ::mkdtemp(name);
    audit_ = {.directory = root_ / "log",
              .origin = "test.example/log",
              .signing_key = root_ / "audit.key",
              .segment_bytes = 1U << 14,
              .journal_bytes = 1U << 16};
    open();
  }
  ~SinkFixture() override {
    close();
    std::filesystem::remove_all(root_);
  }

  void open() {
    auto log = store::AuditLog::open({.settings = audit_, .loops = 1, .version = "1.2.3"});
    ASSERT_TRUE(log) << log.error();
    log_ = std::move(*log);
    sinks_ = std::make_unique<Sinks>(Sinks::Parts{
        .log = *log_,
        .directory = audit_.directory,
        .origin = audit_.origin,
        .tell =
            [this](const SinkEvent& event) {
              std::lock_guard lock(mutex_);
              events_.push_back(event);
            },
        .make_receiver = [this](const SinkSettings& settings,
                                const Halt&) { return std::make_unique<ScriptedReceiver>(scripts_[settings.name]); }});
    sinks_->configure(settings_);
    log_->start();
    sinks_->start();
  }
  void close() {
    log_->stop();
    sinks_->stop(Seconds{5});
    sinks_.reset();
    log_.reset();
  }
  void configure(std::vector<SinkSettings> settings) {
    settings_ = std::move(settings);
    sinks_->configure(settings_);
  }
  static SinkSettings sink(const std::string& name) {
    return {.name = name, .behind_records_max = 1000, .message_bytes_max = 1U << 20, .receiver = FileSettings{}};
  }

  static std::string record(std::uint64_t number, std::string_view type = "command") {
    return "{\"seq\":" + std::to_string(number) +
           ",\"session\":\"s1\",\"text\":\"SELECT 1\",\"time\":\"2026-01-31T12:34:56.000000789Z\",\"type\":\"" +
           std::string(type) + "\"}\n";
  }
  // Whether it was taken: false when statements are refused.
  bool commit(std::uint64_t number, std::string_view type = "command") {
    store::LoopJournal& journal = log_->journal(0);
    EXPECT_TRUE(journal.append(record(number, type)));
    switch (journal.commit(std::chrono::steady_clock::now())) {
      case store::LoopJournal::Commit::done:
        return true;
      case store::LoopJournal::Commit::failed:
        return false;
      case store::LoopJournal::Commit::waits:
        break;
    }
    return eventually([&] { return journal.settled() >= journal.last_commit(); });
  }
  void commit_many(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
      commit(i);
    }
    wait_for_disk();
  }
  void wait_for_disk() {
    EXPECT_TRUE(eventually([&] { return log_->status(std::chrono::steady_clock::now()).waiting_bytes == 0; }));
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 10'000; ++i) {
      if (condition()) {
        return true;
      }
      std::this_thread::sleep_for(Milliseconds{1});
    }
    return false;
  }

  // All records of the log by index. It is complete once the log is at rest.
  std::map<std::uint64_t, std::string> records() const {
    std::map<std::uint64_t, std::string> found;
    RecordFeed feed(audit_.directory);
    if (auto oldest = feed.oldest()) {
      feed.go_to(*oldest);
    }
    while (true) {
      auto next = feed.next(log_->state().end());
      if (!next && feed.deleted_until()) {
        feed.go_to(*feed.deleted_until());
        continue;
      }
      EXPECT_TRUE(next) << next.error();
      if (!next || !*next) {
        return found;
      }
      found[(*next)->index] = std::string((*next)->text);
    }
  }
  bool has_caught_up(const std::string& name) const {
    for (const SinkStatus& status : sinks_->status()) {
      if (status.name == name) {
        return status.behind_records == 0;
      }
    }
    return false;
  }
  SinkStatus status(const std::string& name) const {
    for (const SinkStatus& status : sinks_->status()) {
      if (status.name == name) {
        return status;
      }
    }
    return {};
  }
  std::vector<SinkEvent> events(SinkEvent::Kind kind) const {
    std::lock_guard lock(mutex_);
    std::vector<SinkEvent> found;
    for (const SinkEvent& event : events_) {
      if (event.kind == kind) {
        found.push_back(event);
      }
    }
    return found;
  }

  std::filesystem::path root_;
  audit::AuditSettings audit_;
  std::vector<SinkSettings> settings_;
  std::map<std::string, Script> scripts_;
  mutable std::mutex mutex_;
  std::vector<SinkEvent> events_;
  std::unique_ptr<store::AuditLog> log_;
  std::unique_ptr<Sinks> sinks_;
};

}  // namespace sallyport::sink::test
