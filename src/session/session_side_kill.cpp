// What the gateway has the server stop by a side connection: a statement that has taken too long, what a session that
// ends leaves running, and what a client's KILL names where its own connection can't carry that.
//
// A KILL takes its way beside the session's own connection and may arrive when the statement has ended by itself. It
// must not meet the next one: so none is sent before the KILL is answered, and a COM_PING goes before it, in whose
// course the server drops what a late KILL has left.
#include <algorithm>

#include "base/check.h"
#include "session/session.h"

namespace sallyport::session {
namespace {

// A stored procedure may go on after a KILL that met it between two statements, or in one that takes it for its end (DO
// SLEEP). So it is repeated as often as this until limits.kill_timeout.
constexpr Milliseconds kill_interval{400};

}  // namespace

KillOrder Session::kill_order() {
  SALLYPORT_CHECK(kill_order_ != nullptr);
  KillOrder order = std::move(*kill_order_);
  kill_order_.reset();
  return order;
}

void Session::order_kill(KillPurpose purpose, Reason reason) {
  bool leaves = purpose == KillPurpose::leave_nothing;
  bool is_mysql = who_->connection->flavor == Flavor::mysql;
  std::string number = std::to_string(backend_.connection_id);
  // Softly: MariaDB then lets a repair or the making of an index come to a safe end.
  std::string text = is_mysql ? "KILL QUERY " : leaves ? "KILL SOFT CONNECTION " : "KILL SOFT QUERY ";
  text += number;
  // MySQL closes a killed connection's socket while its thread may still write, over TLS to whichever connection has
  // the descriptor by then: so the statement is ended first.
  std::string last_text = leaves && is_mysql ? "KILL CONNECTION " + number : std::string{};
  auto* answering = phase<Answering>();
  auto* interrupted = phase<Interrupted>();
  records_.kill({.of = answering != nullptr     ? answering->pending.seq
                       : interrupted != nullptr ? interrupted->seq
                                                : 0,
                 .reason = reason_text(reason).code,
                 .text = last_text.empty() ? text : text + "; " + last_text},
                now_.wall);
  kill_seq_ = records_.last_seq();
  count_audit();
  auto not_begun = actions_.begin() + static_cast<std::ptrdiff_t>(next_action_);
  actions_.erase(std::remove(not_begun, actions_.end(), Action::kill), actions_.end());
  kill_order_ =
      std::make_unique<KillOrder>(KillOrder{.number = ++kills_ordered_,
                                            .environment = who_->environment,
                                            .kind = {.connection = who_->connection->name,
                                                     .server = target_.server->name,
                                                     .login = target_.login->name,
                                                     .collation_id = hello_.collation_id},
                                            .server = backend_server_,
                                            .text = std::move(text),
                                            .last_text = std::move(last_text),
                                            .session_id = origin_.session_id,
                                            .of = kill_seq_,
                                            .outcome_seq = leaves ? kill_seq_ + 2 : 0});  // behind session_end
}

void Session::statement_overdue() {
  bool first = interrupt_ == Interrupt::none;
  bool again = interrupt_ == Interrupt::answered && now_.mono < interrupt_until_;
  if (phase<Answering>() == nullptr || !(first || again)) {
    end_session(Reason::statement_not_stopped);
    return;
  }
  if (first) {
    counters_.add(Metric::statement_timeouts);
    interrupt_ = Interrupt::asked;
    // The KILL has limits.kill_timeout from now on, and the shell says when that has passed; these are for the case
    // that it does not.
    phase_deadline_ = now_.mono + 2 * environment_->limits.kill_timeout;
    interrupt_until_ = MonoTime::max();
  } else {
    interrupt_ = Interrupt::asked_again;
    phase_deadline_ = interrupt_until_;
  }
  order_kill(KillPurpose::stop_statement, Reason::statement_timeout);
  request(Action::commit_audit);
  request(Action::kill);
}

bool Session::kill_due(std::uint64_t number, Now now) {
  at(now);
  if (number != kills_ordered_ || closing() || ending_) {
    return false;
  }
  if (phase<Killing>() != nullptr) {
    return true;
  }
  auto* answering = phase<Answering>();
  bool asked = interrupt_ == Interrupt::asked || interrupt_ == Interrupt::asked_again;
  if (answering == nullptr || !asked) {
    return false;
  }
  interrupt_ = Interrupt::sent;
  was_interrupted_ = true;
  phase_deadline_ = now.mono + 2 * environment_->limits.kill_timeout;
  if (answering->upload) {
    answering->relay.interrupt_later(Reason::statement_timeout);
  } else {
    answering->relay.interrupt(Reason::statement_timeout, to_client_, state_);
  }
  return true;
}

void Session::kill_answered(std::uint64_t number, const KillOutcome& outcome, Now now) {
  at(now);
  if (number != kills_ordered_ || closing()) {
    return;
  }
  if (phase<Killing>() != nullptr) {
    answer_kill(outcome);
    return;
  }
  records_.kill_outcome({.of = kill_seq_, .status = name_of(outcome.status), .detail = outcome.detail}, now.wall);
  count_audit();
  if (interrupt_ == Interrupt::none) {
    return;
  }
  if (outcome.status != KillOutcome::Status::done) {
    end_session(Reason::statement_not_stopped, outcome.detail);
    return;
  }
  interrupt_ = Interrupt::answered;
  interrupt_until_ = std::min<MonoTime>(interrupt_until_, now.mono + environment_->limits.kill_timeout);
  if (phase<Interrupted>() != nullptr) {
    go_on_after_kill();
  } else {
    phase_deadline_ = std::min<MonoTime>(interrupt_until_, now.mono + kill_interval);
  }
}

bool Session::settle_interrupt() {
  switch (interrupt_) {
    case Interrupt::none:
      return false;
    case Interrupt::asked:  // too late: it has ended by itself
      interrupt_ = Interrupt::none;
      return false;
    case Interrupt::sent:
      phase_ = Interrupted{.seq = std::uint64_t{phase<Answering>()->pending.seq}};
      return true;
    case Interrupt::answered:
    case Interrupt::asked_again:
      if (ending_) {
        interrupt_ = Interrupt::none;
        return false;
      }
      go_on_after_kill();
      return true;
  }
  return false;
}

void Session::go_on_after_kill() {
  interrupt_ = Interrupt::none;
  ask_for_transaction();
  enter_ready();
}

// take_own_answers() reads the answer's status flags.
void Session::ask_for_transaction() {
  wire::PacketWriter writer{to_backend_.made()};
  writer.begin(0);
  writer.u8(static_cast<std::uint8_t>(wire::Command::ping));
  writer.end();
  to_backend_.queue_made();
  ++own_answers_due_;
  ping_due_ = true;
}

bool Session::statement_runs() const {
  return backend_open_ && !backend_broken_ &&
         (std::holds_alternative<Answering>(phase_) || std::holds_alternative<Interrupted>(phase_));
}

// The target is on another server than this session, or logged in there as another.
void Session::kill_elsewhere(const PendingCommand& pending) {
  to_backend_.skip(pending.message.frame_bytes);
  kill_order_->number = ++kills_ordered_;
  phase_ = Killing{pending};
  phase_deadline_ = now_.mono + 2 * environment_->limits.kill_timeout;
  request(Action::kill);
}

void Session::answer_kill(const KillOutcome& outcome) {
  PendingCommand pending = std::move(phase<Killing>()->pending);
  ++kills_ordered_;  // whatever is still heard of it comes too late
  std::uint8_t sequence_id = pending.message.next_sequence_id;
  bool done = outcome.status == KillOutcome::Status::done;
  if (done) {
    constexpr std::uint16_t of_the_session = wire::status::in_transaction | wire::status::autocommit;
    auto flags = static_cast<std::uint16_t>(state_.status_flags & of_the_session);
    if (series_ && series_->has_more()) {
      flags |= wire::status::more_results_exist;
    }
    std::size_t before = to_client_.made().size();
    wire::PacketWriter writer{to_client_.made()};
    writer.begin(sequence_id);
    wire::write_ok(writer, {.status_flags = flags}, legs_.client);
    sequence_id = writer.end();
    queue_answer(before);
    record_outcome(pending, "ok", {}, nullptr);
  } else {
    ClientError error = client_error(Reason::kill_failed);
    if (outcome.refusal) {
      error = {.mysql_error = outcome.refusal->code,
               .sql_state = outcome.refusal->sql_state,
               .message = outcome.refusal->message};
    }
    send_error(sequence_id, error);
    wire::ErrPacket refusal{.code = error.mysql_error, .sql_state = error.sql_state, .message = error.message};
    record_outcome(pending, "error", outcome.refusal ? std::string_view{} : reason_text(Reason::kill_failed).code,
                   nullptr, &refusal);
  }
  counters_.observe(Duration::command, now_.mono - pending.began);
  if (series_ && done && series_->has_more()) {
    process_next_statement(sequence_id);
    return;
  }
  series_.reset();
  enter_ready();
}

}  // namespace sallyport::session
