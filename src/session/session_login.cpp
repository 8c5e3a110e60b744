// The session's login: the client up to its token, the account that the token belongs to, the backend.
#include <algorithm>

#include "session/protocol.h"
#include "session/session.h"

namespace sallyport::session {

void Session::process_login() {
  while (auto* login = phase<LoggingIn>()) {
    Bytes received{from_client_.unclaimed()};
    auto message = wire::find_message(received, login->login.next_sequence_id(), handshake_bytes_max);
    if (!message) {
      refuse_login(Reason::handshake_malformed, message.error() == wire::FrameError::too_large
                                                    ? "a handshake message is too large"
                                                    : "a handshake message bears the wrong sequence id");
      return;
    }
    if (!*message) {
      return;
    }
    login->login.set_next_sequence_id((*message)->next_sequence_id);
    client_sequence_id_ = (*message)->next_sequence_id;
    auto step = login->login.on_message(wire::message_payload(received, **message, scratch_),
                                        environment_->limits.token_bytes_max);
    wipe(from_client_.unclaimed().data(), (*message)->frame_bytes);  // it may hold the token
    to_backend_.skip((*message)->frame_bytes);
    to_client_.queue_made();
    hello_ = login->login.hello();
    if (step == ClientLogin::Step::more || step == ClientLogin::Step::start_tls) {
      client_sequence_id_ = static_cast<std::uint8_t>(login->login.next_sequence_id() + 1);
    }
    switch (step) {
      case ClientLogin::Step::more:
        break;
      case ClientLogin::Step::start_tls:
        if (!from_client_.unclaimed().empty()) {
          refuse_login(Reason::handshake_malformed, "bytes follow the TLS request in the clear");
          return;
        }
        request(Action::start_client_tls);
        return;
      case ClientLogin::Step::token:
        token_ = login->login.take_token();
        phase_ = VerifyingToken{};
        request(Action::verify_token);
        return;
      case ClientLogin::Step::refused:
        refuse_login(login->login.refusal(), {});
        return;
    }
  }
}

void Session::token_verified(Result<identity::Principal, identity::Refusal> result, Now now) {
  at(now);
  if (phase<VerifyingToken>() == nullptr) {
    return;
  }
  token_.clear();
  if (!result) {
    identity::TokenError error = result.error().error;
    refuse_login(client_error(Reason::token_refused, identity::reason_code(error), identity::explain(error)),
                 identity::reason_code(error), result.error().detail);
    return;
  }
  who_.emplace(Identified{.principal = std::move(result).value(), .environment = environment_});
  resolve_account();
}

void Session::resolve_account() {
  auto refuse = [&](identity::AccountError error, std::string detail = {}) {
    refuse_login(client_error(Reason::account_refused, identity::reason_code(error), identity::explain(error)),
                 identity::reason_code(error), std::move(detail));
  };
  if (who_->principal.expires_at <= now_.wall) {
    refuse_login(client_error(Reason::token_refused, "token_expired", identity::explain(identity::TokenError::expired)),
                 "token_expired", "expired while it was verified");
    return;
  }
  auto account = environment_->accounts.resolve(who_->principal);
  if (!account) {
    refuse(account.error());
    return;
  }
  who_->account = *account;
  auto requested = identity::parse_client_user(hello_.user);
  if (!requested) {
    refuse(requested.error());
    return;
  }
  auto grant = identity::AccountDirectory::grant_for(**account, *requested);
  if (!grant) {
    refuse(grant.error());
    return;
  }
  who_->grant = *grant;
  who_->connection = environment_->find_connection((*grant)->connection);
  const DatabaseLogin* login =
      who_->connection == nullptr ? nullptr : Environment::find_login(*who_->connection, (*grant)->login);
  if (login == nullptr) {
    refuse(identity::AccountError::connection_not_granted, "the grant names what the configuration lacks");
    return;
  }
  if (who_->connection->flavor != listener_.flavor) {
    refuse_login(Reason::flavor_mismatch, {});
    return;
  }
  auto place = ledger_.admit((*account)->name, (*account)->limits, now_.mono);
  if (!place) {
    refuse_login(place.error(), {});
    return;
  }
  who_->place = std::move(place).value();
  target_ = {.connection = who_->connection,
             .server = nullptr,
             .login = login,
             .set_role = (*grant)->set_role,
             .schema = hello_.schema.empty() ? std::string_view(who_->connection->default_schema)
                                             : std::string_view(hello_.schema),
             .client = &hello_,
             .local_files = (*grant)->local_infile,
             .account = account_shown_to_server(),
             .server_public_key_pem = {}};
  if (!records_.login_accepted(login_record(), now_.wall)) {
    refuse_login(Reason::audit_unavailable, {});
    return;
  }
  count_audit();
  phase_ = RecordingLogin{};
  phase_deadline_ = MonoTime::max();
  request(Action::commit_audit);
}

// A connection that others use later must not bear the name of one.
std::string_view Session::account_shown_to_server() const {
  return who_->connection->pool.mode == BackendMode::dedicated ? std::string_view(who_->account->name)
                                                               : std::string_view{};
}

// Ends the session unless its account still has what the session was opened with.
void Session::follow_environment() {
  auto account = environment_->accounts.resolve(who_->principal);
  if (!account || (*account)->name != who_->account->name) {
    end_session(Reason::account_disabled, account ? "the token now belongs to another service account"
                                                  : std::string(identity::reason_code(account.error())));
    return;
  }
  auto request = identity::parse_client_user(hello_.user);
  auto grant = request ? identity::AccountDirectory::grant_for(**account, *request)
                       : Result<const identity::Grant*, identity::AccountError>(Unexpected(request.error()));
  const ConnectionSettings* connection = grant ? environment_->find_connection((*grant)->connection) : nullptr;
  const DatabaseLogin* login = connection == nullptr ? nullptr : Environment::find_login(*connection, (*grant)->login);
  const DatabaseLogin* used = Environment::find_login(*who_->connection, who_->grant->login);
  // Until one is chosen there is none to compare; finish_login() comes back here.
  const ServerSettings* server = target_.server == nullptr || connection == nullptr
                                     ? target_.server
                                     : Environment::find_server(*connection, target_.server->name);
  bool same = login != nullptr && login->name == used->name && login->user == used->user &&
              (*grant)->set_role == who_->grant->set_role && (*grant)->local_infile == who_->grant->local_infile &&
              (target_.server == nullptr ||
               (server != nullptr && server->same_place(*target_.server) && admits((*grant)->servers, server->role)));
  if (!same) {
    end_session(Reason::account_changed);
    return;
  }
  if (!start_recorded_) {
    return;  // the login under way refers to what it began with; finish_login() comes back here
  }
  auto previous = std::exchange(who_->environment, environment_);
  who_->account = *account;
  who_->grant = *grant;
  who_->connection = connection;
  target_.connection = connection;
  target_.server = server;
  target_.login = login;
  target_.set_role = who_->grant->set_role;
  target_.schema = {};  // was chosen in the login
  target_.account = account_shown_to_server();
  target_.server_public_key_pem = environment_->server_public_key(*connection, *server);
}

LoginRecord Session::login_record() const {
  LoginRecord login{
      .listener = &listener_, .hello = &hello_, .tls = &tls_, .configuration = environment_->configuration};
  login.recorded_claims = environment_->recorded_claims;
  if (who_) {
    login.principal = &who_->principal;
    login.account = who_->account != nullptr ? std::string_view(who_->account->name) : std::string_view{};
    if (who_->grant != nullptr) {
      login.connection = who_->grant->connection;
      login.role = who_->grant->role;
    }
  }
  return login;
}

void Session::refuse_login(Reason reason, std::string detail) {
  refuse_login(client_error(reason), reason_text(reason).code, std::move(detail));
}

void Session::refuse_login(const ClientError& error, std::string_view code, std::string detail) {
  if (closing()) {
    return;
  }
  records_.login_refused(login_record(), code, detail, now_.wall);
  counters_.add_login_refused(code);
  count_audit();
  // During the TLS handshake a packet in the clear would not be understood.
  auto* login = phase<LoggingIn>();
  if (error.mysql_error != 0 && (login == nullptr || !login->login.in_tls_handshake())) {
    send_error(client_sequence_id_, error);
  }
  request(Action::commit_audit);
  close_legs();
}

BackendKind Session::backend_kind() const {
  return {.connection = target_.connection->name,
          .server = target_.server == nullptr ? std::string{} : target_.server->name,
          .login = target_.login->name,
          .capabilities = capabilities_for_backend(target_),
          .collation_id = hello_.collation_id};
}

std::vector<ServerCandidate> Session::server_candidates() const {
  return session::server_candidates(*who_->connection, who_->grant->servers, tried_servers_);
}

void Session::ask_for_backend() {
  target_.server = nullptr;
  phase_ = ConnectingBackend{};
  const PoolSettings& pool = who_->connection->pool;
  bool waits = pool.mode == BackendMode::pooled;
  phase_deadline_ = now_.mono + login_time_left_ + (waits ? pool.wait_timeout : Milliseconds{0});
  request(Action::connect_backend);
}

void Session::backend_chosen(std::string_view server, Now now) {
  at(now);
  const ServerSettings* chosen = Environment::find_server(*who_->connection, server);
  if (phase<ConnectingBackend>() == nullptr || chosen == nullptr) {
    return;
  }
  target_.server = chosen;
  target_.server_public_key_pem = who_->environment->server_public_key(*who_->connection, *chosen);
  tried_servers_ |= ServerSet{1} << (chosen - who_->connection->servers.data());
  backend_fault_.reset();
  attempt_began_ = now.mono;
  phase_deadline_ = now.mono + attempt_time();
}

// One server must not take the time of the next.
Nanoseconds Session::attempt_time() const {
  Nanoseconds attempt = environment_->limits.backend_attempt_timeout;
  return server_candidates().empty() ? login_time_left_ : std::min(login_time_left_, attempt);
}

void Session::backend_resumed(BackendFacts facts, Now now, std::string server) {
  at(now);
  backend_server_ = std::move(server);
  if (phase<ConnectingBackend>() == nullptr) {
    return;
  }
  backend_open_ = true;
  resumed_ = true;
  backend_progress_ = now.mono;
  begin_setup(std::move(facts));
}

bool Session::retry_backend() {
  if (!std::exchange(resumed_, false)) {
    return false;
  }
  drop_backend_login();
  phase_ = ConnectingBackend{};
  phase_deadline_ = now_.mono + attempt_time();
  request(Action::reconnect_backend);
  return true;
}

void Session::drop_backend_login() {
  to_client_.skip(from_backend_.unclaimed().size());
  to_backend_.clear();
  backend_ = {};
  resumed_ = backend_open_ = backend_broken_ = false;
}

bool Session::try_next_server(std::string_view failure) {
  if (target_.server == nullptr) {
    return false;
  }
  login_time_left_ -= now_.mono - attempt_began_;
  server_failures_ += (server_failures_.empty() ? "" : "; ") + target_.server->name + ": ";
  server_failures_ += failure;
  if (server_candidates().empty() || login_time_left_ <= Nanoseconds{0}) {
    return false;
  }
  counters_.add(Metric::backend_failovers);
  drop_backend_login();
  request(Action::close_backend);
  ask_for_backend();
  return true;
}

void Session::refuse_login_by_backend(Reason reason, std::string detail) {
  backend_broken_ = true;
  // Anything else may be of the client's doing (its collation, its capabilities), and must not count against others.
  if (reason == Reason::backend_unavailable) {
    backend_fault_ = BackendFault{.reason = reason, .detail = detail};
    if (try_next_server(detail)) {
      return;
    }
  }
  if (who_->connection->servers.size() > 1) {
    bool noted = reason == Reason::backend_unavailable && target_.server != nullptr;
    std::string_view separator = server_failures_.empty() || noted ? "" : "; ";
    std::string last = noted                       ? std::string{}
                       : target_.server != nullptr ? target_.server->name + ": " + detail
                                                   : detail;
    detail = server_failures_ + std::string(separator) + last;
  }
  refuse_login(reason, std::move(detail));
}

void Session::backend_connected(Now now, std::string server) {
  at(now);
  backend_server_ = std::move(server);
  if (phase<ConnectingBackend>() == nullptr) {
    request(Action::close_backend);  // too late
    return;
  }
  counters_.add(Metric::backend_connects);
  backend_open_ = true;
  backend_progress_ = now.mono;
  phase_ = BackendLoggingIn{BackendLogin{target_, to_backend_.made()}};
}

void Session::backend_failed(std::string detail, Now now, Reason reason) {
  at(now);
  if (reason != Reason::backend_pool_exhausted) {
    counters_.add(Metric::backend_connect_failures);
  }
  if (phase<ConnectingBackend>() != nullptr || phase<BackendLoggingIn>() != nullptr) {
    refuse_login_by_backend(reason, std::move(detail));
  }
}

void Session::begin_setup(BackendFacts facts) {
  backend_ = std::move(facts);
  legs_ = {.client = hello_.capabilities, .backend = backend_.negotiated};
  dialect_ = dialect_of_version(backend_.server_version);
  phase_ = begin_setting_up(target_);
  process_setup();
}

void Session::backend_tls_established(Now now) {
  at(now);
  if (auto* logging_in = phase<BackendLoggingIn>()) {
    logging_in->login.tls_established();
    to_backend_.queue_made();
  }
}

void Session::process_backend_login() {
  while (auto* logging_in = phase<BackendLoggingIn>()) {
    BackendLogin& login = logging_in->login;
    Bytes received{from_backend_.unclaimed()};
    auto message = wire::find_message(received, login.next_sequence_id(), wire::control_packet_bytes_max);
    if (!message) {
      refuse_login_by_backend(Reason::backend_login_failed,
                              "the server sent " + wire::describe_misplaced_frame(received, login.next_sequence_id()));
      return;
    }
    if (!*message) {
      return;
    }
    login.set_next_sequence_id((*message)->next_sequence_id);
    auto step = login.on_packet(wire::message_payload(received, **message, scratch_));
    to_client_.skip((*message)->frame_bytes);
    to_backend_.queue_made();
    switch (step) {
      case BackendLogin::Step::more:
        break;
      case BackendLogin::Step::start_tls:
        if (!from_backend_.unclaimed().empty()) {
          refuse_login_by_backend(Reason::backend_login_failed, "the server sent bytes in the clear where TLS was due");
          return;
        }
        request(Action::start_backend_tls);
        return;
      case BackendLogin::Step::failed: {
        auto failure = login.failure();
        refuse_login_by_backend(failure.reason, failure.detail);
        return;
      }
      case BackendLogin::Step::logged_in: {
        BackendFacts facts = login.facts();
        backend_compression_.reset();
        if (auto algorithm = wire::compression_of(facts.negotiated)) {
          if (!from_backend_.unclaimed().empty()) {
            refuse_login_by_backend(Reason::backend_login_failed, "the server sent bytes that nothing had asked for");
            return;
          }
          backend_compression_ = {.algorithm = *algorithm, .plain_bytes = to_backend_.size()};
          request(Action::start_backend_compression);
        }
        begin_setup(std::move(facts));
        return;
      }
    }
  }
}

Session::SettingUp Session::begin_setting_up(const BackendTarget& target) {
  BackendSetup setup{target, to_backend_.made()};
  StateQuery query{legs_.backend, to_backend_.made()};
  to_backend_.queue_made();
  return {.setup = std::move(setup), .query = std::move(query)};
}

std::optional<Session::SetupEnd> Session::take_setup(SettingUp& setting_up) {
  while (setting_up.setup.answers_due() > 0) {
    Bytes received{from_backend_.unclaimed()};
    auto message = wire::find_message(received, BackendSetup::next_sequence_id, wire::control_packet_bytes_max);
    if (!message) {
      BackendSetup::Failure failure;
      failure.message = "the server sent " + wire::describe_misplaced_frame(received, BackendSetup::next_sequence_id);
      return SetupEnd{.failure = std::move(failure), .violation = true};
    }
    if (!*message) {
      return std::nullopt;
    }
    setting_up.setup.on_packet(wire::message_payload(received, **message, scratch_), legs_.backend, state_);
    to_client_.skip((*message)->frame_bytes);
  }
  auto step = setting_up.query.read(from_backend_, to_client_, state_);
  if (!step) {
    BackendSetup::Failure failure;
    failure.message = "the answer to what the gateway asked was none";
    return SetupEnd{.failure = std::move(failure), .violation = true};
  }
  if (*step == StateQuery::Step::more) {
    return std::nullopt;
  }
  return setting_up.setup.failed() ? SetupEnd{.failure = setting_up.setup.failure()} : SetupEnd{};
}

void Session::process_setup() {
  auto end = take_setup(*phase<SettingUp>());
  if (!end) {
    return;
  }
  check_answered_command();
  if (end->violation) {
    if (!retry_backend()) {
      refuse_login_by_backend(Reason::backend_login_failed, std::move(end->failure->message));
    }
    return;
  }
  if (end->failure) {
    setup_failed(*end->failure);
    return;
  }
  bool recorded = records_.session_start(login_record(),
                                         {.server = target_.server->name,
                                          .server_version = backend_.server_version,
                                          .server_connection_id = backend_.connection_id,
                                          .server_connection = resumed_ ? "reused" : "fresh",
                                          .login = target_.login->name,
                                          .set_role = target_.set_role,
                                          .schema = target_.schema,
                                          .client_capabilities = legs_.client,
                                          .client_compression = wire::compression_of(hello_.capabilities),
                                          .server_compression = wire::compression_of(backend_.negotiated)},
                                         now_.wall);
  if (!recorded) {
    refuse_login(Reason::audit_unavailable, {});
    return;
  }
  count_audit();
  phase_ = RecordingStart{};
  phase_deadline_ = MonoTime::max();
  request(Action::commit_audit);
}

void Session::setup_failed(const BackendSetup::Failure& failure) {
  std::string detail = std::to_string(failure.code) + " " + failure.message;
  if (failure.on_schema) {
    refuse_login({.mysql_error = failure.code, .sql_state = failure.sql_state, .message = failure.message},
                 reason_text(Reason::backend_schema_refused).code, std::move(detail));
  } else if (!retry_backend()) {
    refuse_login(Reason::backend_login_failed, std::move(detail));
  }
}

void Session::finish_login() {
  wire::PacketWriter writer{to_client_.made()};
  writer.begin(client_sequence_id_);
  wire::write_ok(writer, {.status_flags = state_.status_flags}, legs_.client);
  writer.end();
  to_client_.queue_made();
  start_recorded_ = true;
  start_client_compression();
  registered_ = registry_.enter({.connection_id = origin_.connection_id,
                                 .server_connection_id = backend_.connection_id,
                                 .session_id = origin_.session_id,
                                 .account = who_->account->name,
                                 .connection = who_->connection->name,
                                 .server_name = target_.server->name,
                                 .login = target_.login->name,
                                 .server = backend_server_});
  counters_.add(Metric::logins_accepted);
  counters_.add(resumed_ ? Metric::backend_logins_reused : Metric::backend_logins_fresh);
  counters_.raise(Level::sessions_open);
  counters_.observe(Duration::login, now_.mono - opened_);
  if (who_->environment != environment_) {
    follow_environment();
  }
  if (!closing()) {
    enter_ready();
  }
}

// Behind the OK of the first login. What a client sent before it saw that can't be told to be compressed or not.
void Session::start_client_compression() {
  auto algorithm = wire::compression_of(hello_.capabilities);
  if (!algorithm || client_compression_) {
    return;
  }
  client_compression_ = {.algorithm = *algorithm, .plain_bytes = to_client_.size()};
  request(Action::start_client_compression);
  if (!from_client_.unclaimed().empty()) {
    end_session(Reason::client_violation, "bytes before the login's OK, behind which compression begins");
  }
}

}  // namespace sallyport::session
