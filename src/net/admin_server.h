// The admin listener: HTTP on loopback around control::respond, and where this gateway is a witness its one request.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/endpoints.h"
#include "net/log.h"
#include "net/settings.h"
#include "net/witness_server.h"

namespace sallyport::net {

// On the thread of the context given. Bounded: at most 64 connections, 8 KiB a request, ten seconds a connection.
class AdminServer {
 public:
  static Result<std::unique_ptr<AdminServer>, std::string> open(boost::asio::io_context& context,
                                                                const AdminSettings& settings,
                                                                control::Sources sources);
  // POST /witness/add-checkpoint is answered by it, which outlives the context's run. Before that runs.
  void set_witness(WitnessServer& witness) { witness_ = &witness; }
  std::uint16_t port() const { return port_; }
  void close();

 private:
  class Exchange;
  AdminServer(boost::asio::io_context& context, control::Sources sources)
      : acceptor_(context), pause_(context), sources_(std::move(sources)) {}
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;  // after a failure to accept
  control::Sources sources_;
  std::uint16_t port_ = 0;
  WitnessServer* witness_ = nullptr;
  // Of connections: an exchange may outlive the server.
  std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
};

}  // namespace sallyport::net
