#include "net/backend_tls.h"

#include <utility>

#include "net/tls.h"

namespace sallyport::net {

Result<Unit, std::string> begin_backend_tls(Leg& leg, const Runtime& runtime,
                                            const session::ConnectionSettings& connection,
                                            const session::ServerSettings& server) {
  auto context = runtime.backend_contexts.find(connection.name);
  if (context == runtime.backend_contexts.end()) {
    return Unexpected("no TLS context for connection " + connection.name);
  }
  auto stream = make_backend_stream(context->second, connection.tls.mode, server);
  if (!stream) {
    return Unexpected(std::move(stream).error());
  }
  SSL_set_connect_state(stream->get());
  leg.start_tls(std::move(*stream));
  return Unit{};
}

Result<bool, std::string> continue_backend_tls(Leg& leg) {
  switch (leg.handshake()) {
    case Channel::Handshake::done:
      return true;
    case Channel::Handshake::wants_read:
    case Channel::Handshake::wants_write:
      return false;
    case Channel::Handshake::failed:
      break;
  }
  std::string detail = "TLS with the server failed: " + take_tls_error();
  if (long verified = SSL_get_verify_result(leg.tls()); verified != X509_V_OK) {
    detail += std::string(" (") + X509_verify_cert_error_string(verified) + ")";
  }
  return Unexpected(std::move(detail));
}

}  // namespace sallyport::net
