// Accepts clients on one address for one loop. Every loop has a listener of its own on the same port (SO_REUSEPORT), so
// the kernel spreads connections and no loop hands any to another; on a Unix socket all accept from the same one.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "net/channel.h"
#include "net/loop.h"
#include "session/client_login.h"

namespace sallyport::net {

class Listener {
 public:
  struct Place {
    const ListenerSettings& settings;
    std::uint16_t port;  // 0: any free one
    std::size_t index;   // of the settings
    std::uint32_t loop_count;
    Listener* first;  // of this address, whose Unix socket is shared; null: this is the first
  };
  // `profile` must outlive the listener. The error is a sentence for the operator.
  static Result<std::unique_ptr<Listener>, std::string> open(Loop& loop, const session::ListenerProfile& profile,
                                                             const Place& place);
  std::uint16_t port() const { return port_; }  // 0 of a Unix socket
  // On the loop's thread, or before it runs.
  void accept();
  void close();

 private:
  using Protocol = boost::asio::generic::stream_protocol;
  using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;

  Listener(Loop& loop, const session::ListenerProfile& profile, const Place& place);
  boost::system::error_code open_tcp(const Place& place);
  boost::system::error_code open_unix(const Place& place);
  void on_accepted(Socket socket, const Protocol::endpoint& peer);
  void read_proxy_header(Socket socket, std::string load_balancer);
  void begin_session(Socket socket, std::string client);
  void turn_away(Socket socket, std::string_view reason);
  void give_place_back();

  Loop& loop_;
  const session::ListenerProfile& profile_;
  std::size_t index_;
  std::uint32_t loop_count_;
  std::vector<AddressRange> load_balancers_;
  std::filesystem::path socket_path_;  // to be removed by this listener; else empty
  std::uint16_t port_ = 0;
  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
};

}  // namespace sallyport::net
