#include "net/witnesses.h"

#include <algorithm>

#include "audit/gateway_records.h"
#include "audit/witness.h"
#include "base/check.h"
#include "base/thread_name.h"
#include "net/http_exchange.h"
#include "store/log_consistency.h"

namespace sallyport::net {
namespace {

// After a failure the next attempt comes then, or sooner where checkpoints are sent more often.
constexpr Milliseconds retry_interval{10'000};
// An old size that the witness corrects, and once more when somebody else was faster.
constexpr int rounds_max = 3;
constexpr std::string_view request_type = "text/plain; charset=utf-8";

// What became of an attempt.
struct Attempt {
  WitnessState state = WitnessState::current;
  std::string detail;
};

Attempt failing(std::string detail) {
  return {.state = WitnessState::failing, .detail = std::move(detail)};
}

Attempt inconsistent(std::string detail) {
  return {.state = WitnessState::inconsistent, .detail = std::move(detail)};
}

std::string records_words(std::uint64_t size) {
  return std::to_string(size) + " records";
}

}  // namespace

std::string_view name_of(WitnessState state) {
  switch (state) {
    case WitnessState::unknown:
      return "unknown";
    case WitnessState::current:
      return "current";
    case WitnessState::failing:
      return "failing";
    case WitnessState::inconsistent:
      return "inconsistent";
  }
  return {};
}

class Witnesses::Witness {
 public:
  Witness(Witnesses& all, const audit::WitnessSettings& settings)
      : all_(all), settings_(settings), copies_(all.parts_.files, settings.file) {
    status_.name = settings.name;
    if (settings.file.empty()) {
      auto key = audit::WitnessKey::parse(settings.key);
      SALLYPORT_CHECK(key.has_value());  // the configuration was validated
      key_.emplace(std::move(key).value());
    }
  }

  // Until the witnesses are stopped.
  void run() {
    name_this_thread("witness " + settings_.name);
    std::unique_lock lock(all_.mutex_);
    MonoTime due{};
    while (true) {
      auto has_news = [&] { return all_.newest_ && all_.newest_->checkpoint != sent_; };
      while (!all_.stopping_ && !(has_news() && std::chrono::steady_clock::now() >= due)) {
        if (has_news()) {
          all_.changed_.wait_until(lock, due);
        } else {
          all_.changed_.wait(lock);
        }
      }
      bool is_last = all_.stopping_;
      if (is_last && (!has_news() || status_.state == WitnessState::failing)) {
        return;
      }
      Newest newest = *all_.newest_;
      lock.unlock();
      Attempt attempt = send(newest);
      bool is_new_state = false;
      {
        std::lock_guard again(all_.mutex_);
        is_new_state = take(attempt, newest.checkpoint);
      }
      if (is_new_state && !is_last) {
        tell(attempt, newest.checkpoint.size);
      }
      due = std::chrono::steady_clock::now() +
            (attempt.state == WitnessState::current ? settings_.every : std::min(settings_.every, retry_interval));
      lock.lock();
      if (is_last) {
        return;
      }
    }
  }

  const WitnessStatus& status() const { return status_; }

 private:
  // Under the lock. Whether the state is another one than before.
  bool take(const Attempt& attempt, const audit::Checkpoint& checkpoint) {
    if (attempt.state == WitnessState::current) {
      sent_ = checkpoint;
      status_.covered = checkpoint.size;
    } else {
      ++status_.failures;
    }
    return std::exchange(status_.state, attempt.state) != attempt.state;
  }

  void tell(const Attempt& attempt, std::uint64_t size) {
    bool is_good = attempt.state == WitnessState::current;
    Severity severity = is_good                                       ? Severity::info
                        : attempt.state == WitnessState::inconsistent ? Severity::error
                                                                      : Severity::warning;
    all_.parts_.log.write(
        severity,
        is_good ? "a witness has the audit log's checkpoint" : "a witness does not have the audit log's checkpoint",
        {{"witness", settings_.name},
         {"state", std::string(name_of(attempt.state))},
         {"records", std::to_string(size)},
         {"detail", attempt.detail}});
    std::string line;
    WallTime now = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
    audit::append_witness_state(
        line, {.witness = settings_.name, .state = name_of(attempt.state), .records = size, .detail = attempt.detail},
        now);
    all_.parts_.record(std::move(line));
  }

