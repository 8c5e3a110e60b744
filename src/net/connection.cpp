#include "net/connection.h"

#include <utility>

#include "net/backend_tls.h"
#include "net/catalogues.h"
#include "net/side_kills.h"

namespace sallyport::net {
namespace {

// After this many rounds without a pause other connections get their turn.
constexpr int rounds_max = 16;
// How long a client may take to read what was sent to it last and to close its side.
constexpr Milliseconds linger_timeout{500};

session::TlsDetails details_of(SSL* tls) {
  const char* server_name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
  return {.version = SSL_get_version(tls),
          .cipher = SSL_get_cipher_name(tls),
          .server_name = server_name != nullptr ? server_name : ""};
}

// The session from its legs' sides, as Leg::receive() and Leg::send() take it.
struct ClientSide {
  session::Session& session;

  bool wants_bytes() { return session.wants_client_bytes(); }
  MutableBytes space() { return session.client_space(); }
  void received(std::size_t count, Now now) { session.client_received(count, now); }
  session::OutputQueue& output() { return session.client_output(); }
  void sent(std::size_t count, Now now) { session.client_sent(count, now); }
  std::optional<session::NextMessage> next_message() { return session.next_client_message(); }
  void violated(std::string_view how, Now now) { session.client_violated(std::string(how), now); }
  static constexpr bool reads_to_the_end = false;
};

struct BackendSide {
  session::Session& session;

