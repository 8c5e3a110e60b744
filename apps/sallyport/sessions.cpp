#include "sessions.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <unordered_set>

#include "review/display_text.h"
#include "review/hit_output.h"
#include "review/show.h"

namespace sallyport {
namespace {

struct ListOptions {
  LogPlace place;
  LogFilter filter;
  LogPage page;
  bool json = false;
};

// Sessions that have a statement or another record that was asked for.
Result<std::unordered_set<std::string>, std::string> sessions_with_hits(const store::Log& log,
                                                                        const store::LogQuery& query) {
  std::unordered_set<std::string> ids;
  auto done = log.search(query, [&](const store::LogHit& hit) {
    ids.insert(hit.session.id);
    return true;
  });
  if (!done) {
    return Unexpected(std::move(done).error());
  }
  return ids;
}

ExitCode list(const ListOptions& options) {
  store::LogQuery query = query_of(options.filter);
  auto log = open_log(options.place);
  if (!log) {
    return log.error();
  }
  warn_of_unknown_sessions(*log, query);
  auto sessions = log->sessions(query);
  if (!sessions) {
    return fail(sessions.error());
  }
  if (query.asks_for_statements() || query.asks_for_outcomes() || !query.field(store::Field::type).empty()) {
    auto ids = sessions_with_hits(*log, query);
    warn_of_closed_seals(log->closed_seals());
    if (!ids) {
      return fail(ids.error());
    }
    std::erase_if(*sessions, [&](const store::SessionSummary& one) { return !ids->contains(one.id); });
  }
  if (options.page.newest_first) {
    std::reverse(sessions->begin(), sessions->end());
  }
  std::vector<std::vector<std::string>> rows;
  std::size_t shown = 0;
  for (const store::SessionSummary& session : *sessions) {
    std::uint64_t at = session.first_record;
    if (options.page.from && (options.page.newest_first ? at > *options.page.from : at < *options.page.from)) {
      continue;
    }
    if (options.page.limit != 0 && shown++ == options.page.limit) {
      std::fprintf(stderr, "There are more. The next page: --from %llu\n", static_cast<unsigned long long>(at));
      break;
    }
    if (options.json) {
      print(review::json_of(session) + "\n");
    } else {
      rows.push_back(review::session_row(session));
    }
  }
  if (!options.json) {
    print(review::aligned_table(review::session_columns(), std::move(rows)));
  }
  return ExitCode::ok;
}

struct ShowOptions {
  LogPlace place;
  std::string session;
  bool json = false;
};

ExitCode show(const ShowOptions& options) {
  auto log = open_log(options.place);
  if (!log) {
    return log.error();
  }
  auto id = find_session(*log, options.session);
  if (!id) {
    return id.error();
  }
  if (options.json) {
    auto records = records_of(*log, *id);
    if (!records) {
      return records.error();
    }
    for (const store::LogRecord& record : *records) {
      print("{\"number\":" + std::to_string(record.number) + ",\"record\":" + review::json_for_terminal(record.text) +
            "}\n");
    }
    return ExitCode::ok;
  }
  auto story = story_of(*log, *id);
  if (!story) {
    return story.error();
  }
  print(review::show_heading(*story) + "\n");
  for (const review::StoryEvent& event : story->events) {
    print(review::show_event(event));
  }
  return ExitCode::ok;
}

}  // namespace

Result<std::string, ExitCode> find_session(const store::Log& log, const std::string& beginning) {
  constexpr std::size_t named_max = 10;
  auto ids = log.session_ids(beginning, named_max);
  if (!ids) {
    return Unexpected(fail(ids.error()));
  }
  auto exact = std::find(ids->begin(), ids->end(), beginning);
  if (exact != ids->end()) {
    return *exact;
  }
  if (ids->empty() || beginning.empty()) {
    return Unexpected(fail("the log has no session " + beginning + " (sallyport sessions list shows them)"));
  }
  if (ids->size() > 1) {
    std::string names;
    for (const std::string& id : *ids) {
      names += " " + id;
    }
    return Unexpected(fail("several sessions begin so:" + names));
  }
  return ids->front();
}

Result<std::vector<store::LogRecord>, ExitCode> records_of(const store::Log& log, const std::string& id) {
  auto records = log.records_of(id);
  warn_of_closed_seals(log.closed_seals());
  if (!records) {
    return Unexpected(fail(records.error()));
  }
  return std::move(*records);
}

Result<review::SessionStory, ExitCode> story_of(const store::Log& log, const std::string& id) {
  auto records = records_of(log, id);
  if (!records) {
    return Unexpected(records.error());
  }
  auto story = review::tell_story(id, *records);
  if (!story) {
    return Unexpected(fail(story.error()));
  }
  return std::move(*story);
}

void add_sessions_list(CLI::App& sessions, ExitCode& result) {
  auto options = std::make_shared<ListOptions>();
  auto* command = sessions.add_subcommand(
      "list", "Lists sessions: those under way in the time asked for, and with a statement like the one asked for.");
  add_log_place(*command, options->place);
  add_log_filter(*command, options->filter);
  add_log_page(*command, options->page);
  add_unsealing(*command, options->place);
  command->add_flag("--json", options->json, "One JSON object a line.");
  command->footer(
      help_footer("  sallyport sessions list --config sallyport.yaml --since today\n"
                  "  sallyport sessions list --dir audit --account agent-reporter --object customers --json\n"));
  command->callback([options, &result] { result = list(*options); });
}

void add_sessions_show(CLI::App& sessions, ExitCode& result) {
  auto options = std::make_shared<ShowOptions>();
  auto* command = sessions.add_subcommand("show", "Shows all of one session: login, statements, outcomes, end.");
  command->add_option("session", options->session, "Its id, or the beginning of it.")->required()->type_name("SESSION");
  add_log_place(*command, options->place);
  add_unsealing(*command, options->place);
  command->add_flag("--json", options->json, "Its records, one JSON object a line.");
  command->footer(help_footer("  sallyport sessions show --dir audit 4c1f0a9b77e2\n"));
  command->callback([options, &result] { result = show(*options); });
}

}  // namespace sallyport
