#include "net/proxy_header_reader.h"

#include <sys/socket.h>

#include <cerrno>

namespace sallyport::net {
namespace {

std::string sentence(ProxyError error) {
  return std::string(explain(error));
}

}  // namespace

ProxyHeaderReader::ProxyHeaderReader(Loop& loop, Descriptor socket, Done done)
    : loop_(loop), socket_(std::move(socket)), done_(std::move(done)) {}

void ProxyHeaderReader::start(Milliseconds timeout) {
  watch_.emplace(loop_.reactor(), socket_.number(), Reactor::Watch::Kind::stream, [this] { on_ready(); });
  loop_.after(timeout, [weak = weak_from_this()] {
    if (auto self = weak.lock(); self && self->watch_) {
      self->finish(Unexpected(std::string("no PROXY protocol header came within limits.handshake_timeout")));
    }
  });
}

void ProxyHeaderReader::on_ready() {
  auto self = shared_from_this();
  if (!rest_) {
    if (!read_part(head_)) {
      return;
    }
    auto rest_bytes = proxy_rest_bytes(head_);
    if (!rest_bytes) {
      finish(Unexpected(sentence(rest_bytes.error())));
      return;
    }
    rest_.emplace(*rest_bytes);
    received_ = 0;
  }
  if (read_part(*rest_)) {
    auto client = proxied_client(head_, *rest_);
    finish(client ? Result<std::string, std::string>(*client) : Unexpected(sentence(client.error())));
  }
}

// Whether all of the part is there.
bool ProxyHeaderReader::read_part(MutableBytes part) {
  while (received_ < part.size()) {
    ssize_t count = ::recv(socket_.number(), part.data() + received_, part.size() - received_, 0);
    if (count > 0) {
      received_ += static_cast<std::size_t>(count);
    } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return false;
    } else if (count == 0 || errno != EINTR) {
      finish(Unexpected(sentence(rest_ ? ProxyError::malformed : ProxyError::no_header)));
      return false;
    }
  }
  return true;
}

void ProxyHeaderReader::finish(const Result<std::string, std::string>& client) {
  auto self = shared_from_this();
  watch_.reset();
  Done done = std::exchange(done_, nullptr);
  done(self, std::move(socket_), client);
}

}  // namespace sallyport::net
