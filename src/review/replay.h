// A recorded session as its client saw it: what it sent, and what it got.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "review/answers.h"
#include "review/session_story.h"
#include "store/answer_blob.h"

namespace sallyport::review {

// What is shown at a time, in nanoseconds since 1970.
struct ReplayStep {
  std::int64_t time = 0;
  std::string text;  // safe for a terminal, with its line ends
};

struct AnswerKey {
  std::string session;
  std::uint64_t command_seq = 0;
  std::uint64_t command_number = 0;  // index in the log
  std::uint64_t outcome_number = 0;
  std::uint64_t recorded_bytes = 0;  // what pieces there are beyond are none of the answer
};
// The recorded packets of an answer. The error is for a person.
using FindAnswer = std::function<Result<store::StoredAnswer, std::string>(const AnswerKey& key)>;

// Calls `show` for each step, in their order, until it returns false.
Result<Unit, std::string> replay(const SessionStory& story, const FindAnswer& find, const AnswerLimits& limits,
                                 const std::function<bool(const ReplayStep&)>& show);

// What the client and the gateway agreed on, as far as answers show it: `packets` is an answer of `command`. Where
// session_start has client_capabilities they are taken from there.
wire::Capabilities guess_capabilities(wire::Command command, Bytes packets);

}  // namespace sallyport::review
