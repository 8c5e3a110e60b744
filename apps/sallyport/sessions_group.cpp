#include <CLI/CLI.hpp>

#include "cli.h"
#include "sessions.h"

namespace sallyport {

void add_sessions(CLI::App& parent, ExitCode& result) {
  auto* sessions = parent.add_subcommand("sessions", "Recorded sessions: the audit log by who did what.");
  sessions->require_subcommand(1);
  sessions->footer(
      help_footer("  sallyport sessions list --config sallyport.yaml --since today\n"
                  "  sallyport sessions show --dir audit 4c1f0a9b77e2\n"
                  "  sallyport sessions replay --dir audit 4c1f0a9b77e2 --speed 4\n"
                  "  sallyport sessions tail --config sallyport.yaml --status denied\n"));
  add_sessions_list(*sessions, result);
  add_sessions_show(*sessions, result);
  add_sessions_replay(*sessions, result);
  add_sessions_export(*sessions, result);
  add_sessions_tail(*sessions, result);
}

}  // namespace sallyport
