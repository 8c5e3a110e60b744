#include "net/dial.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <utility>

namespace sallyport::net {

using boost::system::error_code;

std::shared_ptr<Dial> Dial::start(boost::asio::io_context& context, const session::ConnectionSettings& connection,
                                  Done done) {
  auto dial = std::make_shared<Dial>(context, std::move(done));
  dial->begin(connection);
  return dial;
}

Dial::Dial(boost::asio::io_context& context, Done done)
    : done_(std::move(done)), resolver_(context), socket_(context) {}

void Dial::begin(const session::ConnectionSettings& connection) {
  if (!connection.socket_path.empty()) {
    endpoints_.emplace_back(boost::asio::local::stream_protocol::endpoint(connection.socket_path.string()));
    connect_next();
    return;
  }
  error_code not_numeric;
  auto address = boost::asio::ip::make_address(connection.host, not_numeric);
  if (!not_numeric) {
    endpoints_.emplace_back(boost::asio::ip::tcp::endpoint(address, connection.port));
    connect_next();
    return;
  }
  resolver_.async_resolve(
      connection.host, std::to_string(connection.port), boost::asio::ip::tcp::resolver::numeric_service,
      [self = shared_from_this()](const error_code& error, const boost::asio::ip::tcp::resolver::results_type& found) {
        if (error) {
          self->finish(Unexpected("the server's name can't be resolved: " + error.message()));
          return;
        }
        for (const auto& entry : found) {
          self->endpoints_.emplace_back(entry.endpoint());
        }
        self->connect_next();
      });
}

void Dial::connect_next() {
  error_code ignored;
  socket_.close(ignored);
  const auto& endpoint = endpoints_[next_endpoint_++];
  socket_.async_connect(endpoint, [self = shared_from_this()](const error_code& error) {
    if (!error) {
      self->finish(std::move(self->socket_));
    } else if (self->done_ && self->next_endpoint_ < self->endpoints_.size()) {
      self->connect_next();
    } else {
      self->finish(Unexpected("the server can't be reached: " + error.message()));
    }
  });
}

void Dial::finish(Result<Socket, std::string> result) {
  if (auto done = std::exchange(done_, nullptr)) {
    done(std::move(result));
  }
}

void Dial::cancel() {
  done_ = nullptr;
  resolver_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace sallyport::net
