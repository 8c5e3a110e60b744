// What an operator configures about sockets. Plain values; src/config fills them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "net/address_range.h"
#include "session/settings.h"

namespace sallyport::net {

struct ListenerTls {
  std::filesystem::path certificate_file;  // chain, PEM; both empty: the development certificate
  std::filesystem::path key_file;
};

struct ListenerSettings {
  std::string name;
  std::string address;  // numeric IPv4 or IPv6; empty when `socket_path` is set
  std::filesystem::path socket_path;
  std::uint16_t port = 3307;  // 0: any free port, logged at start
  session::Flavor flavor = session::Flavor::mysql;
  std::string server_version;  // what the greeting says; empty: a default of the flavor
  session::AuthMethod auth_method = session::AuthMethod::caching_sha2_password;
  ListenerTls tls;
  wire::Capabilities compression = session::compression_capabilities;  // of these, those that are offered
  std::vector<AddressRange> proxy_protocol_from;  // load balancers, which send a PROXY protocol header first
};

struct AdminSettings {
  std::string address = "127.0.0.1";  // loopback only
  std::uint16_t port = 9307;
};

// How peers that are gone without a word are found: by probes of an idle connection, and by what was sent and is never
// acknowledged.
struct TcpSettings {
  Seconds keep_alive_idle{60};      // until the first probe
  Seconds keep_alive_interval{10};  // between probes
  std::uint32_t keep_alive_probes = 6;
  Milliseconds user_timeout{60'000};  // how long what was sent may stay unacknowledged (TCP_USER_TIMEOUT)
};

struct NetSettings {
  std::vector<ListenerSettings> listeners;
  AdminSettings admin;
  TcpSettings tcp;
  std::uint32_t worker_threads = 0;  // event loops; 0: one per core
  std::uint32_t connections_max = 10'000;
  std::uint32_t connections_per_second_max = 0;  // 0: no bound
  std::filesystem::path state_directory;         // development certificate and other state that can be made anew
  Milliseconds drain_timeout{30'000};            // after SIGTERM: how long sessions may go on
};

}  // namespace sallyport::net
