#include "session/answer_trace.h"

#include <algorithm>

namespace sallyport::session {

void AnswerTrace::begin(const Plan& plan, audit::Sink& sink, std::string_view session, std::uint64_t command) {
  plan_ = plan;
  sink_ = &sink;
  session_ = session;
  command_ = command;
  bytes_ = recorded_bytes_ = 0;
  all_ = crypto::Sha256{};
  if (plan.recorded_bytes_max > 0) {
    recorded_ = crypto::Sha256{};
  }
  failed_ = false;
}

void AnswerTrace::add(Bytes bytes) {
  if (bytes.empty() || sink_ == nullptr) {
    return;
  }
  if (bytes_ == 0) {
    first_byte_at_ = now_;
  }
  if (bytes_ < plan_.digest_bytes_max) {
    all_.update(bytes);
  }
  if (bytes_ < plan_.recorded_bytes_max && !failed_) {
    record(bytes.first(std::min<std::uint64_t>(bytes.size(), plan_.recorded_bytes_max - bytes_)));
  }
  bytes_ += bytes.size();
}

void AnswerTrace::record(Bytes bytes) {
  failed_ = !sink_->append_answer({.session = session_,
                                   .command = command_,
                                   .offset = recorded_bytes_,
                                   .bytes = bytes,
                                   .only_sealed = plan_.only_sealed});
  if (!failed_) {
    recorded_.update(bytes);
    recorded_bytes_ += bytes.size();
  }
}

std::optional<crypto::Sha256Digest> AnswerTrace::digest() const {
  return bytes_ == 0 || bytes_ > plan_.digest_bytes_max ? std::nullopt : std::optional(all_.digest());
}

std::optional<AnswerTrace::Recorded> AnswerTrace::recorded() const {
  if (plan_.recorded_bytes_max == 0 || bytes_ == 0) {
    return std::nullopt;
  }
  return Recorded{.bytes = recorded_bytes_, .digest = recorded_.digest(), .failed = failed_};
}

}  // namespace sallyport::session
