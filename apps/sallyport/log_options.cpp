#include "log_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "answers_keys.h"
#include "config/config.h"
#include "mistakes_output.h"
#include "review/display_text.h"
#include "review/time_range.h"

namespace sallyport {
namespace {

struct FieldOption {
  const char* name;
  store::Field field;
  const char* meaning;
};
constexpr std::array<FieldOption, store::field_count> field_options{
    {{"--account", store::Field::account, "Of this service account."},
     {"--subject", store::Field::subject, "Of this subject (sub of the token)."},
     {"--connection", store::Field::connection, "To this connection."},
     {"--client", store::Field::client, "From this address, or address and port."},
     {"--user", store::Field::user, "Of this user name, as the client sent it."},
     {"--object", store::Field::object, "Statements that name this table or routine: NAME or SCHEMA.NAME."},
     {"--kind", store::Field::kind, "Statements of this kind: select, update, create_table."},
     {"--digest", store::Field::digest, "Statements with this digest."},
     {"--status", store::Field::status, "Statements with this outcome: ok, error, denied, aborted."},
     {"--reason", store::Field::reason, "With this reason code."},
     {"--decision", store::Field::decision, "Statements with this decision of the policy."},
     {"--type", store::Field::type, "Records of this type: command, login_refused, audit_*."}}};

std::int64_t moment_of(const std::string& option, const std::string& text) {
  auto moment = review::parse_moment(text, std::chrono::system_clock::now());
  if (!moment) {
    throw CLI::ValidationError(option,
                               "no time: give 2026-01-31, 2026-01-31T12:34:56Z (UTC), today, or 2h for two hours ago");
  }
  return moment->time_since_epoch().count();
}

}  // namespace

void add_log_place(CLI::App& command, LogPlace& place) {
  auto* directory =
      command.add_option("--dir,--directory", place.directory, "The directory of the audit log.")->type_name("DIR");
  command.add_option("--config", place.config, "The gateway's configuration, which says where the audit log lies.")
      ->type_name("FILE")
      ->excludes(directory);
  command.add_flag("--without-index", place.without_index,
                   "Leave the index files aside, and read all segments: an index proves nothing.");
}

void add_unsealing(CLI::App& command, LogPlace& place) {
  command.add_flag("--unseal", place.unseals,
                   "Show literals that are sealed, by the keys of --answers-key or --config.");
  add_answers_keys(command, "A key that encrypted recorded answers and sealed literals. May be repeated.",
                   place.answers_keys);
}

Result<store::Log::SealKeys, ExitCode> seal_keys(const LogPlace& place) {
  if (!place.unseals) {
    return store::Log::SealKeys{};
  }
  auto keys = load_answers_keys(place.answers_keys, place.config);
  if (!keys) {
    return Unexpected(fail(keys.error()));
  }
  if (keys->empty()) {
    return Unexpected(fail(place.config.empty()
                               ? "--unseal takes a key: --answers-key FILE"
                               : "--unseal takes a key, and the configuration has no audit.answers_key"));
  }
  return store::Log::SealKeys{std::move(*keys)};
}

void warn_of_closed_seals(const store::ClosedSeals& seals) {
  for (const std::string& key : seals.wanted_keys) {
    std::fprintf(stderr, "sallyport: there are literals sealed by the key %s, which was not given (--answers-key)\n",
                 key.c_str());
  }
  if (seals.damaged) {
    std::fputs(
        "sallyport: a seal is not what was made for its record; sallyport audit verify tells whether the log was "
        "changed\n",
        stderr);
  }
}

void warn_of_unknown_sessions(const store::Log& log, const store::LogQuery& query) {
  auto found = query.asks_for_identity() ? log.begins_amid_unknown_sessions() : false;
  if (found && *found) {
    std::fputs(
        "sallyport: the log begins amid sessions whose logins are deleted, and no index tells who they were: what they "
        "did is not found by account, subject, connection, client or user\n",
        stderr);
  }
}

Result<std::filesystem::path, ExitCode> log_directory(const LogPlace& place) {
  if (!place.directory.empty()) {
    return std::filesystem::path(place.directory);
  }
  if (place.config.empty()) {
    throw CLI::RequiredError("--dir or --config");
  }
  auto config = config::load(place.config);
  if (!config) {
    print_mistakes(config.error());
    return Unexpected(ExitCode::invalid_configuration);
  }
  return config->audit.directory;
}

Result<store::Log, ExitCode> open_log(const LogPlace& place) {
  auto directory = log_directory(place);
  if (!directory) {
    return Unexpected(directory.error());
  }
  auto keys = seal_keys(place);
  if (!keys) {
    return Unexpected(keys.error());
  }
  auto log = store::Log::open(*directory, place.without_index ? store::IndexUse::none : store::IndexUse::files, *keys);
  if (!log) {
    return Unexpected(fail(log.error()));
  }
  return std::move(*log);
}

void add_log_filter(CLI::App& command, LogFilter& filter) {
  constexpr const char* group = "Filters (one of each kind has to match; '*' stands for any characters)";
  command
      .add_option("--since", filter.since, "From then on: 2026-01-31, 2026-01-31T12:34:56Z, today, 2h (ago). In UTC.")
      ->type_name("TIME")
      ->group(group);
  command.add_option("--until", filter.until, "Before then.")->type_name("TIME")->group(group);
  command.add_option("--day", filter.day, "On that day.")
      ->type_name("DATE")
      ->group(group)
      ->excludes("--since")
      ->excludes("--until");
  command.add_option("--session", filter.sessions, "Of this session, by its whole id.")->type_name("ID")->group(group);
  for (const FieldOption& option : field_options) {
    command.add_option(option.name, filter.fields[static_cast<std::size_t>(option.field)], option.meaning)
        ->type_name("VALUE")
        ->group(group);
  }
  command
      .add_option("--text", filter.texts, "Statements whose text has this in it. All that are given have to be there.")
      ->type_name("TEXT")
      ->group(group);
}

void add_log_page(CLI::App& command, LogPage& page) {
  command.add_option("--limit", page.limit, "How many at most; 0 for all.")->capture_default_str()->type_name("N");
  command.add_option("--from", page.from, "Begin with the record of this number: where the page before ended.")
      ->type_name("NUMBER");
  command.add_flag("--newest-first", page.newest_first, "The newest first.");
}

bool LogFilter::is_empty() const {
  return since.empty() && until.empty() && day.empty() && sessions.empty() && texts.empty() &&
         std::all_of(fields.begin(), fields.end(), [](const auto& field) { return field.empty(); });
}

store::LogQuery query_of(const LogFilter& filter) {
  store::LogQuery query;
  if (!filter.day.empty()) {
    constexpr std::int64_t day = 86'400'000'000'000;
    query.since = moment_of("--day", filter.day);
    query.since -= query.since % day;
    query.until = query.since + day;
  }
  if (!filter.since.empty()) {
    query.since = moment_of("--since", filter.since);
  }
  if (!filter.until.empty()) {
    query.until = moment_of("--until", filter.until);
  }
  query.sessions = filter.sessions;
  query.texts = filter.texts;
  query.fields = filter.fields;
  return query;
}

void set_page(store::LogQuery& query, const LogPage& page) {
  query.limit = page.limit == 0 ? SIZE_MAX : page.limit;
  query.from_record = page.from;
  query.order = page.newest_first ? store::LogQuery::Order::newest_first : store::LogQuery::Order::oldest_first;
}

ExitCode fail(std::string_view text) {
  std::fprintf(stderr, "sallyport: %s\n", review::for_terminal(text, review::Lines::escaped).c_str());
  return ExitCode::failed;
}

bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

}  // namespace sallyport
