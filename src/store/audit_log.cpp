#include "store/audit_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/hex.h"
#include "base/thread_name.h"
#include "store/log_directory.h"
#include "store/log_records.h"
#include "store/log_recovery.h"
#include "store/signing_key.h"

namespace sallyport::store {
namespace {

constexpr mode_t lock_mode = 0600;

std::string_view name_of(audit::Durability durability) {
  switch (durability) {
    case audit::Durability::normal:
      return "normal";
    case audit::Durability::strict:
      return "strict";
  }
  return {};
}

WallTime wall_now() {
  return std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
}

std::string journal_name(std::size_t loop) {
  return "journal-" + std::to_string(loop);
}

}  // namespace

AuditLog::AuditLog(Options options) : options_(std::move(options)), watched_files_(options_.files, state_) {
  state_.configure(options_.settings.durability, options_.settings.stall_limit);
}

Result<std::unique_ptr<AuditLog>, std::string> AuditLog::open(Options options) {
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(options)));
  for (auto step : {&AuditLog::lock, &AuditLog::take_up, &AuditLog::make_journals}) {
    if (auto done = (*log.*step)(); !done) {
      log->sequencer_.reset();
      return Unexpected(std::move(done).error());
    }
  }
  return log;
}

Result<Unit, std::string> AuditLog::lock() {
  const auto& directory = options_.settings.directory;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  auto path = directory / "lock";
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, lock_mode);
  if (lock_ < 0) {
    return Unexpected("cannot open " + path.string() + ": " + std::strerror(errno));
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return Unexpected("another gateway writes to the audit log in " + directory.string());
  }
  return Unit{};
}

Result<Unit, std::string> AuditLog::take_up() {
  const audit::AuditSettings& settings = options_.settings;
  auto signer = load_or_make_signing_key(settings.signing_key, settings.origin);
  if (!signer) {
    return Unexpected(std::move(signer).error());
  }
  std::optional<audit::NoteSigner> previous;
  std::vector<const audit::NoteKey*> keys{&signer->verifier_key()};
  if (!settings.previous_signing_key.empty()) {
    auto loaded = load_signing_key(settings.previous_signing_key, settings.origin);
    if (!loaded) {
      return Unexpected(std::move(loaded).error());
    }
    previous = std::move(loaded).value();
    keys.push_back(&previous->verifier_key());
  }
  auto log = recover_log(options_.files, settings.directory, keys);
  if (!log) {
    return Unexpected(std::move(log).error());
  }
  found_ = {.records = log->position.tree.size() + log->restored_records,
            .restored_records = log->restored_records,
            .torn_bytes = log->torn_bytes};
  key_id_ = signer->verifier_key().id();
  bool is_handed_over = log->key && *log->key == 1;
  std::string key_line = (is_handed_over ? *previous : *signer).verifier_key().to_line();
  closer_ = std::make_unique<SegmentCloser>(
      SegmentCloser::Parts{.files = options_.files,
                           .directory = settings.directory,
                           .retention = settings.retention,
                           .record = [this](std::string line) { return sequencer_->record(std::move(line)); },
                           .report = options_.report});
  for (std::uint64_t first : log->to_compress) {
    closer_->add(first);
  }
  sequencer_ = std::make_unique<Sequencer>(
      Sequencer::Parts{.state = state_,
                       .journals = journals_,
                       .files = watched_files_,
                       .directory = settings.directory,
                       .position = std::move(log->position),
                       .checkpoints_bytes = log->checkpoints_bytes,
                       .signer = is_handed_over ? std::move(*previous) : std::move(signer).value(),
                       .settings = settings,
                       .closed = [this](std::uint64_t first) { closer_->add(first); },
                       .signed_checkpoint = options_.signed_checkpoint});
  StartRecord start{.answers_key = settings.answers_key ? to_hex(settings.answers_key->id()) : std::string{},
                    .durability = std::string(name_of(settings.durability)),
                    .key = std::move(key_line),
                    .loops = options_.loops,
                    .origin = settings.origin,
                    .restored_records = log->restored_records,
                    .torn_bytes = log->torn_bytes,
                    .unreadable_journals = log->unreadable_journals,
                    .version = options_.version};
  if (auto begun = sequencer_->begin({.records = std::move(log->restored), .answers = std::move(log->restored_answers)},
                                     to_line(start, wall_now()));
      !begun) {
    return Unexpected("the audit log can't be written: " + begun.error().text);
  }
  if (is_handed_over) {
    sequencer_->change_key(std::move(signer).value());
  }
  return Unit{};
}

