#include "net/tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "crypto/certificate.h"

namespace sallyport::net {
namespace {

constexpr std::chrono::hours development_certificate_life{24 * 365};
constexpr std::chrono::hours development_certificate_renewal{24};

TlsContext new_context(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method), SSL_CTX_free);
  SALLYPORT_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // A receive takes what is there, not first a record's header and then its body.
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

// What the configuration demands of the key's file holds for one that takes its place, too.
Result<Unit, std::string> use_certificate(SSL_CTX* context, const ListenerTls& tls) {
  struct stat key {};
  if (::stat(tls.key_file.c_str(), &key) == 0 && (key.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return Unexpected("the key " + tls.key_file.string() +
                      " can be read or written by every user: run chmod 600 on it");
  }
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, tls.certificate_file.c_str()) != 1) {
    return Unexpected("cannot use the certificate " + tls.certificate_file.string() + ": " + take_tls_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context, tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Unexpected("cannot use the key " + tls.key_file.string() + ": " + take_tls_error());
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return Unexpected("the key " + tls.key_file.string() + " does not belong to the certificate " +
                      tls.certificate_file.string());
  }
  return Unit{};
}

// Whether a certificate is there and good for a while.
bool is_current(const std::filesystem::path& file) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_file(file.c_str(), "r"), BIO_free);
  if (!bio) {
    ERR_clear_error();
    return false;
  }
  std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                          X509_free);
  int days = 0;
  int seconds = 0;
  return certificate && ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())) == 1 &&
         std::chrono::hours{24 * days} >= development_certificate_renewal;
}

Result<Unit, std::string> write_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  std::filesystem::path temporary = path;
  temporary += ".new";
  int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  bool written = descriptor >= 0 &&
                 ::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
                 ::fsync(descriptor) == 0;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!written || std::rename(temporary.c_str(), path.c_str()) != 0) {
    return Unexpected("cannot write " + path.string() + ": " + std::strerror(errno));
  }
  return Unit{};
}

bool is_address(const std::string& host) {
  std::array<std::uint8_t, 16> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

}  // namespace

std::string take_tls_error() {
  std::array<char, 256> text{};
  unsigned long code = ERR_get_error();
  if (code == 0) {
    return "connection closed during the TLS handshake";
  }
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

Result<TlsContext, std::string> make_listener_context(const ListenerTls& tls) {
  TlsContext context = new_context(TLS_server_method());
  if (auto used = use_certificate(context.get(), tls); !used) {
    return Unexpected(used.error());
  }
  constexpr std::string_view session_id_context = "sallyport";
  SSL_CTX_set_session_id_context(context.get(), bytes_of(session_id_context).data(),
                                 static_cast<unsigned>(session_id_context.size()));
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context.get(), 0);  // Channel sends one, with the first bytes that follow the handshake
  return context;
}

Result<ListenerTls, std::string> development_certificate(const std::filesystem::path& state_directory) {
  ListenerTls tls{.certificate_file = state_directory / "development-certificate.pem",
                  .key_file = state_directory / "development-key.pem"};
  if (is_current(tls.certificate_file) && make_listener_context(tls)) {
    return tls;
  }
  std::error_code error;
  std::filesystem::create_directories(state_directory, error);
  auto now = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
  std::array<char, 256> host{};
  std::vector<std::string> names;
  if (::gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0') {
    names.emplace_back(host.data());
  }
  crypto::DevelopmentCertificateRequest request{
      .host_names = names, .not_before = now - std::chrono::hours{1}, .not_after = now + development_certificate_life};
  auto made = crypto::make_development_certificate(request);
  if (!made) {
    request.host_names.clear();  // the machine's name may be no DNS name
    made = crypto::make_development_certificate(request);
  }
  if (!made) {
    return Unexpected(std::string("cannot make a development certificate: ") +
                      std::string(crypto::describe(made.error())));
  }
  if (auto written = write_file(tls.key_file, made->key_pem.reveal(), 0600); !written) {
    return Unexpected(written.error());
  }
  if (auto written = write_file(tls.certificate_file, made->certificate_pem, 0644); !written) {
    return Unexpected(written.error());
  }
  return tls;
}

Result<TlsContext, std::string> make_backend_context(const session::BackendTlsSettings& tls) {
  using session::BackendTlsMode;
  TlsContext context = new_context(TLS_client_method());
  ERR_clear_error();
  bool verifies = tls.mode == BackendTlsMode::verify_full || tls.mode == BackendTlsMode::verify_ca;
  if (verifies) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    int loaded = tls.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                     : SSL_CTX_load_verify_file(context.get(), tls.ca_file.c_str());
    if (loaded != 1) {
      return Unexpected("cannot use the CA file " + tls.ca_file.string() + ": " + take_tls_error());
    }
  }
  if (!tls.certificate_file.empty()) {
    auto used = use_certificate(context.get(), {.certificate_file = tls.certificate_file, .key_file = tls.key_file});
    if (!used) {
      return Unexpected(used.error());
    }
  }
  return context;
}

Result<TlsStream, std::string> make_backend_stream(const TlsContext& context, session::BackendTlsMode mode,
                                                   const session::ServerSettings& server) {
  TlsStream stream(SSL_new(context.get()), SSL_free);
  SALLYPORT_CHECK(stream != nullptr);
  const std::string& name = server.tls_name.empty() ? server.host : server.tls_name;
  bool ok = true;
  if (is_address(name)) {
    ok = mode != session::BackendTlsMode::verify_full ||
         X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream.get()), name.c_str()) == 1;
  } else if (!name.empty()) {
    // SSL_set_tlsext_host_name, whose macro has a cast of C's.
    ok = SSL_ctrl(stream.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(name.c_str())) == 1;
    if (mode == session::BackendTlsMode::verify_full) {
      SSL_set_hostflags(stream.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      ok = ok && SSL_set1_host(stream.get(), name.c_str()) == 1;
    }
  }
  if (!ok) {
    return Unexpected("cannot verify the server name " + name + ": " + take_tls_error());
  }
  return stream;
}

}  // namespace sallyport::net
