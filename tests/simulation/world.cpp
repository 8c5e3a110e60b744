#include "simulation/world.h"

#include <algorithm>
#include <array>

namespace sallyport::simulation {
namespace {

using session::Action;

constexpr std::uint32_t steps_max = 200'000;
class ScriptedPolicy final : public policy::Policy {
 public:
  explicit ScriptedPolicy(const bool& executes_denied) : executes_denied_(executes_denied) {}
  policy::Decision decide(const policy::Request& request) const override {
    bool executes = request.command == "stmt_execute" || request.command == "stmt_bulk_execute";
    bool denied = request.text.starts_with("DELETE FROM denied") || (executes && executes_denied_);
    return {.verdict = denied ? policy::Verdict::deny : policy::Verdict::allow,
            .rule = "scripted",
            .explanation = denied ? "Denied by the script." : ""};
  }

 private:
  const bool& executes_denied_;
};

identity::Principal principal_until(WallTime expires_at) {
  identity::Principal principal;
  principal.issuer_name = "dev";
  principal.issuer = "https://issuer.example.org";
  principal.subject = "agent";
  principal.client_id = "agent-client";
  principal.token_id = "id-1";
  principal.key_id = "key-1";
  principal.claims = identity::parse_json(R"({"sub":"agent"})", {}).value();
  principal.expires_at = expires_at;
  principal.issued_at = expires_at - Seconds{3600};
  principal.algorithm = crypto::JwsAlgorithm::es256;
  return principal;
}

}  // namespace

World::World(const Scenario& scenario, Choices& choices)
    : scenario_(scenario),
      choices_(choices),
      now_{wall_from_unix_seconds(1'800'000'000), MonoTime{Seconds{1000}}},
      token_expires_(now_.wall + Seconds{3600}),
      sink_({scenario.client.token, scenario.database_password}),
      listener_{.name = "main", .flavor = scenario.flavor, .server_version = {}, .auth_method = scenario.auth_method},
      backend_(scenario_.backend, choices, executions_),
      client_(scenario_.client, choices, backend_, executions_, circumstances_),
      environment_(environment(Fault::none)) {
  circumstances_.executes_may_be_denied = scenario.denies_executes;
  backend_.ask_about_own(
      [this](std::uint8_t opcode, std::uint32_t statement_id) { return is_own_command(opcode, statement_id); });
  wire::Nonce nonce;
  nonce.fill('x');
  session_ = std::make_unique<session::Session>(
      session::Session::Setting{.listener = listener_,
                                .environment = environment_,
                                .audit = sink_,
                                .counters = counters_,
                                .ledger = ledger_,
                                .registry = registry_,
                                .statements = statements_,
                                .catalogues = catalogues_},
      session::Session::Opening{.origin = {.session_id = "s-1",
                                           .connection_id = session::first_connection_id + 5,
                                           .client_address = "127.0.0.1:50123"},
                                .nonce = nonce,
                                .now = now_});
  after_event();
}

std::shared_ptr<const session::Environment> World::environment(Fault variant) const {
  identity::ServiceAccount account{.name = "reporter"};
  account.match = {{.issuer = "dev", .claims = {{.claim = "sub", .value = "agent"}}}};
  std::string login = variant == Fault::login_changed ? "other" : "reader";
  account.grants = {
      {.connection = "shop", .role = "reporter", .login = login, .set_role = "shop_reader", .local_infile = true},
      {.connection = "shop", .role = "plain", .login = login, .set_role = {}, .local_infile = true}};
  account.limits.statement_timeout = Milliseconds{scenario_.is_impatient ? 3 : 0};
  account.answer_bytes_recorded = scenario_.answer_bytes_recorded;
  account.disabled = variant == Fault::account_disabled;
  session::ConnectionSettings connection;
  connection.name = "shop";
  connection.flavor = scenario_.flavor;
  connection.tls.mode = scenario_.tls;
  connection.compression = scenario_.compression;
  connection.pool.mode = scenario_.pooled ? session::BackendMode::pooled : session::BackendMode::dedicated;
  for (std::string_view name : {"primary", "other"}) {
    if (name == "primary" || scenario_.two_servers) {
      connection.servers.push_back({.name = std::string(name),
                                    .host = scenario_.by_socket ? "" : "127.0.0.1",
                                    .socket_path = scenario_.by_socket ? "/run/fake.sock" : ""});
    }
  }
  for (std::string_view name : {"reader", "other"}) {
    connection.logins.push_back(
        {.name = std::string(name), .user = "reader_user", .password = Secret{std::string(scenario_.database_password)}});
  }
  session::Limits limits;
  limits.idle_timeout = Milliseconds{60'000};
  return std::make_shared<session::Environment>(
      session::Environment{.limits = limits,
                           .connections = {connection},
                           .server_public_keys = {},
                           .accounts = identity::AccountDirectory(variant == Fault::account_removed
                                                                      ? std::vector<identity::ServiceAccount>{}
                                                                      : std::vector<identity::ServiceAccount>{account}),
                           .policy = std::make_unique<ScriptedPolicy>(executes_denied_)});
}

std::vector<World::Event> World::enabled() {
  std::vector<Event> events;
  auto add_if = [&](bool possible, Event event) {
    if (possible) {
      events.push_back(event);
    }
  };
  bool client_acts = !client_gone_ && !client_silent_;
  bool backend_acts = connected_ && !backend_gone_ && !backend_silent_ && !close_backend_requested_;
  add_if(client_acts && !session_->client_output().empty(), Event::client_takes);
  add_if(tls_waits_ && client_acts && session_->client_output().empty(), Event::client_tls);
  if (!session_->ended()) {
    add_if(client_acts && !raw_ && client_.outgoing().empty() && client_.may_issue(), Event::client_issues);
    add_if(client_acts && !tls_waits_ && has_bytes(Event::client_sends) && session_->wants_client_bytes(),
           Event::client_sends);
    add_if(client_acts && (client_.finished() || (client_.closes() && !client_.has_outstanding())) &&
               !has_bytes(Event::client_sends) && session_->client_output().empty(),
           Event::client_closes);
    add_if(token_waits_, Event::token);
    add_if(commits_wait_ > 0 && !commit_hangs_, Event::commit);
    add_if(connect_waits_ && !backend_silent_, Event::connect);
    add_if(backend_tls_waits_ && backend_acts && session_->backend_output().empty(), Event::backend_tls);
    add_if(backend_acts && !backend_tls_waits_ && has_bytes(Event::backend_sends) && session_->wants_backend_bytes(),
           Event::backend_sends);
    add_if(backend_acts && !session_->backend_output().empty(), Event::backend_takes);
    add_if(kill_ && session_->backend_output().empty(), Event::kill);
    bool others = !events.empty();
    add_if(others && scenario_.is_impatient, Event::time_is_told);
    add_if(others && scenario_.denies_executes && choices_.one_in(8), Event::deny_toggles);
  }
  return events;
}

bool World::step() {
  if (steps_ == scenario_.fault_step && scenario_.fault != Fault::none) {
    inject(scenario_.fault);
  }
  std::vector<Event> events = enabled();
  if (events.empty() || !failure_.empty()) {
    return false;
  }
  ++steps_;
  now_.mono += Milliseconds{choices_.below(3)};
  now_.wall += Milliseconds{choices_.below(3)};
  perform(events[choices_.below(static_cast<std::uint32_t>(events.size()))]);
  after_event();
  return true;
}

void World::perform(Event event) {
  last_event_ = event;
  switch (event) {
    case Event::client_issues:
      client_.issue();
      break;
    case Event::client_sends:
      deliver_to_session(client_.outgoing(), event);
      break;
    case Event::backend_sends:
      deliver_to_session(backend_.outgoing(), event);
      break;
    case Event::client_takes:
    case Event::backend_takes:
      take_from_session(event);
      break;
    case Event::client_closes:
      client_gone_ = true;
      session_->client_closed(now_);
      break;
    case Event::deny_toggles:
      executes_denied_ = !executes_denied_;
      break;
    case Event::time_is_told:
      session_->time_passed(now_);
      break;
    case Event::kill:
      follow_kill();
      break;
    case Event::client_tls:
    case Event::token:
    case Event::commit:
    case Event::connect:
    case Event::backend_tls:
      perform_waiting(event);
      break;
  }
}

// What the session has asked for and waits for.
void World::perform_waiting(Event event) {
  auto happens = [&](Fault fault) { return happened_[static_cast<std::size_t>(fault)]; };
  if (event == Event::client_tls) {
    tls_waits_ = false;
    // Bytes in the clear that the session did not read are no TLS handshake.
    if (happens(Fault::client_tls_fails) || !client_.outgoing().empty()) {
      session_->client_tls_failed("no TLS handshake", now_);
    } else {
      session_->client_tls_established({.version = "TLSv1.3", .cipher = "AES", .server_name = "db"}, now_);
      client_.tls_established();
    }
  } else if (event == Event::token) {
    token_waits_ = false;
    bool good = session_->token().reveal() == scenario_.client.token && !happens(Fault::token_is_refused);
    token_verified_ = good;
    session_->token_verified(good ? Result<identity::Principal, identity::Refusal>(principal_until(token_expires_))
                                  : Unexpected(identity::Refusal{.error = identity::TokenError::signature_invalid,
                                                                 .detail = "with key key-1",
                                                                 .issuer = std::nullopt}),
                             now_);
  } else if (event == Event::commit) {
    --commits_wait_;
    if (std::exchange(commit_fails_, false)) {
      circumstances_.audit_fails = true;
      session_->audit_failed(now_);
    } else {
      sink_.commit();
      session_->audit_committed(now_);
    }
  } else if (event == Event::connect) {
    connect_waits_ = false;
    auto facts = facts_to_resume();
    if (session_->backend_target().server == nullptr) {  // or else it is connected to once more
      session_->backend_chosen(session_->server_candidates().front().name, now_);
    }
    kind_ = session_->backend_kind();
    bool reached = !happens(Fault::connect_fails) || (scenario_.two_servers && choices_.one_in(2));
    if (!reached) {
      session_->backend_failed("connection refused", now_);
    } else if (facts) {
      scenario_.resumes = false;
      connected_ = true;
      backend_.resumed(facts->negotiated);
      if (auto algorithm = wire::compression_of(facts->negotiated)) {
        framed_backend_ = framed(session::CompressedLeg::Peer::server, {.algorithm = *algorithm, .plain_bytes = 0});
      }
      session_->backend_resumed(std::move(*facts), now_, "the server");
    } else {
      connected_ = true;
      backend_.connected();
      session_->backend_connected(now_, "the server");
    }
  } else if (event == Event::backend_tls) {
    backend_tls_waits_ = false;
    if (happens(Fault::backend_tls_fails)) {
      session_->backend_failed("certificate verify failed", now_);
    } else {
      session_->backend_tls_established(now_);
    }
  }
}

bool World::is_own_command(std::uint8_t opcode, std::uint32_t statement_id) {
  wire::Command command = wire::command_from_byte(opcode);
  if (command == wire::Command::ping) {
    return std::exchange(own_ping_due_, false);  // it goes before all that follows the statement
  }
  const RecordingSink::Command* next = next_forwarded();
  bool may_be = command == wire::Command::stmt_reset ||
                (command == wire::Command::stmt_close && circumstances_.statements_are_stopped);
  return may_be && (next == nullptr || next->name != wire::name_of(command) || next->statement_id != statement_id);
}

void World::check_order(const session::KillOrder& order, std::string_view verb) {
  if ((order.text + ";" + order.last_text).find(verb) == std::string::npos || order.server != "the server" ||
      order.kind.login != kind_.login || !order.environment) {
    fail("a wrong order: " + order.text);
  }
}

void World::follow_kill() {
  using Status = session::KillOutcome::Status;
  auto answer = [&](Status status) {
    std::uint64_t number = std::exchange(kill_, std::nullopt)->number;
    session_->kill_answered(number, {.status = status, .refusal = {}, .detail = "as chosen"}, now_);
  };
  if (std::exchange(kill_sent_, false)) {
    bool done = !choices_.one_in(8);
    own_ping_due_ = own_ping_due_ || (done && !session_->ended());
    answer(done ? Status::done : choices_.one_in(2) ? Status::refused : Status::failed);
  } else if (choices_.one_in(8)) {
    answer(Status::not_tried);
  } else if (session_->kill_due(kill_->number, now_)) {
    circumstances_.statements_are_stopped = kill_sent_ = true;
  } else {
    answer(Status::not_wanted);
  }
}

std::size_t World::portion(std::size_t available) {
  std::size_t most = scenario_.fragment_max == 0 ? available : std::min<std::size_t>(available, scenario_.fragment_max);
  return scenario_.fragment_max == 0 ? most : 1 + choices_.below(static_cast<std::uint32_t>(most));
}

std::unique_ptr<World::Framed> World::framed(session::CompressedLeg::Peer peer, session::CompressionStart start) {
  using Role = FramedPeer::Role;
  Role role = peer == session::CompressedLeg::Peer::client ? Role::client : Role::server;
  return std::unique_ptr<Framed>(
      new Framed{.leg = {peer, start, workspace_}, .peer = {role, start.algorithm, choices_}, .stream = {}});
}

// Whether something of the peer's can get to the session.
bool World::has_bytes(Event event) {
  bool client = event == Event::client_sends;
  auto& framed = client ? framed_client_ : framed_backend_;
  if (!(client ? client_.outgoing() : backend_.outgoing()).empty()) {
    return true;
  }
  if (!framed) {
    return false;
  }
  auto next = client ? session_->next_client_message() : session_->next_backend_message();
  bool waits = framed->leg.holds_back(next);
  return (!framed->stream.empty() && !framed->leg.space().empty()) || (framed->leg.holds_input() && !waits);
}

namespace {

// The session from its sides.
struct ClientSide {
  session::Session& session;
  Now now;
  MutableBytes space() { return session.client_space(); }
  void received(std::size_t count) { session.client_received(count, now); }
  std::optional<session::NextMessage> next_message() { return session.next_client_message(); }
  void violated(std::string_view how) { session.client_violated(std::string(how), now); }
  session::OutputQueue& output() { return session.client_output(); }
  void sent(std::size_t count) { session.client_sent(count, now); }
};

struct BackendSide {
  session::Session& session;
  Now now;
  MutableBytes space() { return session.backend_space(); }
  void received(std::size_t count) { session.backend_received(count, now); }
  std::optional<session::NextMessage> next_message() { return session.next_backend_message(); }
  void violated(std::string_view how) { session.backend_violated(std::string(how), now); }
  session::OutputQueue& output() { return session.backend_output(); }
  void sent(std::size_t count) { session.backend_sent(count, now); }
};

struct SpareSide {
  session::SpareBackend& spare;
  MutableBytes space() { return spare.space(); }
  void received(std::size_t count) { spare.received(count); }
  std::optional<session::NextMessage> next_message() { return spare.next_message(); }
  void violated(std::string_view how) { spare.failed(std::string(how)); }
  session::OutputQueue& output() { return spare.output(); }
  void sent(std::size_t count) { spare.output().sent(count); }
};

}  // namespace

template <typename Side>
void World::deliver(Side side, Buffer& from, std::unique_ptr<Framed>& framed) {
  auto move = [&](Buffer& source, MutableBytes space) {
    std::size_t count = portion(std::min(space.size(), source.size()));
    std::copy_n(source.begin(), count, space.begin());
    source.erase(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  };
  if (!framed) {
    MutableBytes space = side.space();
    if (space.empty()) {
      fail("the session wants bytes, but has no space for them");
    } else {
      side.received(move(from, space));
    }
    return;
  }
  framed->peer.wrap(from, framed->stream);
  if (MutableBytes space = framed->leg.space(); !space.empty() && !framed->stream.empty()) {
    framed->leg.received(move(framed->stream, space));
  }
  auto next = side.next_message();
  if (!framed->leg.holds_input() || framed->leg.holds_back(next)) {
    return;
  }
  MutableBytes space = side.space();
  auto produced = framed->leg.decode(space.first(portion(space.size())), next);
  if (!produced) {
    if (!raw_) {
      fail("a peer's frames are refused: " + std::string(wire::describe(produced.error())));
    }
    side.violated(wire::describe(produced.error()));
  } else if (*produced > 0) {
    side.received(*produced);
  }
}

void World::deliver_to_session(Buffer& from, Event event) {
  if (event == Event::client_sends) {
    deliver(ClientSide{*session_, now_}, from, framed_client_);
  } else {
    deliver(BackendSide{*session_, now_}, from, framed_backend_);
  }
}

template <typename Side>
Buffer World::take(Side side, std::unique_ptr<Framed>& framed) {
  std::array<Bytes, 3> pieces;
  bool as_frames = framed && framed->leg.sends_frames();
  std::size_t filled = framed ? framed->leg.gather(side.output(), pieces) : side.output().gather(pieces);
  Buffer taken;
  for (std::size_t i = 0; i < filled; ++i) {
    taken.insert(taken.end(), pieces[i].begin(), pieces[i].end());
  }
  if (taken.empty()) {
    fail("a queue that is not empty has nothing to give");
    return taken;
  }
  taken.resize(portion(taken.size()));
  side.sent(framed ? framed->leg.sent(taken.size()) : taken.size());
  if (as_frames) {
    taken = framed->peer.unwrap(taken);
    if (!raw_) {
      fail(framed->peer.error());
    }
  }
  return taken;
}

void World::take_from_session(Event event) {
  if (event == Event::client_takes) {
    Buffer taken = take(ClientSide{*session_, now_}, framed_client_);
    if (text_of(taken).find(scenario_.database_password) != std::string_view::npos) {
      fail("the client was sent the database password");
    }
    client_stream_ += text_of(taken);
    if (!raw_) {
      client_.receive(taken);
    }
  } else {
    std::size_t queued = session_->backend_output().size();
    Buffer taken = take(BackendSide{*session_, now_}, framed_backend_);
    backend_bytes_ += queued - session_->backend_output().size();
    backend_.receive(taken);
  }
}

void World::take_actions() {
  while (auto action = session_->next_action()) {
    switch (*action) {
      case Action::start_client_tls:
        tls_waits_ = true;
        break;
      case Action::verify_token:
        token_waits_ = true;
        break;
      case Action::commit_audit:
        ++commits_wait_;
        break;
      case Action::connect_backend:
        if (close_backend_requested_) {  // the first server was left for the other
          connected_ = backend_gone_ = close_backend_requested_ = false;
          backend_tls_waits_ = false;
          backend_.disconnected();
          framed_backend_.reset();
        }
        connect_waits_ = true;
        break;
      case Action::start_backend_tls:
        backend_tls_waits_ = true;
        break;
      case Action::reconnect_backend:
        connected_ = backend_gone_ = false;
        connect_waits_ = true;
        framed_backend_.reset();
        backend_.disconnected();
        break;
      case Action::close_backend:
        close_backend_requested_ = true;
        if (session_->origin().session_id != session_id_) {
          leave_backend();
        }
        break;
      case Action::kill:
        kill_ = session_->kill_order();
        kill_sent_ = false;
        check_order(*kill_, " QUERY ");
        break;
      case Action::abandon_backend:
        close_backend_requested_ = true;
        check_order(session_->kill_order(), " CONNECTION ");
        break;
      case Action::release_backend:
        release_backend();
        if (session_->origin().session_id != session_id_) {
          reset_backend();
          check_forwarded();
          spare_.reset();
          leave_backend();
        }
        break;
      case Action::start_client_compression:
        framed_client_ = framed(session::CompressedLeg::Peer::client, *session_->client_compression());
        break;
      case Action::start_backend_compression:
        framed_backend_ = framed(session::CompressedLeg::Peer::server, *session_->backend_compression());
        break;
      case Action::close_client:
        break;
    }
  }
}

// COM_CHANGE_USER: as the shell, sends what it can to the server and closes the connection; a login follows.
void World::leave_backend() {
  session_id_ = session_->origin().session_id;
  session::OutputQueue& to_backend = session_->backend_output();
  if (!to_backend.empty() && !says_goodbye()) {
    fail("more than a goodbye is left for the server of a session that has ended");
  }
  if (!to_backend.empty() && choices_.one_in(2)) {
    session_->backend_sent(to_backend.size(), now_);
  }
  backend_.disconnected();
  framed_backend_.reset();
  records_checked_ = sink_.commands().size();  // commands without answer may not have got to the server
  connected_ = close_backend_requested_ = own_ping_due_ = false;
  token_verified_ = command_phase_before_ = false;
  backend_bytes_ = backend_bytes_queued_before_ = 0;
}

// What a connection of this scenario's kind was negotiated to be; nothing when none could be.
std::optional<session::BackendFacts> World::facts_to_resume() const {
  session::ClientHello hello;
  hello.capabilities = scenario_.client.capabilities;
  wire::Capabilities wanted = session::capabilities_for_backend({.client = &hello, .local_files = true});
  constexpr wire::Capabilities optional = wire::capability::deprecate_eof | wire::capability::local_files;
  if (!scenario_.resumes || (wanted & ~optional & ~scenario_.backend.capabilities) != 0) {
    return std::nullopt;
  }
  constexpr wire::Capabilities always = wire::capability::protocol_41 | wire::capability::transactions |
                                        wire::capability::secure_connection | wire::capability::plugin_auth |
                                        wire::capability::connect_attrs | wire::capability::session_track;
  wire::Capabilities compression = session::compression_capability(scenario_.compression);
  return session::BackendFacts{.negotiated = (wanted | always | compression) & scenario_.backend.capabilities,
                               .server_version = "8.4.0-fake",
                               .connection_id = 77};
}

void World::release_backend() {
  if (!raw_ && !backend_.outgoing().empty()) {
    fail("the session gave its connection back in the middle of an answer");
  }
  backend_.handed_back();
  spare_ = std::make_unique<session::SpareBackend>(
      session::SpareBackend::Setting{.environment = environment_, .kind = kind_}, session_->released_backend(), "proof",
      now_);
}

void World::reset_backend() {
  Buffer& from_backend = backend_.outgoing();
  bool progress = true;
  while (progress && !backend_gone_ && !happened_[static_cast<std::size_t>(Fault::backend_stalls)]) {
    progress = false;
    SpareSide side{*spare_};
    if (!spare_->output().empty()) {
      backend_.receive(take(side, framed_backend_));
      progress = true;
    }
    bool arrives = framed_backend_ && (!framed_backend_->stream.empty() || framed_backend_->leg.holds_input());
    if ((!from_backend.empty() || arrives) && spare_->wants_bytes()) {
      deliver(side, from_backend, framed_backend_);
      progress = true;
    }
  }
  bool idle = spare_->state() == session::SpareBackend::State::idle;
  if (idle && !backend_.is_as_new()) {
    fail("a connection that is not as new waits for the next session");
  }
  if (idle && spare_->facts().negotiated != backend_.negotiated()) {
    fail("the pool takes a connection for another than it is");
  }
  bool disturbed = raw_ || backend_gone_ || happened_[static_cast<std::size_t>(Fault::backend_stalls)];
  if (!idle && !disturbed) {
    fail("a connection that stood between commands was not reset: " + spare_->failure());
  }
  fail(backend_.error());
}

void World::after_event() {
  take_actions();
  check();
}

void World::pass_time(Milliseconds time) {
  now_.mono += time;
  now_.wall += time;
  session_->time_passed(now_);
  after_event();
}

void World::inject_client_bytes(Bytes bytes) {
  raw_ = true;
  Buffer& to = framed_client_ && choices_.one_in(2) ? framed_client_->stream : client_.outgoing();
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void World::inject_backend_bytes(Bytes bytes) {
  raw_ = true;
  raw_backend_login_ = raw_backend_login_ || !backend_.logged_in();
  Buffer& to = framed_backend_ && choices_.one_in(2) ? framed_backend_->stream : backend_.outgoing();
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void World::inject(Fault fault) {
  happened_[static_cast<std::size_t>(fault)] = true;
  Buffer bytes;
  switch (fault) {
    case Fault::client_closes:
      client_gone_ = true;
      session_->client_closed(now_);
      break;
    case Fault::client_stalls:
      client_silent_ = true;
      break;
    case Fault::client_sends_garbage:
    case Fault::backend_sends_garbage:
      for (std::uint32_t i = 1 + choices_.below(30); i > 0; --i) {
        bytes.push_back(choices_.one_in(2) ? static_cast<std::uint8_t>(choices_.below(5)) : choices_.byte());
      }
      if (fault == Fault::client_sends_garbage) {
        inject_client_bytes(bytes);
      } else if (connected_) {
        inject_backend_bytes(bytes);
      }
      break;
    case Fault::backend_closes:
      if (connected_ && !close_backend_requested_) {
        backend_gone_ = true;
        session_->backend_closed(now_);
      }
      break;
    case Fault::backend_stalls:
      backend_silent_ = true;
      break;
    case Fault::backend_sends_error:
      if (connected_) {
        bytes = write_answer({random_error(choices_)}, 0, static_cast<std::uint8_t>(choices_.below(2)));
        inject_backend_bytes(bytes);
      }
      break;
    case Fault::commit_fails:
      commit_fails_ = true;
      break;
    case Fault::sink_is_full:
      circumstances_.audit_fails = true;
      sink_.refuse(1 + choices_.below(3));
      break;
    case Fault::commit_hangs:
      commit_hangs_ = true;
      break;
    case Fault::token_expires:
      pass_time(Milliseconds{3'601'000});
      break;
    case Fault::idle_time_passes:
      pass_time(Milliseconds{61'000});
      break;
    case Fault::login_time_passes:
      pass_time(Milliseconds{10'500});
      break;
    case Fault::environment_unchanged:
    case Fault::account_removed:
    case Fault::account_disabled:
    case Fault::login_changed:
      environment_ = environment(fault);
      session_->environment_changed(environment_, now_);
      break;
    case Fault::drain:
      session_->drain(now_);
      break;
    case Fault::stop:
      session_->stop(now_);
      break;
    case Fault::none:
    case Fault::client_tls_fails:
    case Fault::token_is_refused:
    case Fault::connect_fails:
    case Fault::backend_tls_fails:
      break;
  }
  last_event_ = Event::deny_toggles;
  after_event();
}

bool World::log_in() {
  while (!client_.ready() && step() && steps_ < steps_max) {
  }
  return client_.ready() && failure_.empty();
}

void World::run() {
  while (step() && steps_ < steps_max) {
  }
  if (steps_ >= steps_max) {
    fail("the session does not come to an end");
  }
  bool undisturbed =
      scenario_.fault == Fault::environment_unchanged || !happened_[static_cast<std::size_t>(scenario_.fault)];
  if (failure_.empty() && undisturbed && !session_->ended()) {
    fail("the session is stuck");
  }
  // A client that sends a file reads no error: the connection just ends.
  bool ended_amid_file = sink_.end_reason() == "statement_not_stopped" && !sink_.commands().empty() &&
                         sink_.commands().back().text.starts_with("LOAD DATA LOCAL");
  if (failure_.empty() && undisturbed && client_.ready() && client_.has_outstanding() &&
      client_.gateway_error().empty() && !ended_amid_file) {
    fail("commands were not answered");
  }
  finish();
}

// The peers do nothing any more. Time alone has to end the session.
void World::finish() {
  client_silent_ = backend_silent_ = commit_hangs_ = true;
  last_event_ = Event::deny_toggles;
  for (int i = 0; i < 20 && !session_->ended() && failure_.empty(); ++i) {
    MonoTime due = session_->deadline();
    if (due == MonoTime::max()) {
      fail("the session waits for nothing and does not end");
      return;
    }
    Nanoseconds wait = std::max(Nanoseconds{0}, Nanoseconds{due - now_.mono});
    now_.mono += wait;
    now_.wall += wait;
    session_->time_passed(now_);
    after_event();
    if (!session_->ended() && session_->deadline() <= now_.mono) {
      fail("the session's deadline has passed and stays");
    }
  }
  check_end();
  if (spare_ && failure_.empty()) {
    reset_backend();
  }
}

}  // namespace sallyport::simulation
