// Accepts clients on one address for one loop. Every loop has a listener of its own on the same port (SO_REUSEPORT), so
// the kernel spreads connections and no loop hands any to another; on a Unix socket all accept from the same one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "net/loop.h"
#include "net/proxy_header_reader.h"
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
  Listener(Loop& loop, const session::ListenerProfile& profile, const Place& place);
  // The error's number, as errno has it; 0: open.
  int open_tcp(const Place& place);
  int open_unix(const Place& place);
  void on_ready();
  void on_accepted(Descriptor socket, const Endpoint& peer);
  void read_proxy_header(Descriptor socket, const std::string& load_balancer);
  void begin_session(Descriptor socket, std::string client);
  void turn_away(const Descriptor& socket, std::string_view reason);
  void give_place_back();

  Loop& loop_;
  const session::ListenerProfile& profile_;
  std::size_t index_;
  std::uint32_t loop_count_;
  std::vector<AddressRange> load_balancers_;
  std::filesystem::path socket_path_;  // to be removed by this listener; else empty
  std::uint16_t port_ = 0;
  Descriptor socket_;
  std::optional<Reactor::Watch> watch_;  // while accepting; destroyed before the socket that it watches
  std::unordered_set<std::shared_ptr<ProxyHeaderReader>> proxy_headers_;  // that are being read
};

}  // namespace sallyport::net
