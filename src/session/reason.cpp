#include "session/reason.h"

namespace sallyport::session {
namespace {

// Numbers and SQL states are those that servers use for the like, so that drivers react as they should. None is of the
// clients' own ranges (2000 and 5000 on): libmariadb takes an ERR packet with such a number for malformed.
constexpr std::array<ReasonText, static_cast<std::size_t>(Reason::drained) + 1> table{{
    {Reason::tls_required, "tls_required", 3159, "HY000",
     "TLS is required. Switch it on in the client (--ssl-mode=REQUIRED, --ssl, ssl=..., MYSQL_ATTR_SSL_CA); your token "
     "was not asked for."},
    {Reason::tls_failed, "tls_failed", 0, "", ""},
    {Reason::handshake_malformed, "handshake_malformed", 1043, "08S01",
     "The handshake was malformed. Check that the client speaks the MySQL protocol."},
    {Reason::handshake_timeout, "handshake_timeout", 1159, "08S01",
     "The login took too long. Try again; an operator can raise limits.handshake_timeout."},
    {Reason::driver_too_old, "driver_too_old", 1251, "08004",
     "The driver is too old: it knows no authentication plugins. Use one of MySQL 5.7, MariaDB 10.2 or newer."},
    {Reason::token_missing, "token_missing", 1045, "28000",
     "No token was given. Give the access token of your identity provider as the password."},
    {Reason::token_refused, "", 1045, "28000", ""},
    {Reason::account_refused, "", 1045, "28000", ""},
    {Reason::backend_unavailable, "backend_unavailable", 1429, "HY000",
     "The database server can't be reached. Try again later; the gateway's log has the cause."},
    {Reason::backend_pool_exhausted, "backend_pool_exhausted", 1040, "08004",
     "All connections to the database server are in use. Close some, or try again later; an operator can raise "
     "pool.connections_max."},
    {Reason::backend_login_failed, "backend_login_failed", 1105, "HY000",
     "The gateway could not log in to the database server. Tell an operator; the audit log has the cause."},
    {Reason::backend_schema_refused, "backend_schema_refused", 1049, "42000", ""},
    {Reason::backend_incompatible, "backend_incompatible", 1105, "HY000",
     "The database server lacks a protocol feature that this client uses. Tell an operator; the audit log names it."},
    {Reason::flavor_mismatch, "flavor_mismatch", 1045, "28000",
     "This listener serves the other kind of server. Use the port that your operator names for this connection."},
    {Reason::audit_unavailable, "audit_unavailable", 1105, "HY000",
     "The audit log can't be written, so nothing was executed. Try again later; tell an operator."},
    {Reason::too_many_connections, "too_many_connections", 1040, "08004",
     "Too many connections. Close some, or try again later."},
    {Reason::too_many_account_sessions, "too_many_account_sessions", 1203, "42000",
     "Your service account has as many sessions as it may. Close some; an operator can raise its limits.sessions_max."},
    {Reason::account_login_rate, "account_login_rate", 1226, "42000",
     "Your service account logs in too often. Keep connections open, or try again in a second; an operator can raise "
     "its "
     "limits.logins_per_second_max."},
    {Reason::command_not_supported, "command_not_supported", 1047, "08S01",
     "This protocol command is not supported by the gateway. Nothing was executed; the connection is usable."},
    {Reason::command_malformed, "command_malformed", 1835, "HY000",
     "The command was malformed. Nothing was executed; the connection is usable."},
    {Reason::denied_by_policy, "denied_by_policy", 1142, "42000", "Denied by policy. Nothing was executed."},
    {Reason::statements_not_separable, "statements_not_separable", 1235, "42000",
     "The text has several statements and can't be separated with certainty. Neither the statement at hand nor those "
     "behind it were executed; send each on its own."},
    {Reason::statement_not_understood, "statement_not_understood", 1064, "42000",
     "The statement has a mistake in its syntax, or a form that the gateway does not know. Nothing was executed."},
    {Reason::statement_not_supported, "statement_not_supported", 1235, "42000",
     "The gateway does not read stored programs under sql_mode ORACLE. Nothing was executed; write it without that "
     "mode."},
    {Reason::statement_too_complex, "statement_too_complex", 1436, "HY000",
     "The statement is nested too deeply, or its syntax tree is larger than limits.statement_tree_bytes_max. Nothing "
     "was "
     "executed; make it simpler, or send fewer rows at a time."},
    {Reason::reading_unknown, "reading_unknown", 1235, "42000",
     "The database server did not say how it reads texts, or by a character set that the gateway does not know. "
     "Nothing "
     "was executed; SET NAMES utf8mb4, or connect again."},
    {Reason::dynamic_text_hidden, "dynamic_text_hidden", 1295, "HY000",
     "What this statement would run can't be read beforehand. Nothing was executed; give PREPARE or EXECUTE IMMEDIATE "
     "a text or a user variable, of at most 64 KiB, as a statement of its own, or send the statement itself."},
    {Reason::prepared_otherwise, "prepared_otherwise", 1235, "42000",
     "sql_mode or the character set is another than when this was prepared, and the text would say something else now. "
     "Nothing was executed; prepare it again."},
    {Reason::login_protected, "login_protected", 1227, "42000",
     "The database login is the gateway's, and its role that of your grant. Nothing was executed; to work with another "
     "role, connect as CONNECTION.ROLE."},
    {Reason::xa_prepare_refused, "xa_prepare_refused", 1235, "42000",
     "A transaction that is prepared stays after the session, and those of your service account end in time "
     "(limits.transaction_timeout). Nothing was executed; commit with XA COMMIT ... ONE PHASE."},
    {Reason::kill_form_not_supported, "kill_form_not_supported", 1235, "42000",
     "KILL is taken as a statement of its own, KILL [HARD | SOFT] [CONNECTION | QUERY] NUMBER. Nothing was executed."},
    {Reason::kill_target_unknown, "kill_target_unknown", 1094, "HY000",
     "Unknown thread id, or not a session of your service account. Nothing was executed."},
    {Reason::kill_failed, "kill_failed", 1105, "HY000",
     "The gateway could not have the server carry out this KILL. Try again later; the audit log has the cause."},
    {Reason::statement_unknown, "statement_unknown", 1243, "HY000",
     "Unknown prepared statement. Prepare it first on this connection."},
    {Reason::parameter_incomplete, "parameter_incomplete", 1210, "HY000",
     "A part of a parameter of this statement was refused before. Nothing was executed; reset the statement and send "
     "the parameter again."},
    {Reason::prepared_statements_max, "prepared_statements_max", 1461, "42000",
     "Too many prepared statements on this connection. Close some; an operator can raise "
     "limits.prepared_statements_max."},
    {Reason::bulk_too_large, "bulk_too_large", 1105, "HY000",
     "The bulk execution has more values than limits.bulk_values_max. Nothing was executed; send fewer rows at a "
     "time."},
    {Reason::result_too_large, "result_too_large", 1105, "HY000",
     "The result is larger than your service account may read, and ends here. Ask for less (LIMIT); an operator can "
     "raise "
     "limits.result_rows_max and limits.result_bytes_max."},
    {Reason::statement_timeout, "statement_timeout", 3024, "HY000",
     "The statement took longer than your service account may use (limits.statement_timeout) and was stopped. The "
     "session and its transaction go on."},
    {Reason::local_file_refused, "local_file_refused", 1148, "42000",
     "The server asks for a file, and the statement does not say certainly which. Write LOAD DATA LOCAL INFILE 'FILE' "
     "plainly, without escapes, in a query of its own; no file was read."},
    {Reason::client_quit, "client_quit", 0, "", ""},
    {Reason::user_changed, "user_changed", 0, "", ""},
    {Reason::client_closed, "client_closed", 0, "", ""},
    {Reason::client_violation, "client_violation", 1156, "08S01",
     "The client broke the protocol (packets out of order). The connection is closed."},
    {Reason::packet_too_large, "packet_too_large", 1153, "08S01",
     "The packet is larger than limits.packet_bytes_max. The connection is closed."},
    {Reason::local_file_too_large, "local_file_too_large", 0, "", ""},
    {Reason::backend_closed, "backend_closed", 1152, "08S01",
     "The database server closed the connection. Connect again; what was not committed is rolled back."},
    {Reason::backend_violation, "backend_violation", 1152, "08S01",
     "The database server's answer was not understood and the connection is closed. Tell an operator."},
    {Reason::token_expired, "token_expired", 4031, "HY000",
     "The token of this session has expired. Get a new one from your identity provider and connect again."},
    {Reason::account_disabled, "account_disabled", 4031, "HY000",
     "The service account of this session has been removed or disabled. Ask an operator."},
    {Reason::account_changed, "account_changed", 4031, "HY000",
     "What the service account of this session is granted has changed. Connect again."},
    {Reason::idle_timeout, "idle_timeout", 4031, "HY000", "The session was idle for too long. Connect again."},
    {Reason::receive_timeout, "receive_timeout", 4031, "HY000",
     "The rest of a command did not come in time (limits.receive_timeout), and nothing of it was executed. Connect "
     "again."},
    {Reason::statement_not_stopped, "statement_not_stopped", 3024, "HY000",
     "The statement took longer than your service account may use (limits.statement_timeout) and could not be stopped "
     "in "
     "time. Connect again; what was not committed is rolled back."},
    {Reason::transaction_timeout, "transaction_timeout", 4031, "HY000",
     "The transaction was open for longer than your service account may use (limits.transaction_timeout) and is rolled "
     "back. Connect again."},
    {Reason::write_timeout, "write_timeout", 0, "", ""},
    {Reason::drained, "drained", 1053, "08S01", "The gateway is shutting down. Connect again."},
}};

}  // namespace

const ReasonText& reason_text(Reason reason) {
  return table[static_cast<std::size_t>(reason)];
}

const std::array<ReasonText, static_cast<std::size_t>(Reason::drained) + 1>& all_reasons() {
  return table;
}

ClientError client_error(Reason reason) {
  const ReasonText& entry = reason_text(reason);
  return client_error(reason, entry.code, entry.text);
}

ClientError client_error(Reason reason, std::string_view code, std::string_view text) {
  const ReasonText& entry = reason_text(reason);
  ClientError error{
      .mysql_error = entry.mysql_error, .sql_state = std::string(entry.sql_state), .message = "Sallyport: "};
  error.message.append(text).append(" [").append(code).append("]");
  return error;
}

}  // namespace sallyport::session
