// How a session ends: what the client is told, which records are due, and what becomes of both legs.
#include "session/session.h"

namespace sallyport::session {
namespace {

// A connection with more than this unsent is closed at the session's end, not reused.
constexpr std::size_t unsent_bytes_max = 64U << 10;

}  // namespace

void Session::end_session(Reason reason, std::string detail) {
  if (closing()) {
    return;
  }
  if (!start_recorded_) {
    refuse_login(reason, std::move(detail));
    return;
  }
  auto* answering = phase<Answering>();
  if (answering != nullptr && answering->upload) {
    close(reason, std::move(detail));  // the client sends its file, and what number an error has to bear is not known
    return;
  }
  if (answering != nullptr && !answering->relay.at_packet_boundary()) {
    if (!ending_) {
      ending_ = reason;
      ending_detail_ = std::move(detail);
      ending_since_ = now_.mono;
    }
    return;
  }
  std::uint8_t sequence_id = 1;
  if (answering != nullptr) {
    sequence_id = answering->relay.error_sequence_id();
  } else if (auto* resetting = phase<Resetting>()) {
    sequence_id = resetting->pending.message.next_sequence_id;
  } else if (auto* killing = phase<Killing>()) {
    sequence_id = killing->pending.message.next_sequence_id;
  } else if (auto* asking = phase<Asking>()) {
    sequence_id = asking->error_sequence_id;
  } else if (auto* recording = phase<RecordingCommand>();
             recording != nullptr && is_answered(recording->pending.command)) {
    sequence_id = recording->pending.message.next_sequence_id;
  }
  // Between commands the error stands ready as the answer to the next one.
  if (reason_text(reason).mysql_error != 0) {
    send_error(sequence_id, client_error(reason));
  }
  close(reason, std::move(detail));
}

// Writes the records that are due and closes both legs.
void Session::close(Reason reason, std::string detail) {
  std::string_view code = reason_text(reason).code;
  backend_broken_ = backend_broken_ || reason == Reason::backend_closed || reason == Reason::backend_violation;
  if (auto* answering = phase<Answering>()) {
    record_outcome(answering->pending, "aborted", code, &answering->relay);
    if (answering->pending.change_under_way != nullptr) {
      // The server may go on until it is told to end, and has.
      catalogues_.changed(who_->connection->name, now_.mono + 2 * environment_->limits.kill_timeout);
    }
  } else if (auto* resetting = phase<Resetting>()) {
    record_outcome(resetting->pending, "aborted", code, nullptr);
  } else if (auto* recording = phase<RecordingCommand>()) {
    record_outcome(recording->pending, "aborted", code, nullptr);
  } else if (auto* killing = phase<Killing>()) {
    record_outcome(killing->pending, "aborted", code, nullptr);
  }
  if (statement_runs()) {
    order_kill(KillPurpose::leave_nothing, reason);
  }
  bool was_verified = phase<LoggingIn>() == nullptr;
  if (start_recorded_) {
    end_records(reason, detail);
  } else if (was_verified || reason == Reason::tls_failed) {
    records_.login_refused(login_record(), code, detail, now_.wall);
    counters_.add_login_refused(code);
    request(Action::commit_audit);
  }
  count_audit();
  close_legs();
}

// Writes session_end.
void Session::end_records(Reason reason, std::string_view detail) {
  std::string_view code = reason_text(reason).code;
  records_.session_end(who_ ? std::string_view(who_->account->name) : std::string_view{}, code, detail, now_.wall);
  counters_.add_session_ended(code);
  counters_.lower(Level::sessions_open);
  count_audit();
  start_recorded_ = false;
  request(Action::commit_audit);
}

// Nothing more is read. What is queued for the client is still sent.
void Session::close_legs() {
  token_.clear();
  if (phase<LoggingIn>() != nullptr) {
    wipe(from_client_.unclaimed().data(), from_client_.unclaimed().size());  // a part of the token may be there
  }
  bool leaves_statement = statement_runs();
  leave_backend();
  if (who_ && !leaves_statement) {
    who_->place = {};
  }
  phase_ = Closing{now_.mono};
  request(Action::close_client);
}

bool Session::backend_stands_between_commands() {
  auto* setting_up = phase<SettingUp>();
  bool between = phase<Ready>() != nullptr || phase<RecordingStart>() != nullptr ||
                 phase<RecordingCommand>() != nullptr || phase<Killing>() != nullptr ||
                 (setting_up != nullptr && setting_up->query.done());
  return between && own_answers_due_ == 0 && from_backend_.unclaimed().empty();
}

// A server that answers what it has not been sent in full will answer, or refuse, the rest: to the next session.
void Session::check_answered_command() {
  backend_broken_ = backend_broken_ || !to_backend_.empty();
}

void Session::leave_backend() {
  bool runs = statement_runs();
  // A KILL that is on its way must not meet the connection's next session.
  bool was_aimed_at = registered_.leave();
  backend_broken_ = backend_broken_ || was_interrupted_ || was_aimed_at;
  if (!backend_open_ && phase<ConnectingBackend>() == nullptr) {
    return;
  }
  bool between = backend_open_ && !backend_broken_ && backend_stands_between_commands();
  backend_open_ = false;
  if (between && to_backend_.size() <= unsent_bytes_max && who_->connection->pool.mode == BackendMode::pooled) {
    // Commands that get no answer may not have left yet.
    std::array<Bytes, 16> pieces;
    while (!to_backend_.empty()) {
      std::size_t before = released_.unsent.size();
      for (Bytes piece : std::span{pieces}.first(to_backend_.gather(pieces))) {
        released_.unsent.insert(released_.unsent.end(), piece.begin(), piece.end());
      }
      to_backend_.sent(released_.unsent.size() - before);
    }
    released_.facts = backend_;
    request(Action::release_backend);
    return;
  }
  bool quits = between && phase<Ready>() != nullptr && to_backend_.empty();
  to_backend_.clear();
  if (runs) {
    request(Action::abandon_backend);
    return;
  }
  if (quits) {
    // Between commands the server is told, so that it counts no aborted client.
    wire::PacketWriter writer{to_backend_.made()};
    writer.begin(0);
    writer.u8(static_cast<std::uint8_t>(wire::Command::quit));
    writer.end();
    to_backend_.queue_made();
  }
  request(Action::close_backend);
}

void Session::send_error(std::uint8_t sequence_id, const ClientError& error) {
  std::size_t before = to_client_.made().size();
  wire::PacketWriter writer{to_client_.made()};
  writer.begin(sequence_id);
  wire::write_err(writer, {.code = error.mysql_error, .sql_state = error.sql_state, .message = error.message});
  writer.end();
  queue_answer(before);
}

void Session::queue_answer(std::size_t before) {
  answer_.add(Bytes{to_client_.made()}.subspan(before));
  to_client_.queue_made();
}

}  // namespace sallyport::session
