// Sends messages to a syslog receiver, which acknowledges nothing: docs/sinks.md says what that means.
#pragma once

#include <memory>
#include <string>

#include "sink/halt.h"
#include "sink/receiver.h"
#include "sink/settings.h"
#include "sink/syslog_connection.h"

namespace sallyport::sink {

// Acknowledged is what the receiver's kernel has taken. What its program has not read or written then is lost with it,
// so a new connection begins with so many records that were sent before.
class SyslogReceiver final : public Receiver {
 public:
  // `halt` outlives it.
  SyslogReceiver(SyslogSettings settings, const Halt& halt);

  Delivered deliver(const std::vector<Message>& messages) override;
  Delivered idle() override;
  std::uint64_t uncertain_records() const override { return settings_.resend_records; }

 private:
  Delivered send(const std::vector<Message>& messages);

  SyslogSettings settings_;
  const Halt& halt_;
  std::unique_ptr<SyslogConnection> connection_;
  std::string text_;
};

}  // namespace sallyport::sink
