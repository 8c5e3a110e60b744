#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "audit/canonical_json.h"
#include "audit/checkpoint.h"
#include "audit/range_json.h"
#include "audit_files.h"
#include "cli.h"
#include "store/log_directory.h"
#include "store/segment_reader.h"

namespace sallyport {

namespace {

namespace json = boost::json;

constexpr std::size_t tree_bytes_max = 64U << 10;

struct Options {
  std::string directory;
  bool as_json = false;
};

struct Stats {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  std::uint64_t record_bytes = 0;
  std::uint64_t disk_bytes = 0;  // of the files with records
  std::uint64_t deleted_records = 0;
  std::string time_first;
  std::string time_last;
  std::map<std::string, std::uint64_t> types;
  std::string origin;
  std::uint64_t signed_records = 0;
};

Result<Unit, std::string> count_segment(store::SegmentReader& reader, Stats& stats) {
  while (true) {
    auto chunk = reader.next();
    if (!chunk) {
      return Unexpected(std::move(chunk).error().text);
    }
    if (chunk->empty()) {
      stats.disk_bytes += reader.bytes_read();
      return Unit{};
    }
    stats.records += chunk->count;
    stats.record_bytes += chunk->lines.size();
    for (std::string_view rest = chunk->lines; !rest.empty();) {
      std::size_t end = rest.find('\n');
      audit::RecordOutline outline;
      bool malformed = static_cast<bool>(audit::check_canonical_object(rest.substr(0, end), outline));
      ++stats.types[malformed || outline.type.empty() ? "(malformed)" : audit::unescaped(outline.type)];
      if (!malformed && !outline.time.empty()) {
        stats.time_last = audit::unescaped(outline.time);
        stats.time_first = stats.time_first.empty() ? stats.time_last : stats.time_first;
      }
      rest.remove_prefix(end + 1);
    }
  }
}

Result<Stats, std::string> count(const std::string& directory) {
  auto log = store::list_log(directory);
  if (!log) {
    return Unexpected(std::move(log).error());
  }
  Stats stats;
  for (const store::SegmentEntry& entry : log->segments) {
    if (entry.has_records()) {
      auto reader = store::SegmentReader::open(directory, entry.first);
      if (!reader) {
        return Unexpected(reader.error().text);
      }
      ++stats.segments;
      if (auto counted = count_segment(*reader, stats); !counted) {
        return Unexpected(std::move(counted).error());
      }
    } else if (auto tree = store::read_small_file(log->file(store::SegmentFile::tree, entry.first), tree_bytes_max);
               tree && *tree) {
      if (auto range = audit::parse_segment_range(**tree)) {
        stats.deleted_records += range->range.end - range->range.first;
      }
    }
  }
  auto note = store::read_small_file(log->path / std::string(store::checkpoint_file), audit::note_bytes_max);
  if (note && *note) {
    if (auto checkpoint = audit::parse_checkpoint(**note)) {
      stats.origin = checkpoint->checkpoint.origin;
      stats.signed_records = checkpoint->checkpoint.size;
    }
  }
  return stats;
}

void print(const Stats& stats) {
  say("log        %s\n", stats.origin.empty() ? "of no known name" : shown(stats.origin).c_str());
  say("records    %" PRIu64 " in %" PRIu64 " segments, %" PRIu64 " deleted\n", stats.records, stats.segments,
      stats.deleted_records);
  say("bytes      %" PRIu64 " of records, %" PRIu64 " on disk\n", stats.record_bytes, stats.disk_bytes);
  say("times      from %s to %s\n", shown(stats.time_first).c_str(), shown(stats.time_last).c_str());
  say("checkpoint of %" PRIu64 " records (not verified here)\n", stats.signed_records);
  for (const auto& [type, number] : stats.types) {
    say("  %-22s %" PRIu64 "\n", shown(type).c_str(), number);
  }
}

ExitCode run(const Options& options) {
  auto stats = count(options.directory);
  if (!stats) {
    return failed(stats.error());
  }
  if (!options.as_json) {
    print(*stats);
    return ExitCode::ok;
  }
  json::object types;
  for (const auto& [type, number] : stats->types) {
    types[type] = number;
  }
  say_json(json::object{{"origin", stats->origin},
                        {"segments", stats->segments},
                        {"records", stats->records},
                        {"record_bytes", stats->record_bytes},
                        {"disk_bytes", stats->disk_bytes},
                        {"deleted_records", stats->deleted_records},
                        {"time_first", stats->time_first},
                        {"time_last", stats->time_last},
                        {"signed_records", stats->signed_records},
                        {"types", std::move(types)}});
  return ExitCode::ok;
}

}  // namespace

void add_audit_stats(CLI::App& audit, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command =
      audit.add_subcommand("stats", "Counts an audit log's records by type, and their bytes. Verifies nothing.");
  command->add_option("DIR", options->directory, "The log's directory.")->required();
  command->add_flag("--json", options->as_json, "As JSON.");
  command->footer(help_footer("  sallyport audit stats /var/lib/sallyport/audit\n"));
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace sallyport
