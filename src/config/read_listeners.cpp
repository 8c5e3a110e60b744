#include "config/files.h"
#include "config/sections.h"

namespace sallyport::config {

namespace {

constexpr std::array<Choice<session::AuthMethod>, 4> auth_methods{
    {{"caching_sha2_password", session::AuthMethod::caching_sha2_password},
     {"mysql_clear_password", session::AuthMethod::mysql_clear_password},
     {"openid_connect", session::AuthMethod::openid_connect},
     {"dialog", session::AuthMethod::dialog}}};

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

net::ListenerSettings read_listener(SectionReader& section) {
  net::ListenerSettings listener{.name = section.text("name"),
                                 .address = section.text("address"),
                                 .port = static_cast<std::uint16_t>(section.number("port")),
                                 .flavor = section.choice("flavor", flavor_choices),
                                 .server_version = section.text("server_version"),
                                 .auth_method = section.choice("auth_method", auth_methods),
                                 .tls = {}};
  check_server_version(section, listener);
  if (section.present("tls")) {
    auto tls = section.section("tls");
    listener.tls.certificate_file = read_pem_path(tls, "certificate", PemContent::certificate);
    listener.tls.key_file = read_pem_path(tls, "key", PemContent::private_key);
  }
  return listener;
}

struct Endpoint {
  std::string address;
  std::uint16_t port;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace

void read_listeners(SectionReader& root, Config& config) {
  auto sections = root.sections("listeners");
  std::vector<std::string> names;
  std::vector<Endpoint> taken{{config.net.admin.address, config.net.admin.port}};
  for (auto& section : sections) {
    auto listener = read_listener(section);
    Endpoint endpoint{listener.address, listener.port};
    if (!endpoint.address.empty() && endpoint.port != 0) {
      for (const auto& other : taken) {
        if (other == endpoint) {
          section.mistake("port", "Another listener has this address and port.", "Choose another port.");
          break;
        }
      }
      taken.push_back(std::move(endpoint));
    }
    names.push_back(listener.name);
    config.net.listeners.push_back(std::move(listener));
  }
  check_unique_names(sections, "name", names);
}

}  // namespace sallyport::config
