#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <memory>

#include "review/csv.h"
#include "review/display_text.h"
#include "review/hit_output.h"
#include "review/sql_script.h"
#include "sessions.h"

namespace sallyport {
namespace {

struct Options {
  LogPlace place;
  LogFilter filter;
  std::vector<std::string> sessions;
  std::string format = "json";
  std::string output;
  std::string split;
};

// Standard output, or a file that is whole or not there.
class Output {
 public:
  explicit Output(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) {
      file_.open(path_ + ".new", std::ios::binary | std::ios::trunc);
    }
  }
  bool write(std::string_view text) {
    if (path_.empty()) {
      return print(text);
    }
    return static_cast<bool>(file_.write(text.data(), static_cast<std::streamsize>(text.size())));
  }
  bool finish() {
    if (path_.empty()) {
      return true;
    }
    file_.close();
    std::error_code error;
    if (file_) {
      std::filesystem::rename(path_ + ".new", path_, error);
    }
    return file_ && !error;
  }

 private:
  std::string path_;
  std::ofstream file_;
};

// The sessions that were named, or those that match, in the order of their beginnings.
Result<std::vector<std::string>, ExitCode> chosen_sessions(const store::Log& log, const Options& options) {
  std::vector<std::string> ids;
  for (const std::string& beginning : options.sessions) {
    auto id = find_session(log, beginning);
    if (!id) {
      return Unexpected(id.error());
    }
    ids.push_back(std::move(*id));
  }
  if (!ids.empty()) {
    return ids;
  }
  auto sessions = log.sessions(query_of(options.filter));
  if (!sessions) {
    return Unexpected(fail(sessions.error()));
  }
  for (const store::SessionSummary& session : *sessions) {
    ids.push_back(session.id);
  }
  return ids;
}

ExitCode export_sql(const store::Log& log, const Options& options) {
  if (options.output.empty() && options.split.empty() && ::isatty(STDOUT_FILENO) == 1) {
    return fail("a script has statements byte by byte, also what a terminal acts upon: name a file by --output");
  }
  auto ids = chosen_sessions(log, options);
  if (!ids) {
    return ids.error();
  }
  Output output{options.split.empty() ? options.output : ""};
  std::size_t number = 0;
  for (const std::string& id : *ids) {
    auto story = story_of(log, id);
    if (!story) {
      return story.error();
    }
    for (const std::string& script : review::sql_scripts(*story)) {
      std::string digits = std::to_string(++number);
      std::string name = std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits + ".sql";
      Output part{options.split.empty() ? "" : (std::filesystem::path(options.split) / name).string()};
      bool written = options.split.empty() ? output.write(script) : part.write(script) && part.finish();
      if (!written) {
        return fail("the script can't be written");
      }
    }
  }
  return output.finish() ? ExitCode::ok : fail("the script can't be written");
}

ExitCode export_records(const store::Log& log, const Options& options) {
  store::LogQuery query = query_of(options.filter);
  for (const std::string& beginning : options.sessions) {
    auto id = find_session(log, beginning);
    if (!id) {
      return id.error();
    }
    query.sessions.push_back(std::move(*id));
  }
  bool is_csv = options.format == "csv";
  Output output{options.output};
  bool written = !is_csv || output.write(review::csv_heading());
  auto done = log.search(query, [&](const store::LogHit& hit) {
    written = output.write(is_csv ? review::csv_row(hit) : review::json_of(hit) + "\n");
    return written;
  });
  warn_of_closed_seals(log.closed_seals());
  if (!done) {
    return fail(done.error());
  }
  return written && output.finish() ? ExitCode::ok : fail("the export can't be written");
}

ExitCode export_sessions(const Options& options) {
  if (options.format == "sql") {
    store::LogQuery query = query_of(options.filter);
    if (query.asks_for_statements() || query.asks_for_outcomes() || !query.field(store::Field::type).empty()) {
      throw CLI::ValidationError("--format sql",
                                 "a script is of whole sessions: choose them by account, connection, client or time");
    }
    if (!options.sessions.empty() && !options.filter.is_empty()) {
      throw CLI::ValidationError("SESSION", "sessions that are named are exported whole: leave the filters out");
    }
  } else if (!options.split.empty()) {
    throw CLI::ValidationError("--split", "files of their own are for scripts: add --format sql");
  }
  auto log = open_log(options.place);
  if (!log) {
    return log.error();
  }
  warn_of_unknown_sessions(*log, query_of(options.filter));
  return options.format == "sql" ? export_sql(*log, options) : export_records(*log, options);
}

}  // namespace

void add_sessions_export(CLI::App& sessions, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command = sessions.add_subcommand(
      "export", "Writes sessions, or what matches, as JSON, CSV, or a script of their statements.");
  command->add_option("sessions", options->sessions, "Ids, or beginnings of them. Without any: all that match.")
      ->type_name("SESSION");
  add_log_place(*command, options->place);
  add_log_filter(*command, options->filter);
  add_unsealing(*command, options->place);
  command->add_option("--format", options->format, "json (one object a line), csv, or sql.")
      ->check(CLI::IsMember({"json", "csv", "sql"}))
      ->capture_default_str();
  auto* output = command->add_option("--output", options->output, "Write to this file, as a whole or not at all.")
                     ->type_name("FILE");
  command
      ->add_option("--split", options->split,
                   "With sql: a file for each connection in this directory, to be run one after the other.")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory)
      ->excludes(output);
  command->footer(
      help_footer("  sallyport sessions export --dir audit 4c1f0a9b77e2 --format sql --output session.sql\n"
                  "  mysql --binary-mode --comments --force < session.sql\n"
                  "  sallyport sessions export --dir audit --account agent-reporter --day 2026-01-31 --format csv "
                  "--output day.csv\n"));
  command->callback([options, &result] { result = export_sessions(*options); });
}

}  // namespace sallyport
