// TLS contexts: what listeners serve and how backends are verified.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/settings.h"
#include "session/settings.h"

namespace sallyport::net {

using TlsContext = std::shared_ptr<SSL_CTX>;

// The errors are sentences for the operator; they name files, never contents.

// TLS 1.2 or newer. The key must belong to the certificate.
Result<TlsContext, std::string> make_listener_context(const ListenerTls& tls);

// The certificate that a listener without one serves: made on first start in `state_directory`
// (development-certificate.pem, development-key.pem) and kept there; made anew when it has less than a day left.
Result<ListenerTls, std::string> development_certificate(const std::filesystem::path& state_directory);

// TLS 1.2 or newer, verifying as `tls.mode` says.
Result<TlsContext, std::string> make_backend_context(const session::BackendTlsSettings& tls);

using TlsStream = std::unique_ptr<SSL, decltype(&SSL_free)>;

// A stream that verifies this server as `mode` says: name or address for verify-full, SNI.
Result<TlsStream, std::string> make_backend_stream(const TlsContext& context, session::BackendTlsMode mode,
                                                   const session::ServerSettings& server);

// The oldest error of this thread's OpenSSL queue, which is emptied.
std::string take_tls_error();

}  // namespace sallyport::net
