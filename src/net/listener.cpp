#include "net/listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>

#include "base/hex.h"
#include "crypto/random.h"
#include "net/connection.h"
#include "net/socket_options.h"
#include "session/reason.h"
#include "wire/response.h"

namespace sallyport::net {
namespace {

using boost::asio::ip::tcp;

constexpr int backlog = 4096;
// After a failure to accept, for want of descriptors say, accepting pauses so as not to spin.
constexpr Milliseconds pause_after_failure{100};

struct Peer {
  std::string text;                     // "192.0.2.1:5000"; of a Unix socket "unix:pid=12,uid=34"
  std::optional<AddressBytes> address;  // none of a Unix socket
};

std::string address_text(const tcp::endpoint& endpoint) {
  std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

Peer describe(const Descriptor& socket, const Endpoint& endpoint) {
  int family = endpoint.protocol().family();
  if (family != AF_INET && family != AF_INET6) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    ::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    return {.text = "unix:pid=" + std::to_string(credentials.pid) + ",uid=" + std::to_string(credentials.uid),
            .address = std::nullopt};
  }
  tcp::endpoint address;
  address.resize(endpoint.size());
  std::memcpy(address.data(), endpoint.data(), endpoint.size());
  return {.text = address_text(address), .address = parse_address(address.address().to_string())};
}

bool enable(const Descriptor& socket, int option) {
  constexpr int on = 1;
  return ::setsockopt(socket.number(), SOL_SOCKET, option, &on, sizeof on) == 0;
}

// Whether nobody listens on this Unix socket any more. Of one of another type, or that may not be connected to, the
// error is another than that of a connection refused.
bool is_left_over(const boost::asio::local::stream_protocol::endpoint& endpoint) {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return socket.is_open() &&
         ::connect(socket.number(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 &&
         errno == ECONNREFUSED;
}

// 128 random bits in hexadecimal.
std::string random_session_id() {
  std::array<std::uint8_t, 16> bytes{};
  crypto::random_bytes(bytes);
  return to_hex(bytes);
}

// Servers give printable bytes other than NUL and '$', which some clients take for an end.
wire::Nonce random_nonce() {
  wire::Nonce nonce{};
  crypto::random_bytes(nonce);
  for (std::uint8_t& byte : nonce) {
    byte = static_cast<std::uint8_t>(byte % 94 + 33);
    byte = byte == '$' ? std::uint8_t{'%'} : byte;
  }
  return nonce;
}

}  // namespace

Listener::Listener(Loop& loop, const session::ListenerProfile& profile, const Place& place)
    : loop_(loop),
      profile_(profile),
      index_(place.index),
      loop_count_(place.loop_count),
      load_balancers_(place.settings.proxy_protocol_from) {}

Result<std::unique_ptr<Listener>, std::string> Listener::open(Loop& loop, const session::ListenerProfile& profile,
                                                              const Place& place) {
  std::unique_ptr<Listener> listener(new Listener(loop, profile, place));
  const ListenerSettings& settings = place.settings;
  int error = settings.socket_path.empty() ? listener->open_tcp(place) : listener->open_unix(place);
  if (error != 0) {
    std::string where = settings.socket_path.empty() ? settings.address + " port " + std::to_string(place.port)
                                                     : settings.socket_path.string();
    return Unexpected("listener " + profile.name + " on " + where + ": " + std::strerror(error));
  }
  return listener;
}

int Listener::open_tcp(const Place& place) {
  boost::system::error_code not_numeric;
  tcp::endpoint endpoint(boost::asio::ip::make_address(place.settings.address, not_numeric), place.port);
  if (not_numeric) {
    return EINVAL;
  }
  socket_ = Descriptor(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  auto size = static_cast<socklen_t>(endpoint.capacity());
  bool open = socket_.is_open() && enable(socket_, SO_REUSEADDR) && enable(socket_, SO_REUSEPORT) &&
              ::bind(socket_.number(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 &&
              ::listen(socket_.number(), backlog) == 0 && ::getsockname(socket_.number(), endpoint.data(), &size) == 0;
  if (!open) {
    return errno;
  }
  port_ = endpoint.port();
  return 0;
}

int Listener::open_unix(const Place& place) {
  const std::filesystem::path& path = place.settings.socket_path;
  boost::asio::local::stream_protocol::endpoint endpoint;
  if (path.string().size() >= endpoint.capacity() - sizeof(sa_family_t)) {
    return ENAMETOOLONG;
  }
  endpoint.path(path.string());
  if (place.first != nullptr) {
    socket_ = Descriptor(::fcntl(place.first->socket_.number(), F_DUPFD_CLOEXEC, 0));
    return socket_.is_open() ? 0 : errno;
  }
  std::error_code ignored;
  if (std::filesystem::is_socket(path, ignored) && is_left_over(endpoint)) {
    std::filesystem::remove(path, ignored);  // of a process that did not end in order
  }
  socket_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.is_open() || ::bind(socket_.number(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
    return errno;
  }
  socket_path_ = path;
  // Whoever reaches it still needs a token; the directory's permissions say who does.
  std::filesystem::permissions(path, std::filesystem::perms(0666), ignored);
  return ::listen(socket_.number(), backlog) == 0 ? 0 : errno;
}

void Listener::accept() {
  watch_.emplace(loop_.reactor(), socket_.number(), Reactor::Watch::Kind::listening, [this] { on_ready(); });
}

// One a turn, so that those that are served get on as well.
void Listener::on_ready() {
  Endpoint peer;
  auto size = static_cast<socklen_t>(peer.capacity());
  Descriptor socket(::accept4(socket_.number(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.is_open()) {
    peer.resize(size);
    on_accepted(std::move(socket), peer);
    return;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED) {
    return;
  }
  loop_.own_counters().add_connection_refused("accept_failed");
  loop_.shared().log.write(Severity::warning, "connection not accepted",
                           {{"listener", profile_.name}, {"error", std::strerror(errno)}});
  watch_.reset();
  loop_.after(pause_after_failure, [this] {
    if (socket_.is_open()) {
      accept();
    }
  });
}

void Listener::on_accepted(Descriptor socket, const Endpoint& endpoint) {
  LoopShared& shared = loop_.shared();
  if (loop_.draining()) {
    turn_away(socket, "draining");
    return;
  }
  if (!shared.admit_connection(loop_.now().mono)) {
    turn_away(socket, "too_fast");
    return;
  }
  if (shared.connections_open.fetch_add(1, std::memory_order_relaxed) >= shared.connections_max) {
    give_place_back();
    turn_away(socket, "too_many_connections");
    return;
  }
  Peer peer = describe(socket, endpoint);
  bool proxied = peer.address && std::any_of(load_balancers_.begin(), load_balancers_.end(),
                                             [&](const AddressRange& range) { return range.contains(*peer.address); });
  if (proxied) {
    read_proxy_header(std::move(socket), peer.text);
  } else {
    begin_session(std::move(socket), std::move(peer.text));
  }
}

void Listener::read_proxy_header(Descriptor socket, const std::string& load_balancer) {
  auto reader = std::make_shared<ProxyHeaderReader>(
      loop_, std::move(socket),
      [this, load_balancer](const std::shared_ptr<ProxyHeaderReader>& read, Descriptor received,
                            const Result<std::string, std::string>& client) {
        proxy_headers_.erase(read);
        if (!client) {
          give_place_back();
          loop_.own_counters().add_connection_refused("proxy_header");
          loop_.shared().log.write(
              Severity::warning, "connection refused",
              {{"listener", profile_.name}, {"load_balancer", load_balancer}, {"error", client.error()}});
          return;
        }
        if (loop_.draining()) {  // since it was accepted
          give_place_back();
          turn_away(received, "draining");
          return;
        }
        begin_session(std::move(received), client->empty() ? load_balancer : *client);
      });
  proxy_headers_.insert(reader);
  reader->start(loop_.runtime()->environment->limits.handshake_timeout);
}

void Listener::begin_session(Descriptor socket, std::string client) {
  loop_.own_counters().add(Metric::connections_accepted);
  set_socket_options(socket.number(), loop_.runtime()->tcp);
  session::Session::Opening opening{.origin = {.session_id = random_session_id(),
                                               .connection_id = loop_.next_connection_id(loop_count_),
                                               .client_address = std::move(client)},
                                    .nonce = random_nonce(),
                                    .now = loop_.now()};
  auto connection = std::make_shared<Connection>(
      loop_,
      Connection::Client{
          .socket = std::move(socket), .listener = profile_, .listener_index = index_, .opening = std::move(opening)});
  loop_.add(connection);
  connection->start();
}

void Listener::give_place_back() {
  loop_.shared().connections_open.fetch_sub(1, std::memory_order_relaxed);
}

// In place of the greeting a client gets an error that says why. A socket buffer that is still empty takes it.
void Listener::turn_away(const Descriptor& socket, std::string_view reason) {
  loop_.own_counters().add_connection_refused(reason);
  session::ClientError error =
      session::client_error(reason == "draining" ? session::Reason::drained : session::Reason::too_many_connections);
  std::vector<std::uint8_t> packet;
  wire::PacketWriter writer{packet};
  writer.begin(0);
  wire::write_err(writer, {.code = error.mysql_error, .sql_state = {}, .message = error.message});
  writer.end();
  ::send(socket.number(), packet.data(), packet.size(), MSG_NOSIGNAL);
  ::shutdown(socket.number(), SHUT_WR);
}

void Listener::close() {
  watch_.reset();
  socket_.close();
  if (!socket_path_.empty()) {
    std::error_code unremoved;
    std::filesystem::remove(std::exchange(socket_path_, {}), unremoved);
  }
}

}  // namespace sallyport::net
