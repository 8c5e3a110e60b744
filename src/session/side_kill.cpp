#include "session/side_kill.h"

#include <utility>

namespace sallyport::session {
namespace {

// After it nearly every statement that was killed, and whose connection was closed, has ended.
constexpr Milliseconds last_text_delay{100};
constexpr std::uint16_t unknown_thread = 1094;

}  // namespace

std::string_view name_of(KillOutcome::Status status) {
  switch (status) {
    case KillOutcome::Status::done:
      return "done";
    case KillOutcome::Status::refused:
      return "refused";
    case KillOutcome::Status::not_wanted:
      return "not_wanted";
    case KillOutcome::Status::not_tried:
      return "not_tried";
    case KillOutcome::Status::failed:
      return "failed";
  }
  return {};
}

SideKill::SideKill(KillOrder order, Now since)
    : order_(std::move(order)),
      spare_({.environment = order_.environment, .kind = order_.kind}, since),
      deadline_(since.mono + order_.environment->limits.kill_timeout) {}

void SideKill::connected() {
  if (state_ == State::connecting) {
    state_ = State::busy;
  }
}

void SideKill::failed(std::string why) {
  unreachable_ = true;
  end(KillOutcome::Status::failed, std::move(why));
}

void SideKill::not_tried(std::string why) {
  end(KillOutcome::Status::not_tried, std::move(why));
}

void SideKill::tls_established() {
  spare_.tls_established();
  state_ = State::busy;
}

void SideKill::go_ahead(Now now) {
  if (state_ == State::wants_to_know) {
    asked_ = true;
    pause_until_ = now.mono + last_text_delay;
    state_ = State::busy;
    spare_.kill(order_.text, now);
  }
}

void SideKill::call_off() {
  if (state_ == State::wants_to_know) {
    spare_.quit();
    end(KillOutcome::Status::not_wanted);
  }
}

void SideKill::received(std::size_t count) {
  spare_.received(count);
  follow();
}

void SideKill::closed() {
  spare_.closed();
  follow();
}

void SideKill::violated(std::string how) {
  spare_.violated(std::move(how));
  follow();
}

void SideKill::follow() {
  switch (spare_.state()) {
    case SpareBackend::State::busy:
      break;
    case SpareBackend::State::wants_tls:
      state_ = State::wants_tls;
      break;
    case SpareBackend::State::idle:
      if (!asked_) {
        state_ = State::wants_to_know;
        break;
      }
      outcome_.refusal = spare_.kill_refusal();
      if (!outcome_.refusal && !last_asked_ && !order_.last_text.empty()) {
        state_ = State::pausing;
        break;
      }
      spare_.quit();
      if (last_asked_ && outcome_.refusal && outcome_.refusal->code == unknown_thread) {
        outcome_.refusal.reset();  // it has ended
      }
      if (outcome_.refusal) {
        end(KillOutcome::Status::refused, std::to_string(outcome_.refusal->code) + " " + outcome_.refusal->message);
      } else {
        end(KillOutcome::Status::done);
      }
      break;
    case SpareBackend::State::failed:
      unreachable_ = !asked_ && spare_.login_failure() == Reason::backend_unavailable;
      end(KillOutcome::Status::failed, spare_.failure());
      break;
  }
}

void SideKill::time_passed(Now now) {
  if (state_ != State::over && now.mono >= deadline_) {
    unreachable_ = !asked_;
    end(KillOutcome::Status::failed, asked_ ? "the server did not answer the KILL within limits.kill_timeout"
                                            : "the server was not reached within limits.kill_timeout");
  } else if (state_ == State::pausing && now.mono >= pause_until_) {
    last_asked_ = true;
    state_ = State::busy;
    spare_.kill(order_.last_text, now);
  }
}

// The first end counts.
void SideKill::end(KillOutcome::Status status, std::string detail) {
  if (state_ != State::over) {
    state_ = State::over;
    outcome_.status = status;
    outcome_.detail = std::move(detail);
  }
}

}  // namespace sallyport::session