  Attempt send(const Newest& newest) {
    if (key_) {
      return have_cosigned(newest);
    }
    auto added = copies_.add(newest.note, newest.checkpoint, [&](std::uint64_t old_size) {
      return store::prove_consistency(all_.parts_.directory, old_size, newest.checkpoint);
    });
    if (added) {
      return {};
    }
    bool is_other = added.error().kind == store::CopyError::Kind::other_history;
    return {.state = is_other ? WitnessState::inconsistent : WitnessState::failing, .detail = added.error().text};
  }

  Attempt have_cosigned(const Newest& newest) {
    for (int round = 0; round < rounds_max; ++round) {
      if (known_ > newest.checkpoint.size) {
        return inconsistent("it cosigned a checkpoint of " + records_words(known_) + ", and this log has " +
                            std::to_string(newest.checkpoint.size) + ": an older state was put in place");
      }
      auto proof = store::prove_consistency(all_.parts_.directory, known_, newest.checkpoint);
      if (!proof) {
        return failing("no proof that the log goes on from " + records_words(known_) + ": " + std::move(proof).error());
      }
      auto answer = exchange(
          {.url = settings_.url + "/add-checkpoint",
           .posted = HttpBody{.type = std::string(request_type),
                              .bytes = audit::to_text(
                                  {.old_size = known_, .proof = std::move(proof).value(), .note = newest.note})},
           .ca_file = settings_.ca_file});
      if (!answer) {
        return failing(std::move(answer).error().text);
      }
      auto conflict = answer->status == 409 ? audit::size_of_conflict(answer->body) : std::nullopt;
      if (!conflict || *conflict == known_) {
        return judge(newest, *answer);
      }
      known_ = *conflict;
    }
    return failing("its newest checkpoint changes all the time: another log of this name is sent, too");
  }

  Attempt judge(const Newest& newest, const HttpAnswer& answer) {
    switch (answer.status) {
      case 200:
        break;
      case 409:
        return inconsistent("it cosigned another tree of " + records_words(known_));
      case 422:
        return inconsistent("what it cosigned of " + records_words(known_) + " this log does not go on from");
      case 403:
        return failing("it does not know the log's key");
      case 404:
        return failing("it does not know this log, or is no witness");
      default:
        return failing("it answers with status " + std::to_string(answer.status));
    }
    auto cosigned = audit::with_cosignature(newest.note, answer.body, *key_);
    if (!cosigned) {
      return failing("its answer has no cosignature of its key");
    }
    known_ = newest.checkpoint.size;
    std::lock_guard lock(all_.cosigned_mutex_);
    auto kept = all_.cosigned_.put(settings_.name, *std::move(cosigned));
    return kept ? Attempt{} : failing(std::move(kept).error());
  }

  Witnesses& all_;
  audit::WitnessSettings settings_;
  std::optional<audit::WitnessKey> key_;  // of one that cosigns
  store::CheckpointCopies copies_;        // of one that is a file
  std::uint64_t known_ = 0;               // size that it cosigned last, as far as is known
  std::optional<audit::Checkpoint> sent_;
  WitnessStatus status_;
};

Witnesses::Witnesses(Parts parts) : parts_(std::move(parts)), cosigned_(parts_.files, parts_.directory) {
  for (const audit::WitnessSettings& settings : parts_.settings) {
    witnesses_.push_back(std::make_unique<Witness>(*this, settings));
  }
}

void Witnesses::start() {
  for (auto& witness : witnesses_) {
    threads_.emplace_back([one = witness.get()] { one->run(); });
  }
}

Witnesses::~Witnesses() {
  stop();
}

void Witnesses::signed_checkpoint(const std::string& note, const audit::Checkpoint& checkpoint) {
  std::lock_guard lock(mutex_);
  newest_ = Newest{.note = note, .checkpoint = checkpoint};
  changed_.notify_all();
}

void Witnesses::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

std::vector<WitnessStatus> Witnesses::status() const {
  std::lock_guard lock(mutex_);
  std::vector<WitnessStatus> all;
  for (const auto& witness : witnesses_) {
    all.push_back(witness->status());
  }
  return all;
}

}  // namespace sallyport::net
