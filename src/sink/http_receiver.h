// Posts messages to an HTTP server, many at a time, as JSON lines.
#pragma once

#include <memory>
#include <string>

#include "sink/halt.h"
#include "sink/receiver.h"
#include "sink/settings.h"

namespace sallyport::sink {

// What becomes of a request that was answered so. Any 2xx acknowledges it. 408, 425, 429 and 5xx ask for another
// attempt, 413 for one with less; anything else, a redirect among it, will be the same again and is an error of kind
// `refused`.
Delivered outcome_of(long status, std::optional<Seconds> retry_after);

class HttpReceiver final : public Receiver {
 public:
  // `halt` outlives it.
  HttpReceiver(HttpSettings settings, const Halt& halt);
  ~HttpReceiver() override;

  Delivered deliver(const std::vector<Message>& messages) override;

 private:
  class Handle;
  HttpSettings settings_;
  const Halt& halt_;
  std::unique_ptr<Handle> handle_;  // null after an error, so that the next request has a connection of its own
  std::string body_;
};

}  // namespace sallyport::sink
