// Where a sink's messages go: the port that src/sink's receivers implement.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace sallyport::sink {

struct Message {
  std::uint64_t index = 0;  // of its record in the log
  std::string session;      // id; empty for a record of none
  WallTime time;            // of the record
  std::string type;         // likewise
  std::string text;         // JSON, without a line end
};

struct DeliveryError {
  enum class Kind : std::uint8_t {
    unreachable,  // it is away, does not answer in time, or asks for patience
    refused,      // it says no: it, or we, are not set up right, and trying again at once is of no use
    too_large     // likewise, but it may well take fewer messages at once, or a shorter one
  };
  Kind kind = Kind::unreachable;
  std::string text;                    // a sentence for the operator; no secret
  std::optional<Seconds> retry_after;  // that it asked for
};

using Delivered = Result<Unit, DeliveryError>;

// Used by one thread. Waits no longer than it is allowed to, and ends early when the Halt that it was made with is due.
class Receiver {
 public:
  Receiver() = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  virtual ~Receiver() = default;

  // All of them, in their order; good when the receiver has acknowledged them. After an error it may have any of them,
  // and all are to be delivered again.
  virtual Delivered deliver(const std::vector<Message>& messages) = 0;

  // Called now and then while there is nothing to deliver. An error: what was acknowledged last may be lost, see
  // uncertain_records().
  virtual Delivered idle() { return Unit{}; }

  // How many records, of those that were acknowledged before an error or the start, are to be delivered once more.
  virtual std::uint64_t uncertain_records() const { return 0; }
};

}  // namespace sallyport::sink
