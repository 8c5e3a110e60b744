#include "net/leg.h"

#include <boost/asio/ip/tcp.hpp>

namespace sallyport::net {
namespace {

using boost::system::error_code;

void set_options(Socket& socket) {
  error_code ignored;
  socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
}

}  // namespace

Leg::Leg(Socket socket) : channel_(std::move(socket)) {
  set_options(channel_.socket());
}

void Leg::tell_owner() {
  if (auto owner = owner_.lock()) {
    owner->leg_ready();
  }
}

Channel::Handshake Leg::handshake() {
  Channel::Handshake step = channel_.handshake();
  switch (step) {
    case Channel::Handshake::done:
      break;
    case Channel::Handshake::wants_read:
      wait_readable();
      break;
    case Channel::Handshake::wants_write:
      wait_writable();
      break;
    case Channel::Handshake::failed:
      handshake_failed_ = true;
      break;
  }
  return step;
}

Leg::Transfer Leg::transfer(IoStatus status) {
  switch (status) {
    case IoStatus::ok:
      return Transfer::moved;
    case IoStatus::would_block:
      return Transfer::none;
    case IoStatus::closed:
    case IoStatus::failed:
      return Transfer::closed;
  }
  return Transfer::closed;
}

void Leg::wait_readable() {
  if (!channel_.waiting_readable() && channel_.is_open()) {
    channel_.async_wait_readable([self = shared_from_this()](const error_code& /*error*/) { self->tell_owner(); });
  }
}

void Leg::wait_writable() {
  write_waits_ = true;
  channel_.async_wait_writable([self = shared_from_this()](const error_code& /*error*/) {
    self->write_waits_ = false;
    self->tell_owner();
  });
}

bool Leg::discard(MonoTime until) {
  if (channel_.waiting_readable()) {
    return true;
  }
  std::array<std::uint8_t, 4096> nowhere;
  error_code error;
  std::size_t count = 0;
  do {
    count = channel_.socket().read_some(boost::asio::buffer(nowhere), error);
  } while (!error && count > 0 && read_clocks().mono < until);
  if (error != boost::asio::error::would_block) {
    return false;
  }
  wait_readable();
  return true;
}

void Leg::close() {
  owner_.reset();
  channel_.close();
}

}  // namespace sallyport::net
