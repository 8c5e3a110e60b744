// The admin listener: HTTP on loopback around control::respond.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/endpoints.h"
#include "net/log.h"
#include "net/settings.h"

namespace sallyport::net {

// On the thread of the context given. Bounded: at most 64 connections, 8 KiB a request, ten seconds a connection.
class AdminServer {
 public:
  static Result<std::unique_ptr<AdminServer>, std::string> open(boost::asio::io_context& context,
                                                                const AdminSettings& settings,
                                                                control::Sources sources);
  std::uint16_t port() const { return port_; }
  void close();

 private:
  class Exchange;
  AdminServer(boost::asio::io_context& context, control::Sources sources)
      : acceptor_(context), sources_(std::move(sources)) {}
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  control::Sources sources_;
  std::uint16_t port_ = 0;
  std::size_t open_ = 0;
};

}  // namespace sallyport::net
