#include "session/spare_backend.h"

#include "wire/frame.h"
#include "wire/response.h"
#include "wire/response_reader.h"

namespace sallyport::session {
namespace {

ClientHello hello_of(const BackendKind& kind) {
  ClientHello hello;
  hello.capabilities = kind.capabilities;
  hello.collation_id = kind.collation_id;
  return hello;
}

}  // namespace

SpareBackend::SpareBackend(Setting setting, Handover handover, std::string proof, Now now)
    : setting_(std::move(setting)),
      hello_(hello_of(setting_.kind)),
      facts_(std::move(handover.facts)),
      task_(Task::reset),
      deadline_(now.mono + setting_.environment->limits.backend_login_timeout),
      login_(target(), output_.made()) {
  output_.made() = std::move(handover.unsent);
  reset_ = std::make_unique<BackendReset>(target(), facts_, std::move(proof), output_.made());
  output_.queue_made();
}

SpareBackend::SpareBackend(Setting setting, Now now)
    : setting_(std::move(setting)),
      hello_(hello_of(setting_.kind)),
      task_(Task::login),
      deadline_(now.mono + setting_.environment->limits.backend_login_timeout),
      login_(target(), output_.made()) {}

BackendTarget SpareBackend::target() const {
  const Environment& environment = *setting_.environment;
  const ConnectionSettings* connection = environment.find_connection(setting_.kind.connection);
  const ServerSettings* server = Environment::find_server(*connection, setting_.kind.server);
  return {.connection = connection,
          .server = server,
          .login = Environment::find_login(*connection, setting_.kind.login),
          .set_role = {},
          .schema = {},
          .client = &hello_,
          .local_files = wire::has(setting_.kind.capabilities, wire::capability::local_files),
          .account = {},
          .server_public_key_pem = environment.server_public_key(*connection, *server)};
}

std::uint8_t SpareBackend::expected_sequence_id() const {
  switch (task_) {
    case Task::login:
      return login_.next_sequence_id();
    case Task::reset:
      return reset_->expected_sequence_id();
    case Task::check:
    case Task::kill:
    case Task::nothing:
      return 1;
  }
  return 0;
}

MutableBytes SpareBackend::space() {
  return input_.space(wire::control_packet_bytes_max + input_buffer_bytes);
}

void SpareBackend::received(std::size_t count) {
  input_.received(count);
  if (task_ == Task::nothing) {
    fail("the server sent bytes that nothing had asked for");
    return;
  }
  read();
}

void SpareBackend::read() {
  while (state_ == State::busy) {
    Bytes received{input_.unclaimed()};
    auto message = wire::find_message(received, expected_sequence_id(), wire::control_packet_bytes_max);
    if (!message) {
      fail("the server sent " + wire::describe_misplaced_frame(received, expected_sequence_id()));
      return;
    }
    if (!*message) {
      return;
    }
    Bytes payload = wire::message_payload(received, **message, scratch_);
    switch (task_) {
      case Task::login:
        login_.set_next_sequence_id((*message)->next_sequence_id);
        on_login_packet(payload);
        break;
      case Task::reset:
        on_reset_packet(payload, (*message)->next_sequence_id);
        break;
      case Task::check:
        if (wire::parse_ok(payload, facts_.negotiated)) {
          become_idle();
        } else {
          fail("the server refused COM_PING");
        }
        break;
      case Task::kill:
        on_kill_packet(payload);
        break;
      case Task::nothing:
        break;
    }
    output_.queue_made();
    input_.claim((*message)->frame_bytes);
    input_.release((*message)->frame_bytes);
  }
  if (!input_.unclaimed().empty() && state_ != State::failed) {
    fail("the server sent bytes that nothing had asked for");
  }
  if (state_ == State::idle) {
    input_.trim();
    output_.trim();
    std::vector<std::uint8_t>{}.swap(scratch_);
  }
}

void SpareBackend::on_login_packet(Bytes payload) {
  switch (login_.on_packet(payload)) {
    case BackendLogin::Step::more:
      break;
    case BackendLogin::Step::start_tls:
      state_ = State::wants_tls;
      break;
    case BackendLogin::Step::logged_in:
      facts_ = login_.facts();
      become_idle();
      break;
    case BackendLogin::Step::failed:
      login_failure_ = login_.failure().reason;
      fail(login_.failure().detail);
      break;
  }
}

void SpareBackend::on_reset_packet(Bytes payload, std::uint8_t next_sequence_id) {
  switch (reset_->on_packet(payload, next_sequence_id)) {
    case BackendReset::Step::more:
      break;
    case BackendReset::Step::done:
      become_idle();
      break;
    case BackendReset::Step::failed:
      fail(reset_->failure());
      break;
  }
}

void SpareBackend::on_kill_packet(Bytes payload) {
  auto err = wire::parse_err(payload);
  if (err) {
    kill_refusal_ = {.code = err->code, .sql_state = std::string(err->sql_state), .message = std::string(err->message)};
  } else if (!wire::parse_ok(payload, facts_.negotiated)) {
    fail("the server's answer to KILL was malformed");
    return;
  }
  become_idle();
}

void SpareBackend::become_idle() {
  state_ = State::idle;
  task_ = Task::nothing;
  reset_.reset();
  if (!output_.empty()) {
    fail("the server answered what was not sent yet");
  }
}

void SpareBackend::fail(std::string what) {
  state_ = State::failed;
  failure_ = std::move(what);
}

void SpareBackend::closed() {
  if (state_ != State::failed) {
    fail("the server closed the connection");
  }
}

std::optional<NextMessage> SpareBackend::next_message() const {
  if (!input_.unclaimed().empty()) {
    return std::nullopt;
  }
  return NextMessage{.kind = NextMessage::Kind::more, .sequence_id = expected_sequence_id()};
}

std::optional<CompressionStart> SpareBackend::compression_due() const {
  auto algorithm = state_ == State::idle ? wire::compression_of(facts_.negotiated) : std::nullopt;
  return algorithm ? std::optional(CompressionStart{.algorithm = *algorithm, .plain_bytes = 0}) : std::nullopt;
}

void SpareBackend::failed(std::string why) {
  if (state_ != State::failed) {
    fail(std::move(why));
  }
}

void SpareBackend::check(Now now) {
  if (state_ != State::idle) {
    return;
  }
  state_ = State::busy;
  task_ = Task::check;
  deadline_ = now.mono + setting_.environment->limits.backend_login_timeout;
  write_command(wire::Command::ping);
}

void SpareBackend::kill(std::string_view text, Now now) {
  if (state_ != State::idle) {
    return;
  }
  state_ = State::busy;
  task_ = Task::kill;
  kill_refusal_.reset();
  deadline_ = now.mono + setting_.environment->limits.backend_login_timeout;
  wire::PacketWriter writer{output_.made()};
  writer.begin(0);
  write_own_query(writer, text, facts_.negotiated);
  writer.end();
  output_.queue_made();
}

void SpareBackend::write_command(wire::Command command) {
  wire::PacketWriter writer{output_.made()};
  writer.begin(0);
  writer.u8(static_cast<std::uint8_t>(command));
  writer.end();
  output_.queue_made();
}

void SpareBackend::time_passed(Now now) {
  if ((state_ == State::busy || state_ == State::wants_tls) && now.mono >= deadline_) {
    fail("the server did not answer in time");
  }
}

}  // namespace sallyport::session
