#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>

#include "audit_files.h"
#include "cli.h"
#include "sink/cursor.h"
#include "store/log_directory.h"

namespace sallyport {

namespace {

namespace json = boost::json;

struct Options {
  std::string directory;
  bool as_json = false;
};

ExitCode run(const Options& options) {
  auto log = store::list_log(options.directory);
  if (!log) {
    return failed(log.error());
  }
  auto records = count_records(*log);
  if (!records) {
    return failed(records.error());
  }
  json::array shown;
  if (!options.as_json) {
    say("%-24s %14s %14s  %s\n", "sink", "next record", "behind", "records of the log");
  }
  for (const std::string& name : log->sinks) {
    auto cursor = sink::load_cursor(options.directory, name);
    if (!cursor || !*cursor) {
      return failed(cursor ? "the cursor of " + name + " is gone" : cursor.error());
    }
    std::uint64_t behind = *records - std::min(*records, (*cursor)->next);
    if (options.as_json) {
      shown.push_back(json::object{
          {"sink", name}, {"first", (*cursor)->first}, {"next", (*cursor)->next}, {"behind_records", behind}});
    } else {
      say("%-24s %14" PRIu64 " %14" PRIu64 "  %" PRIu64 "\n", name.c_str(), (*cursor)->next, behind, *records);
    }
  }
  if (options.as_json) {
    say_json(json::object{{"records", *records}, {"sinks", std::move(shown)}});
  }
  return ExitCode::ok;
}

}  // namespace

void add_audit_sinks(CLI::App& audit, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command = audit.add_subcommand("sinks", "How far each sink of an audit log has got, as was saved last.");
  command->add_option("DIR", options->directory, "The log's directory.")->required();
  command->add_flag("--json", options->as_json, "As JSON.");
  command->footer(help_footer("  sallyport audit sinks /var/log/sallyport\n"));
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace sallyport
