#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "cli.h"
#include "config/scalars.h"
#include "crypto/random.h"
#include "dev_files.h"
#include "identity/dev_issuer.h"

namespace sallyport {

namespace {

constexpr std::int64_t ttl_seconds_max = std::int64_t{366} * 24 * 3600;

struct Options {
  std::string directory;
  std::string account;
  std::string ttl = "5m";
  std::vector<std::string> groups;
  std::vector<std::string> claims;  // "name=value"
};

std::optional<Seconds> parse_ttl(std::string_view text) {
  bool negative = text.starts_with('-');
  auto milliseconds = config::parse_duration_ms(negative ? text.substr(1) : text);
  if (!milliseconds || *milliseconds % 1000 != 0 || *milliseconds / 1000 > ttl_seconds_max) {
    return std::nullopt;
  }
  Seconds ttl{*milliseconds / 1000};
  return negative ? -ttl : ttl;
}

identity::DevToken token_of(const Options& options) {
  auto ttl = parse_ttl(options.ttl);
  if (!ttl) {
    throw CLI::ValidationError("--ttl",
                               "write an integer and a unit (s, m, h or d), e.g. 5m; -1m for an expired token");
  }
  identity::DevToken token;
  token.account = options.account;
  token.groups = options.groups;
  token.ttl = *ttl;
  token.now = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
  for (const auto& claim : options.claims) {
    auto equals = claim.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw CLI::ValidationError("--claim", "write NAME=VALUE");
    }
    token.claims.emplace_back(claim.substr(0, equals), claim.substr(equals + 1));
  }
  return token;
}

ExitCode mint(const Options& options, identity::DevToken token) {
  auto file = std::filesystem::path(options.directory) / dev_key_file;
  auto key = read_key_file(file);
  if (!key) {
    std::fprintf(stderr, "sallyport: %s. `sallyport dev issuer init --directory %s` makes one.\n", key.error().c_str(),
                 options.directory.c_str());
    return ExitCode::failed;
  }
  std::array<std::uint8_t, 16> random{};
  crypto::random_bytes(random);
  token.random = random;
  auto issuer = identity::DevIssuer::from_pem(key->reveal());
  if (!issuer) {
    std::fprintf(stderr, "sallyport: %s holds no key of a development issuer\n", file.c_str());
    return ExitCode::failed;
  }
  auto minted = issuer->mint(token);
  if (!minted) {
    std::fputs("sallyport: the token can't be signed\n", stderr);
    return ExitCode::failed;
  }
  auto text = minted->reveal();
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  return ExitCode::ok;
}

}  // namespace

void add_dev_token(CLI::App& dev, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* token = dev.add_subcommand("token", "Its tokens.");
  token->require_subcommand(1);
  auto examples = help_footer(
      "  sallyport dev token mint --directory issuer --account agent-reporter --ttl 5m\n"
      "  sallyport dev token mint --directory issuer --account agent-reporter --ttl -1m   (expired a minute ago)\n"
      "  sallyport dev token mint --directory issuer --account agent-reporter --group reporters --claim "
      "'tenant=\"42\"'\n");
  token->footer(examples);
  auto* command = token->add_subcommand("mint", "Signs an access token and prints it, and nothing else.");
  command->add_option("--directory", options->directory, "Directory of the issuer.")->required()->type_name("DIR");
  command->add_option("--account", options->account, "Becomes the claims sub and client_id.")
      ->required()
      ->type_name("NAME");
  command->add_option("--ttl", options->ttl, "How long it is valid; negative for one that has expired (default: 5m).")
      ->type_name("DURATION");
  command->add_option("--group", options->groups, "A member of the claim groups; may be repeated.")
      ->type_name("GROUP")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      ->add_option("--claim", options->claims,
                   "A further claim, or another value for one; a value that is JSON is taken as that; may be repeated.")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->footer(examples);
  command->callback([options, &result] { result = mint(*options, token_of(*options)); });
}

}  // namespace sallyport
