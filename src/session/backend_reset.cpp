#include "session/backend_reset.h"

#include "wire/command.h"
#include "wire/response.h"

namespace sallyport::session {
namespace {

namespace capability = wire::capability;

constexpr std::uint16_t unknown_system_variable = 1193;

}  // namespace

BackendReset::BackendReset(const BackendTarget& target, BackendFacts facts, std::string proof,
                           std::vector<std::uint8_t>& out)
    : target_(target),
      facts_(std::move(facts)),
      proof_(std::move(proof)),
      out_(&out),
      stage_(Stage::roll_back),
      login_(target, out) {  // until it is begun, one that was never started
  // COM_CHANGE_USER leaves a transaction attached that is XA PREPAREd, on MariaDB and on MySQL without
  // xa_detach_on_prepare, and nothing shows it afterwards. This is refused there, so it is waited for: when the
  // connection is closed instead, the transaction is kept for who resolves it.
  write_query("ROLLBACK AND NO CHAIN NO RELEASE", Tolerated::none);
}

void BackendReset::change_user() {
  stage_ = Stage::change_user;
  if (target_.connection->flavor == Flavor::mariadb) {
    // MariaDB keeps the role over COM_CHANGE_USER where the account has no default role. Both go at once: where this is
    // refused the connection is closed, whatever comes of the other.
    stage_ = Stage::leave_role;
    write_query("SET ROLE NONE", Tolerated::none);
  }
  login_ = BackendLogin(target_, facts_, *out_);
}

std::uint8_t BackendReset::expected_sequence_id() const {
  switch (stage_) {
    case Stage::roll_back:
    case Stage::leave_role:
    case Stage::clean_up:
      return 1;
    case Stage::change_user:
      return login_.next_sequence_id();
    case Stage::prove:
      return sequence_id_;
  }
  return 0;
}

BackendReset::Step BackendReset::fail(std::string what) {
  failure_ = std::move(what);
  return Step::failed;
}

void BackendReset::write_query(std::string_view text, Tolerated tolerated) {
  wire::PacketWriter writer{*out_};
  writer.begin(0);
  write_own_query(writer, text, facts_.negotiated);
  writer.end();
  answers_due_.push_back(tolerated);
}

void BackendReset::clean_up() {
  stage_ = Stage::clean_up;
  // COM_SET_OPTION switches a capability, and those outlast the server's session.
  wire::PacketWriter writer{*out_};
  writer.begin(0);
  writer.u8(static_cast<std::uint8_t>(wire::Command::set_option));
  writer.u16(wire::has(facts_.negotiated, capability::multi_statements) ? 0 : 1);
  writer.end();
  answers_due_.push_back(Tolerated::none);
  // The variables are as new already; what they were set to last is in force on the socket until they are set again.
  write_query(
      "SET SESSION net_read_timeout=@@GLOBAL.net_read_timeout, SESSION net_write_timeout=@@GLOBAL.net_write_timeout, "
      "SESSION net_retry_count=@@GLOBAL.net_retry_count",
      Tolerated::none);
  if (target_.connection->flavor == Flavor::mariadb) {
    clean_up_mariadb();
  } else {
    clean_up_mysql();
  }
  // With init_connect a fresh session is another than this one; then it is not this text that comes back.
  write_query("SELECT CONCAT('" + proof_ + "', LENGTH(@@GLOBAL.init_connect))", Tolerated::none);
  answers_due_.pop_back();
}

void BackendReset::clean_up_mariadb() {
  // What SHOW PROFILES gives: statement texts of the session before.
  write_query("SET SESSION profiling_history_size=0, SESSION profiling=1", Tolerated::unknown_variable);
  write_query("SET SESSION profiling=0, SESSION profiling_history_size=@@GLOBAL.profiling_history_size",
              Tolerated::unknown_variable);
  // Two capabilities that set a variable at the login, and don't at COM_CHANGE_USER.
  if (wire::has(facts_.negotiated, capability::interactive)) {
    write_query("SET SESSION wait_timeout=@@SESSION.interactive_timeout", Tolerated::none);
  }
  if (wire::has(facts_.negotiated, capability::ignore_space)) {
    write_query("SET SESSION sql_mode=CONCAT(@@SESSION.sql_mode, ',IGNORE_SPACE')", Tolerated::none);
  }
}

void BackendReset::clean_up_mysql() {
  // Setting it drops what information_schema.OPTIMIZER_TRACE has of the session before.
  write_query("SET SESSION optimizer_trace_offset=@@GLOBAL.optimizer_trace_offset", Tolerated::unknown_variable);
  // A resource group stays with the server's thread. Who may not leave it could not choose it either.
  write_query("SET ROLE ALL", Tolerated::any);
  write_query("SET RESOURCE GROUP USR_default", Tolerated::any);
  write_query("SET ROLE DEFAULT", Tolerated::none);
}

BackendReset::Step BackendReset::on_packet(Bytes payload, std::uint8_t next_sequence_id) {
  switch (stage_) {
    case Stage::roll_back:
    case Stage::leave_role:
    case Stage::clean_up:
      return on_statement_answer(payload);
    case Stage::change_user:
      return on_change_user_packet(payload, next_sequence_id);
    case Stage::prove:
      sequence_id_ = next_sequence_id;
      return on_proof_packet(payload);
  }
  return Step::failed;
}

BackendReset::Step BackendReset::on_change_user_packet(Bytes payload, std::uint8_t next_sequence_id) {
  login_.set_next_sequence_id(next_sequence_id);
  switch (login_.on_packet(payload)) {
    case BackendLogin::Step::more:
      return Step::more;
    case BackendLogin::Step::logged_in:
      clean_up();
      return Step::more;
    case BackendLogin::Step::start_tls:
    case BackendLogin::Step::failed:
      return fail(login_.failure().detail);
  }
  return Step::failed;
}

BackendReset::Step BackendReset::on_statement_answer(Bytes payload) {
  Tolerated tolerated = answers_due_[answers_taken_++];
  auto ok = wire::parse_ok(payload, facts_.negotiated);
  auto eof = wire::parse_eof(payload);
  auto err = wire::parse_err(payload);
  if (err) {
    bool accepted = tolerated == Tolerated::any ||
                    (tolerated == Tolerated::unknown_variable && err->code == unknown_system_variable);
    if (!accepted) {
      return fail("the server refused a statement of the reset: " + std::to_string(err->code) + " " +
                  std::string(err->message));
    }
  } else if (!ok && !eof) {
    return fail("the server's answer to a statement of the reset was malformed");
  }
  if (ok && (ok->status_flags & wire::status::more_results_exist) != 0) {
    return fail("the server has more to answer than the reset asked for");
  }
  if (answers_taken_ < answers_due_.size()) {
    return Step::more;
  }
  answers_due_.clear();
  answers_taken_ = 0;
  if (stage_ == Stage::roll_back) {
    change_user();
  } else if (stage_ == Stage::leave_role) {
    stage_ = Stage::change_user;
  } else {
    stage_ = Stage::prove;
  }
  return Step::more;
}

BackendReset::Step BackendReset::on_proof_packet(Bytes payload) {
  bool rows_end_with_ok = wire::has(facts_.negotiated, capability::deprecate_eof);
  switch (proof_part_) {
    case ProofPart::column_count:
      // Behind the number may stand a byte that says that the column's definition follows.
      if (payload.empty() || payload.size() > 2 || payload[0] != 1) {
        return fail("the server's answer to the proof is no result of one column");
      }
      proof_part_ = ProofPart::column;
      return Step::more;
    case ProofPart::column:
      proof_part_ = rows_end_with_ok ? ProofPart::row : ProofPart::columns_end;
      return Step::more;
    case ProofPart::columns_end:
      proof_part_ = ProofPart::row;
      return wire::parse_eof(payload) ? Step::more : fail("the server's answer to the proof was malformed");
    case ProofPart::row: {
      std::vector<std::optional<Bytes>> cells;
      bool same = wire::parse_text_row(payload, 1, cells) && cells[0] && text_of(*cells[0]) == proof_ + "0";
      proof_part_ = ProofPart::end;
      return same ? Step::more
                  : fail("the proof did not come back: the server's answers are out of step, or it has init_connect");
    }
    case ProofPart::end: {
      auto ok = rows_end_with_ok ? wire::parse_ok(payload, facts_.negotiated) : std::nullopt;
      auto eof = rows_end_with_ok ? std::nullopt : wire::parse_eof(payload);
      unsigned status = ok ? ok->status_flags : eof ? eof->status_flags : wire::status::more_results_exist;
      bool over = (status & (wire::status::more_results_exist | wire::status::in_transaction)) == 0;
      return over ? Step::done : fail("the server's answer to the proof does not end");
    }
  }
  return Step::failed;
}

}  // namespace sallyport::session
