#include <algorithm>

#include "config/files.h"
#include "config/sections.h"

namespace sallyport::config {

namespace {

constexpr std::array<Choice<session::AuthMethod>, 4> auth_methods{
    {{"caching_sha2_password", session::AuthMethod::caching_sha2_password},
     {"mysql_clear_password", session::AuthMethod::mysql_clear_password},
     {"openid_connect", session::AuthMethod::openid_connect},
     {"dialog", session::AuthMethod::dialog}}};

constexpr std::array<Choice<session::Compression>, 2> compression_choices{
    {{"zlib", session::Compression::zlib}, {"zstd", session::Compression::zstd}}};

wire::Capabilities read_compression(SectionReader& section, session::Flavor flavor) {
  if (!section.present("compression")) {
    return session::compression_capabilities;
  }
  wire::Capabilities offered = 0;
  for (auto compression : section.choices("compression", compression_choices)) {
    offered |= session::compression_capability(compression);
  }
  if (flavor == session::Flavor::mariadb && (offered & session::compression_capability(session::Compression::zstd))) {
    section.mistake("compression", "Clients of MariaDB do not have zstd.", "Write [zlib], or set flavor to mysql.");
  }
  return offered;
}

// Drivers tell the two families apart by this word, and read the number at the beginning.
void check_server_version(SectionReader& section, const net::ListenerSettings& listener) {
  const auto& version = listener.server_version;
  if (version.empty()) {
    return;
  }
  bool says_mariadb = version.find("MariaDB") != std::string::npos;
  bool is_mariadb = listener.flavor == session::Flavor::mariadb;
  if (version.front() < '0' || version.front() > '9') {
    section.mistake("server_version", "The version does not begin with a number.", "Write e.g. \"8.4.0\".");
  } else if (is_mariadb && !says_mariadb) {
    section.mistake("server_version", "Drivers would not take this version for MariaDB.",
                    "Write e.g. \"10.11.11-MariaDB\", or set flavor to mysql.");
  } else if (!is_mariadb && says_mariadb) {
    section.mistake("server_version", "Drivers would take this version for MariaDB, and the flavor is mysql.",
                    "Set flavor to mariadb, or write e.g. \"8.4.0\".");
  }
}

std::vector<net::AddressRange> read_load_balancers(SectionReader& section) {
  std::vector<net::AddressRange> ranges;
  for (const std::string& text : section.texts("proxy_protocol_from")) {
    auto range = net::parse_address_range(text);
    if (!range) {
      section.mistake("proxy_protocol_from", in_quotes(text) + " is no address and no range of addresses.",
                      "Write e.g. 10.0.0.7 or 10.0.0.0/8, without bits beyond the prefix.");
      continue;
    }
    ranges.push_back(*range);
  }
  return ranges;
}

net::ListenerSettings read_listener(SectionReader& section) {
  net::ListenerSettings listener{.name = section.text("name"),
                                 .address = section.text("address"),
                                 .socket_path = section.path("socket"),
                                 .port = static_cast<std::uint16_t>(section.number("port")),
                                 .flavor = section.choice("flavor", flavor_choices),
                                 .server_version = section.text("server_version"),
                                 .auth_method = section.choice("auth_method", auth_methods),
                                 .tls = {},
                                 .proxy_protocol_from = read_load_balancers(section)};
  listener.compression = read_compression(section, listener.flavor);
  check_server_version(section, listener);
  if (section.present("socket") && section.present("port")) {
    section.mistake("port", "A Unix socket has no port.", "Remove port, or write address in place of socket.");
  }
  if (section.present("socket") && section.present("proxy_protocol_from")) {
    section.mistake("proxy_protocol_from", "No load balancer connects to a Unix socket.", "Remove it.");
  }
  if (section.present("tls")) {
    auto tls = section.section("tls");
    listener.tls.certificate_file = read_pem_path(tls, "certificate", PemContent::certificate);
    listener.tls.key_file = read_pem_path(tls, "key", PemContent::private_key);
  }
  return listener;
}

}  // namespace

void read_listeners(SectionReader& root, Config& config) {
  auto sections = root.sections("listeners");
  std::vector<std::string> names;
  // Address and port, or the path of a socket.
  std::vector<std::pair<std::string, std::uint16_t>> taken{{config.net.admin.address, config.net.admin.port}};
  for (auto& section : sections) {
    auto listener = read_listener(section);
    bool is_socket = !listener.socket_path.empty();
    std::pair place{is_socket ? listener.socket_path.string() : listener.address,
                    is_socket ? std::uint16_t{0} : listener.port};
    if (!place.first.empty() && (is_socket || place.second != 0)) {
      if (std::find(taken.begin(), taken.end(), place) != taken.end()) {
        section.mistake(is_socket ? "socket" : "port", "Another listener has this address.", "Choose another one.");
      }
      taken.push_back(std::move(place));
    }
    names.push_back(listener.name);
    config.net.listeners.push_back(std::move(listener));
  }
  check_unique_names(sections, "name", names);
}

}  // namespace sallyport::config
