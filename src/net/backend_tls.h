// TLS with a database server, on a connected leg: for sessions, spare connections and side connections alike.
#pragma once

#include <string>

#include "base/result.h"
#include "net/leg.h"
#include "net/runtime.h"
#include "session/settings.h"

namespace sallyport::net {

// The leg's next bytes are those of the handshake, as the connection's `tls` says. Error: why that can't be, for
// records and logs.
Result<Unit, std::string> begin_backend_tls(Leg& leg, const Runtime& runtime,
                                            const session::ConnectionSettings& connection,
                                            const session::ServerSettings& server);

// Where Leg::handshake_due(). Whether the handshake is done. Error: why it failed.
Result<bool, std::string> continue_backend_tls(Leg& leg);

}  // namespace sallyport::net
