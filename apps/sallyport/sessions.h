// The subcommands below `sessions`.
#pragma once

#include <string>

#include "cli.h"
#include "log_options.h"
#include "review/session_story.h"

namespace sallyport {

void add_sessions_list(CLI::App& sessions, ExitCode& result);
void add_sessions_show(CLI::App& sessions, ExitCode& result);
void add_sessions_replay(CLI::App& sessions, ExitCode& result);
void add_sessions_export(CLI::App& sessions, ExitCode& result);
void add_sessions_tail(CLI::App& sessions, ExitCode& result);

// The one session whose id begins so; on a failure it has been printed.
Result<std::string, ExitCode> find_session(const store::Log& log, const std::string& beginning);
Result<std::vector<store::LogRecord>, ExitCode> records_of(const store::Log& log, const std::string& id);
Result<review::SessionStory, ExitCode> story_of(const store::Log& log, const std::string& id);

}  // namespace sallyport
