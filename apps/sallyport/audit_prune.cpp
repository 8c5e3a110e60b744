#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <future>
#include <memory>
#include <string>

#include "audit/checkpoint.h"
#include "audit_files.h"
#include "base/descriptor.h"
#include "config/config.h"
#include "config/scalars.h"
#include "mistakes_output.h"
#include "review/time_range.h"
#include "sink/cursor.h"
#include "store/audit_log.h"
#include "store/log_directory.h"
#include "store/signing_key.h"

namespace sallyport {

namespace {

namespace json = boost::json;

constexpr Milliseconds poll_interval{20};

struct Options {
  std::string directory;
  std::string config;
  std::string signing_key;
  std::string before;
  std::string to_size;
  bool despite_sinks = false;
  bool dry_run = false;
  bool as_json = false;
};

WallTime wall_now() {
  return std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
}

store::PruneBounds bounds_of(const Options& options) {
  store::PruneBounds bounds;
  if (!options.before.empty()) {
    bounds.before = review::parse_moment(options.before, wall_now());
    if (!bounds.before) {
      throw CLI::ValidationError("--before",
                                 "no time: give 2026-01-31, 2026-01-31T12:34:56Z (UTC), or 90d for ninety days ago");
    }
  }
  if (!options.to_size.empty()) {
    auto bytes = config::parse_size_bytes(options.to_size);
    if (!bytes || *bytes <= 0) {
      throw CLI::ValidationError("--to-size", "a size: 500MiB, 20GiB, 1000000B");
    }
    bounds.bytes = static_cast<std::uint64_t>(*bytes);
  }
  if (!bounds.before && bounds.bytes == 0) {
    throw CLI::RequiredError("--before or --to-size");
  }
  return bounds;
}

// Who runs this, as the operating system says.
std::string operator_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::getuid());
}

// The log's directory, name and keys. The error was printed.
Result<audit::AuditSettings, ExitCode> settings_of(const Options& options) {
  audit::AuditSettings settings;
  if (!options.config.empty()) {
    auto config = config::load(options.config);
    if (!config) {
      print_mistakes(config.error());
      return Unexpected(ExitCode::invalid_configuration);
    }
    settings = config->audit;
  }
  if (!options.directory.empty()) {
    settings.directory = options.directory;
  }
  if (!options.signing_key.empty()) {
    settings.signing_key = options.signing_key;
    settings.previous_signing_key.clear();
  }
  if (settings.directory.empty()) {
    throw CLI::RequiredError("DIR or --config");
  }
  if (settings.signing_key.empty() && !options.dry_run) {
    throw CLI::RequiredError("--signing-key or --config");
  }
  // The log's own name: it is not begun here.
  auto note = store::read_small_file(settings.directory / std::string(store::checkpoint_file), audit::note_bytes_max);
  auto read = note && note->has_value()
                  ? audit::parse_checkpoint(**note)
                  : Result<audit::SignedCheckpoint, audit::CheckpointError>(Unexpected(audit::CheckpointError{}));
  if (!read) {
    return Unexpected(failed(settings.directory.string() + " holds no audit log with a checkpoint"));
  }
  settings.origin = read->checkpoint.origin;
  // Nothing else is done to the log than what was asked for.
  settings.retention = {};
  settings.segment_bytes = UINT64_MAX;
  settings.segment_age = Seconds{std::int64_t{100} * 365 * 24 * 3600};
  return settings;
}

// Files that another user makes here the gateway could not write.
std::string obstacle(const audit::AuditSettings& settings) {
  struct stat status {};
  if (::stat(settings.directory.c_str(), &status) == 0 && status.st_uid != ::geteuid()) {
    return settings.directory.string() +
           " belongs to another user: run this as that one, so that the gateway can go on";
  }
  Descriptor lock(::open((settings.directory / "lock").c_str(), O_RDWR | O_CLOEXEC));
  if (lock.is_open() && ::flock(lock.number(), LOCK_EX | LOCK_NB) != 0) {
    return "a gateway writes to the audit log in " + settings.directory.string() +
           ", and deletes from it itself: set audit.retention and have it read its configuration again (SIGHUP), or "
           "stop it first";
  }
  return {};
}

Result<store::Pruned, std::string> prune(const audit::AuditSettings& settings, const store::PruneBounds& bounds) {
  // Which must not make one.
  if (auto signer = store::load_signing_key(settings.signing_key, settings.origin); !signer) {
    return Unexpected(std::move(signer).error());
  }
  auto opened = store::AuditLog::open(
      {.settings = settings, .loops = 0, .version = SALLYPORT_VERSION, .report = [](const std::string& error) {
         failed(error);
       }});
  if (!opened) {
    return Unexpected(std::move(opened).error());
  }
  store::AuditLog& log = **opened;
  log.start();
  auto done = std::async(std::launch::async, [&] { return log.prune(bounds, operator_name()); });
  // A disk that can't be written is waited for by a gateway, and not here.
  std::string failure;
  while (failure.empty() && done.wait_for(poll_interval) != std::future_status::ready) {
    store::AuditLogStatus status = log.status(std::chrono::steady_clock::now());
    failure = status.failing ? status.failure : std::string{};
  }
  log.stop();
  auto pruned = done.get();
  if (!pruned && !failure.empty()) {
    return Unexpected("the audit log can't be written: " + failure);
  }
  return pruned;
}

