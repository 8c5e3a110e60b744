#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "cli.h"
#include "config/config.h"
#include "config/json_schema.h"
#include "mistakes_output.h"

namespace sallyport {

namespace {

struct Options {
  std::string file;
  bool json = false;
  bool print_schema = false;
};

void print_line(const std::string& text) {
  std::fprintf(stdout, "%s\n", text.c_str());
}

boost::json::array as_json(const std::vector<config::Mistake>& mistakes) {
  boost::json::array array;
  for (const auto& mistake : mistakes) {
    array.push_back({{"file", mistake.file},
                     {"line", mistake.line},
                     {"column", mistake.column},
                     {"path", mistake.path},
                     {"message", mistake.message},
                     {"mend", mistake.mend}});
  }
  return array;
}

ExitCode check(const Options& options) {
  auto config = config::load(options.file);
  std::vector<config::Mistake> none;
  const auto& mistakes = config ? none : config.error();
  if (options.json) {
    boost::json::object document{
        {"file", options.file}, {"valid", config.has_value()}, {"mistakes", as_json(mistakes)}};
    print_line(boost::json::serialize(document));
  } else if (config) {
    print_line(options.file + ": valid");
  } else {
    print_mistakes(mistakes);
  }
  return config ? ExitCode::ok : ExitCode::invalid_configuration;
}

}  // namespace

void add_check_config(CLI::App& parent, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command = parent.add_subcommand(
      "check-config", "Validates a configuration, and the files and secrets that it refers to, without running it.");
  auto* file = command->add_option("file", options->file, "The configuration.")->type_name("FILE");
  auto* schema =
      command->add_flag("--print-schema", options->print_schema, "Print the JSON schema of the configuration instead.");
  command->add_flag("--json", options->json, "Print the outcome as JSON on standard output.")->needs(file);
  schema->excludes(file);
  command->footer(
      help_footer("  sallyport check-config sallyport.yaml\n"
                  "  sallyport check-config --json sallyport.yaml | jq '.mistakes[].message'\n"
                  "  sallyport check-config --print-schema > sallyport.schema.json\n"));
  command->callback([options, file, &result] {
    if (options->print_schema) {
      std::fputs(config::json_schema().c_str(), stdout);
      return;
    }
    if (file->empty()) {
      throw CLI::RequiredError("FILE");
    }
    result = check(*options);
  });
}

}  // namespace sallyport
