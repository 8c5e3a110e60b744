// Why something was refused or ended: stable codes, and what a client is told. The one place that maps the modules'
// errors to MySQL error codes and client-safe text. docs/reasons.md lists them; a test compares.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "identity/accounts.h"
#include "identity/token.h"

namespace sallyport::session {

enum class Reason : std::uint8_t {
  // The login.
  tls_required,
  tls_failed,
  handshake_malformed,
  handshake_timeout,
  driver_too_old,
  token_missing,
  token_refused,    // the code is that of identity::TokenError
  account_refused,  // the code is that of identity::AccountError
  backend_unavailable,
  backend_pool_exhausted,
  backend_login_failed,
  backend_schema_refused,  // the client sees the server's own error
  backend_incompatible,
  flavor_mismatch,
  audit_unavailable,
  too_many_connections,
  too_many_account_sessions,
  account_login_rate,
  // A command.
  command_not_supported,
  command_malformed,
  denied_by_policy,
  statements_not_separable,
  statement_not_understood,
  statement_not_supported,
  statement_too_complex,
  reading_unknown,
  dynamic_text_hidden,
  prepared_otherwise,
  login_protected,
  xa_prepare_refused,
  kill_form_not_supported,
  kill_target_unknown,
  kill_failed,
  statement_unknown,
  parameter_incomplete,
  prepared_statements_max,
  bulk_too_large,
  result_too_large,
  statement_timeout,
  local_file_refused,
  // The end of a session.
  client_quit,
  user_changed,
  client_closed,
  client_violation,
  packet_too_large,
  local_file_too_large,
  backend_closed,
  backend_violation,
  token_expired,
  account_disabled,
  account_changed,
  idle_timeout,
  receive_timeout,
  statement_not_stopped,
  transaction_timeout,
  write_timeout,
  drained
};

struct ReasonText {
  Reason reason;
  std::string_view code;      // in records, metrics and behind the client's text
  std::uint16_t mysql_error;  // 0: the client is not told
  std::string_view sql_state;
  std::string_view text;  // what is wrong and what to do
};

const ReasonText& reason_text(Reason reason);
// All reasons in order; for docs and tests.
const std::array<ReasonText, static_cast<std::size_t>(Reason::drained) + 1>& all_reasons();

// An error for a client: "Sallyport: TEXT [CODE]".
struct ClientError {
  std::uint16_t mysql_error;
  std::string sql_state;
  std::string message;
};

ClientError client_error(Reason reason);
ClientError client_error(Reason reason, std::string_view code, std::string_view text);

}  // namespace sallyport::session
