#include "session/session.h"

#include <algorithm>
#include <array>

namespace sallyport::session {
namespace {

// A session at rest keeps no more of scratch memory than this.
constexpr std::size_t scratch_kept_bytes = 4096;
// So often within limits.write_timeout it is asked whether a peer takes something of what is due to it.
constexpr int write_checks = 8;

}  // namespace

Session::Session(Setting setting, Opening opening)
    : listener_(setting.listener),
      environment_(std::move(setting.environment)),
      counters_(setting.counters),
      ledger_(setting.ledger),
      registry_(setting.registry),
      statements_(setting.statements),
      catalogues_(setting.catalogues),
      origin_(std::move(opening.origin)),
      nonce_(opening.nonce),
      records_(origin_, setting.audit),
      phase_(LoggingIn{ClientLogin{setting.listener, to_client_.made()}}),
      now_(opening.now),
      opened_(opening.now.mono),
      phase_deadline_(opening.now.mono + environment_->limits.handshake_timeout),
      client_progress_(opening.now.mono),
      backend_progress_(opening.now.mono) {
  phase<LoggingIn>()->login.greet({.connection_id = origin_.connection_id, .nonce = opening.nonce});
  to_client_.queue_made();
  client_sequence_id_ = static_cast<std::uint8_t>(phase<LoggingIn>()->login.next_sequence_id() + 1);
}

// Time to take something counts from when it was queued, which is no earlier than the last event.
void Session::at(Now now) {
  now_ = now;
  answer_.at(now.mono);
  if (to_client_.empty()) {
    client_progress_ = now.mono;
  }
  if (to_backend_.empty()) {
    backend_progress_ = now.mono;
  }
}

void Session::client_received(std::size_t count, Now now) {
  at(now);
  client_heard_ = now.mono;
  from_client_.received(count);
  counters_.add(Metric::client_bytes_received, count);
  if (phase<LoggingIn>() != nullptr) {
    process_login();
  } else if (phase<Ready>() != nullptr) {
    process_commands();
  } else if (phase<Answering>() != nullptr) {
    process_upload();
  }
}

void Session::client_sent(std::size_t count, Now now) {
  at(now);
  client_progress_ = now.mono;
  to_client_.sent(count);
  counters_.add(Metric::client_bytes_sent, count);
  if (phase<Answering>() != nullptr) {
    process_answer();
  } else if (phase<Ready>() != nullptr && !from_client_.unclaimed().empty()) {
    process_commands();
  }
  if (phase<Closing>() != nullptr && to_client_.empty() && next_action_ == actions_.size()) {
    phase_ = Ended{};
  }
}

void Session::client_took(Now now) {
  at(now);
  client_progress_ = now.mono;
}

void Session::client_closed(Now now) {
  at(now);
  if (phase<Closing>() != nullptr) {
    phase_ = Ended{};
  } else if (!closing()) {
    to_client_.clear();
    ending_.reset();
    close(Reason::client_closed, {});
  }
}

void Session::client_tls_established(TlsDetails details, Now now) {
  at(now);
  counters_.add(Metric::tls_handshakes);
  if (auto* login = phase<LoggingIn>()) {
    tls_ = std::move(details);
    login->login.tls_established();
    process_login();
  }
}

void Session::client_tls_failed(std::string detail, Now now) {
  at(now);
  counters_.add(Metric::tls_handshake_failures);
  if (phase<LoggingIn>() != nullptr) {
    close(Reason::tls_failed, std::move(detail));
  }
}

void Session::client_violated(std::string detail, Now now) {
  at(now);
  end_session(Reason::client_violation, std::move(detail));
}

void Session::audit_committed(Now now) {
  at(now);
  if (phase<RecordingLogin>() != nullptr) {
    to_backend_.clear();  // what the last server did not take before it was left
    tried_servers_ = 0;
    server_failures_.clear();
    login_time_left_ = environment_->limits.backend_login_timeout;
    ask_for_backend();
  } else if (phase<RecordingStart>() != nullptr) {
    finish_login();
  } else if (auto* recording = phase<RecordingCommand>(); recording != nullptr && !end_if_expired()) {
    if (own_answers_due_ == 0 && !from_backend_.unclaimed().empty()) {
      // It would be taken for the beginning of the answer.
      end_session(Reason::backend_violation, "the server sent bytes that nothing had asked for");
      return;
    }
    forward_command(std::move(recording->pending));
  }
}

void Session::audit_failed(Now now) {
  at(now);
  counters_.add(Metric::audit_failures);
  if (phase<RecordingLogin>() != nullptr || phase<RecordingStart>() != nullptr) {
    refuse_login(Reason::audit_unavailable, {});
  } else if (auto* recording = phase<RecordingCommand>()) {
    PendingCommand pending = std::move(recording->pending);
    refuse_command(pending, Reason::audit_unavailable);
    enter_ready();
  }
}

void Session::backend_received(std::size_t count, Now now) {
  at(now);
  from_backend_.received(count);
  counters_.add(Metric::backend_bytes_received, count);
  if (!closing() && !take_own_answers()) {
    return;
  }
  if (phase<BackendLoggingIn>() != nullptr) {
    process_backend_login();
  } else if (phase<SettingUp>() != nullptr) {
    process_setup();
  } else if (phase<Answering>() != nullptr) {
    process_answer();
  } else if (phase<Resetting>() != nullptr) {
    process_reset();
  } else if (phase<Asking>() != nullptr) {
    process_state_answer();
  } else if (!closing()) {
    process_unasked();
  }
}

// A server that closes an idle connection may say why; no other packet is due between commands.
void Session::process_unasked() {
  Bytes received{from_backend_.unclaimed()};
  if (own_answers_due_ > 0 || received.empty()) {
    return;
  }
  std::uint8_t sequence_id = received.size() > 3 ? received[3] : std::uint8_t{0};
  auto message = wire::find_message(received, sequence_id, wire::control_packet_bytes_max);
  if (message && !*message) {
    return;
  }
  auto err = message ? wire::parse_err(wire::message_payload(received, **message, scratch_)) : std::nullopt;
  if (err) {
    end_session(Reason::backend_closed, std::string(err->message));
  } else {
    end_session(Reason::backend_violation, "the server sent a packet that nothing had asked for");
  }
}

void Session::backend_sent(std::size_t count, Now now) {
  at(now);
  backend_progress_ = now.mono;
  to_backend_.sent(count);
  counters_.add(Metric::backend_bytes_sent, count);
}

void Session::backend_took(Now now) {
  at(now);
  backend_progress_ = now.mono;
}

void Session::backend_closed(Now now) {
  at(now);
  backend_broken_ = true;
  if (closing()) {
    return;
  }
  if (phase<Answering>() != nullptr) {
    process_answer();
  }
  if (closing() || !backend_open_) {
    return;
  }
  if (phase<SettingUp>() != nullptr && retry_backend()) {
    return;
  }
  if (!start_recorded_) {
    refuse_login_by_backend(Reason::backend_unavailable, "the server closed the connection during the login");
  } else {
    // What is missing of a packet will not come any more.
    auto* answering = phase<Answering>();
    if (answering != nullptr && !answering->relay.at_packet_boundary()) {
      close(Reason::backend_closed, "in the middle of a row");
    } else {
      end_session(Reason::backend_closed);
    }
  }
}

void Session::backend_violated(std::string detail, Now now) {
  at(now);
  backend_broken_ = true;
  auto* answering = phase<Answering>();
  if (closing() || !backend_open_ || (phase<SettingUp>() != nullptr && retry_backend())) {
    return;
  }
  if (!start_recorded_) {
    refuse_login_by_backend(Reason::backend_login_failed, std::move(detail));
  } else if (answering != nullptr && !answering->relay.at_packet_boundary()) {
    close(Reason::backend_violation, std::move(detail));
  } else {
    end_session(Reason::backend_violation, std::move(detail));
  }
}

void Session::environment_changed(std::shared_ptr<const Environment> environment, Now now) {
  at(now);
  environment_ = std::move(environment);
  if (who_ && !closing()) {
    follow_environment();
  }
  if (phase<Ready>() != nullptr) {
    phase_deadline_ = client_heard_ + environment_->limits.idle_timeout;
  }
}

void Session::drain(Now now) {
  at(now);
  draining_ = true;
  if (phase<Ready>() != nullptr) {
    process_commands();
  }
}

void Session::stop(Now now) {
  at(now);
  if (closing()) {
    return;
  }
  if (start_recorded_) {
    end_session(Reason::drained);
  } else {
    refuse_login(Reason::drained, {});
  }
}

MonoTime Session::deadline() const {
  if (std::holds_alternative<Ended>(phase_)) {
    return MonoTime::max();
  }
  if (const auto* closing = std::get_if<Closing>(&phase_)) {
    return closing->since + closing_timeout;
  }
  if (ending_) {
    return ending_since_ + closing_timeout;
  }
  MonoTime due = std::min(phase_deadline_, transaction_deadline());
  if (who_) {
    due = std::min(due, now_.mono + (who_->principal.expires_at - now_.wall));
  }
  if (awaits_rest_of_command()) {
    due = std::min<MonoTime>(due, client_heard_ + environment_->limits.receive_timeout);
  }
  due = std::min(due, write_deadline(to_client_, client_progress_));
  return std::min(due, write_deadline(to_backend_, backend_progress_));
}

MonoTime Session::transaction_deadline() const {
  if (transaction_since_ == MonoTime::max() || who_->account->limits.transaction_timeout.count() == 0) {
    return MonoTime::max();
  }
  return transaction_since_ + who_->account->limits.transaction_timeout;
}

// A statement whose own time ends no later is stopped, and what that leaves of the transaction is asked for.
bool Session::transaction_is_overdue() const {
  bool is_being_stopped = interrupt_ != Interrupt::none || ping_due_;
  bool is_to_be_stopped = std::holds_alternative<Answering>(phase_) && phase_deadline_ <= transaction_deadline();
  return now_.mono >= transaction_deadline() && !is_being_stopped && !is_to_be_stopped;
}

bool Session::awaits_rest_of_command() const {
  return std::holds_alternative<Ready>(phase_) && !from_client_.unclaimed().empty() &&
         to_client_.made_bytes() <= made_bytes_max;
}

// A socket that has no room may be told of none for long while its peer reads: kernels say so when much of a large
// buffer is free. So the peers' progress is asked for several times before it is given up on.
MonoTime Session::write_deadline(const OutputQueue& queue, MonoTime progress) const {
  if (queue.empty()) {
    return MonoTime::max();
  }
  Milliseconds timeout = environment_->limits.write_timeout;
  return std::min<MonoTime>(progress + timeout, std::max(progress, peers_asked_) + timeout / write_checks);
}

void Session::time_passed(Now now) {
  at(now);
  peers_asked_ = now.mono;
  const Limits& limits = environment_->limits;
  if (auto* closing = phase<Closing>()) {
    if (now.mono >= closing->since + closing_timeout) {
      phase_ = Ended{};
    }
    return;
  }
  if (phase<Ended>() != nullptr) {
    return;
  }
  if (ending_) {
    if (now.mono >= ending_since_ + closing_timeout) {
      close(*ending_, std::move(ending_detail_));
    }
    return;
  }
  if (end_if_expired()) {
    return;
  }
  if (now.mono >= client_progress_ + limits.write_timeout) {
    close(Reason::write_timeout, "the client took nothing");
  } else if (now.mono >= backend_progress_ + limits.write_timeout) {
    end_session(Reason::backend_closed, "the server took nothing for limits.write_timeout");
  } else if (awaits_rest_of_command() && now.mono >= client_heard_ + limits.receive_timeout) {
    end_session(Reason::receive_timeout);
  } else if (transaction_is_overdue()) {
    end_session(Reason::transaction_timeout);
  } else if (now.mono >= phase_deadline_) {
    if (phase<LoggingIn>() != nullptr || phase<VerifyingToken>() != nullptr) {
      refuse_login(Reason::handshake_timeout, {});
    } else if (phase<Ready>() != nullptr) {
      end_session(Reason::idle_timeout);
    } else if (phase<Killing>() != nullptr) {
      answer_kill({.detail = "the side connection was not heard of"});
    } else if (phase<Answering>() != nullptr || phase<Resetting>() != nullptr || phase<Interrupted>() != nullptr) {
      statement_overdue();
    } else if (phase<Asking>() != nullptr) {
      end_session(Reason::backend_closed, "the server did not say within limits.backend_login_timeout how it reads");
    } else if (!start_recorded_) {
      refuse_login_by_backend(Reason::backend_unavailable, attempt_time() < login_time_left_
                                                               ? "no answer within limits.backend_attempt_timeout"
                                                               : "no answer within limits.backend_login_timeout");
    }
  }
}

bool Session::end_if_expired() {
  if (!who_ || now_.wall < who_->principal.expires_at) {
    return false;
  }
  if (start_recorded_) {
    end_session(Reason::token_expired);
  } else {
    refuse_login(client_error(Reason::token_expired), reason_text(Reason::token_expired).code,
                 "while the login went on");
  }
  return true;
}

std::optional<Action> Session::next_action() {
  if (next_action_ == actions_.size()) {
    actions_.clear();
    next_action_ = 0;
    if (phase<Closing>() != nullptr && to_client_.empty()) {
      phase_ = Ended{};
    }
    trim();
    return std::nullopt;
  }
  return actions_[next_action_++];
}

// Between events nothing borrows from empty buffers.
void Session::trim() {
  from_client_.trim();
  from_backend_.trim();
  to_client_.trim();
  to_backend_.trim();
  if (scratch_.capacity() > scratch_kept_bytes && phase<Ready>() != nullptr) {
    std::vector<std::uint8_t>{}.swap(scratch_);
  }
}

std::size_t Session::client_buffer_max() const {
  if (const auto* logging_in = std::get_if<LoggingIn>(&phase_)) {
    const ClientLogin& login = logging_in->login;
    if (login.in_tls_handshake()) {
      return 0;
    }
    // A message of another length is no TLS request: all of it is read, so that its sender can be told so.
    auto header = wire::read_frame_header(from_client_.unclaimed());
    bool may_be_tls_request = !header || header->payload_bytes == wire::ssl_request_bytes;
    return login.awaits_tls_request() && may_be_tls_request ? tls_request_bytes
                                                            : handshake_bytes_max + wire::frame_header_bytes;
  }
  if (closing() || ending_) {
    return 0;
  }
  if (std::holds_alternative<Ready>(phase_)) {
    if (to_client_.made_bytes() > made_bytes_max) {
      return 0;
    }
    // The largest message with its frame headers, and the beginning of the next.
    std::size_t payload = environment_->limits.packet_bytes_max;
    return payload + wire::frame_header_bytes * (payload / wire::frame_payload_max + 2) + input_buffer_bytes;
  }
  if (const auto* answering = std::get_if<Answering>(&phase_); answering != nullptr && answering->upload) {
    return answer_buffer_bytes;
  }
  return std::max(input_buffer_bytes, from_client_.claimed().size() + input_buffer_bytes);
}

bool Session::wants_client_bytes() {
  return from_client_.size() < client_buffer_max();
}

MutableBytes Session::client_space() {
  return from_client_.space(client_buffer_max());
}

std::size_t Session::backend_buffer_max() const {
  const auto* logging_in = std::get_if<BackendLoggingIn>(&phase_);
  if (!backend_open_ || closing() || (logging_in != nullptr && logging_in->login.in_tls_handshake())) {
    return 0;
  }
  // A packet that is not a row waits in the buffer until it is whole.
  bool waits = from_backend_.unclaimed().size() >= answer_buffer_bytes;
  return answer_buffer_bytes + (waits ? wire::control_packet_bytes_max : 0);
}

bool Session::wants_backend_bytes() {
  return from_backend_.size() < backend_buffer_max();
}

MutableBytes Session::backend_space() {
  return from_backend_.space(backend_buffer_max());
}

std::optional<NextMessage> Session::next_client_message() const {
  using Kind = NextMessage::Kind;
  if (!from_client_.unclaimed().empty() || !to_client_.empty()) {
    return std::nullopt;
  }
  if (std::holds_alternative<Ready>(phase_)) {
    return NextMessage{.kind = Kind::command, .sequence_id = 0};
  }
  if (const auto* logging_in = std::get_if<LoggingIn>(&phase_)) {
    return NextMessage{.kind = Kind::more, .sequence_id = logging_in->login.next_sequence_id()};
  }
  if (const auto* answering = std::get_if<Answering>(&phase_); answering != nullptr && answering->upload) {
    return NextMessage{.kind = Kind::more, .sequence_id = answering->upload->next_sequence_id()};
  }
  return std::nullopt;
}

std::optional<NextMessage> Session::next_backend_message() const {
  if (!from_backend_.unclaimed().empty()) {
    return std::nullopt;
  }
  std::uint8_t sequence_id = 1;
  if (const auto* answering = std::get_if<Answering>(&phase_); answering != nullptr && own_answers_due_ == 0) {
    sequence_id = answering->relay.next_backend_sequence_id();
  } else if (const auto* resetting = std::get_if<Resetting>(&phase_); resetting != nullptr && !resetting->setup) {
    sequence_id = resetting->pending.message.next_sequence_id;
  }
  return NextMessage{.kind = NextMessage::Kind::more, .sequence_id = sequence_id};
}

std::size_t Session::buffer_bytes() const {
  return from_client_.capacity() + from_backend_.capacity() + to_client_.capacity_bytes() +
         to_backend_.capacity_bytes() + scratch_.capacity();
}

bool Session::ended() const {
  return std::holds_alternative<Ended>(phase_);
}

bool Session::idle() const {
  return std::holds_alternative<Ready>(phase_);
}

void Session::count_audit() {
  counters_.add(Metric::audit_bytes, records_.bytes_written() - audit_bytes_counted_);
  std::uint64_t records = records_.last_seq() - records_.records_lost();
  counters_.add(Metric::audit_records, records - audit_records_counted_);
  audit_bytes_counted_ = records_.bytes_written();
  audit_records_counted_ = records;
}

}  // namespace sallyport::session
