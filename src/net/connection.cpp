#include "net/connection.h"

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

namespace sallyport::net {
namespace {

using boost::system::error_code;

// After this many rounds without a pause other connections get their turn.
constexpr int rounds_max = 16;
// How long a client may take to read what was sent to it last and to close its side.
constexpr Milliseconds linger_timeout{500};

void set_options(Socket& socket) {
  error_code ignored;
  socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
}

session::TlsDetails details_of(SSL* tls) {
  const char* server_name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
  return {.version = SSL_get_version(tls),
          .cipher = SSL_get_cipher_name(tls),
          .server_name = server_name != nullptr ? server_name : ""};
}

}  // namespace

Connection::Connection(Loop& loop, Client client)
    : loop_(loop),
      listener_index_(client.listener_index),
      client_(std::move(client.socket)),
      session_({.listener = client.listener,
                .environment = loop.runtime()->environment,
                .audit = loop.audit(),
                .counters = loop.own_counters(),
                .ledger = loop.shared().ledger},
               std::move(client.opening)),
      resolver_(loop.context()) {
  set_options(client_.socket());
}

Connection::~Connection() = default;

void Connection::start() {
  pump();
}

MonoTime Connection::deadline() const {
  return lingering_ ? linger_until_ : session_.deadline();
}

void Connection::audit_done(bool committed, Now now) {
  if (committed) {
    session_.audit_committed(now);
  } else {
    session_.audit_failed(now);
  }
  pump();
}

void Connection::environment_changed(std::shared_ptr<const session::Environment> environment, Now now) {
  session_.environment_changed(std::move(environment), now);
  pump();
}

void Connection::drain(Now now) {
  session_.drain(now);
  pump();
}

void Connection::stop(Now now) {
  session_.stop(now);
  pump();
}

void Connection::time_passed(Now now) {
  if (lingering_) {
    finish();
    return;
  }
  session_.time_passed(now);
  pump();
}

void Connection::pump() {
  if (lingering_) {
    discard_client();
    return;
  }
  for (int round = 0; round < rounds_max; ++round) {
    bool progress = false;
    while (auto action = session_.next_action()) {
      perform(*action);
      progress = true;
    }
    progress |= write_backend();
    progress |= write_client();
    if (session_.ended()) {
      begin_linger();
      return;
    }
    progress |= read_client();
    progress |= read_backend();
    if (!progress) {
      wait_for_events();
      return;
    }
  }
  boost::asio::post(loop_.context(), [self = shared_from_this()] { self->pump(); });
}

void Connection::perform(session::Action action) {
  using session::Action;
  switch (action) {
    case Action::start_client_tls:
      start_client_tls();
      break;
    case Action::verify_token:
      verify_token();
      break;
    case Action::commit_audit:
      loop_.request_commit(shared_from_this());
      break;
    case Action::connect_backend:
      connect_backend();
      break;
    case Action::start_backend_tls:
      start_backend_tls();
      break;
    case Action::close_backend:
      close_backend();
      break;
    case Action::close_client:
      break;  // once session_.ended()
  }
}

bool Connection::read_client() {
  if (client_.in_handshake() || !client_.readable() || client_.waiting_readable() || !session_.wants_client_bytes()) {
    return false;
  }
  IoResult result = client_.read(session_.client_space());
  switch (result.status) {
    case IoStatus::ok:
      session_.client_received(result.bytes, read_clocks());
      return true;
    case IoStatus::would_block:
      return false;
    case IoStatus::closed:
    case IoStatus::failed:
      session_.client_closed(read_clocks());
      return true;
  }
  return false;
}

bool Connection::read_backend() {
  if (!backend_connected_ || backend_->in_handshake() || !backend_->readable() || backend_->waiting_readable() ||
      !session_.wants_backend_bytes()) {
    return false;
  }
  IoResult result = backend_->read(session_.backend_space());
  switch (result.status) {
    case IoStatus::ok:
      session_.backend_received(result.bytes, read_clocks());
      return true;
    case IoStatus::would_block:
      return false;
    case IoStatus::closed:
    case IoStatus::failed:
      drop_backend();
      session_.backend_closed(read_clocks());
      return true;
  }
  return false;
}

bool Connection::write_client() {
  session::OutputQueue& queue = session_.client_output();
  if (queue.empty() || client_write_waits_ || client_.in_handshake()) {
    return false;
  }
  std::array<Bytes, 16> pieces;
  IoResult result = client_.write({pieces.data(), queue.gather(pieces)});
  switch (result.status) {
    case IoStatus::ok:
      session_.client_sent(result.bytes, read_clocks());
      return true;
    case IoStatus::would_block:
      client_write_waits_ = true;
      client_.async_wait_writable([self = shared_from_this()](const error_code& /*error*/) {
        self->client_write_waits_ = false;
        self->pump();
      });
      return false;
    case IoStatus::closed:
    case IoStatus::failed:
      session_.client_closed(read_clocks());
      return true;
  }
  return false;
}

bool Connection::write_backend() {
  session::OutputQueue& queue = session_.backend_output();
  if (queue.empty() || backend_write_waits_ || !backend_connected_ || backend_->in_handshake()) {
    return false;
  }
  std::array<Bytes, 16> pieces;
  IoResult result = backend_->write({pieces.data(), queue.gather(pieces)});
  switch (result.status) {
    case IoStatus::ok:
      session_.backend_sent(result.bytes, read_clocks());
      return true;
    case IoStatus::would_block:
      backend_write_waits_ = true;
      backend_->async_wait_writable([self = shared_from_this()](const error_code& /*error*/) {
        self->backend_write_waits_ = false;
        self->pump();
      });
      return false;
    case IoStatus::closed:
    case IoStatus::failed:
      // The server may have said why before it closed: what it sent is still read.
      backend_write_waits_ = true;
      return false;
  }
  return false;
}

void Connection::wait_for_events() {
  if (client_.is_open() && !client_.waiting_readable() && !client_.in_handshake() && session_.wants_client_bytes()) {
    client_.async_wait_readable([self = shared_from_this()](const error_code& /*error*/) { self->pump(); });
  }
  if (backend_connected_ && !backend_->waiting_readable() && !backend_->in_handshake() &&
      session_.wants_backend_bytes()) {
    backend_->async_wait_readable([self = shared_from_this()](const error_code& /*error*/) { self->pump(); });
  }
}

void Connection::start_client_tls() {
  write_client();
  TlsStream stream(SSL_new(loop_.runtime()->listener_contexts[listener_index_].get()), SSL_free);
  SALLYPORT_CHECK(stream != nullptr);
  SSL_set_accept_state(stream.get());
  client_.start_tls(std::move(stream));
  continue_client_tls();
}

void Connection::continue_client_tls() {
  if (lingering_ || finished_ || session_.ended()) {
    return;
  }
  auto again = [self = shared_from_this()](const error_code& /*error*/) {
    self->continue_client_tls();
    self->pump();
  };
  switch (client_.handshake()) {
    case Channel::Handshake::done:
      session_.client_tls_established(details_of(client_.tls()), read_clocks());
      break;
    case Channel::Handshake::wants_read:
      client_.async_wait_readable(again);
      break;
    case Channel::Handshake::wants_write:
      client_.async_wait_writable(again);
      break;
    case Channel::Handshake::failed:
      session_.client_tls_failed(take_tls_error(), read_clocks());
      break;
  }
}

void Connection::verify_token() {
  const KeySnapshot& keys = loop_.keys();
  Now now = read_clocks();
  auto result = identity::verify_token(
      session_.token().reveal(), {.settings = *keys.issuers, .keys = *keys.sets},
      {.now = now.wall, .token_bytes_max = loop_.runtime()->environment->limits.token_bytes_max});
  if (!result && !waited_for_keys_ && result.error().issuer &&
      (result.error().error == identity::TokenError::key_unknown ||
       result.error().error == identity::TokenError::issuer_keys_unavailable)) {
    waited_for_keys_ = true;
    loop_.shared().wait_for_keys(*result.error().issuer, loop_, [weak = weak_from_this()] {
      if (auto self = weak.lock(); self && !self->lingering_ && !self->finished_ && !self->session_.token().empty()) {
        self->verify_token();
        self->pump();
      }
    });
    return;
  }
  session_.token_verified(std::move(result), now);
}

void Connection::connect_backend() {
  runtime_ = loop_.runtime();
  const session::ConnectionSettings& connection = *session_.backend_target().connection;
  if (!connection.socket_path.empty()) {
    endpoints_.emplace_back(boost::asio::local::stream_protocol::endpoint(connection.socket_path.string()));
    connect_next();
    return;
  }
  error_code not_numeric;
  auto address = boost::asio::ip::make_address(connection.host, not_numeric);
  if (!not_numeric) {
    endpoints_.emplace_back(boost::asio::ip::tcp::endpoint(address, connection.port));
    connect_next();
    return;
  }
  resolver_.async_resolve(
      connection.host, std::to_string(connection.port), boost::asio::ip::tcp::resolver::numeric_service,
      [self = shared_from_this()](const error_code& error, const boost::asio::ip::tcp::resolver::results_type& found) {
        if (self->finished_ || self->lingering_) {
          return;
        }
        if (error) {
          self->session_.backend_failed("the server's name can't be resolved: " + error.message(), read_clocks());
          self->pump();
          return;
        }
        for (const auto& entry : found) {
          self->endpoints_.emplace_back(entry.endpoint());
        }
        self->connect_next();
      });
}

void Connection::connect_next() {
  if (!backend_) {
    backend_.emplace(Socket(loop_.context()));
  }
  error_code ignored;
  backend_->socket().close(ignored);
  const auto& endpoint = endpoints_[next_endpoint_++];
  backend_->socket().async_connect(endpoint, [self = shared_from_this()](const error_code& error) {
    if (self->finished_ || self->lingering_) {
      return;
    }
    if (!error) {
      self->on_backend_connected();
    } else if (self->next_endpoint_ < self->endpoints_.size()) {
      self->connect_next();
      return;
    } else {
      self->session_.backend_failed("the server can't be reached: " + error.message(), read_clocks());
    }
    self->pump();
  });
}

void Connection::on_backend_connected() {
  error_code ignored;
  backend_->socket().non_blocking(true, ignored);
  set_options(backend_->socket());
  backend_connected_ = true;
  loop_.own_counters().raise(Level::backend_connections_open);
  session_.backend_connected(read_clocks());
}

void Connection::start_backend_tls() {
  write_backend();  // the request for TLS, before its handshake
  const session::ConnectionSettings& connection = *session_.backend_target().connection;
  auto context = runtime_->backend_contexts.find(connection.name);
  if (context == runtime_->backend_contexts.end()) {
    session_.backend_failed("no TLS context for connection " + connection.name, read_clocks());
    return;
  }
  auto stream = make_backend_stream(context->second, connection);
  if (!stream) {
    session_.backend_failed(stream.error(), read_clocks());
    return;
  }
  SSL_set_connect_state(stream->get());
  backend_->start_tls(std::move(*stream));
  continue_backend_tls();
}

void Connection::continue_backend_tls() {
  if (lingering_ || finished_ || session_.ended() || !backend_connected_) {
    return;
  }
  auto again = [self = shared_from_this()](const error_code& /*error*/) {
    self->continue_backend_tls();
    self->pump();
  };
  switch (backend_->handshake()) {
    case Channel::Handshake::done:
      session_.backend_tls_established(read_clocks());
      break;
    case Channel::Handshake::wants_read:
      backend_->async_wait_readable(again);
      break;
    case Channel::Handshake::wants_write:
      backend_->async_wait_writable(again);
      break;
    case Channel::Handshake::failed: {
      std::string detail = "TLS with the server failed: " + take_tls_error();
      long verified = SSL_get_verify_result(backend_->tls());
      if (verified != X509_V_OK) {
        detail += std::string(" (") + X509_verify_cert_error_string(verified) + ")";
      }
      session_.backend_failed(std::move(detail), read_clocks());
      break;
    }
  }
}

void Connection::close_backend() {
  if (backend_connected_) {
    write_backend();  // COM_QUIT, if the socket takes it
    backend_->shutdown_write();
  }
  drop_backend();
}

void Connection::drop_backend() {
  if (std::exchange(backend_connected_, false)) {
    loop_.own_counters().lower(Level::backend_connections_open);
  }
  if (backend_) {
    backend_->close();
  }
}

// What was sent last should reach the client: closing a socket with unread bytes would destroy it on the way.
void Connection::begin_linger() {
  resolver_.cancel();
  close_backend();
  lingering_ = true;
  linger_until_ = read_clocks().mono + linger_timeout;
  client_.shutdown_write();
  discard_client();
}

void Connection::discard_client() {
  if (finished_ || client_.waiting_readable()) {
    return;
  }
  std::array<std::uint8_t, 4096> nowhere;
  error_code error;
  std::size_t count = 0;
  do {
    count = client_.socket().read_some(boost::asio::buffer(nowhere), error);
  } while (!error && count > 0 && read_clocks().mono < linger_until_);
  if (error != boost::asio::error::would_block) {
    finish();
    return;
  }
  client_.async_wait_readable([self = shared_from_this()](const error_code& failed) {
    if (failed) {
      self->finish();
    } else {
      self->discard_client();
    }
  });
}

void Connection::finish() {
  if (finished_) {
    return;
  }
  finished_ = true;
  resolver_.cancel();
  close_backend();
  client_.close();
  loop_.remove(shared_from_this());
}

}  // namespace sallyport::net