// What the old ones held is in the log and on the disk.
Result<Unit, std::string> AuditLog::make_journals() {
  const audit::AuditSettings& settings = options_.settings;
  auto listing = list_log(settings.directory);
  if (!listing) {
    return Unexpected(std::move(listing).error());
  }
  for (std::size_t i = 0; i < options_.loops; ++i) {
    auto ring = JournalRing::create(settings.directory / journal_name(i), settings.journal_bytes);
    if (!ring) {
      return Unexpected("audit log: " + std::move(ring).error());
    }
    journals_.push_back(std::make_unique<LoopJournal>(std::move(ring).value(), state_));
    journals_.back()->set_answers_key(settings.answers_key);
    std::erase(listing->journals, journal_name(i));
  }
  for (const std::string& left : listing->journals) {
    if (auto removed = options_.files.remove(settings.directory / left); !removed) {
      return Unexpected(std::move(removed).error().text);
    }
  }
  return Unit{};
}

AuditLog::~AuditLog() {
  stop();
  if (lock_ >= 0) {
    ::close(lock_);
  }
}

void AuditLog::start() {
  sequencer_thread_ = std::thread([this] {
    name_this_thread("sequencer");
    sequencer_->run();
  });
  closer_thread_ = std::thread([this] {
    name_this_thread("segment-closer");
    closer_->run();
  });
}

void AuditLog::stop() {
  if (sequencer_ == nullptr || std::exchange(stopped_, true)) {
    return;
  }
  if (!sequencer_thread_.joinable()) {
    sequencer_->stop(stop_record(wall_now()));
    sequencer_->run();  // was never started
  } else {
    closer_->stop();
    sequencer_->stop(stop_record(wall_now()));
    sequencer_thread_.join();
    closer_thread_.join();
  }
}

Result<Unit, std::string> AuditLog::configure(const audit::AuditSettings& settings) {
  auto signer = load_signing_key(settings.signing_key, options_.settings.origin);
  if (!signer) {
    return Unexpected(std::move(signer).error());
  }
  if (signer->verifier_key().id() != key_id_) {
    key_id_ = signer->verifier_key().id();
    sequencer_->change_key(std::move(signer).value());
  }
  if (settings.answers_key != options_.settings.answers_key) {
    sequencer_->add_record(
        answers_key_record(settings.answers_key ? to_hex(settings.answers_key->id()) : std::string{}, wall_now()));
    for (auto& journal : journals_) {
      journal->set_answers_key(settings.answers_key);
    }
  }
  std::string origin = std::move(options_.settings.origin);
  options_.settings = settings;
  options_.settings.origin = std::move(origin);
  state_.configure(settings.durability, settings.stall_limit);
  sequencer_->configure(settings);
  closer_->set_retention(settings.retention);
  return Unit{};
}

Result<Pruned, std::string> AuditLog::prune(const PruneBounds& bounds, std::string operator_name) {
  return closer_->prune(bounds, std::move(operator_name));
}

AuditLogStatus AuditLog::status(MonoTime now) const {
  AuditLogStatus status{.failing = state_.failing(now), .failure = state_.failure(now)};
  for (const auto& journal : journals_) {
    status.waiting_bytes += journal->waiting_bytes();
    status.lost_records += journal->lost();
  }
  if (sequencer_ == nullptr) {
    return status;
  }
  const SequencerCounts& counts = sequencer_->counts();
  auto of = [](const std::atomic<std::uint64_t>& count) { return count.load(std::memory_order_relaxed); };
  status.records = of(counts.records);
  status.session_records = of(counts.session_records);
  status.segment_bytes = of(counts.segment_bytes);
  status.segments_closed = of(counts.segments_closed);
  status.checkpoints = of(counts.checkpoints);
  status.syncs = of(counts.syncs);
  status.sync_seconds = static_cast<double>(of(counts.sync_nanoseconds)) / 1e9;
  status.failures = of(counts.failures);
  return status;
}

}  // namespace sallyport::store
