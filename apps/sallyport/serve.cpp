#include "serve.h"

#include <memory>

#include "cli.h"
#include "mistakes_output.h"

namespace sallyport {

void add_serve(CLI::App& parent, ExitCode& result) {
  auto file = std::make_shared<std::string>();
  auto* command = parent.add_subcommand("serve", "Runs the gateway.");
  command->add_option("--config", *file, "The configuration (docs/configuration.md).")->required()->type_name("FILE");
  command->footer(help_footer("  sallyport serve --config /etc/sallyport/sallyport.yaml\n") +
                  "\nSIGHUP reads the configuration again, SIGTERM ends sessions in order and then the gateway. "
                  "Logs go to standard error.");
  command->callback([file, &result] {
    auto config = config::load(*file);
    if (!config) {
      print_mistakes(config.error());
      result = ExitCode::invalid_configuration;
      return;
    }
    result = run_gateway(*config, *file) == 0 ? ExitCode::ok : ExitCode::failed;
  });
}

}  // namespace sallyport
