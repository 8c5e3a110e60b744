#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli.h"

namespace sallyport {

std::string help_footer(const std::string& examples) {
  return "\nExamples:\n" + examples +
         "\nExit status: 0 success, 1 failed at run time, 2 wrong usage, 3 configuration invalid.";
}

namespace {

int run(int argument_count, char** arguments) {
  CLI::App app("Sallyport: an identity-aware gateway for MySQL and MariaDB.", "sallyport");
  app.require_subcommand(1);
  app.footer(
      help_footer("  sallyport check-config /etc/sallyport/sallyport.yaml\n"
                  "  sallyport serve --config /etc/sallyport/sallyport.yaml\n"
                  "  sallyport dev issuer init --directory issuer\n"));
  ExitCode result = ExitCode::ok;
  add_serve(app, result);
  add_check_config(app, result);
  add_audit(app, result);
  auto* dev = app.add_subcommand("dev", "Tools for development: an issuer of tokens that is a directory.");
  dev->require_subcommand(1);
  dev->footer(
      help_footer("  sallyport dev issuer init --directory issuer\n"
                  "  sallyport dev token mint --directory issuer --account agent-reporter --ttl 5m\n"));
  add_dev_issuer(*dev, result);
  add_dev_token(*dev, result);
  add_sql(app, result);
  add_sessions(app, result);
  add_version(app, result);
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    bool asked_for_help = app.exit(error) == 0;
    return static_cast<int>(asked_for_help ? ExitCode::ok : ExitCode::usage);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fputs("sallyport: standard output can't be written\n", stderr);
    return static_cast<int>(ExitCode::failed);
  }
  return static_cast<int>(result);
}

}  // namespace

}  // namespace sallyport

int main(int argument_count, char** arguments) {
  try {
    return sallyport::run(argument_count, arguments);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "sallyport: %s\n", exception.what());
    return static_cast<int>(sallyport::ExitCode::failed);
  }
}
