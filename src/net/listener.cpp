#include "net/listener.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/post.hpp>

#include "crypto/random.h"
#include "net/connection.h"
#include "session/reason.h"
#include "wire/response.h"

namespace sallyport::net {
namespace {

using boost::asio::ip::tcp;
using ReusePort = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int backlog = 4096;
// After a failure to accept, for want of descriptors say, accepting pauses so as not to spin.
constexpr std::chrono::milliseconds pause_after_failure{100};

std::string address_text(const tcp::endpoint& endpoint) {
  std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

// 128 random bits in hexadecimal.
std::string random_session_id() {
  constexpr std::string_view hex = "0123456789abcdef";
  std::array<std::uint8_t, 16> bytes{};
  crypto::random_bytes(bytes);
  std::string id;
  for (std::uint8_t byte : bytes) {
    id += hex[byte >> 4];
    id += hex[byte & 15];
  }
  return id;
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
      acceptor_(loop.context()),
      pause_(loop.context()) {}

Result<std::unique_ptr<Listener>, std::string> Listener::open(Loop& loop, const session::ListenerProfile& profile,
                                                              const Place& place) {
  std::unique_ptr<Listener> listener(new Listener(loop, profile, place));
  tcp::acceptor& acceptor = listener->acceptor_;
  boost::system::error_code error;
  tcp::endpoint endpoint(boost::asio::ip::make_address(place.address, error), place.port);
  if (!error) {
    acceptor.open(endpoint.protocol(), error);
  }
  if (!error) {
    acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
    acceptor.set_option(ReusePort(true), error);
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(backlog, error);
  }
  if (error) {
    return Unexpected("listener " + profile.name + " on " + address_text(endpoint) + ": " + error.message());
  }
  listener->port_ = acceptor.local_endpoint(error).port();
  return listener;
}

void Listener::accept() {
  auto peer = std::make_shared<tcp::endpoint>();
  acceptor_.async_accept(*peer, [this, peer](const boost::system::error_code& error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted || !acceptor_.is_open()) {
      return;
    }
    if (error) {
      loop_.own_counters().add_connection_refused("accept_failed");
      loop_.shared().log.write(Severity::warning, "connection not accepted",
                               {{"listener", profile_.name}, {"error", error.message()}});
      pause_.expires_after(pause_after_failure);
      pause_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) {
          accept();
        }
      });
      return;
    }
    admit(std::move(socket), *peer);
    accept();
  });
}

void Listener::admit(tcp::socket socket, const tcp::endpoint& peer) {
  LoopShared& shared = loop_.shared();
  if (loop_.draining()) {
    turn_away(std::move(socket), "draining");
    return;
  }
  if (shared.connections_open.fetch_add(1, std::memory_order_relaxed) >= shared.connections_max) {
    shared.connections_open.fetch_sub(1, std::memory_order_relaxed);
    turn_away(std::move(socket), "too_many_connections");
    return;
  }
  loop_.own_counters().add(Metric::connections_accepted);
  session::Session::Opening opening{.origin = {.session_id = random_session_id(),
                                               .connection_id = loop_.next_connection_id(loop_count_),
                                               .client_address = address_text(peer)},
                                    .nonce = random_nonce(),
                                    .now = read_clocks()};
  auto connection = std::make_shared<Connection>(loop_, Connection::Client{.socket = Socket(std::move(socket)),
                                                                           .listener = profile_,
                                                                           .listener_index = index_,
                                                                           .opening = std::move(opening)});
  loop_.add(connection);
  connection->start();
}

// In place of the greeting a client gets an error that says why. A socket buffer that is still empty takes it.
void Listener::turn_away(tcp::socket socket, std::string_view reason) {
  loop_.own_counters().add_connection_refused(reason);
  session::ClientError error =
      session::client_error(reason == "draining" ? session::Reason::drained : session::Reason::too_many_connections);
  std::vector<std::uint8_t> packet;
  wire::PacketWriter writer{packet};
  writer.begin(0);
  wire::write_err(writer, {.code = error.mysql_error, .sql_state = {}, .message = error.message});
  writer.end();
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(boost::asio::buffer(packet), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace sallyport::net
