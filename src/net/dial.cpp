#include "net/dial.h"

#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>

#include "net/socket_options.h"

namespace sallyport::net {
namespace {

// An address that has not answered for so long does not keep the next one waiting (RFC 8305, "Connection Attempt
// Delay").
constexpr Milliseconds attempt_delay{250};

}  // namespace

std::shared_ptr<Dial> Dial::start(Loop& loop, const session::ServerSettings& server, Done done) {
  std::shared_ptr<Dial> dial(new Dial(loop, std::move(done)));
  dial->resolve(server);
  return dial;
}

std::shared_ptr<Dial> Dial::start(Loop& loop, const Endpoint& endpoint, Done done) {
  std::shared_ptr<Dial> dial(new Dial(loop, std::move(done)));
  dial->endpoints_.push_back(endpoint);
  loop.after(Milliseconds{0}, [weak = dial->weak_from_this()] {
    if (auto self = weak.lock()) {
      self->connect_next();
    }
  });
  return dial;
}

void Dial::resolve(const session::ServerSettings& server) {
  auto begin = [weak = weak_from_this()] {
    if (auto self = weak.lock()) {
      self->connect_next();
    }
  };
  if (!server.socket_path.empty()) {
    endpoints_.emplace_back(boost::asio::local::stream_protocol::endpoint(server.socket_path.string()));
    loop_.after(Milliseconds{0}, begin);
    return;
  }
  boost::system::error_code not_numeric;
  auto address = boost::asio::ip::make_address(server.host, not_numeric);
  if (!not_numeric) {
    endpoints_.emplace_back(boost::asio::ip::tcp::endpoint(address, server.port));
    loop_.after(Milliseconds{0}, begin);
    return;
  }
  loop_.shared().resolve(server.host, server.port, loop_, [weak = weak_from_this()](const LoopShared::Lookup& found) {
    auto self = weak.lock();
    if (!self) {
      return;
    }
    if (!found) {
      self->finish(Unexpected("the server's name can't be resolved: " + found.error()));
      return;
    }
    self->endpoints_ = *found;
    self->connect_next();
  });
}

void Dial::connect_next() {
  const Endpoint& endpoint = endpoints_[next_endpoint_++];
  Descriptor socket(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                             endpoint.protocol().protocol()));
  if (!socket.is_open()) {
    failed(errno);
    return;
  }
  set_socket_options(socket.number(), loop_.runtime()->tcp);
  if (::connect(socket.number(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) {
    finish(std::move(socket));
  } else if (errno == EINPROGRESS) {
    begin_attempt(std::move(socket));
  } else {
    failed(errno);
  }
}

void Dial::begin_attempt(Descriptor socket) {
  auto attempt = attempts_.emplace(attempts_.end());
  attempt->socket = std::move(socket);
  attempt->watch.emplace(loop_.reactor(), attempt->socket.number(), Reactor::Watch::Kind::connecting,
                         [this, attempt] { on_ready(attempt); });
  if (next_endpoint_ == endpoints_.size()) {
    return;
  }
  loop_.after(attempt_delay, [weak = weak_from_this(), next = next_endpoint_] {
    auto self = weak.lock();
    if (self && self->done_ && self->next_endpoint_ == next) {
      self->connect_next();
    }
  });
}

void Dial::on_ready(Attempts::iterator attempt) {
  auto self = shared_from_this();  // `done_` may let go of it
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(attempt->socket.number(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
    error = errno;
  }
  attempt->watch.reset();
  Descriptor socket = std::move(attempt->socket);
  attempts_.erase(attempt);
  if (error != 0) {
    failed(error);
  } else {
    finish(std::move(socket));
  }
}

void Dial::failed(int error) {
  if (next_endpoint_ < endpoints_.size()) {
    connect_next();
  } else if (attempts_.empty()) {
    finish(Unexpected(std::string("the server can't be reached: ") + std::strerror(error)));
  }
}

void Dial::finish(Result<Descriptor, std::string> result) {
  attempts_.clear();
  if (Done done = std::exchange(done_, nullptr)) {
    done(std::move(result));
  }
}

}  // namespace sallyport::net
