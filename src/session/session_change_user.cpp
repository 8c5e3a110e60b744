// COM_CHANGE_USER: one principal's session ends, and a login begins on the same client connection. Nothing of the first
// is kept but the connection itself: not the server connection, which goes back to the pool or is closed, not its
// state, not the identity.
#include "base/check.h"
#include "session/session.h"

namespace sallyport::session {

std::optional<Reason> Session::read_change_user(Bytes payload, CommandRecord& record) const {
  auto request = wire::parse_change_user(payload, legs_.client);
  if (!request) {
    return Reason::command_malformed;
  }
  record.text = request->user;
  // The handshake with the server has one byte for it.
  return request->collation_id > 0xFF ? std::optional(Reason::command_not_supported) : std::nullopt;
}

void Session::change_user(const PendingCommand& pending, Bytes payload) {
  auto request = wire::parse_change_user(payload, legs_.client);
  SALLYPORT_CHECK(request.has_value());
  record_outcome(pending, "ok", {}, nullptr);
  end_records(Reason::user_changed, {});
  ClientHello hello = std::move(hello_);
  hello.capabilities = legs_.client;  // with what COM_SET_OPTION has changed
  ClientLogin login{listener_, to_client_.made()};
  login.change_user(
      {.request = *request, .previous = hello, .nonce = nonce_, .sequence_id = pending.message.next_sequence_id});
  to_client_.queue_made();
  hello_ = login.hello();
  client_sequence_id_ = static_cast<std::uint8_t>(login.next_sequence_id() + 1);
  wipe(from_client_.unclaimed().data(), pending.message.frame_bytes);  // some clients put their password in
  wipe(scratch_.data(), scratch_.size());
  to_backend_.skip(pending.message.frame_bytes);
  leave_backend();
  to_client_.skip(from_backend_.unclaimed().size());
  forget_session();
  opened_ = now_.mono;
  phase_ = LoggingIn{std::move(login)};
  phase_deadline_ = now_.mono + environment_->limits.handshake_timeout;
  process_login();
}

void Session::forget_session() {
  who_.reset();  // with its place among the account's sessions
  transaction_since_ = MonoTime::max();
  target_ = {};
  legs_ = {};
  state_ = {};
  backend_ = {};
  resumed_ = backend_broken_ = hides_tables_ = false;
  backend_fault_.reset();
  prepared_.clear();
  named_.clear();
  own_answers_due_ = 0;
  ping_due_ = was_interrupted_ = false;
  ++kills_ordered_;  // an answer to an order of the first is none to the next
  backend_server_.clear();
  prepare_text_.clear();
  attributes_.clear();
  execute_.reset();
  // Unique as the first session's id is, and told from it.
  if (origin_.previous_session_id.empty()) {
    first_session_id_ = origin_.session_id;
  }
  origin_.previous_session_id = origin_.session_id;
  origin_.session_id = first_session_id_ + "." + std::to_string(++sessions_before_);
  records_.begin_session();
  audit_records_counted_ = 0;
}

}  // namespace sallyport::session
