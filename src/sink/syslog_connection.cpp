#include "sink/syslog_connection.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/check.h"

namespace sallyport::sink {
namespace {

constexpr Milliseconds connect_timeout{10'000};
constexpr Milliseconds write_timeout{30'000};
constexpr Milliseconds slice{100};                // how long nothing looks at the halt
constexpr Milliseconds acknowledgement_pause{2};  // between two looks

using Kind = DeliveryError::Kind;

Unexpected<DeliveryError> failure(std::string text, Kind kind = Kind::unreachable) {
  return Unexpected(DeliveryError{.kind = kind, .text = std::move(text), .retry_after = {}});
}

Unexpected<DeliveryError> failure(const char* what, int error) {
  return failure(std::string(what) + ": " + std::strerror(error));
}

// The time that is left for something, and the end of the thread.
class Patience {
 public:
  Patience(Milliseconds time, const Halt& halt) : until_(std::chrono::steady_clock::now() + time), halt_(halt) {}
  bool is_over() const { return halt_.is_due() || std::chrono::steady_clock::now() >= until_; }

 private:
  MonoTime until_;
  const Halt& halt_;
};

Delivered wait_for(int socket, short events, const Patience& patience, const std::string& what) {
  while (!patience.is_over()) {
    pollfd watched{.fd = socket, .events = events, .revents = 0};
    int ready = ::poll(&watched, 1, static_cast<int>(slice.count()));
    if (ready > 0) {
      return Unit{};
    }
    if (ready < 0 && errno != EINTR) {
      return failure(what.c_str(), errno);
    }
  }
  return failure(what + ": it takes too long");
}

Delivered finish_connecting(int socket, const Patience& patience) {
  if (auto ready = wait_for(socket, POLLOUT, patience, "cannot connect"); !ready) {
    return ready;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? Delivered(Unit{}) : Delivered(failure("cannot connect", error));
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// A lookup can't be ended, and takes as long as the resolver's configuration says. So it has a thread of its own, which
// nobody waits for any longer than the patience lasts.
struct Lookup {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_done = false;
  int fault = 0;
  Addresses found{nullptr, ::freeaddrinfo};
};

Result<Addresses, DeliveryError> look_up(const SyslogSettings& settings, const Patience& patience) {
  auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host = settings.host, port = std::to_string(settings.port)] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    int fault = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    std::lock_guard lock(lookup->mutex);
    lookup->fault = fault;
    lookup->found.reset(found);
    lookup->is_done = true;
    lookup->changed.notify_all();
  }).detach();
  std::unique_lock lock(lookup->mutex);
  while (!lookup->changed.wait_for(lock, slice, [&] { return lookup->is_done; }) && !patience.is_over()) {
  }
  if (!lookup->is_done || lookup->fault != 0) {
    return failure("cannot look up " + settings.host + ": " +
                   (lookup->is_done ? ::gai_strerror(lookup->fault) : "it takes too long"));
  }
  return std::move(lookup->found);
}

Result<Descriptor, DeliveryError> connect_tcp(const SyslogSettings& settings, const Halt& halt) {
  Patience patience(connect_timeout, halt);
  auto addresses = look_up(settings, patience);
  if (!addresses) {
    return Unexpected(std::move(addresses).error());
  }
  DeliveryError last{.kind = Kind::unreachable, .text = settings.host + " has no address", .retry_after = {}};
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next) {
    Descriptor socket{::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket.is_open()) {
      last.text = std::string("cannot make a socket: ") + std::strerror(errno);
      continue;
    }
    if (::connect(socket.number(), at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS) {
      last.text = std::string("cannot connect: ") + std::strerror(errno);
      continue;
    }
    if (auto done = finish_connecting(socket.number(), patience); !done) {
      last = done.error();
      continue;
    }
    int on = 1;
    auto unanswered_ms = static_cast<unsigned>(write_timeout.count());
    ::setsockopt(socket.number(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
    return socket;
  }
  return Unexpected(std::move(last));
}

class TcpConnection : public SyslogConnection {
 public:
  TcpConnection(Descriptor socket, const Halt& halt) : socket_(std::move(socket)), halt_(halt) {}

  Delivered send(std::string_view bytes) override {
    Patience patience(write_timeout, halt_);
    while (!bytes.empty()) {
      ssize_t count = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno == EAGAIN) {
        if (auto ready = wait_for(socket_.number(), POLLOUT, patience, "cannot send"); !ready) {
          return ready;
        }
      } else if (errno != EINTR) {
        return failure("cannot send", errno);
      }
    }
    return Unit{};
  }

  // A reset connection has nothing unacknowledged, either: so its state is looked at behind that.
  Delivered wait_until_acknowledged() override {
    Patience patience(write_timeout, halt_);
    while (true) {
      int unacknowledged = 0;
      if (::ioctl(socket_.number(), SIOCOUTQ, &unacknowledged) != 0) {
        return failure("cannot look at the socket", errno);
      }
      tcp_info info{};
      socklen_t size = sizeof(info);
      if (::getsockopt(socket_.number(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
        return failure("cannot look at the socket", errno);
      }
      if (info.tcpi_state != TCP_ESTABLISHED) {
        return failure("the receiver has closed the connection");
      }
      if (unacknowledged == 0) {
        return Unit{};
      }
      if (patience.is_over()) {
        return failure("the receiver does not acknowledge what it is sent");
      }
      halt_.nap(acknowledgement_pause);
    }
  }

  Delivered check() override {
    std::array<char, 512> ignored;
    ssize_t count = ::recv(socket_.number(), ignored.data(), ignored.size(), MSG_DONTWAIT);
    if (count == 0) {
      return failure("the receiver has closed the connection");
    }
    return count > 0 || errno == EAGAIN || errno == EINTR ? Delivered(Unit{})
                                                          : Delivered(failure("the connection is lost", errno));
  }

 protected:
  int socket() const { return socket_.number(); }
  const Halt& halt() const { return halt_; }

 private:
  Descriptor socket_;
  const Halt& halt_;
};

std::string tls_fault(SSL* tls) {
  long verified = tls != nullptr ? SSL_get_verify_result(tls) : X509_V_OK;
  if (verified != X509_V_OK) {
    return X509_verify_cert_error_string(verified);
  }
  unsigned long code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "the connection was closed";
}

// Whether the peer has said that it does not take our certificate, or that we have none. With TLS 1.3 it says so behind
// the handshake.
bool is_refusal(unsigned long code) {
  switch (ERR_GET_REASON(code)) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return ERR_GET_LIB(code) == ERR_LIB_SSL;
    default:
      return false;
  }
}

// Of the last call that failed.
Unexpected<DeliveryError> tls_failure(SSL* tls, const std::string& what) {
  bool refused = SSL_get_verify_result(tls) != X509_V_OK || is_refusal(ERR_peek_last_error());
  return failure(what + ": " + tls_fault(tls), refused ? Kind::refused : Kind::unreachable);
}

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

Result<TlsContext, DeliveryError> make_context(const TlsSettings& settings) {
  TlsContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SALLYPORT_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ERR_clear_error();
  int done = settings.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                      : SSL_CTX_load_verify_locations(context.get(), settings.ca_file.c_str(), nullptr);
  if (done != 1) {
    return failure("the certificates to trust can't be read: " + tls_fault(nullptr), Kind::refused);
  }
  if (!settings.certificate_file.empty() &&
      (SSL_CTX_use_certificate_chain_file(context.get(), settings.certificate_file.c_str()) != 1 ||
       SSL_CTX_use_PrivateKey_file(context.get(), settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1)) {
    return failure("certificate and key can't be used: " + tls_fault(nullptr), Kind::refused);
  }
  return context;
}

bool is_address(const std::string& host) {
  std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> address(a2i_IPADDRESS(host.c_str()),
                                                                                ASN1_OCTET_STRING_free);
  ERR_clear_error();
  return address != nullptr;
}

class TlsConnection final : public TcpConnection {
 public:
  TlsConnection(Descriptor socket, const Halt& halt, TlsContext context)
      : TcpConnection(std::move(socket), halt), context_(std::move(context)), tls_(SSL_new(context_.get()), SSL_free) {
    SALLYPORT_CHECK(tls_ != nullptr);
  }

  Delivered shake_hands(const std::string& name) {
    SSL_set_fd(tls_.get(), socket());
    if (is_address(name)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), name.c_str());
    } else {
      SSL_set1_host(tls_.get(), name.c_str());
      SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
    }
    Patience patience(connect_timeout, halt());
    while (true) {
      ERR_clear_error();
      int done = SSL_connect(tls_.get());
      if (done == 1) {
        return Unit{};
      }
      if (auto ready = wait_for_tls(done, patience, "the TLS handshake failed"); !ready) {
        return ready;
      }
    }
  }

  Delivered send(std::string_view bytes) override {
    Patience patience(write_timeout, halt());
    while (!bytes.empty()) {
      ERR_clear_error();
      std::size_t written = 0;
      int done = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &written);
      if (done == 1) {
        bytes.remove_prefix(written);
      } else if (auto ready = wait_for_tls(done, patience, "cannot send"); !ready) {
        return ready;
      }
    }
    return Unit{};
  }

  // Reads what a server sends of itself, such as tickets; nothing of it is for us.
  Delivered check() override {
    std::array<char, 512> ignored;
    ERR_clear_error();
    int count = SSL_read(tls_.get(), ignored.data(), static_cast<int>(ignored.size()));
    int error = count > 0 ? SSL_ERROR_NONE : SSL_get_error(tls_.get(), count);
    if (error == SSL_ERROR_NONE || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      return Unit{};
    }
    return tls_failure(tls_.get(), "the receiver has closed the connection");
  }

 private:
  Delivered wait_for_tls(int done, const Patience& patience, const std::string& what) {
    switch (SSL_get_error(tls_.get(), done)) {
      case SSL_ERROR_WANT_READ:
        return wait_for(socket(), POLLIN, patience, what + ": it does not answer");
      case SSL_ERROR_WANT_WRITE:
        return wait_for(socket(), POLLOUT, patience, what + ": it does not read");
      default:
        return tls_failure(tls_.get(), what);
    }
  }

  TlsContext context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
};

// What it takes is in the receiver's queue at once, or refused.
class UnixConnection final : public SyslogConnection {
 public:
  UnixConnection(Descriptor socket, const Halt& halt) : socket_(std::move(socket)), halt_(halt) {}

  Delivered send(std::string_view bytes) override {
    Patience patience(write_timeout, halt_);
    while (::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
      if (errno == EAGAIN || errno == ENOBUFS) {
        if (auto ready = wait_for(socket_.number(), POLLOUT, patience, "cannot send"); !ready) {
          return ready;
        }
        halt_.nap(acknowledgement_pause);
      } else if (errno != EINTR) {
        return failure(std::string("cannot send: ") + std::strerror(errno),
                       errno == EMSGSIZE ? Kind::too_large : Kind::unreachable);
      }
    }
    return Unit{};
  }
  Delivered wait_until_acknowledged() override { return Unit{}; }
  Delivered check() override { return Unit{}; }

 private:
  Descriptor socket_;
  const Halt& halt_;
};

using Opened = Result<std::unique_ptr<SyslogConnection>, DeliveryError>;

Opened open_unix(const SyslogSettings& settings, const Halt& halt) {
  Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string path = settings.socket_path.string();
  if (!socket.is_open() || path.size() >= sizeof(address.sun_path)) {
    return failure("cannot make a socket", socket.is_open() ? ENAMETOOLONG : errno);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return failure("cannot connect", errno);
  }
  return Opened(std::make_unique<UnixConnection>(std::move(socket), halt));
}

}  // namespace

Opened SyslogConnection::open(const SyslogSettings& settings, const Halt& halt) {
  if (settings.transport == SyslogTransport::unix_socket) {
    return open_unix(settings, halt);
  }
  auto socket = connect_tcp(settings, halt);
  if (!socket) {
    return Unexpected(std::move(socket).error());
  }
  if (settings.transport == SyslogTransport::tcp) {
    return Opened(std::make_unique<TcpConnection>(std::move(*socket), halt));
  }
  auto context = make_context(settings.tls);
  if (!context) {
    return Unexpected(std::move(context).error());
  }
  auto connection = std::make_unique<TlsConnection>(std::move(*socket), halt, std::move(*context));
  const std::string& name = settings.tls.server_name.empty() ? settings.host : settings.tls.server_name;
  if (auto done = connection->shake_hands(name); !done) {
    return Unexpected(std::move(done).error());
  }
  return Opened(std::move(connection));
}

}  // namespace sallyport::sink