  bool wants_bytes() { return session.wants_backend_bytes(); }
  MutableBytes space() { return session.backend_space(); }
  void received(std::size_t count, Now now) { session.backend_received(count, now); }
  session::OutputQueue& output() { return session.backend_output(); }
  void sent(std::size_t count, Now now) { session.backend_sent(count, now); }
  std::optional<session::NextMessage> next_message() { return session.next_backend_message(); }
  void violated(std::string_view how, Now now) { session.backend_violated(std::string(how), now); }
  static constexpr bool reads_to_the_end = true;
};

}  // namespace

Connection::Connection(Loop& loop, Client client)
    : loop_(loop),
      listener_index_(client.listener_index),
      client_(std::make_unique<Leg>(loop, std::move(client.socket))),
      session_({.listener = client.listener,
                .environment = loop.runtime()->environment,
                .audit = loop.audit(),
                .counters = loop.own_counters(),
                .ledger = loop.shared().ledger,
                .registry = loop.shared().registry,
                .statements = loop.statements(),
                .catalogues = loop.catalogues()},
               std::move(client.opening)) {}

Connection::~Connection() = default;

void Connection::start() {
  client_->set_owner(weak_from_this());
  pump();
}

MonoTime Connection::deadline() const {
  return lingering_ ? linger_until_ : session_.deadline();
}

void Connection::audit_done(CommitResult result, Now now) {
  auto of_all = commits_awaited_.done(result);
  if (!of_all) {
    return;
  }
  switch (*of_all) {
    case CommitResult::committed:
      session_.audit_committed(now);
      break;
    case CommitResult::failed:
      session_.audit_failed(now);
      break;
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
  note_slow_peers(now);
  session_.time_passed(now);
  pump();
}

void Connection::pump() {
  if (finished_) {
    return;
  }
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
    progress |= exchange();
    note_backend_login();
    if (session_.ended()) {
      begin_linger();
      return;
    }
    if (!progress) {
      return;  // until a leg is ready
    }
  }
  loop_.again(shared_from_this());
}

void Connection::perform(session::Action action) {
  using session::Action;
  switch (action) {
    case Action::start_client_tls:
      start_client_tls();
      break;
    case Action::verify_token:
      waited_for_keys_ = false;
      verify_token();
      break;
    case Action::commit_audit:
      commits_awaited_.ask();
      loop_.request_commit(shared_from_this());
      break;
    case Action::connect_backend:
      lease_.emplace(Lease{.kind = session_.backend_kind()});
      request_backend();
      break;
    case Action::reconnect_backend:
      drop_backend();
      lease_->in_use = false;
      dial_backend();
      break;
    case Action::start_backend_tls:
      start_backend_tls();
      break;
    case Action::start_client_compression:
      client_->start_compression(session::CompressedLeg::Peer::client, *session_.client_compression());
      break;
    case Action::start_backend_compression:
      if (backend_) {
        backend_->start_compression(session::CompressedLeg::Peer::server, *session_.backend_compression());
      }
      break;
    case Action::release_backend:
      release_backend();
      break;
    case Action::close_backend:
      close_backend();
      break;
    case Action::abandon_backend:
      abandon_backend();
      break;
    case Action::kill:
      start_kill();
      break;
    case Action::close_client:
      break;  // once session_.ended()
  }
}

// Whether anything moved.
bool Connection::exchange() {
  bool progress = continue_client_tls();
  progress |= continue_backend_tls();
  if (backend_) {
    // A server may say why before it closes: what it sent is still read where sending fails.
    progress |= backend_->send(BackendSide{session_}) == Leg::Transfer::moved;
  }
  Leg::Transfer sent = client_->send(ClientSide{session_});
  Leg::Transfer received =
      sent == Leg::Transfer::closed || session_.ended() ? sent : client_->receive(ClientSide{session_});
  if (received == Leg::Transfer::closed) {
    session_.client_closed(loop_.now());
  }
  progress |= sent != Leg::Transfer::none || received != Leg::Transfer::none;
  return receive_from_backend() || progress;
}

bool Connection::receive_from_backend() {
  if (!backend_ || session_.ended()) {
    return false;
  }
  Leg::Transfer received = backend_->receive(BackendSide{session_});
  if (received == Leg::Transfer::closed) {
    drop_backend();
    session_.backend_closed(loop_.now());
  }
  return received != Leg::Transfer::none;
}

// A peer that takes little by little is told from one that takes nothing.
void Connection::note_slow_peers(Now now) {
  if (!session_.client_output().empty() && client_->peer_took_some()) {
    session_.client_took(now);
  }
  if (backend_ && !session_.backend_output().empty() && backend_->peer_took_some()) {
    session_.backend_took(now);
  }
}

void Connection::start_client_tls() {
  client_->send(ClientSide{session_});
  TlsStream stream(SSL_new(loop_.runtime()->listener_contexts[listener_index_].get()), SSL_free);
  SALLYPORT_CHECK(stream != nullptr);
  SSL_set_accept_state(stream.get());
  client_->start_tls(std::move(stream));
}

bool Connection::continue_client_tls() {
  if (!client_->handshake_due()) {
    return false;
  }
  switch (client_->handshake()) {
    case Channel::Handshake::done:
      session_.client_tls_established(details_of(client_->tls()), loop_.now());
      return true;
    case Channel::Handshake::wants_read:
    case Channel::Handshake::wants_write:
      return false;
    case Channel::Handshake::failed:
      session_.client_tls_failed(take_tls_error(), loop_.now());
      return true;
  }
  return false;
}

void Connection::verify_token() {
  const KeySnapshot& keys = loop_.keys();
  Now now = loop_.now();
  auto result = identity::verify_token(session_.token().reveal(), {.settings = *keys.issuers, .keys = *keys.sets},
                                       {.now = now.wall,
                                        .token_bytes_max = loop_.runtime()->environment->limits.token_bytes_max,
                                        .verified = &loop_.verified_signatures()});
  if (!result && !waited_for_keys_ && result.error().issuer &&
      (result.error().error == identity::TokenError::key_unknown ||
       result.error().error == identity::TokenError::issuer_keys_unavailable)) {
    waited_for_keys_ = true;
    loop_.shared().wait_for_keys((*keys.issuers)[*result.error().issuer].name, loop_, [weak = weak_from_this()] {
      if (auto self = weak.lock(); self && !self->lingering_ && !self->finished_ && !self->session_.token().empty()) {
        self->verify_token();
        self->pump();
      }
    });
    return;
  }
  login_runtime_ = loop_.runtime();
  session_.token_verified(std::move(result), now);
}

void Connection::request_backend() {
  lease_->ticket = loop_.backends().request(shared_from_this(), lease_->kind, session_.server_candidates(),
                                            session_.backend_target().connection->pool);
}

void Connection::take_backend(const Given& given, std::unique_ptr<Leg> leg, session::BackendFacts facts) {
  lease_->ticket = 0;
  lease_->slot = given.slot;
  lease_->kind.server = given.server;
  session_.backend_chosen(given.server, loop_.now());
  if (leg) {
    lease_->in_use = true;
    backend_ = std::move(leg);
    backend_->set_owner(weak_from_this());
    runtime_ = loop_.runtime();
    loop_.own_counters().raise(Level::backend_connections_in_use);
    session_.backend_resumed(std::move(facts), loop_.now(), backend_->peer());
  } else {
    dial_backend();
  }
  pump();
}

void Connection::refuse_backend(session::Reason reason, const std::string& detail) {
  lease_.reset();
  session_.backend_failed(detail, loop_.now(), reason);
  pump();
}

void Connection::dial_backend() {
  runtime_ = login_runtime_;
  dial_ = Dial::start(loop_, *session_.backend_target().server,
                      [this](Result<Descriptor, std::string> socket) { on_dialed(std::move(socket)); });
}

void Connection::on_dialed(Result<Descriptor, std::string> socket) {
  auto self = shared_from_this();
  dial_.reset();
  if (socket) {
    backend_ = std::make_unique<Leg>(loop_, std::move(socket).value());
    backend_->set_owner(weak_from_this());
    loop_.own_counters().raise(Level::backend_connections_open);
    loop_.own_counters().raise(Level::backend_connections_in_use);
    session_.backend_connected(loop_.now(), backend_->peer());
  } else {
    session_.backend_failed(std::move(socket).error(), loop_.now());
  }
  pump();
}

void Connection::start_backend_tls() {
  backend_->send(BackendSide{session_});  // the request for TLS, before its handshake
  const session::BackendTarget& target = session_.backend_target();
  if (auto begun = begin_backend_tls(*backend_, *runtime_, *target.connection, *target.server); !begun) {
    session_.backend_failed(begun.error(), loop_.now());
  }
}

bool Connection::continue_backend_tls() {
  if (!backend_ || !backend_->handshake_due()) {
    return false;
  }
  auto done = net::continue_backend_tls(*backend_);
  if (!done) {
    session_.backend_failed(std::move(done).error(), loop_.now());
    return true;
  }
  if (*done) {
    session_.backend_tls_established(loop_.now());
  }
  return *done;
}

// That of the configuration which the order's login is of.
std::shared_ptr<const Runtime> Connection::runtime_of(const session::KillOrder& order) const {
  return loop_.runtime()->environment == order.environment ? loop_.runtime() : runtime_;
}

void Connection::start_kill() {
  session::KillOrder order = session_.kill_order();
  auto runtime = runtime_of(order);
  loop_.side_kills().start({.order = std::move(order), .runtime = std::move(runtime), .asker = weak_from_this()});
}

bool Connection::kill_due(std::uint64_t number) {
  bool wanted = !finished_ && session_.kill_due(number, loop_.now());
  pump();
  return wanted;
}

void Connection::kill_answered(std::uint64_t number, const session::KillOutcome& outcome) {
  if (!finished_) {
    session_.kill_answered(number, outcome, loop_.now());
    pump();
  }
}

// The connection is kept open until the server was told, so that its number stays its own, and counts within all
// bounds.
void Connection::abandon_backend() {
  session::KillOrder order = session_.kill_order();
  if (backend_) {
    auto runtime = runtime_of(order);
    backend_->set_owner({});
    loop_.own_counters().lower(Level::backend_connections_in_use);
    std::optional<Backends::Slot> slot;
    if (lease_ && lease_->in_use && !session_.backend_fault()) {
      slot = std::exchange(lease_, std::nullopt)->slot;
    }
    loop_.side_kills().start({.order = std::move(order),
                              .runtime = std::move(runtime),
                              .held = std::exchange(backend_, nullptr),
                              .place = session_.released_place(),
                              .slot = slot});
  }
  end_lease();
}

void Connection::close_backend() {
  dial_.reset();
  if (backend_) {
    backend_->send(BackendSide{session_});  // COM_QUIT, if the socket takes it
    backend_->shutdown_write();
  }
  drop_backend();
  end_lease();
}

void Connection::drop_backend() {
  if (backend_) {
    backend_.reset();
    loop_.own_counters().lower(Level::backend_connections_open);
    loop_.own_counters().lower(Level::backend_connections_in_use);
  }
}

void Connection::release_backend() {
  if (!backend_ || !lease_) {
    close_backend();
    return;
  }
  if (loop_.backends().give_back(lease_->slot, runtime_, backend_, lease_->kind, session_.released_backend())) {
    loop_.own_counters().lower(Level::backend_connections_in_use);
    lease_.reset();
  } else {
    close_backend();
  }
}

// Tells the pool what became of the connection that this one had, or asked for.
void Connection::end_lease() {
  if (!lease_) {
    return;
  }
  Lease lease = *std::exchange(lease_, std::nullopt);
  Backends& backends = loop_.backends();
  if (lease.ticket != 0) {
    backends.withdraw(lease.ticket, lease.kind);
  } else if (const auto& fault = session_.backend_fault(); fault && !lease.in_use) {
    backends.open_failed(lease.slot, *runtime_, fault->reason, fault->detail);
  } else if (fault) {
    backends.unanswered(lease.slot, *runtime_, fault->detail);
  } else {
    backends.closed(lease.slot);
  }
}

void Connection::note_backend_login() {
  if (lease_ && lease_->slot != 0 && !lease_->in_use && session_.backend_logged_in()) {
    lease_->in_use = true;
    loop_.backends().opened(lease_->slot, *runtime_);
  }
}

// What was sent last should reach the client: closing a socket with unread bytes would destroy it on the way.
void Connection::begin_linger() {
  close_backend();
  lingering_ = true;
  linger_until_ = loop_.now().mono + linger_timeout;
  if (client_->peer_ended() && !client_->discard()) {
    finish();  // nobody is there to be told
    return;
  }
  client_->shutdown_write();
  discard_client();
}

void Connection::discard_client() {
  if (!client_->discard()) {
    finish();
  } else if (client_->readable()) {
    loop_.again(shared_from_this());
  }
}

void Connection::finish() {
  if (finished_) {
    return;
  }
  finished_ = true;
  close_backend();
  client_.reset();
  loop_.remove(shared_from_this());
}

}  // namespace sallyport::net