// What would be deleted.
Result<store::Pruned, std::string> plan(const audit::AuditSettings& settings, const store::PruneBounds& bounds) {
  auto planned = store::plan_pruning(settings.directory, bounds);
  if (!planned) {
    return Unexpected(std::move(planned).error());
  }
  return planned->segments.empty() ? store::Pruned{} : store::Pruned{std::move(*planned)};
}

void print(const store::Pruned& pruned, const Options& options) {
  if (options.as_json) {
    json::array ranges;
    for (const store::PrunePlan& one : pruned) {
      ranges.push_back(json::object{{"first", one.first},
                                    {"end", one.end},
                                    {"segments", one.segments.size()},
                                    {"bytes", one.bytes},
                                    {"time_first", one.time_first},
                                    {"time_last", one.time_last},
                                    {"reason", one.reason}});
    }
    say_json(json::object{{"dry_run", options.dry_run}, {"deleted", std::move(ranges)}});
    return;
  }
  for (const store::PrunePlan& one : pruned) {
    say("%s records %" PRIu64 " to %" PRIu64 ", of %s to %s: %zu segments, %" PRIu64 " bytes, for their %s\n",
        options.dry_run ? "would delete" : "deleted", one.first, one.end - 1, shown(one.time_first).c_str(),
        shown(one.time_last).c_str(), one.segments.size(), one.bytes, std::string(one.reason).c_str());
  }
  if (pruned.empty()) {
    say("nothing to delete: no closed segment is beyond what was given, and delivered by all sinks\n");
  }
}

// The first record that a sink may still have to deliver. One whose cursor is beyond the log's end will begin anew.
Result<std::uint64_t, std::string> needed_by_sinks(const std::filesystem::path& directory) {
  auto log = store::list_log(directory);
  if (!log) {
    return Unexpected(std::move(log).error());
  }
  auto records = count_records(*log);
  if (!records) {
    return records;
  }
  std::uint64_t needed = UINT64_MAX;
  for (const std::string& name : log->sinks) {
    auto cursor = sink::load_cursor(directory, name);
    if (!cursor) {
      return Unexpected(std::move(cursor).error());
    }
    if (*cursor) {
      bool is_beyond = (*cursor)->next > *records || (*cursor)->start > *records;
      needed = std::min(needed, is_beyond ? 0 : (*cursor)->needed);
    }
  }
  return needed;
}

ExitCode run(const Options& options) {
  store::PruneBounds bounds = bounds_of(options);
  auto settings = settings_of(options);
  if (!settings) {
    return settings.error();
  }
  if (std::string why = options.dry_run ? std::string{} : obstacle(*settings); !why.empty()) {
    return failed(why);
  }
  if (!options.despite_sinks) {
    auto needed = needed_by_sinks(settings->directory);
    if (!needed) {
      return failed(needed.error() + "; --despite-sinks deletes without asking what sinks still have to deliver");
    }
    bounds.needed = *needed;
  }
  auto pruned = options.dry_run ? plan(*settings, bounds) : prune(*settings, bounds);
  if (!pruned) {
    return failed(pruned.error());
  }
  print(*pruned, options);
  return ExitCode::ok;
}

}  // namespace

void add_audit_prune(CLI::App& audit, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command = audit.add_subcommand(
      "prune",
      "Deletes the oldest closed segments of a log that no gateway writes to, as retention would: with a signed record "
      "of it, and so that what remains can be verified.");
  command->add_option("DIR", options->directory, "The log's directory; by default that of --config.");
  command->add_option("--config", options->config, "The gateway's configuration: directory and signing key.")
      ->type_name("FILE");
  command->add_option("--signing-key", options->signing_key, "The log's private key, in place of the configuration's.")
      ->type_name("FILE");
  auto* before =
      command
          ->add_option("--before", options->before,
                       "Segments whose last record is older: 2026-01-31, 2026-01-31T12:34:56Z, 90d (ago). In UTC.")
          ->type_name("TIME");
  command->add_option("--to-size", options->to_size, "The oldest, until all together have no more than this: 20GiB.")
      ->type_name("SIZE")
      ->excludes(before);
  command->add_flag("--despite-sinks", options->despite_sinks,
                    "Also what a sink has not delivered. Without it such segments stay (sallyport audit sinks DIR).");
  command->add_flag("--dry-run", options->dry_run, "Only say what would be deleted.");
  command->add_flag("--json", options->as_json, "The result as JSON.");
  command->footer(
      help_footer("  sallyport audit prune --config sallyport.yaml --before 400d --dry-run\n"
                  "  sallyport audit prune /var/log/sallyport --signing-key audit.key --to-size 20GiB\n"));
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace sallyport
