// What one configuration means to the event loops. Immutable; a reload makes a new one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "identity/key_set.h"
#include "identity/settings.h"
#include "net/settings.h"
#include "net/tls.h"
#include "session/client_login.h"
#include "session/environment.h"

namespace sallyport::net {

struct Runtime {
  std::shared_ptr<const session::Environment> environment;
  TcpSettings tcp;
  std::vector<TlsContext> listener_contexts;           // in the order of the listeners
  std::map<std::string, TlsContext> backend_contexts;  // by connection name; none for a connection without TLS
};

// The issuers and their keys at one moment.
struct KeySnapshot {
  std::shared_ptr<const std::vector<identity::IssuerSettings>> issuers;
  std::shared_ptr<const identity::KeySets> sets;
};

}  // namespace sallyport::net
