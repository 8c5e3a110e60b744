// What a client is sent in answer to one command: how much, its digest, when it began, and the part that is recorded.
//
// The answer is the bytes of its packets, with their headers, as they are queued for the client: before compression and
// TLS. docs/audit-records.md defines it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "audit/sink.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/hash.h"

namespace sallyport::session {

class AnswerTrace {
 public:
  struct Plan {
    std::uint64_t digest_bytes_max = UINT64_MAX;  // of a longer answer there is no digest
    std::uint64_t recorded_bytes_max = 0;         // so much of it is recorded
    bool only_sealed = false;                     // and only where the sink encrypts it
  };
  // Begins the answer to the command of that `seq`. `sink`, and what `session` refers to, must outlive the trace's use.
  void begin(const Plan& plan, audit::Sink& sink, std::string_view session, std::uint64_t command);

  // When what follows happens.
  void at(MonoTime now) { now_ = now; }
  // The next bytes of the answer, which are queued now.
  void add(Bytes bytes);

  // What follows is none of this answer.
  void end() { sink_ = nullptr; }

  std::uint64_t bytes() const { return bytes_; }
  std::optional<MonoTime> first_byte_at() const { return bytes_ > 0 ? std::optional(first_byte_at_) : std::nullopt; }
  // Nothing of an empty answer, and of one beyond the plan's bound.
  std::optional<crypto::Sha256Digest> digest() const;
  struct Recorded {
    std::uint64_t bytes = 0;
    crypto::Sha256Digest digest{};
    bool failed = false;  // the sink did not take what was due to be recorded
  };
  // Nothing where none of it was to be recorded.
  std::optional<Recorded> recorded() const;

 private:
  void record(Bytes bytes);

  Plan plan_;
  audit::Sink* sink_ = nullptr;
  std::string_view session_;
  std::uint64_t command_ = 0;
  MonoTime now_;
  MonoTime first_byte_at_;
  std::uint64_t bytes_ = 0;
  crypto::Sha256 all_;
  std::uint64_t recorded_bytes_ = 0;
  crypto::Sha256 recorded_;  // of the recorded part
  bool failed_ = false;
};

}  // namespace sallyport::session
