// A connection to a syslog receiver: TCP, TLS over it, or a Unix datagram socket.
#pragma once

#include <memory>
#include <string_view>

#include "base/descriptor.h"
#include "sink/halt.h"
#include "sink/receiver.h"
#include "sink/settings.h"

namespace sallyport::sink {

class SyslogConnection {
 public:
  virtual ~SyslogConnection() = default;
  SyslogConnection() = default;
  SyslogConnection(const SyslogConnection&) = delete;
  SyslogConnection& operator=(const SyslogConnection&) = delete;

  // `halt` outlives it. Each of the following returns early when it is due.
  static Result<std::unique_ptr<SyslogConnection>, DeliveryError> open(const SyslogSettings& settings,
                                                                       const Halt& halt);

  // All of it; of a datagram socket one message.
  virtual Delivered send(std::string_view bytes) = 0;
  // Until the peer's kernel has acknowledged all that was sent, and the connection is still whole then.
  virtual Delivered wait_until_acknowledged() = 0;
  // An error when the peer has closed the connection.
  virtual Delivered check() = 0;
};

}  // namespace sallyport::sink
