// The options of the subcommands that look at the audit log: where it lies, and what of it is wanted.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli.h"
#include "store/log_query.h"
#include "store/log_search.h"

namespace sallyport {

struct LogPlace {
  std::string config;
  std::string directory;
  bool without_index = false;
  std::vector<std::string> answers_keys;
  bool unseals = false;
};
void add_log_place(CLI::App& command, LogPlace& place);
// --unseal and --answers-key.
void add_unsealing(CLI::App& command, LogPlace& place);
// Keys of --unseal; nothing without it. On a mistake it has been printed.
Result<store::Log::SealKeys, ExitCode> seal_keys(const LogPlace& place);
// Says on standard error which seals could not be opened.
void warn_of_closed_seals(const store::ClosedSeals& seals);

// Says on standard error that there are records which what is asked for can't find, as their sessions' logins are
// deleted.
void warn_of_unknown_sessions(const store::Log& log, const store::LogQuery& query);

// The directory of --dir or of the configuration; on a mistake it has been printed.
Result<std::filesystem::path, ExitCode> log_directory(const LogPlace& place);
Result<store::Log, ExitCode> open_log(const LogPlace& place);

struct LogFilter {
  std::string since, until, day;
  std::vector<std::string> sessions, texts;
  std::array<std::vector<std::string>, store::field_count> fields;

  bool is_empty() const;
};
void add_log_filter(CLI::App& command, LogFilter& filter);

struct LogPage {
  std::size_t limit = 100;  // 0: none
  std::optional<std::uint64_t> from;
  bool newest_first = false;
};
void add_log_page(CLI::App& command, LogPage& page);

// Throws CLI::ValidationError for a time that is none.
store::LogQuery query_of(const LogFilter& filter);
void set_page(store::LogQuery& query, const LogPage& page);

// Prints "sallyport: TEXT" and returns the status of a failure. `text` may be of any origin.
ExitCode fail(std::string_view text);

// Whole or not at all; false when standard output takes no more.
bool print(std::string_view text);

}  // namespace sallyport
