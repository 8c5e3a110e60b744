#include "net/proxy_header_reader.h"

#include <boost/asio/read.hpp>

namespace sallyport::net {

using boost::system::error_code;

ProxyHeaderReader::ProxyHeaderReader(Socket socket, Done done)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), done_(std::move(done)) {}

void ProxyHeaderReader::start(Milliseconds timeout) {
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) {
      self->timed_out_ = true;
      error_code ignored;
      self->socket_.cancel(ignored);
    }
  });
  boost::asio::async_read(socket_, boost::asio::buffer(head_),
                          [self = shared_from_this()](const error_code& error, std::size_t /*count*/) {
                            auto rest_bytes = error ? Unexpected(ProxyError::no_header) : proxy_rest_bytes(self->head_);
                            if (!rest_bytes) {
                              self->finish(Unexpected(std::string(explain(rest_bytes.error()))));
                              return;
                            }
                            self->rest_.resize(*rest_bytes);
                            self->read_rest();
                          });
}

void ProxyHeaderReader::read_rest() {
  boost::asio::async_read(
      socket_, boost::asio::buffer(rest_), [self = shared_from_this()](const error_code& error, std::size_t /*count*/) {
        auto client = error ? Unexpected(ProxyError::malformed) : proxied_client(self->head_, self->rest_);
        if (client) {
          self->finish(*client);
        } else {
          self->finish(Unexpected(std::string(explain(client.error()))));
        }
      });
}

void ProxyHeaderReader::finish(Result<std::string, std::string> client) {
  timer_.cancel();
  if (timed_out_) {
    client = Unexpected(std::string("no PROXY protocol header came within limits.handshake_timeout"));
  }
  done_(std::move(socket_), std::move(client));
}

}  // namespace sallyport::net
