// Texts of several statements. The server gets one statement a time, and its answer decides how the next one is read:
// it may have changed sql_mode, the character set or the schema.
#include "session/session.h"
#include "sql/statement_splitter.h"

namespace sallyport::session {

std::optional<sql::FirstStatement> Session::read_first_statement(std::string_view statements,
                                                                 const sql::Dialects& dialects) {
  auto first =
      sql::read_alike(dialects, [&](const sql::Dialect& dialect) { return sql::first_statement(statements, dialect); });
  if (!first) {
    note_doubt();
  }
  return first && *first ? std::optional(**first) : std::nullopt;
}

std::optional<Reason> Session::begin_series(Bytes payload, std::string_view text, PendingCommand& pending,
                                            CommandRecord& record) {
  std::string_view statements = sql::statement_text(text);
  std::size_t head_bytes = payload.size() - text.size();
  pending.head_bytes = head_bytes;
  if (statements.find(';') == std::string_view::npos) {
    return read_statement(text, sql::ParseFor::executing, pending, record);
  }
  auto first = read_first_statement(statements, dialects_for(statements));
  if (!first) {
    return Reason::statements_not_separable;
  }
  if (!first->has_more) {
    return read_statement(text, sql::ParseFor::executing, pending, record);
  }
  series_ = std::make_unique<StatementSeries>(payload.first(head_bytes), statements);
  return take_statement(pending, record);
}

std::optional<Reason> Session::take_statement(PendingCommand& pending, CommandRecord& record) {
  record.part = series_->number() + 1;
  record.text = series_->rest();
  auto first = read_first_statement(series_->rest(), dialects_for_rest(*series_));
  if (!first) {
    return Reason::statements_not_separable;
  }
  record.text = first->text;
  auto refusal = read_statement(first->text, sql::ParseFor::executing, pending, record);
  if (!server_is_to_be_asked_) {
    series_->take(*first);
  }
  return refusal;
}

void Session::process_next_statement(std::uint8_t sequence_id) {
  watch_transaction();
  PendingCommand pending{.command = wire::Command::query, .message = {}, .began = now_.mono};
  pending.message.next_sequence_id = sequence_id;
  CommandRecord record{.command = wire::Command::query,
                       .opcode = static_cast<std::uint8_t>(wire::Command::query),
                       .schema = state_.schema};
  auto head = wire::parse_query(series_->head(), legs_.client);
  attributes_.clear();
  explanation_.clear();
  kill_text_.clear();
  kills_elsewhere_ = false;
  if (head && head->attribute_count > 0) {
    attributes_ = wire::parse_query_attributes(head->attributes, head->attribute_count);
    record.attributes = &attributes_;
  }
  auto refusal = take_statement(pending, record);
  if (server_is_to_be_asked_) {
    ask_server(sequence_id);
    return;
  }
  phase_ = Ready{};
  decide_command(pending, record, refusal);
  if (phase<Ready>() != nullptr) {
    enter_ready();
  }
}

std::uint8_t Session::forward_statement(const PendingCommand& pending) {
  const auto& emitted = pending.reading->emitted;
  return forward_text(pending, series_->head(), emitted ? std::string_view(*emitted) : series_->statement());
}

std::optional<Reason> Session::read_set_option(Bytes payload) {
  if (payload.size() != 3) {
    return Reason::command_malformed;
  }
  int option = payload[1] | payload[2] << 8;
  bool is_known = option == wire::option_multi_statements_on || option == wire::option_multi_statements_off;
  return is_known ? std::nullopt : std::optional(Reason::command_not_supported);
}

// The server is not told: it never gets more than one statement a text.
void Session::answer_set_option(const PendingCommand& pending) {
  bool is_on = from_client_.unclaimed()[wire::frame_header_bytes + 1] == wire::option_multi_statements_on;
  legs_.client =
      is_on ? legs_.client | wire::capability::multi_statements : legs_.client & ~wire::capability::multi_statements;
  to_backend_.skip(pending.message.frame_bytes);
  // What was said of the result before, which may have ended with an error, does not hold for this answer.
  constexpr std::uint16_t of_the_session = wire::status::in_transaction | wire::status::autocommit;
  auto flags = static_cast<std::uint16_t>(state_.status_flags & of_the_session);
  std::size_t before = to_client_.made().size();
  wire::PacketWriter writer{to_client_.made()};
  writer.begin(pending.message.next_sequence_id);
  if (wire::has(legs_.client, wire::capability::deprecate_eof)) {
    wire::write_ok(writer, {.header = wire::eof_header, .status_flags = flags}, legs_.client);
  } else {
    wire::write_eof(writer, {.warnings = 0, .status_flags = flags});
  }
  writer.end();
  queue_answer(before);
  record_outcome(pending, "ok", {}, nullptr);
  enter_ready();
}

}  // namespace sallyport::session
