// The composition root of `serve`: from a configuration to a running gateway.
#include <csignal>
#include <fstream>
#include <sstream>

#include "cli.h"
#include "net/gateway.h"
#include "policy/policy.h"
#include "serve.h"

namespace sallyport {
namespace {

net::Severity severity_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return net::Severity::debug;
    case config::LogLevel::info:
      return net::Severity::info;
    case config::LogLevel::warning:
      return net::Severity::warning;
    case config::LogLevel::error:
      return net::Severity::error;
  }
  return net::Severity::info;
}

net::LogSettings log_settings_of(const config::Config& config) {
  return {.lowest = severity_of(config.log.level),
          .style = config.log.format == config::LogFormat::json ? net::LogStyle::json : net::LogStyle::text};
}

Result<std::string, std::string> read_public_key(const std::filesystem::path& path) {
  if (path.empty()) {
    return std::string{};
  }
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    return Unexpected("cannot read " + path.string());
  }
  return text.str();
}

Result<net::GatewaySettings, std::string> settings_of(const config::Config& config) {
  std::vector<std::vector<std::string>> public_keys;
  for (const session::ConnectionSettings& connection : config.connections) {
    public_keys.emplace_back();
    for (const session::ServerSettings& server : connection.servers) {
      auto key = read_public_key(server.public_key_file);
      if (!key) {
        return Unexpected(std::move(key).error());
      }
      public_keys.back().push_back(std::move(key).value());
    }
  }
  std::shared_ptr<const session::Environment> environment(
      new session::Environment{.configuration = config.digest,
                               .recorded_claims = config.audit.claims,
                               .limits = config.limits,
                               .connections = config.connections,
                               .server_public_keys = std::move(public_keys),
                               .accounts = identity::AccountDirectory(config.identity.accounts),
                               .policy = std::make_unique<policy::AllowWithinRole>()});
  return net::GatewaySettings{.net = config.net,
                              .audit = config.audit,
                              .sinks = config.sinks,
                              .issuers = config.identity.issuers,
                              .environment = std::move(environment),
                              .log = log_settings_of(config)};
}

}  // namespace

int run_gateway(const config::Config& config, const std::filesystem::path& config_file) {
  // A full disk under a size limit is an error to handle, not a reason to die; so is a peer that went away.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  net::Log log(log_settings_of(config));
  auto reload = [&]() -> Result<net::GatewaySettings, std::string> {
    auto next = config::load(config_file);
    if (!next) {
      for (const config::Mistake& mistake : next.error()) {
        log.write(net::Severity::error, "configuration mistake", {{"mistake", config::to_string(mistake)}});
      }
      return Unexpected(std::to_string(next.error().size()) + " mistakes in " + config_file.string());
    }
    return settings_of(*next);
  };
  net::Gateway gateway(log, SALLYPORT_VERSION, reload);
  auto settings = settings_of(config);
  auto opened =
      settings ? gateway.open(std::move(settings).value()) : Result<Unit, std::string>(Unexpected(settings.error()));
  if (!opened) {
    log.write(net::Severity::error, "not started", {{"error", opened.error()}});
    return 1;
  }
  gateway.run();
  return 0;
}

}  // namespace sallyport
