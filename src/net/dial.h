// Opens a connection to a server: resolves its name and tries the addresses in turn.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/channel.h"
#include "session/settings.h"

namespace sallyport::net {

class Dial : public std::enable_shared_from_this<Dial> {
 public:
  // Calls `done` once with the connected socket or with what went wrong, never from within this call.
  using Done = std::function<void(Result<Socket, std::string>)>;
  static std::shared_ptr<Dial> start(boost::asio::io_context& context, const session::ConnectionSettings& connection,
                                     Done done);

  Dial(boost::asio::io_context& context, Done done);
  // `done` is not called any more.
  void cancel();

 private:
  void begin(const session::ConnectionSettings& connection);
  void connect_next();
  void finish(Result<Socket, std::string> result);

  Done done_;
  boost::asio::ip::tcp::resolver resolver_;
  Socket socket_;
  std::vector<boost::asio::generic::stream_protocol::endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
};

}  // namespace sallyport::net
