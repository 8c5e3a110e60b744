#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "cli.h"

namespace sallyport {

void add_version(CLI::App& parent, ExitCode& /*result*/) {
  auto json = std::make_shared<bool>(false);
  auto* command = parent.add_subcommand("version", "Prints the version.");
  command->add_flag("--json", *json, "Print it as JSON.");
  command->footer(help_footer("  sallyport version\n  sallyport version --json | jq -r .version\n"));
  command->callback([json] {
    if (*json) {
      boost::json::object document{{"name", "sallyport"}, {"version", SALLYPORT_VERSION}, {"compiler", __VERSION__}};
      std::fprintf(stdout, "%s\n", boost::json::serialize(document).c_str());
    } else {
      std::fputs("sallyport " SALLYPORT_VERSION "\n", stdout);
    }
  });
}

}  // namespace sallyport
