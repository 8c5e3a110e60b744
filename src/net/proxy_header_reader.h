// Reads a load balancer's header from a connection, and not one byte more.
#pragma once

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/proxy_protocol.h"

namespace sallyport::net {

class ProxyHeaderReader : public std::enable_shared_from_this<ProxyHeaderReader> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  // The client's address as proxied_client() tells it, or why there is none: a sentence for the log.
  using Done = std::function<void(Socket socket, Result<std::string, std::string> client)>;

  ProxyHeaderReader(Socket socket, Done done);
  // Calls `done` once, after `timeout` at the latest.
  void start(Milliseconds timeout);

 private:
  void read_rest();
  void finish(Result<std::string, std::string> client);

  Socket socket_;
  boost::asio::steady_timer timer_;
  Done done_;
  bool timed_out_ = false;
  std::array<std::uint8_t, proxy_head_bytes> head_{};
  std::vector<std::uint8_t> rest_;
};

}  // namespace sallyport::net
