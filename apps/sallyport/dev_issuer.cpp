#include "identity/dev_issuer.h"

#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <system_error>

#include "cli.h"
#include "dev_files.h"

namespace sallyport {

namespace {

struct Options {
  std::string directory;
  bool force = false;
  bool json = false;
};

ExitCode failed(const std::string& sentence) {
  std::fprintf(stderr, "sallyport: %s\n", sentence.c_str());
  return ExitCode::failed;
}

std::string fragment(const std::filesystem::path& jwks_file) {
  return "# A development issuer, to put into a gateway's configuration. Whoever can read " +
         std::string(dev_key_file) +
         "\n# beside this file can log in as anybody.\nissuers:\n  - name: dev\n    issuer: " +
         std::string(identity::dev_issuer_url) + "\n    audiences: [" + std::string(identity::dev_audience) +
         "]\n    keys: {jwks_file: " + boost::json::serialize(boost::json::string(jwks_file.string())) +
         "}\n    algorithms: [ES256]\n\n# `sallyport dev token mint --account NAME` puts NAME into the claims sub and "
         "client_id:\n# service_accounts:\n#   - name: reporter\n#     match:\n#       - {issuer: dev, claims: {sub: "
         "agent-reporter}}\n#     grants:\n#       - {connection: shop}\n";
}

ExitCode init(const Options& options) {
  std::error_code error;
  auto directory = std::filesystem::absolute(options.directory, error).lexically_normal();
  auto key_file = directory / dev_key_file;
  if (std::filesystem::exists(key_file, error) && !options.force) {
    return failed(key_file.string() + " is there already. Add --force to replace the issuer; its tokens then end.");
  }
  std::filesystem::create_directories(directory, error);
  if (error) {
    return failed(directory.string() + " can't be made: " + error.message());
  }
  auto issuer = identity::DevIssuer::create();
  if (!issuer) {
    return failed("a key can't be made");
  }
  auto jwks_file = directory / dev_jwks_file;
  auto fragment_file = directory / dev_fragment_file;
  struct Output {
    std::filesystem::path file;
    Secret content;
    mode_t mode;
  };
  for (const auto& output :
       {Output{key_file, issuer->key_pem(), 0600}, Output{jwks_file, Secret(issuer->jwks() + "\n"), 0644},
        Output{fragment_file, Secret(fragment(jwks_file)), 0644}}) {
    auto written = write_file(output.file, output.content.reveal(), output.mode);
    if (!written) {
      return failed(written.error());
    }
  }
  if (options.json) {
    boost::json::object document{{"issuer", std::string(identity::dev_issuer_url)},
                                 {"audience", std::string(identity::dev_audience)},
                                 {"key_file", key_file.string()},
                                 {"jwks_file", jwks_file.string()},
                                 {"configuration", fragment_file.string()}};
    std::fprintf(stdout, "%s\n", boost::json::serialize(document).c_str());
  } else {
    std::fprintf(stdout, "private key:    %s\nkey set:        %s\nconfiguration:  %s\n", key_file.c_str(),
                 jwks_file.c_str(), fragment_file.c_str());
  }
  return ExitCode::ok;
}

}  // namespace

void add_dev_issuer(CLI::App& dev, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* issuer = dev.add_subcommand("issuer", "The issuer.");
  issuer->require_subcommand(1);
  auto examples = help_footer(
      "  sallyport dev issuer init --directory issuer\n"
      "  sallyport dev issuer init --directory issuer --force --json\n");
  issuer->footer(examples);
  auto* command = issuer->add_subcommand(
      "init", "Makes an issuer: a private key, its public JWK set, and a fragment of configuration.");
  command->add_option("--directory", options->directory, "Where to put them; made when it is not there.")
      ->required()
      ->type_name("DIR");
  command->add_flag("--force", options->force, "Replace an issuer that is there.");
  command->add_flag("--json", options->json, "Print the paths as JSON.");
  command->footer(examples);
  command->callback([options, &result] { result = init(*options); });
}

}  // namespace sallyport
