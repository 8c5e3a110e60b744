// How the server reads the next text: by its sql_mode and character set, which it is asked for where that matters.
#include <algorithm>
#include <utility>

#include "session/session.h"
#include "sql/statement_splitter.h"

namespace sallyport::session {

namespace {

sql::Dialects only(const sql::Dialect& dialect) {
  sql::Dialects one;
  one.add(dialect);
  return one;
}

// Nothing where it may be one of several.
std::optional<sql::Dialect> the_one_of(const sql::Dialects& dialects) {
  return dialects.size() == 1 ? std::optional(*dialects.begin()) : std::nullopt;
}

}  // namespace

// Nothing where it would have to be asked.
std::optional<sql::Dialect> Session::dialect_of_server() const {
  if (!state_.reading_is_current || !state_.sql_mode || !state_.charset) {
    return std::nullopt;
  }
  sql::Dialect dialect = dialect_;
  dialect.mode = *state_.sql_mode;
  dialect.charset = *state_.charset;
  return dialect;
}

sql::Dialects Session::dialects_for(std::string_view text) const {
  auto known = dialect_of_server();
  return known ? only(*known) : sql::possible_dialects(dialect_, text);
}

// Without a look at all that follows for each statement.
sql::Dialects Session::dialects_for_rest(const StatementSeries& series) const {
  auto known = dialect_of_server();
  return known ? only(*known) : series.rest_depends_on_state() ? sql::Dialects{} : sql::dialects_of_any_state(dialect_);
}

std::optional<Result<StatementReader::Reading, StatementRefusal>> Session::read_text(std::string_view statement,
                                                                                     sql::ParseFor purpose,
                                                                                     std::string_view schema) {
  const auto& catalogue = catalogues_.find(who_->connection->name);
  NameSpace names{.schema = schema,
                  .catalogue = catalogue == nullptr ? nullptr : &catalogue,
                  .protected_columns = who_->connection->protected_columns,
                  .in_doubt = names_in_doubt()};
  return statements_.read(statement, dialects_for(statement), purpose, names,
                          environment_->limits.statement_tree_bytes_max);
}

std::optional<Reason> Session::read_statement(std::string_view text, sql::ParseFor purpose, PendingCommand& pending,
                                              CommandRecord& record) {
  std::string_view statement = sql::statement_text(text);
  auto read = read_text(statement, purpose, state_.schema);
  if (!read) {
    note_doubt();
    return Reason::reading_unknown;
  }
  if (!*read) {
    explanation_ = std::move(read->error().explanation);
    return read->error().reason;
  }
  pending.reading = std::move(**read);
  pending.dialect = the_one_of(dialects_for(statement));
  note_reading(*pending.reading, record);
  if (pending.reading->emitted) {
    record.sent = *pending.reading->emitted;
  }
  if (auto refusal = refuse_login_change(*pending.reading)) {
    return refusal;
  }
  if (purpose == sql::ParseFor::preparing) {
    // The servers prepare nothing that runs another text, but for blocks in which one does (MariaDB).
    return pending.reading->runs ? std::optional(Reason::dynamic_text_hidden) : refuse_kill_in(statement);
  }
  auto refusal = check_kill(statement, record);
  return refusal ? refusal : read_dynamic_text(pending, record);
}

// The login is shared, and the role is the grant's.
std::optional<Reason> Session::refuse_login_change(const StatementReading& reading) const {
  const sql::LoginChange& change = reading.login_change;
  bool refused = (change.sets_role && !target_.set_role.empty()) || change.changes(target_.login->user);
  return refused ? std::optional(Reason::login_protected) : std::nullopt;
}

// What PREPARE and EXECUTE IMMEDIATE run is read like a statement that is sent.
std::optional<Reason> Session::read_dynamic_text(PendingCommand& pending, CommandRecord& record) {
  const auto& runs = pending.reading->runs;
  if (!runs) {
    return read_named_use(pending, record);
  }
  dynamic_text_.reset();
  switch (runs->source) {
    case sql::DynamicText::Source::hidden:
      return Reason::dynamic_text_hidden;
    case sql::DynamicText::Source::literal:
      dynamic_text_ = runs->text;
      break;
    case sql::DynamicText::Source::expression:
      if (!state_.evaluated || state_.evaluated->expression != runs->text) {
        server_is_to_be_asked_ = true;
        asked_text_ = {.expression = runs->text, .variables = runs->variables};
        return Reason::reading_unknown;
      }
      dynamic_text_ = state_.evaluated->text;
      break;
  }
  if (!dynamic_text_) {
    return Reason::dynamic_text_hidden;
  }
  return read_inner_statement(sql::statement_text(*dynamic_text_), pending, record);
}

std::optional<Reason> Session::read_inner_statement(std::string_view statement, PendingCommand& pending,
                                                    CommandRecord& record) {
  auto read = read_text(statement, sql::ParseFor::preparing, state_.schema);
  if (!read || !*read) {
    record.runs = sql::unread_text_without_secrets(statement);
    pending.has_secrets = pending.has_secrets || record.runs->size() < statement.size();
  }
  if (!read) {
    note_doubt();
    return Reason::reading_unknown;
  }
  if (!*read) {
    explanation_ = std::move(read->error().explanation);
    return read->error().reason;
  }
  record.runs = statement;
  const StatementReading& inner = *(pending.runs = std::move(**read));
  pending.dialect = the_one_of(dialects_for(statement));
  if (inner.runs) {
    return Reason::dynamic_text_hidden;
  }
  note_objects(inner, record);
  if (pending.reading->prepared && named_.find(dialect_.server, pending.reading->prepared->name) == nullptr &&
      named_.size() >= environment_->limits.prepared_statements_max) {
    return Reason::prepared_statements_max;
  }
  auto refusal = refuse_login_change(inner);
  return refusal ? refusal : refuse_kill_in(statement);
}

// EXECUTE: what it runs is on record with it.
std::optional<Reason> Session::read_named_use(PendingCommand& pending, CommandRecord& record) {
  const auto& use = pending.reading->prepared;
  if (!use || use->use != sql::PreparedNameUse::Use::executes) {
    return std::nullopt;
  }
  NamedStatements::Named* named = named_.find(dialect_.server, use->name);
  if (named == nullptr) {
    return is_ascii(use->name) ? std::nullopt : std::optional(Reason::dynamic_text_hidden);
  }
  PreparedText& text = named->text;
  read_names_anew(text);
  pending.runs = text.reading;
  pending.runs_unseen = named->is_doubtful;
  if (!named->is_doubtful) {
    note_objects(*text.reading, record);
    record.prepared_seq = text.seq;
    if (!text.text.empty()) {
      record.runs = text.text;
    }
  }
  return check_reads_as_before(text);
}

// By temporary tables, or as the catalogue is older than what was defined last.
bool Session::names_in_doubt() const {
  return hides_tables_ || catalogues_.in_doubt(who_->connection->name);
}

// What the names of a kept text stand for may be another than when it was read, and which columns are protected; with
// it what its literals meet.
void Session::read_names_anew(PreparedText& prepared) {
  const auto& protected_columns = who_->connection->protected_columns;
  if (protected_columns == nullptr) {
    return;
  }
  const auto& catalogue = catalogues_.find(who_->connection->name);
  bool in_doubt = names_in_doubt();
  bool is_current = prepared.reading->catalogue == catalogue &&
                    prepared.reading->protected_columns == protected_columns &&
                    (in_doubt ? prepared.reading->without_literals.has_value() : !prepared.reading->in_doubt);
  if (is_current) {
    return;
  }
  auto read = prepared.text.empty()
                  ? std::nullopt
                  : read_text(sql::statement_text(prepared.text), sql::ParseFor::preparing, prepared.schema);
  if (read && *read) {
    prepared.reading = std::move(**read);
    return;
  }
  auto hidden = std::make_shared<StatementReading>(*prepared.reading);
  hidden->without_literals.emplace();
  hidden->facts.reset();
  hidden->catalogue = catalogue;
  hidden->in_doubt = false;  // nothing could tell it better
  hidden->protected_columns = protected_columns;
  prepared.reading = std::move(hidden);
}

// Executions have no text on record where it is long, and nothing in its place.
PreparedText Session::prepared_text(std::string text, const StatementReader::Reading& reading,
                                    const PendingCommand& pending) const {
  auto kept = text.empty() ? std::make_shared<const StatementReading>(without_texts(*reading)) : reading;
  return {.seq = pending.seq,
          .text = std::move(text),
          .schema = state_.schema,
          .reading = std::move(kept),
          .dialect = pending.dialect,
          .reading_epoch = reading_epoch_};
}

// A PREPARE that fails leaves nothing under its name.
void Session::note_prepared_name(const PendingCommand& pending, Answered answered) {
  const auto& use = pending.reading->prepared;
  if (!use || use->use == sql::PreparedNameUse::Use::executes) {
    return;
  }
  if (!pending.prepares() || answered == Answered::error) {
    named_.remove(dialect_.server, use->name);
    return;
  }
  bool is_short = dynamic_text_->size() <= prepared_text_bytes_max;
  named_.set(dialect_.server, use->name,
             prepared_text(is_short ? *dynamic_text_ : std::string{}, pending.runs, pending));
}

// A text that would say something else, should the server read it anew, is not executed.
std::optional<Reason> Session::check_reads_as_before(PreparedText& prepared) {
  if (prepared.reading_epoch == reading_epoch_ || !prepared.dialect) {
    return std::nullopt;
  }
  std::string_view text = sql::statement_text(prepared.text);
  auto says_the_same_in = [&](const sql::Dialects& dialects) {
    return !prepared.text.empty() && statements_.read(text, dialects, sql::ParseFor::preparing, {},
                                                      environment_->limits.statement_tree_bytes_max);
  };
  if (says_the_same_in(sql::possible_dialects(dialect_, text))) {
    prepared.dialect.reset();
    return std::nullopt;
  }
  if (!state_.reading_is_current) {
    server_is_to_be_asked_ = true;
    return Reason::reading_unknown;
  }
  auto now = dialect_of_server();
  if (!now) {
    return Reason::reading_unknown;
  }
  if (now->server == sql::Server::mariadb) {
    now->mode = prepared.dialect->mode;  // it keeps that with the text
  }
  if (*now != *prepared.dialect) {
    sql::Dialects both;
    both.add(*prepared.dialect);
    both.add(*now);
    if (!says_the_same_in(both)) {
      return Reason::prepared_otherwise;
    }
    prepared.dialect = *now;
  }
  prepared.reading_epoch = reading_epoch_;
  return std::nullopt;
}

void Session::note_reading(const StatementReading& reading, CommandRecord& record) const {
  record.kind = reading.kind;
  record.digest = reading.digest;
  note_objects(reading, record);
}

void Session::note_objects(const StatementReading& reading, CommandRecord& record) const {
  if (reading.facts) {
    record.objects = &reading.facts->objects;
    record.objects_certain = reading.facts->certain() && reading.catalogue->complete() && !names_in_doubt();
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
  phase_ = Asking{.query = StateQuery{legs_.backend, to_backend_.made(), std::exchange(asked_text_, {})},
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
  check_answered_command();
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
