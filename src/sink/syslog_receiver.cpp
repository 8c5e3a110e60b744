#include "sink/syslog_receiver.h"

#include <unistd.h>

#include <array>

#include "sink/syslog_format.h"

namespace sallyport::sink {
namespace {

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "-";
}

}  // namespace

SyslogReceiver::SyslogReceiver(SyslogSettings settings, const Halt& halt)
    : settings_(std::move(settings)), halt_(halt) {
  if (settings_.host_name.empty()) {
    settings_.host_name = machine_name();
  }
}

Delivered SyslogReceiver::send(const std::vector<Message>& messages) {
  text_.clear();
  bool datagrams = settings_.transport == SyslogTransport::unix_socket;
  for (const Message& message : messages) {
    if (!datagrams) {
      append_counted_syslog_message(text_, settings_, message);
      continue;
    }
    text_.clear();
    append_syslog_message(text_, settings_, message);
    if (auto sent = connection_->send(text_); !sent) {
      return sent;
    }
  }
  auto sent = datagrams ? Delivered(Unit{}) : connection_->send(text_);
  return sent ? connection_->wait_until_acknowledged() : sent;
}

Delivered SyslogReceiver::deliver(const std::vector<Message>& messages) {
  if (connection_ == nullptr) {
    auto opened = SyslogConnection::open(settings_, halt_);
    if (!opened) {
      return Unexpected(std::move(opened).error());
    }
    connection_ = std::move(*opened);
  }
  auto done = connection_->check();
  if (done) {
    done = send(messages);
    // What a receiver says before it closes the connection is the better reason.
    if (auto said = done ? Delivered(Unit{}) : connection_->check();
        !said && said.error().kind == DeliveryError::Kind::refused) {
      done = said;
    }
  }
  if (!done) {
    connection_.reset();
  }
  return done;
}

Delivered SyslogReceiver::idle() {
  if (connection_ == nullptr) {
    return Unit{};
  }
  auto done = connection_->check();
  if (!done) {
    connection_.reset();
  }
  return done;
}

}  // namespace sallyport::sink
