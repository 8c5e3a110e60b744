#include <CLI/CLI.hpp>
#include <memory>

#include "cli.h"
#include "log_options.h"
#include "review/hit_output.h"

namespace sallyport {
namespace {

struct Options {
  LogPlace place;
  LogFilter filter;
  LogPage page;
  bool json = false;
  bool count = false;
};

// So many rows are laid out together.
constexpr std::size_t table_rows = 500;

ExitCode count_hits(const store::Log& log, const store::LogQuery& query) {
  std::uint64_t count = 0;
  auto done = log.search(query, [&](const store::LogHit&) {
    ++count;
    return true;
  });
  warn_of_closed_seals(log.closed_seals());
  if (!done) {
    return fail(done.error());
  }
  print(std::to_string(count) + "\n");
  return ExitCode::ok;
}

ExitCode search(const Options& options) {
  store::LogQuery query = query_of(options.filter);
  set_page(query, options.page);
  auto log = open_log(options.place);
  if (!log) {
    return log.error();
  }
  warn_of_unknown_sessions(*log, query);
  if (options.count) {
    query.limit = SIZE_MAX;
    return count_hits(*log, query);
  }
  std::size_t limit = query.limit;
  // One more tells whether there is a next page.
  query.limit = limit == SIZE_MAX ? limit : limit + 1;
  std::vector<std::vector<std::string>> rows;
  std::size_t found = 0;
  std::optional<std::uint64_t> next;
  auto done = log->search(query, [&](const store::LogHit& hit) {
    if (found++ == limit) {
      next = hit.record.number;
      return false;
    }
    if (options.json) {
      return print(review::json_of(hit) + "\n");
    }
    rows.push_back(review::hit_row(hit));
    if (rows.size() < table_rows) {
      return true;
    }
    return print(review::aligned_table(review::hit_columns(), std::exchange(rows, {})));
  });
  if (!rows.empty()) {
    print(review::aligned_table(review::hit_columns(), std::move(rows)));
  }
  warn_of_closed_seals(log->closed_seals());
  if (!done) {
    return fail(done.error());
  }
  if (next) {
    std::fprintf(stderr, "More were found. The next page: --from %llu\n", static_cast<unsigned long long>(*next));
  }
  return ExitCode::ok;
}

}  // namespace

void add_audit_search(CLI::App& audit, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command =
      audit.add_subcommand("search", "Finds statements, with their outcomes, and other records in the audit log.");
  add_log_place(*command, options->place);
  add_log_filter(*command, options->filter);
  add_log_page(*command, options->page);
  add_unsealing(*command, options->place);
  auto* json = command->add_flag("--json", options->json, "One JSON object a line.");
  command->add_flag("--count", options->count, "Only how many there are.")->excludes(json);
  command->footer(
      help_footer("  sallyport audit search --config sallyport.yaml --account agent-reporter --day 2026-01-31\n"
                  "  sallyport audit search --dir audit --object shop.customers --status denied --since 7d --json\n"
                  "  sallyport audit search --dir audit --text 'DROP TABLE' --newest-first --limit 20\n"));
  command->callback([options, &result] { result = search(*options); });
}

}  // namespace sallyport
