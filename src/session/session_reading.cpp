// How the server reads the next text: by its sql_mode and character set, which it is asked for where that matters.
#include "session/protocol.h"
#include "session/session.h"

namespace sallyport::session {
namespace {

// For a longer text the server is asked at once: there may be two dozen dialects.
constexpr std::size_t text_bytes_tried_max = 64U << 10;

}  // namespace

std::vector<sql::Dialect> Session::dialects_for(std::string_view text) const {
  sql::Dialect dialect = dialect_of_version(backend_.server_version);
  if (!state_.reading_is_current || !state_.sql_mode || !state_.charset) {
    auto possible = sql::possible_dialects(dialect.server, dialect.version, text);
    return possible.size() > 1 && text.size() > text_bytes_tried_max ? std::vector<sql::Dialect>{} : possible;
  }
  dialect.mode = *state_.sql_mode;
  dialect.charset = *state_.charset;
  return {dialect};
}

bool Session::changes_reading(const PendingCommand& pending, const CommandRecord& record) const {
  if (!state_.reading_is_current) {
    return false;  // there is nothing to be forgotten
  }
  bool runs_text = pending.command == wire::Command::query || is_execution(pending.command);
  return runs_text ? !record.text || sql::may_change_reading(*record.text)
                   : pending.command == wire::Command::reset_connection;
}

void Session::ask_server(std::uint8_t error_sequence_id) {
  server_is_to_be_asked_ = false;
  phase_ = Asking{.query = StateQuery{legs_.backend, to_backend_.made()},
                  .error_sequence_id = error_sequence_id,
                  .in_series = series_ != nullptr};
  to_backend_.queue_made();
  phase_deadline_ = now_.mono + environment_->limits.backend_login_timeout;
  if (own_answers_due_ == 0 && !from_backend_.unclaimed().empty()) {
    // It would be taken for the beginning of the answer.
    end_session(Reason::backend_violation, "the server sent bytes that nothing had asked for");
  }
}

void Session::process_state_answer() {
  auto* asking = phase<Asking>();
  if (own_answers_due_ > 0) {
    return;
  }
  auto step = asking->query.read(from_backend_, to_client_, state_);
  if (!step) {
    end_session(step.error(), "the answer to what the gateway asked was none");
    return;
  }
  if (*step == StateQuery::Step::more) {
    return;
  }
  std::uint8_t sequence_id = asking->error_sequence_id;
  bool in_series = asking->in_series;
  phase_ = Ready{};
  if (in_series) {
    process_next_statement(sequence_id);
  } else {
    enter_ready();
  }
}

}  // namespace sallyport::session
