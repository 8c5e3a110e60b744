// Accepts clients on one address for one loop. Every loop has a listener of its own on the same port (SO_REUSEPORT), so
// the kernel spreads connections and no loop hands any to another.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "net/loop.h"
#include "session/client_login.h"

namespace sallyport::net {

class Listener {
 public:
  struct Place {
    std::string address;
    std::uint16_t port;  // 0: any free one
    std::size_t index;   // of the listener's settings
    std::uint32_t loop_count;
  };
  // The error is a sentence for the operator.
  static Result<std::unique_ptr<Listener>, std::string> open(Loop& loop, const session::ListenerProfile& profile,
                                                             const Place& place);
  std::uint16_t port() const { return port_; }
  // On the loop's thread, or before it runs.
  void accept();
  void close();

 private:
  Listener(Loop& loop, const session::ListenerProfile& profile, const Place& place);
  void admit(boost::asio::ip::tcp::socket socket, const boost::asio::ip::tcp::endpoint& peer);
  void turn_away(boost::asio::ip::tcp::socket socket, std::string_view reason);

  Loop& loop_;
  const session::ListenerProfile& profile_;
  std::size_t index_;
  std::uint32_t loop_count_;
  std::uint16_t port_ = 0;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
};

}  // namespace sallyport::net
