// How the server reads the next text: by its sql_mode and character set, which it is asked for where that matters.
#include "session/session.h"
#include "sql/statement_splitter.h"

namespace sallyport::session {

sql::Dialects Session::dialects_for(std::string_view text) const {
  if (!state_.reading_is_current || !state_.sql_mode || !state_.charset) {
    return sql::possible_dialects(dialect_, text);
  }
  sql::Dialect dialect = dialect_;
  dialect.mode = *state_.sql_mode;
  dialect.charset = *state_.charset;
  sql::Dialects one;
  one.add(dialect);
  return one;
}

std::optional<Reason> Session::read_statement(std::string_view text, sql::ParseFor purpose, PendingCommand& pending,
                                              CommandRecord& record) {
  std::string_view statement = sql::statement_text(text);
  const auto& catalogue = catalogues_.find(who_->connection->name);
  NameSpace names{.schema = state_.schema, .catalogue = catalogue == nullptr ? nullptr : &catalogue};
  auto read = statements_.read(statement, dialects_for(statement), purpose, names,
                               environment_->limits.statement_tree_bytes_max);
  if (!read) {
    note_doubt();
    return Reason::reading_unknown;
  }
  if (!*read) {
    explanation_ = std::move(read->error().explanation);
    return read->error().reason;
  }
  pending.reading = std::move(**read);
  note_reading(*pending.reading, record);
  if (pending.reading->emitted) {
    record.sent = *pending.reading->emitted;
  }
  return purpose == sql::ParseFor::preparing ? refuse_kill_in(statement) : check_kill(statement, record);
}

void Session::note_reading(const StatementReading& reading, CommandRecord& record) const {
  record.kind = reading.kind;
  record.digest = reading.digest;
  if (reading.facts) {
    record.objects = &reading.facts->objects;
    record.objects_certain = reading.facts->certain() && reading.catalogue->complete() && !hides_tables_;
  }
}

std::uint8_t Session::forward_text(const PendingCommand& pending, Bytes head, std::string_view text) {
  wire::PacketWriter writer{to_backend_.made()};
  writer.begin(0);
  writer.bytes(head);
  writer.text(text);
  std::uint8_t next_sequence_id = writer.end();
  to_backend_.queue_made();
  to_backend_.skip(pending.message.frame_bytes);
  return next_sequence_id;
}

std::uint8_t Session::forward_emitted(const PendingCommand& pending) {
  Bytes payload = wire::message_payload(Bytes{from_client_.unclaimed()}, pending.message, scratch_);
  return forward_text(pending, payload.first(pending.head_bytes), *pending.reading->emitted);
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
