#include "net/side_kills.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/backends.h"
#include "net/connection.h"
#include "net/loop.h"
#include "net/own_exchange.h"

namespace sallyport::net {
namespace {

using session::KillBudget;
using session::KillOutcome;
using session::SideKill;

constexpr std::string_view too_soon_text = "not tried: the server could not be reached just now";

// What Leg::peer() wrote.
Endpoint endpoint_of(const std::string& peer) {
  Endpoint endpoint;
  endpoint.resize(peer.size());
  std::memcpy(endpoint.data(), peer.data(), peer.size());
  return endpoint;
}

}  // namespace

Kill::Kill(Loop& loop, Task task) : loop_(loop), task_(std::move(task)), state_(std::move(task_.order), loop.now()) {}

void Kill::begin() {
  begun_ = true;
  loop_.own_counters().raise(Level::side_connections_open);
  if (state_.order().server.empty()) {
    state_.failed("it is not known where the target is connected to");
    pump();
    return;
  }
  dial_ = Dial::start(loop_, endpoint_of(state_.order().server),
                      [this](Result<Descriptor, std::string> socket) { on_dialed(std::move(socket)); });
}

void Kill::not_tried(std::string why) {
  state_.not_tried(std::move(why));
  pump();
}

void Kill::on_dialed(Result<Descriptor, std::string> socket) {
  auto self = shared_from_this();
  dial_.reset();
  if (socket) {
    leg_ = std::make_unique<Leg>(loop_, std::move(socket).value());
    leg_->set_owner(weak_from_this());
    loop_.own_counters().raise(Level::backend_connections_open);
    loop_.own_counters().add(Metric::side_connections);
    state_.connected();
  } else {
    state_.failed(std::move(socket).error());
  }
  pump();
}

void Kill::pump() {
  while (exchange()) {
  }
  if (state_.state() == SideKill::State::over && !finished_) {
    finish();
  }
}

// Whether anything moved.
bool Kill::exchange() {
  if (!leg_ || finished_) {
    return false;
  }
  switch (state_.state()) {
    case SideKill::State::wants_to_know:
      ask_whether_wanted();
      return true;
    case SideKill::State::pausing:
      pause();
      return false;
    case SideKill::State::connecting:
    case SideKill::State::over:
      return false;
    case SideKill::State::busy:
    case SideKill::State::wants_tls:
      break;
  }
  return exchange_own(*leg_, state_, state_.order().kind, *task_.runtime);
}

// Where the target's session has ended, its KILL is.
void Kill::ask_whether_wanted() {
  auto asker = task_.asker.lock();
  if (task_.held || (asker && asker->kill_due(state_.order().number))) {
    state_.go_ahead(loop_.now());
  } else {
    state_.call_off();
  }
}

void Kill::time_passed(Now now) {
  state_.time_passed(now);
  pump();
}

void Kill::finish() {
  finished_ = true;
  auto self = shared_from_this();
  const KillOutcome& outcome = state_.outcome();
  dial_.reset();
  if (leg_) {
    leg_->send(OwnSide<SideKill>{state_});  // COM_QUIT, if the socket takes it
    leg_->shutdown_write();
    leg_.reset();
    loop_.own_counters().lower(Level::backend_connections_open);
  }
  close_held();
  count(outcome);
  if (begun_) {
    loop_.own_counters().lower(Level::side_connections_open);
    auto reached = state_.found_server_unreachable()               ? KillBudget::Reached::no
                   : outcome.status == KillOutcome::Status::failed ? KillBudget::Reached::unknown
                                                                   : KillBudget::Reached::yes;
    loop_.shared().kills.end(state_.order().server, reached, loop_.now().mono);
  }
  record(outcome);
  if (auto asker = task_.asker.lock()) {
    asker->kill_answered(state_.order().number, outcome);
  }
  loop_.side_kills().remove(self);
}

// The loop looks at deadlines too seldom for a side connection to wait for that: others may wait for it.
void Kill::pause() {
  close_held();
  if (std::exchange(pauses_, true)) {
    return;
  }
  auto left = std::chrono::ceil<Milliseconds>(state_.deadline() - loop_.now().mono);
  loop_.after(std::max(left, Milliseconds{0}), [weak = weak_from_this()] {
    if (auto self = weak.lock(); self && !self->over()) {
      self->time_passed(read_clocks());
    }
  });
}

void Kill::close_held() {
  if (task_.held) {
    task_.held->shutdown_write();
    task_.held.reset();
    loop_.own_counters().lower(Level::backend_connections_open);
    task_.place = {};
    if (task_.slot) {
      loop_.backends().closed(*std::exchange(task_.slot, std::nullopt));
    }
  }
}

void Kill::count(const KillOutcome& outcome) {
  LoopCounters& counters = loop_.own_counters();
  switch (outcome.status) {
    case KillOutcome::Status::done:
      counters.add(Metric::kills_done);
      return;
    case KillOutcome::Status::not_wanted:
      return;
    case KillOutcome::Status::refused:
    case KillOutcome::Status::failed:
      counters.add(Metric::kills_failed);
      break;
    case KillOutcome::Status::not_tried:
      counters.add(Metric::kills_not_tried);
      break;
  }
  loop_.shared().log.write(Severity::info, "a statement at a server was not ended by KILL",
                           {{"connection", state_.order().kind.connection}, {"cause", outcome.detail}});
}

// Where no session is there any more that would.
void Kill::record(const KillOutcome& outcome) {
  const session::KillOrder& order = state_.order();
  if (order.outcome_seq == 0) {
    return;
  }
  std::string line;
  session::append_kill_outcome(
      line,
      {.session = order.session_id,
       .seq = order.outcome_seq,
       .result = {.of = order.of, .status = session::name_of(outcome.status), .detail = outcome.detail}},
      loop_.now().wall);
  if (loop_.audit().append(line)) {
    loop_.own_counters().add(Metric::audit_records);
    loop_.own_counters().add(Metric::audit_bytes, line.size());
  }
}

void SideKills::start(Kill::Task task) {
  auto kill = std::make_shared<Kill>(loop_, std::move(task));
  kills_.insert(kill);
  loop_.after(Milliseconds{0}, [this, weak = std::weak_ptr<Kill>(kill)] {
    if (auto held = weak.lock(); held && !held->over()) {
      admit(held);
    }
  });
}

void SideKills::admit(const std::shared_ptr<Kill>& kill) {
  MonoTime now = loop_.now().mono;
  const session::KillOrder& order = kill->order();
  bool away = loop_.shared().backends.use(
      [&](session::BackendPool& pool, auto& /*orders*/) { return pool.is_away(order.kind, now); });
  if (away) {
    kill->not_tried(std::string(too_soon_text));
    return;
  }
  switch (loop_.shared().kills.ask(order.server, order.environment->limits, now)) {
    case KillBudget::Verdict::begin:
      kill->begin();
      break;
    case KillBudget::Verdict::wait:
      loop_.own_counters().raise(Level::kills_waiting);
      waiting_.push_back(kill);
      break;
    case KillBudget::Verdict::too_many:
      kill->not_tried("not tried: limits.kills_waiting_max wait already");
      break;
    case KillBudget::Verdict::too_soon:
      kill->not_tried(std::string(too_soon_text));
      break;
  }
}

void SideKills::serve_waiting() {
  while (!waiting_.empty()) {
    auto kill = waiting_.front();
    auto verdict =
        loop_.shared().kills.ask_again(kill->order().server, kill->order().environment->limits, loop_.now().mono);
    if (verdict == KillBudget::Verdict::wait) {
      return;
    }
    waiting_.pop_front();
    loop_.own_counters().lower(Level::kills_waiting);
    if (verdict == KillBudget::Verdict::begin) {
      kill->begin();
    } else {
      kill->not_tried(std::string(too_soon_text));
    }
  }
}

void SideKills::remove(const std::shared_ptr<Kill>& kill) {
  kills_.erase(kill);
  if (auto found = std::find(waiting_.begin(), waiting_.end(), kill); found != waiting_.end()) {
    waiting_.erase(found);
    loop_.own_counters().lower(Level::kills_waiting);
    loop_.shared().kills.withdraw();
  }
  if (closing_) {
    return;
  }
  // Not from here: a kill that fails at once would come back.
  loop_.after(Milliseconds{0}, [this] { serve_waiting(); });
  loop_.stop_if_done();
}

void SideKills::time_passed(Now now) {
  std::vector<std::shared_ptr<Kill>> due;
  for (const auto& kill : kills_) {
    if (now.mono >= kill->deadline()) {
      due.push_back(kill);
    }
  }
  for (const auto& kill : due) {
    kill->time_passed(now);
  }
  if (!waiting_.empty()) {
    serve_waiting();
  }
}

void SideKills::close_all() {
  closing_ = true;
  waiting_.clear();
  kills_.clear();
}

}  // namespace sallyport::net
