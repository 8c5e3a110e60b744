#include <CLI/CLI.hpp>

#include "cli.h"

namespace sallyport {

void add_audit(CLI::App& parent, ExitCode& result) {
  auto* audit = parent.add_subcommand("audit", "The audit log.");
  audit->require_subcommand(1);
  audit->footer(
      help_footer("  sallyport audit search --config sallyport.yaml --account agent-reporter --since today\n"));
  add_audit_search(*audit, result);
}

}  // namespace sallyport
