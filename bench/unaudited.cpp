// What takes the place of src/session/records.cpp and answer_trace.cpp in `sallyport-unaudited`: a gateway that makes
// no record of its sessions and no digest of answers, so that bench/run can say what auditing costs. There is no
// setting for it, and the program is not installed.
#include "session/answer_trace.h"
#include "session/records.h"

namespace sallyport::session {

bool SessionRecords::login_accepted(const LoginRecord& /*login*/, WallTime /*now*/) {
  return true;
}

bool SessionRecords::login_refused(const LoginRecord& /*login*/, std::string_view /*reason*/,
                                   std::string_view /*detail*/, WallTime /*now*/) {
  return true;
}

bool SessionRecords::session_start(const LoginRecord& /*login*/, const Start& /*start*/, WallTime /*now*/) {
  return true;
}

bool SessionRecords::command(const CommandRecord& /*command*/, WallTime /*now*/) {
  ++seq_;
  return true;
}

bool SessionRecords::outcome(const OutcomeRecord& /*outcome*/, WallTime /*now*/) {
  return true;
}

bool SessionRecords::kill(const Kill& /*kill*/, WallTime /*now*/) {
  return true;
}

bool SessionRecords::kill_outcome(const KillResult& /*result*/, WallTime /*now*/) {
  return true;
}

bool SessionRecords::session_end(std::string_view /*account*/, std::string_view /*reason*/, std::string_view /*detail*/,
                                 WallTime /*now*/) {
  return true;
}

void SessionRecords::begin_session() {}

void append_kill_outcome(std::string& /*line*/, const KillOutcomeRecord& /*outcome*/, WallTime /*now*/) {}

void AnswerTrace::begin(const Plan& /*plan*/, audit::Sink& /*sink*/, std::string_view /*session*/,
                        std::uint64_t /*command*/) {
  bytes_ = 0;
}

// What the limits of a session count by.
void AnswerTrace::add(Bytes bytes) {
  if (bytes_ == 0) {
    first_byte_at_ = now_;
  }
  bytes_ += bytes.size();
}

std::optional<crypto::Sha256Digest> AnswerTrace::digest() const {
  return std::nullopt;
}

std::optional<AnswerTrace::Recorded> AnswerTrace::recorded() const {
  return std::nullopt;
}

}  // namespace sallyport::session
