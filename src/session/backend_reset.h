// Makes a server connection as good as new between two sessions, and proves that it is in step.
//
// COM_CHANGE_USER with the login's own credentials ends the server's session and begins another. What it leaves behind,
// found by trying MariaDB 10.11 and MySQL 9.7, is undone by statements around it (docs/adr/0011-backend-pool.md). Last,
// the server is asked for a text that nobody could foresee: when exactly that comes back, and nothing behind it, then
// every answer before it was taken, and the next one will be the next session's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "session/backend_login.h"

namespace sallyport::session {

class BackendReset {
 public:
  // The connection stands between commands. `target` and what it refers to, and `out`, outlive the reset; its `client`
  // has the capabilities and the collation that the connection is kept for. `proof`: letters and digits.
  BackendReset(const BackendTarget& target, BackendFacts facts, std::string proof, std::vector<std::uint8_t>& out);

  enum class Step : std::uint8_t { more, done, failed };
  // A whole packet of the server, with the sequence id after its last frame's. May write to `out`.
  Step on_packet(Bytes payload, std::uint8_t next_sequence_id);
  // Of the server's next packet.
  std::uint8_t expected_sequence_id() const;
  // For the log: never a secret. Set when a step failed.
  const std::string& failure() const { return failure_; }

 private:
  enum class Stage : std::uint8_t { roll_back, leave_role, change_user, clean_up, prove };
  enum class ProofPart : std::uint8_t { column_count, column, columns_end, row, end };
  // Which errors of the server's a statement may get.
  enum class Tolerated : std::uint8_t { none, unknown_variable, any };

  void write_query(std::string_view text, Tolerated tolerated);
  void change_user();
  void clean_up();
  void clean_up_mariadb();
  void clean_up_mysql();
  Step on_change_user_packet(Bytes payload, std::uint8_t next_sequence_id);
  Step on_statement_answer(Bytes payload);
  Step on_proof_packet(Bytes payload);
  Step fail(std::string what);

  BackendTarget target_;
  BackendFacts facts_;
  std::string proof_;
  std::vector<std::uint8_t>* out_;
  Stage stage_;
  BackendLogin login_;
  std::vector<Tolerated> answers_due_;  // of the statements sent, in order
  std::size_t answers_taken_ = 0;
  ProofPart proof_part_ = ProofPart::column_count;
  std::uint8_t sequence_id_ = 1;
  std::string failure_;
};

}  // namespace sallyport::session
