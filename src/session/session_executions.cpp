// Executions of prepared statements: COM_STMT_EXECUTE, and COM_STMT_BULK_EXECUTE, which is one for each row of
// parameters.
#include <algorithm>

#include "session/session.h"

namespace sallyport::session {

using wire::Command;

bool Session::is_execution(Command command) {
  return command == Command::stmt_execute || command == Command::stmt_bulk_execute;
}

std::optional<Reason> Session::read_execute(Bytes payload, PreparedStatement& statement, CommandRecord& record) {
  if (statement.long_data_lost) {
    return Reason::parameter_incomplete;
  }
  execute_ = wire::parse_execute(payload, legs_.client, statement.shape);
  if (!execute_) {
    return Reason::command_malformed;
  }
  statement.server_has_types = statement.server_has_types && !execute_->types_follow;
  record.parameters = &execute_->parameters;
  return std::nullopt;
}

std::uint8_t Session::forward_execute(const PendingCommand& pending, PreparedStatement& statement) {
  bool types_due = execute_->types_flag_at > 0 && !execute_->types_follow && !statement.server_has_types;
  statement.server_has_types = true;
  return types_due ? forward_with_types(pending, statement) : forward_message(pending);
}

// The client sent the types with an execution that was refused and leaves them out now, but the server never saw them.
std::uint8_t Session::forward_with_types(const PendingCommand& pending, const PreparedStatement& statement) {
  Bytes payload = wire::message_payload(Bytes{from_client_.unclaimed()}, pending.message, scratch_);
  wire::PacketWriter writer{to_backend_.made()};
  writer.begin(0);
  writer.bytes(payload.first(execute_->types_flag_at));
  writer.u8(1);
  writer.bytes(statement.shape.type_block);
  writer.bytes(payload.subspan(execute_->types_flag_at + 1));
  std::uint8_t next_sequence_id = writer.end();
  to_backend_.queue_made();
  to_backend_.skip(pending.message.frame_bytes);
  return next_sequence_id;
}

void Session::note_long_data(const PendingCommand& pending, PreparedStatement& statement) {
  if (pending.command == Command::stmt_reset) {
    statement.long_data_lost = false;
    statement.reset_due = false;
  }
  auto& flags = statement.shape.sent_as_long_data;
  if (pending.command == Command::stmt_reset || is_execution(pending.command)) {
    flags.clear();
  } else if (pending.command == Command::stmt_send_long_data) {
    flags.resize(std::max<std::size_t>(flags.size(), std::size_t{pending.long_data_parameter} + 1));
    flags[pending.long_data_parameter] = true;
  }
}

std::optional<Reason> Session::read_bulk_execute(Bytes payload, PreparedStatement& statement, CommandRecord& record) {
  if (statement.long_data_lost) {
    return Reason::parameter_incomplete;
  }
  bulk_ = wire::parse_bulk_execute(payload, statement.shape);
  if (!bulk_) {
    return Reason::command_malformed;
  }
  statement.server_has_types = statement.server_has_types && !bulk_->types_follow();
  bool wants_unit_results = (bulk_->flags & wire::bulk_flag_unit_results) != 0;
  if (wants_unit_results && !wire::has(legs_.backend, wire::capability::mariadb_bulk_unit_results)) {
    return Reason::command_not_supported;
  }
  if (bulk_->row_count * statement.shape.parameter_count > environment_->limits.bulk_values_max) {
    return Reason::bulk_too_large;
  }
  record.bulk = {.rows = bulk_->rows, .types = &statement.shape.types};
  return std::nullopt;
}

std::uint8_t Session::forward_bulk(const PendingCommand& pending, PreparedStatement& statement) {
  bool types_due = !bulk_->types_follow() && !statement.server_has_types;
  statement.server_has_types = true;
  // Whatever columns the answer has, they are none of those that an execution's answer may leave out.
  statement.definitions.clear();
  if (!types_due) {
    return forward_message(pending);
  }
  Bytes payload = wire::message_payload(Bytes{from_client_.unclaimed()}, pending.message, scratch_);
  wire::PacketWriter writer{to_backend_.made()};
  writer.begin(0);
  writer.bytes(payload.first(wire::bulk_flags_at));
  writer.u16(bulk_->flags | wire::bulk_flag_types_follow);
  writer.bytes(statement.shape.type_block);
  writer.bytes(payload.subspan(wire::bulk_flags_at + 2));
  std::uint8_t next_sequence_id = writer.end();
  to_backend_.queue_made();
  to_backend_.skip(pending.message.frame_bytes);
  return next_sequence_id;
}

}  // namespace sallyport::session
