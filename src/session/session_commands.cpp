// The session's command phase: read, decide, record, forward, relay the answer, record the outcome.
#include <algorithm>
#include <array>

#include "session/protocol.h"
#include "session/session.h"
#include "sql/secrets.h"

namespace sallyport::session {
namespace {

using wire::Command;

constexpr int pings_in_vain_max = 5;
// What a statement that was killed ends with.
constexpr std::uint16_t query_interrupted = 1317;

}  // namespace

bool Session::is_answered(Command command) {
  return command != Command::stmt_close && command != Command::stmt_send_long_data && command != Command::quit;
}

void Session::enter_ready() {
  phase_ = Ready{};
  phase_deadline_ = now_.mono + environment_->limits.idle_timeout;
  client_heard_ = now_.mono;
  watch_transaction();
  process_unasked();
  process_commands();
}

void Session::watch_transaction() {
  if (ping_due_) {
    return;
  }
  if ((state_.status_flags & wire::status::in_transaction) == 0) {
    transaction_since_ = MonoTime::max();
  } else if (transaction_since_ == MonoTime::max()) {
    transaction_since_ = now_.mono;
  }
}

void Session::process_commands() {
  while (phase<Ready>() != nullptr) {
    if (end_if_expired() || to_client_.made_bytes() > made_bytes_max) {
      return;
    }
    if (draining_ && (state_.status_flags & wire::status::in_transaction) == 0) {
      end_session(Reason::drained);
      return;
    }
    auto message = wire::find_message(Bytes{from_client_.unclaimed()}, 0, environment_->limits.packet_bytes_max);
    if (!message) {
      end_session(message.error() == wire::FrameError::too_large ? Reason::packet_too_large : Reason::client_violation);
      return;
    }
    if (!*message) {
      return;
    }
    process_command(**message);
  }
}

void Session::process_command(const wire::Message& message) {
  Bytes payload = wire::message_payload(Bytes{from_client_.unclaimed()}, message, scratch_);
  PendingCommand pending{.command = payload.empty() ? Command::unknown : wire::command_from_byte(payload[0]),
                         .message = message,
                         .began = now_.mono};
  CommandRecord record{
      .command = pending.command, .opcode = payload.empty() ? std::uint8_t{0} : payload[0], .schema = state_.schema};
  attributes_.clear();
  execute_.reset();
  bulk_.reset();
  explanation_.clear();
  kill_text_.clear();
  kills_elsewhere_ = false;
  auto refusal = read_command(payload, pending, record);
  if (server_is_to_be_asked_) {
    series_.reset();
    ask_server(message.next_sequence_id);  // the command waits where it is
    return;
  }
  counters_.add_command(payload.empty() ? std::uint8_t{0xFF} : payload[0]);
  decide_command(pending, record, refusal);
}

void Session::decide_command(PendingCommand& pending, CommandRecord& record, std::optional<Reason> refusal) {
  policy::Decision decision;
  if (!refusal && pending.command == Command::query) {
    read_local_file(*record.text, pending);
  }
  if (!refusal && who_->account->limits.transaction_timeout.count() > 0 && prepares_transaction(pending)) {
    refusal = Reason::xa_prepare_refused;
  }
  if (!refusal) {
    decision = environment_->policy->decide({.principal = who_->principal,
                                             .account = *who_->account,
                                             .grant = *who_->grant,
                                             .command = name_of(pending.command),
                                             .text = record.text.value_or(std::string_view{})});
    record.rule = decision.rule;
    if (decision.verdict == policy::Verdict::deny) {
      refusal = Reason::denied_by_policy;
      explanation_ = std::move(decision.explanation);
    }
  }
  hide_secrets(pending, record);
  if (may_meet_literals(pending, record)) {
    hide_literals(pending, record);
  }
  record.configuration = environment_->configuration;
  pending.seq = records_.command(record, now_.wall) ? records_.last_seq() : 0;
  count_audit();
  trace_answer(pending);
  if (pending.command == Command::quit) {
    record_outcome(pending, "ok", {}, nullptr);
    close(Reason::client_quit, {});
    return;
  }
  if (refusal || pending.seq == 0) {
    refuse_command(pending, refusal.value_or(Reason::audit_unavailable),
                   refusal ? std::string_view(explanation_) : std::string_view{});
    return;
  }
  bool runs = pending.command == Command::query || is_execution(pending.command);
  bool executes = pending.runs != nullptr && !pending.prepares();
  pending.may_change_reading =
      pending.command == Command::reset_connection || pending.runs_unseen ||
      (runs && (executes ? pending.runs->may_change_reading : pending.reading->may_change_reading));
  pending.chooses_schema = pending.command == Command::init_db ||
                           (runs && (executes ? pending.runs->chooses_schema : pending.reading->chooses_schema));
  if (pending.command == Command::change_user) {
    change_user(pending, wire::message_payload(Bytes{from_client_.unclaimed()}, pending.message, scratch_));
    return;
  }
  phase_ = RecordingCommand{pending};
  phase_deadline_ = MonoTime::max();
  request(Action::commit_audit);
}

void Session::trace_answer(const PendingCommand& pending) {
  // An answer may quote a secret, as an error does.
  bool yields_secret =
      pending.reading != nullptr && (pending.reading->yields_secret || decisive_of(pending).yields_secret);
  bool hides_answer = pending.has_secrets || yields_secret ||
                      (pending.has_protected_literals && !who_->connection->seals_literals) || pending.seq == 0;
  answer_.begin({.digest_bytes_max = environment_->limits.digested_answer_bytes_max,
                 .recorded_bytes_max = hides_answer ? 0 : who_->account->answer_bytes_recorded,
                 .only_sealed = pending.has_protected_literals},
                records_.sink(), origin_.session_id, pending.seq);
}

// Whether values of parameters make, with the literals around them, a statement that has a secret. What comes in pieces
// may be any: what they make is not put together.
static bool make_secret_text(sql::StatementWords words, const CommandRecord& record) {
  if (record.long_data) {
    return true;
  }
  if (record.parameters != nullptr) {
    for (const wire::Parameter& parameter : *record.parameters) {
      if (std::holds_alternative<wire::SentAsLongData>(parameter.value)) {
        return true;
      }
      if (const auto* text = std::get_if<Bytes>(&parameter.value)) {
        words.add(sql::statement_words(text_of(*text)));
      }
    }
  }
  if (record.bulk) {
    words.add(sql::statement_words(text_of(record.bulk->rows)));
  }
  return words.tell_of_secret();
}

void Session::hide_secrets(PendingCommand& pending, CommandRecord& record) {
  if (pending.reading == nullptr) {
    if (record.text && (pending.command == Command::query || pending.command == Command::stmt_prepare)) {
      std::string_view harmless = sql::unread_text_without_secrets(*record.text);
      pending.has_secrets = harmless.size() < record.text->size();
      record.text = harmless;
    }
    record.is_redacted = pending.has_secrets;
    return;
  }
  bool may_run_secret = pending.has_secrets || (pending.reading->runs && !record.runs);
  if (pending.runs != nullptr && pending.runs->runs && pending.runs->around_secret_text) {
    may_run_secret = true;  // what that one would run is not asked for
    record.runs = *pending.runs->around_secret_text;
  }
  if (const auto& without_secrets = pending.reading->without_secrets) {
    pending.has_secrets = pending.command != Command::stmt_send_long_data || without_secrets->parameters_are_secret;
    if (record.text) {
      record.text = without_secrets->text;
    }
    record.sent.reset();
    record.runs.reset();  // the text has it, or hides it
    record.hides_values = without_secrets->parameters_are_secret;
  }
  if (const auto& words = decisive_of(pending).words_around_parameters; words && make_secret_text(*words, record)) {
    pending.has_secrets = record.hides_values = true;
  }
  if (pending.runs != nullptr && pending.runs->without_secrets) {
    pending.has_secrets = may_run_secret = true;
    if (record.runs) {
      record.runs = pending.runs->without_secrets->text;
    }
  }
  // The secret may stand in the text around it in parts, or as an argument.
  if (may_run_secret && record.text && pending.reading->around_secret_text) {
    pending.has_secrets = true;
    record.text = *pending.reading->around_secret_text;
    record.sent.reset();
  }
  record.is_redacted = pending.has_secrets && pending.command != Command::stmt_fetch;
}

// What a PREPARE or EXECUTE runs, where it is known, and else the statement itself.
const StatementReading& Session::decisive_of(const PendingCommand& pending) {
  return pending.runs != nullptr ? *pending.runs : *pending.reading;
}

// Who may define nothing casts no doubt on what others read. What a program defined before it ran into this stays.
static bool is_access_denied(const std::optional<std::uint16_t>& error_code) {
  constexpr std::array<std::uint16_t, 5> codes{1044, 1142, 1143, 1227, 1370};
  return error_code && std::find(codes.begin(), codes.end(), *error_code) != codes.end();
}

bool Session::may_define(const PendingCommand& pending) {
  return pending.runs_unseen || (!pending.prepares() && decisive_of(pending).may_define);
}

bool Session::prepares_transaction(const PendingCommand& pending) {
  return (pending.reading != nullptr && pending.reading->prepares_transaction) ||
         (pending.runs != nullptr && pending.runs->prepares_transaction);
}

bool Session::may_meet_literals(const PendingCommand& pending, const CommandRecord& record) const {
  if (who_->connection->protected_columns == nullptr) {
    return false;
  }
  if (pending.reading == nullptr) {
    return pending.command == Command::query || pending.command == Command::stmt_prepare;
  }
  bool runs_what_is_not_understood = (record.runs && pending.runs == nullptr) || pending.runs_unseen;
  return runs_what_is_not_understood || decisive_of(pending).without_literals.has_value();
}

void Session::hide_literals(PendingCommand& pending, CommandRecord& record) const {
  auto hidden = [](const std::optional<std::string_view>& text, const StatementReading* reading) {
    return !text ? std::nullopt
           : reading != nullptr && reading->without_literals
               ? std::optional<std::string_view>(*reading->without_literals)
               : sql::unread_text_without_literals(*text);
  };
  auto text = hidden(record.text, pending.reading.get());
  auto runs = hidden(record.runs, pending.runs.get());
  bool has_values = !record.hides_values && (record.parameters != nullptr || record.bulk || record.long_data ||
                                             (record.attributes != nullptr && !record.attributes->empty()));
  bool hides_something = has_values || record.sent || text != record.text || runs != record.runs;
  // What is not understood is not run: no error and no answer quotes what is not there.
  pending.has_protected_literals = hides_something || pending.reading != nullptr;
  if (!hides_something) {
    return;
  }
  if (who_->connection->seals_literals) {
    record.sealed = {.text = record.text,
                     .sent = record.sent,
                     .runs = record.runs,
                     .is_redacted = record.is_redacted,
                     .hides_values = record.hides_values};
  }
  record.is_redacted = record.hides_values = true;
  record.text = text;
  record.sent.reset();
  record.runs = runs;
}

std::optional<Reason> Session::read_command(Bytes payload, PendingCommand& pending, CommandRecord& record) {
  if (payload.empty()) {
    return Reason::command_malformed;
  }
  if (rule_of(pending.command).handling == CommandHandling::refused) {
    return Reason::command_not_supported;
  }
  switch (pending.command) {
    case Command::query: {
      auto query = wire::parse_query(payload, legs_.client);
      if (!query) {
        return Reason::command_malformed;
      }
      record.text = query->text;
      if (query->attribute_count > 0) {
        attributes_ = wire::parse_query_attributes(query->attributes, query->attribute_count);
        record.attributes = &attributes_;
      }
      if (wire::has(legs_.client, wire::capability::multi_statements)) {
        return begin_series(payload, query->text, pending, record);
      }
      pending.head_bytes = payload.size() - query->text.size();
      return read_statement(query->text, sql::ParseFor::executing, pending, record);
    }
    case Command::stmt_prepare:
      record.text = text_of(payload.subspan(1));
      if (prepared_.size() >= environment_->limits.prepared_statements_max) {
        return Reason::prepared_statements_max;
      }
      pending.head_bytes = 1;
      if (auto refusal = read_statement(*record.text, sql::ParseFor::preparing, pending, record)) {
        return refusal;
      }
      prepare_text_ = record.text->size() <= prepared_text_bytes_max ? *record.text : std::string_view{};
      return std::nullopt;
    case Command::init_db:
    case Command::field_list:
      record.text = text_of(payload.subspan(1));
      return std::nullopt;
    case Command::stmt_bulk_execute:
      if (!wire::has(legs_.client & legs_.backend, wire::capability::mariadb_bulk_operations)) {
        return Reason::command_not_supported;
      }
      return read_statement_use(payload, pending, record);
    case Command::stmt_execute:
    case Command::stmt_send_long_data:
    case Command::stmt_close:
    case Command::stmt_reset:
    case Command::stmt_fetch:
      return read_statement_use(payload, pending, record);
    case Command::change_user:
      return read_change_user(payload, record);
    case Command::process_kill:
      return check_process_kill(payload, record);
    case Command::set_option:
      return read_set_option(payload);
    case Command::quit:
    case Command::ping:
    case Command::statistics:
    case Command::reset_connection:
      return std::nullopt;
    case Command::sleep:
    case Command::create_db:
    case Command::drop_db:
    case Command::refresh:
    case Command::shutdown:
    case Command::process_info:
    case Command::connect:
    case Command::debug:
    case Command::time:
    case Command::delayed_insert:
    case Command::binlog_dump:
    case Command::table_dump:
    case Command::connect_out:
    case Command::register_replica:
    case Command::daemon:
    case Command::binlog_dump_gtid:
    case Command::clone:
    case Command::subscribe_group_replication_stream:
    case Command::mariadb_multi:
    case Command::unknown:
      break;  // the table refuses them
  }
  return Reason::command_not_supported;
}

std::optional<Reason> Session::read_statement_use(Bytes payload, PendingCommand& pending, CommandRecord& record) {
  auto statement_id = wire::parse_statement_id(payload);
  if (!statement_id) {
    return Reason::command_malformed;
  }
  // MySQL has no such id.
  pending.statement_id = who_->connection->flavor == Flavor::mariadb ? prepared_.resolve(*statement_id) : statement_id;
  record.statement_id = pending.statement_id.value_or(*statement_id);
  PreparedStatement* statement = pending.statement_id ? prepared_.find(*pending.statement_id) : nullptr;
  if (statement == nullptr) {
    return Reason::statement_unknown;
  }
  record.prepared_seq = statement->prepared.seq;
  read_names_anew(statement->prepared);
  if (is_execution(pending.command)) {
    pending.reading = statement->prepared.reading;
    note_reading(*pending.reading, record);
    pending.may_load = may_load_file(statement->prepared.text);
    if (!statement->prepared.text.empty()) {
      record.text = statement->prepared.text;
    }
    if (auto refusal = check_reads_as_before(statement->prepared)) {
      return refusal;
    }
    return pending.command == Command::stmt_execute ? read_execute(payload, *statement, record)
                                                    : read_bulk_execute(payload, *statement, record);
  }
  if (pending.command == Command::stmt_send_long_data) {
    auto long_data = wire::parse_long_data(payload);
    if (!long_data || long_data->parameter >= statement->shape.parameter_count) {
      statement->long_data_lost = true;
      return Reason::command_malformed;
    }
    pending.long_data_parameter = long_data->parameter;
    record.parameter_index = long_data->parameter;
    record.long_data = long_data->value;
    pending.reading = statement->prepared.reading;
  } else if (pending.command == Command::stmt_fetch) {
    pending.reading = statement->prepared.reading;
  }
  return std::nullopt;
}

void Session::refuse_command(const PendingCommand& pending, Reason reason, std::string_view explanation) {
  std::string_view code = reason_text(reason).code;
  counters_.add(Metric::statements_denied);
  if (is_answered(pending.command)) {
    send_error(pending.message.next_sequence_id,
               explanation.empty() ? client_error(reason) : client_error(reason, code, explanation));
  } else if (pending.command == Command::stmt_send_long_data && pending.statement_id) {
    // There is no answer that could carry the error: the execution is refused instead.
    if (PreparedStatement* statement = prepared_.find(*pending.statement_id)) {
      statement->long_data_lost = true;
    }
  }
  PreparedStatement* executed =
      is_execution(pending.command) && pending.statement_id ? prepared_.find(*pending.statement_id) : nullptr;
  if (executed != nullptr && (executed->long_data_lost || !executed->shape.sent_as_long_data.empty())) {
    executed->reset_due = true;
    executed->long_data_lost = false;
    executed->shape.sent_as_long_data.clear();
  }
  if (pending.command == Command::stmt_prepare) {
    prepared_.prepare_failed();  // as the server forgets the one before where it refuses one
  }
  record_outcome(pending, "denied", code, nullptr);
  to_backend_.skip(pending.message.frame_bytes);
  series_.reset();
}

// A procedure that is called may prepare under any name. Under one that is not known only what was prepared so can run.
void Session::note_calls(const PendingCommand& pending) {
  const auto& use = pending.reading->prepared;
  bool executes_unknown =
      use && use->use == sql::PreparedNameUse::Use::executes && pending.runs == nullptr && !named_.may_hold_unseen();
  if (!executes_unknown && (pending.runs_unseen || decisive_of(pending).may_prepare)) {
    named_.doubt_all();
  }
}

void Session::forward_command(PendingCommand pending) {
  if (pending.command == Command::set_option) {
    answer_set_option(pending);
    return;
  }
  pending.forwarded = now_.mono;
  if (pending.may_change_reading) {
    state_.reading_is_current = false;
    ++reading_epoch_;
  }
  state_.evaluated.reset();
  state_.schema_reported = false;
  bool runs = pending.command == Command::query || is_execution(pending.command);
  hides_tables_ = pending.command != Command::reset_connection &&
                  (hides_tables_ || (runs && decisive_of(pending).may_make_temporary));
  if (runs && !pending.prepares()) {
    note_calls(pending);
  }
  if (runs && may_define(pending)) {
    pending.change_under_way = catalogues_.changing(who_->connection->name);
  }
  PreparedStatement* statement = pending.statement_id ? prepared_.find(*pending.statement_id) : nullptr;
  std::uint8_t first_sequence_id = 0;
  bool uses_parameters = is_execution(pending.command) || pending.command == Command::stmt_send_long_data;
  if (statement != nullptr && statement->reset_due && uses_parameters) {
    reset_statement(*pending.statement_id);
    statement->reset_due = false;
  }
  if (statement != nullptr) {
    // The statement that was meant, also where the client wrote wire::last_prepared_statement_id.
    MutableBytes id = from_client_.unclaimed().subspan(wire::frame_header_bytes + 1, 4);
    for (std::size_t i = 0; i < id.size(); ++i) {
      id[i] = static_cast<std::uint8_t>(*pending.statement_id >> (8 * i));
    }
  }
  if (pending.command == Command::stmt_execute && statement != nullptr) {
    first_sequence_id = forward_execute(pending, *statement);
  } else if (pending.command == Command::stmt_bulk_execute && statement != nullptr) {
    first_sequence_id = forward_bulk(pending, *statement);
  } else {
    if (kills_elsewhere_) {
      kill_elsewhere(pending);
      return;
    }
    bool sends_text = pending.command == Command::query || pending.command == Command::stmt_prepare;
    bool emits = sends_text && pending.reading->emitted;
    first_sequence_id = !kill_text_.empty() ? forward_kill(pending)
                        : series_           ? forward_statement(pending)
                        : emits             ? forward_emitted(pending)
                                            : forward_message(pending);
  }
  if (pending.command == Command::stmt_close) {
    prepared_.remove(*pending.statement_id);
  } else if (statement != nullptr) {
    note_long_data(pending, *statement);
  }
  if (runs && transaction_since_ == MonoTime::max()) {
    transaction_since_ = now_.mono;  // one that it begins, or is
  }
  const identity::AccountLimits& limits = who_->account->limits;
  if (limits.statement_timeout.count() != 0) {
    phase_deadline_ = now_.mono + limits.statement_timeout;
  }
  if (!is_answered(pending.command)) {
    record_outcome(pending, "ok", {}, nullptr);
    enter_ready();
  } else if (pending.command == Command::reset_connection) {
    phase_ = Resetting{.pending = pending, .setup = std::nullopt};
  } else {
    begin_answer(pending, first_sequence_id);
  }
}

void Session::begin_answer(const PendingCommand& pending, std::uint8_t first_sequence_id) {
  const identity::AccountLimits& limits = who_->account->limits;
  Answering& answering = phase_.emplace<Answering>();
  answering.pending = pending;
  AnswerRelay& relay = answering.relay;
  relay.start(kill_text_.empty() ? pending.command : Command::query, legs_,
              {.client = pending.message.next_sequence_id, .backend = first_sequence_id},
              {.rows_max = limits.result_rows_max, .bytes_max = limits.result_bytes_max});
  relay.tell(answer_);
  if (series_ && series_->has_more()) {
    relay.announce_more_results();
  }
  if (pending.command == Command::stmt_execute) {
    if ((execute_->flags & wire::flag_read_only_cursor) != 0) {
      relay.expect_cursor();
    }
    if (PreparedStatement* statement = prepared_.find(*pending.statement_id)) {
      relay.leave_out_known_definitions(std::move(statement->definitions));
    }
  }
}

std::uint8_t Session::forward_message(const PendingCommand& pending) {
  to_backend_.forward(pending.message.frame_bytes);
  return pending.message.next_sequence_id;
}

void Session::reset_statement(std::uint32_t statement_id) {
  wire::PacketWriter writer{to_backend_.made()};
  writer.begin(0);
  writer.u8(static_cast<std::uint8_t>(Command::stmt_reset));
  writer.u32(statement_id);
  writer.end();
  to_backend_.queue_made();
  ++own_answers_due_;
}

void Session::close_unknown_statement(std::uint32_t statement_id) {
  wire::PacketWriter writer{to_backend_.made()};
  writer.begin(0);
  writer.u8(static_cast<std::uint8_t>(Command::stmt_close));
  writer.u32(statement_id);
  writer.end();
  to_backend_.queue_made();
}

// What an error, or a statement that was stopped, has left of the transaction. A KILL that came too late is answered in
// the place of the COM_PING, and says nothing of it.
void Session::take_transaction_state(const std::optional<wire::OkPacket>& ok) {
  bool is_at_rest = phase<Ready>() != nullptr && own_answers_due_ == 0;
  if (!ok && is_at_rest && ++pings_in_vain_ <= pings_in_vain_max) {
    ask_for_transaction();
    return;
  }
  pings_in_vain_ = 0;
  if (ok) {
    state_.status_flags = ok->status_flags & static_cast<std::uint16_t>(~wire::status::session_state_changed);
    watch_transaction();
  } else {
    transaction_since_ = now_.mono;
  }
  // The answer to the command behind it says more.
  if (auto* behind = phase<Answering>(); behind != nullptr && (!ok || transaction_since_ == MonoTime::max())) {
    transaction_since_ = *behind->pending.forwarded;
  }
}

bool Session::take_own_answers() {
  while (own_answers_due_ > 0) {
    Bytes received{from_backend_.unclaimed()};
    auto message = wire::find_message(received, 1, wire::control_packet_bytes_max);
    if (message && !*message) {
      return false;
    }
    Bytes payload = message ? wire::message_payload(received, **message, scratch_) : Bytes{};
    auto err = wire::parse_err(payload);
    auto ok = wire::parse_ok(payload, legs_.backend);
    bool taken = ok || (ping_due_ && err && err->code == query_interrupted);
    if (!message || !taken) {
      end_session(Reason::backend_violation, "the server refused COM_STMT_RESET or COM_PING");
      return false;
    }
    to_client_.skip((*message)->frame_bytes);
    --own_answers_due_;
    if (std::exchange(ping_due_, false)) {
      take_transaction_state(ok);
    }
  }
  return true;
}

void Session::process_answer() {
  auto* answering = phase<Answering>();
  if (own_answers_due_ > 0 || answering->upload) {
    return;
  }
  auto step = answering->relay.relay(from_backend_, to_client_, state_);
  if (!step) {
    if (answering->relay.at_packet_boundary()) {
      end_session(step.error());
    } else {
      close(step.error(), "in the middle of a row");
    }
  } else if (*step == AnswerRelay::Step::done) {
    finish_answer();
  } else if (*step == AnswerRelay::Step::file_requested) {
    process_file_request();
  }
  if (ending_ && !closing()) {
    auto* still = phase<Answering>();
    if (still == nullptr || still->relay.at_packet_boundary()) {
      end_session(*ending_, std::move(ending_detail_));
    }
  }
}

void Session::finish_answer() {
  check_answered_command();
  auto* answering = phase<Answering>();
  const PendingCommand& pending = answering->pending;
  const AnswerTotals& totals = answering->relay.totals();
  if (pending.command == Command::stmt_prepare) {
    if (totals.prepared && !totals.error_code) {
      PreparedStatement statement{.prepared = prepared_text(std::move(prepare_text_), pending.reading, pending)};
      statement.shape.parameter_count = totals.prepared->parameters;
      statement.definitions = answering->relay.take_known_definitions();
      prepared_.add(totals.prepared->statement_id, std::move(statement));
    } else {
      prepared_.prepare_failed();
      if (totals.prepared && answering->relay.interrupted()) {
        close_unknown_statement(totals.prepared->statement_id);
      }
    }
  }
  if (pending.command == Command::query) {
    note_prepared_name(pending, totals.error_code ? Answered::error : Answered::ok);
  }
  if (pending.command == Command::stmt_execute) {
    if (PreparedStatement* statement = prepared_.find(*pending.statement_id)) {
      statement->definitions = answering->relay.take_known_definitions();
    }
  }
  bool cut = answering->relay.cut();
  std::string_view code = answering->relay.interrupted()       ? reason_text(Reason::statement_timeout).code
                          : cut                                ? reason_text(Reason::result_too_large).code
                          : answering->relay.request_refused() ? reason_text(Reason::local_file_refused).code
                                                               : std::string_view{};
  record_outcome(pending, totals.error_code ? "error" : "ok", code, &answering->relay);
  counters_.add(Metric::results_cut, cut ? 1 : 0);
  counters_.observe(Duration::command, now_.mono - pending.began);
  bool stopped = interrupt_ != Interrupt::none && interrupt_ != Interrupt::asked;
  if (series_ && (cut || stopped || totals.error_code || !series_->has_more())) {
    series_.reset();
  }
  bool ran = pending.command == Command::query || is_execution(pending.command);
  if (ran && may_define(pending) &&
      !(is_access_denied(totals.error_code) && !pending.runs_unseen && decisive_of(pending).is_definition)) {
    catalogues_.changed(who_->connection->name, now_.mono);
  }
  answering->pending.change_under_way.reset();
  if (ran && !totals.error_code && !pending.prepares() && decisive_of(pending).ends_transaction) {
    transaction_since_ = *pending.forwarded;  // of the one behind it
  }
  // An error does not say whether there is a transaction.
  bool asks_for_transaction = ran && totals.error_code && who_->account->limits.transaction_timeout.count() > 0;
  if (interrupt_ != Interrupt::none && settle_interrupt()) {
    return;
  }
  if (ending_) {
    if (series_) {
      answering->pending.seq = 0;  // its outcome is on record, and the client is due an error behind it
    } else {
      phase_ = Ready{};
    }
    return;
  }
  // Who has switched the tracking of the schema off does not have it reported.
  if (pending.chooses_schema && !totals.error_code && !state_.schema_reported) {
    ask_server(series_ ? answering->relay.error_sequence_id() : std::uint8_t{1});
  } else if (series_) {
    process_next_statement(answering->relay.error_sequence_id());
  } else {
    if (asks_for_transaction) {
      ask_for_transaction();
    }
    enter_ready();
  }
}

// COM_RESET_CONNECTION undoes what the gateway set up (role, session tracking), so that is done again before the client
// gets its OK.
void Session::process_reset() {
  auto* resetting = phase<Resetting>();
  std::uint8_t sequence_id = resetting->pending.message.next_sequence_id;
  if (!resetting->setup) {
    Bytes received{from_backend_.unclaimed()};
    auto message = wire::find_message(received, sequence_id, wire::control_packet_bytes_max);
    if (!message) {
      end_session(Reason::backend_violation);
      return;
    }
    if (!*message) {
      return;
    }
    bool done = wire::parse_ok(wire::message_payload(received, **message, scratch_), legs_.backend).has_value();
    to_client_.skip((*message)->frame_bytes);
    if (!done) {
      end_session(Reason::backend_violation, "the server refused COM_RESET_CONNECTION");
      return;
    }
    prepared_.clear();
    named_.clear();
    // The schema stays as it is.
    BackendTarget target = target_;
    target.schema = {};
    resetting->setup = begin_setting_up(target);
  }
  auto end = take_setup(*resetting->setup);
  if (!end) {
    return;
  }
  if (end->failure) {
    end_session(Reason::backend_violation, std::move(end->failure->message));
    return;
  }
  std::size_t before = to_client_.made().size();
  wire::PacketWriter writer{to_client_.made()};
  writer.begin(sequence_id);
  wire::write_ok(writer, {.status_flags = state_.status_flags}, legs_.client);
  writer.end();
  queue_answer(before);
  record_outcome(resetting->pending, "ok", {}, nullptr);
  enter_ready();
}

void Session::record_outcome(const PendingCommand& pending, std::string_view status, std::string_view reason,
                             const AnswerRelay* relay, const wire::ErrPacket* refusal) {
  if (pending.seq == 0) {
    answer_.end();
    return;
  }
  OutcomeRecord outcome{.of = pending.seq, .status = status, .reason = reason, .duration = now_.mono - pending.began};
  outcome.error = refusal;
  outcome.answer = &answer_;
  if (pending.forwarded) {
    outcome.forwarded_after = *pending.forwarded - pending.began;
  }
  if (auto first_byte = answer_.first_byte_at()) {
    outcome.first_byte_after = *first_byte - pending.began;
  }
  wire::ErrPacket error;
  if (relay != nullptr) {
    const AnswerTotals& totals = relay->totals();
    outcome.rows = relay->rows();
    outcome.affected_rows = totals.affected_rows;
    outcome.uploaded_bytes = totals.uploaded_bytes;
    outcome.results = totals.results;
    outcome.warnings = totals.warnings;
    if (totals.prepared) {
      outcome.statement_id = totals.prepared->statement_id;
    }
    if (totals.error_code) {
      error = {.code = *totals.error_code, .sql_state = totals.error_sql_state, .message = totals.error_message};
      if (pending.has_protected_literals && !pending.has_secrets && who_->connection->seals_literals) {
        outcome.sealed_error = error.message;
      }
      if (pending.has_secrets || pending.has_protected_literals) {
        error.message = {};
      }
      outcome.error = &error;
    }
  }
  records_.outcome(outcome, now_.wall);
  answer_.end();
  count_audit();
}

}  // namespace sallyport::session
