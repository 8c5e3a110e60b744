// KILL and connection ids. A client knows its connection by the number of the gateway's greeting, and by the server's
// own (CONNECTION_ID(), SHOW PROCESSLIST); the server knows only the latter. What is sent to it is made here.
#include "session/session.h"

namespace sallyport::session {

Result<std::optional<sql::KillStatement>, sql::KillRefusal> Session::read_kill(std::string_view text) {
  auto kill =
      sql::read_alike(dialects_for(text), [&](const sql::Dialect& dialect) { return sql::read_kill(text, dialect); });
  if (!kill) {
    note_doubt();
    return Unexpected(sql::KillRefusal::not_understood);
  }
  return *kill;
}

std::optional<Reason> Session::check_kill(std::string_view text, CommandRecord& record) {
  if (!sql::may_hold_kill(text)) {
    return std::nullopt;
  }
  auto kill = read_kill(text);
  if (!kill) {
    return Reason::kill_form_not_supported;
  }
  return *kill ? aim_kill(**kill, record) : std::nullopt;
}

// An execution would have to be decided by its parameters, and a prepared text may be run at any later time.
std::optional<Reason> Session::refuse_kill_in(std::string_view prepared_text) {
  if (!sql::may_hold_kill(prepared_text)) {
    return std::nullopt;
  }
  auto kill = read_kill(prepared_text);
  return kill && !*kill ? std::nullopt : std::optional(Reason::kill_form_not_supported);
}

std::optional<Reason> Session::check_process_kill(Bytes payload, CommandRecord& record) {
  ByteReader reader{payload};
  reader.u8();
  sql::KillStatement kill{.id = reader.u32()};
  return reader.exhausted() ? aim_kill(kill, record) : std::optional(Reason::command_malformed);
}

std::optional<Reason> Session::aim_kill(const sql::KillStatement& kill, CommandRecord& record) {
  auto target = registry_.find_target(
      {.id = kill.id, .account = who_->account->name, .connection = who_->connection->name, .server = backend_server_});
  if (!target) {
    return Reason::kill_target_unknown;
  }
  const ConnectionSettings* connection = who_->environment->find_connection(target->connection);
  if (connection == nullptr || Environment::find_login(*connection, target->login) == nullptr ||
      Environment::find_server(*connection, target->server_name) == nullptr) {
    return Reason::kill_target_unknown;
  }
  kills_elsewhere_ = target->connection != who_->connection->name || target->login != target_.login->name ||
                     target->server != backend_server_;
  kill_text_ = "KILL ";
  kill_text_ += kill.force == sql::KillStatement::Force::hard   ? "HARD "
                : kill.force == sql::KillStatement::Force::soft ? "SOFT "
                                                                : "";
  kill_text_ += kill.scope == sql::KillStatement::Scope::query ? "QUERY " : "CONNECTION ";
  kill_text_ += std::to_string(target->server_connection_id);
  kill_target_ = std::move(target->session_id);
  record.target_session = kill_target_;
  if (kills_elsewhere_) {
    kill_order_ = std::make_unique<KillOrder>(KillOrder{.environment = who_->environment,
                                                        .kind = {.connection = target->connection,
                                                                 .server = target->server_name,
                                                                 .login = target->login,
                                                                 .collation_id = hello_.collation_id},
                                                        .server = std::move(target->server),
                                                        .text = kill_text_});
  }
  return std::nullopt;
}

std::uint8_t Session::forward_kill(const PendingCommand& pending) {
  wire::PacketWriter writer{to_backend_.made()};
  writer.begin(0);
  write_own_query(writer, kill_text_, legs_.backend);
  std::uint8_t next_sequence_id = writer.end();
  to_backend_.queue_made();
  to_backend_.skip(pending.message.frame_bytes);
  return next_sequence_id;
}

}  // namespace sallyport::session
