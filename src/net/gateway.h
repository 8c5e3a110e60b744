// The running gateway: event loops, listeners, issuers' keys, the admin listener, reload and drain.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audit/settings.h"
#include "base/result.h"
#include "identity/settings.h"
#include "net/log.h"
#include "net/settings.h"
#include "session/environment.h"
#include "sink/settings.h"

namespace sallyport::net {

// One configuration, as the gateway takes it.
struct GatewaySettings {
  NetSettings net;
  audit::AuditSettings audit;
  std::vector<sink::SinkSettings> sinks;  // of the audit log
  std::vector<identity::IssuerSettings> issuers;
  std::shared_ptr<const session::Environment> environment;
  LogSettings log;
};

class Gateway {
 public:
  // Reads the configuration anew; an empty error means that the mistakes have been logged.
  using Reload = std::function<Result<GatewaySettings, std::string>()>;

  Gateway(Log& log, std::string version, Reload reload);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Opens the audit log and listeners. The error is a sentence for the operator; nothing is left open then.
  Result<Unit, std::string> open(GatewaySettings settings);

  // Serves until SIGTERM or SIGINT has drained it (a second one ends it at once). SIGHUP reloads: all or nothing.
  void run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport::net
