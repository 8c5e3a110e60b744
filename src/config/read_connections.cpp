#include <algorithm>

#include "config/files.h"
#include "config/sections.h"

namespace sallyport::config {

namespace {

using session::BackendTlsMode;
using session::ConnectionSettings;

constexpr std::array<Choice<BackendTlsMode>, 4> tls_modes{{{"verify-full", BackendTlsMode::verify_full},
                                                           {"verify-ca", BackendTlsMode::verify_ca},
                                                           {"required", BackendTlsMode::required},
                                                           {"disabled", BackendTlsMode::disabled}}};

constexpr std::array<Choice<session::BackendMode>, 2> pool_modes{
    {{"pooled", session::BackendMode::pooled}, {"dedicated", session::BackendMode::dedicated}}};

constexpr std::array<Choice<session::Compression>, 3> compressions{
    {{"none", session::Compression::none}, {"zlib", session::Compression::zlib}, {"zstd", session::Compression::zstd}}};

session::PoolSettings read_pool(SectionReader pool) {
  auto count = [&](std::string_view name) { return static_cast<std::uint32_t>(pool.number(name)); };
  session::PoolSettings settings{.mode = pool.choice("mode", pool_modes),
                                 .connections_max = count("connections_max"),
                                 .connections_min = count("connections_min"),
                                 .idle_max = count("idle_max"),
                                 .waiting_max = count("waiting_max"),
                                 .wait_timeout = pool.milliseconds("wait_timeout"),
                                 .idle_timeout = pool.milliseconds("idle_timeout"),
                                 .age_max = pool.milliseconds("age_max"),
                                 .check_interval = pool.milliseconds("check_interval")};
  if (settings.connections_min > settings.connections_max) {
    pool.mistake("connections_min", "More are to be kept than may be open.", "Lower this, or raise connections_max.");
  }
  if (settings.connections_min > settings.idle_max) {
    pool.mistake("connections_min", "More are to be kept than may be idle.", "Lower this, or raise idle_max.");
  }
  return settings;
}

bool verifies(BackendTlsMode mode) {
  return mode == BackendTlsMode::verify_full || mode == BackendTlsMode::verify_ca;
}

session::BackendTlsSettings read_tls(SectionReader& connection) {
  session::BackendTlsSettings tls;
  auto section = connection.section("tls");
  tls.mode = section.choice("mode", tls_modes);
  bool has_mode = connection.present("tls") && section.present("mode");
  if (connection.present("socket") && !has_mode) {
    tls.mode = BackendTlsMode::disabled;
  }
  tls.ca_file = read_pem_path(section, "ca", PemContent::certificate);
  tls.server_name = section.text("server_name");
  tls.certificate_file = read_pem_path(section, "certificate", PemContent::certificate);
  tls.key_file = read_pem_path(section, "key", PemContent::private_key);
  if (section.present("certificate") != section.present("key")) {
    section.mistake(section.present("key") ? "key" : "certificate", "A client certificate needs its key as well.",
                    "Give both certificate and key, or none.");
  }
  if (section.present("ca") && !verifies(tls.mode)) {
    section.mistake("ca", "In this mode no certificate is verified.", "Set mode to verify-full, or remove ca.");
  }
  if (tls.mode == BackendTlsMode::disabled && section.present("certificate")) {
    section.mistake("certificate", "Without TLS no certificate is shown.", "Set mode to verify-full, or remove it.");
  }
  if (tls.mode == BackendTlsMode::verify_full && connection.present("socket") && tls.server_name.empty()) {
    section.mistake("mode", "On a Unix socket there is no host name to verify.",
                    "Add server_name, or set mode to verify-ca or disabled.");
  }
  return tls;
}

std::vector<session::DatabaseLogin> read_logins(SectionReader& connection) {
  auto sections = connection.sections("logins");
  std::vector<session::DatabaseLogin> logins;
  std::vector<std::string> names;
  for (auto& section : sections) {
    session::DatabaseLogin login;
    login.user = section.text("user");
    login.name = section.present("name") ? section.text("name") : login.user;
    if (section.present("password")) {
      auto password = section.section("password");
      login.password = read_secret(password);
    }
    names.push_back(login.name);
    logins.push_back(std::move(login));
  }
  check_unique_names(sections, "name", names);
  return logins;
}

ConnectionSettings read_connection(SectionReader& section) {
  ConnectionSettings connection;
  connection.name = section.text("name");
  connection.flavor = section.choice("flavor", flavor_choices);
  connection.host = section.text("host");
  connection.port = static_cast<std::uint16_t>(section.number("port"));
  connection.socket_path = section.path("socket");
  connection.tls = read_tls(section);
  connection.server_public_key_file = read_pem_path(section, "server_public_key", PemContent::public_key);
  connection.trust_server_public_key = section.flag("trust_server_public_key");
  connection.default_schema = section.text("default_schema");
  connection.compression = section.choice("compression", compressions);
  connection.pool = read_pool(section.section("pool"));
  connection.logins = read_logins(section);
  if (section.present("port") && section.present("socket") && !section.present("host")) {
    section.mistake("port", "A Unix socket has no port.", "Remove it.");
  }
  if (connection.compression == session::Compression::zstd && connection.flavor == session::Flavor::mariadb) {
    section.mistake("compression", "MariaDB servers do not have zstd.", "Write zlib, or none.");
  }
  if (connection.socket_path.string().size() > 107) {
    section.mistake("socket", "The path of a Unix socket has at most 107 bytes.", "Move the socket, or link to it.");
  }
  if (connection.trust_server_public_key && !connection.server_public_key_file.empty()) {
    section.mistake("trust_server_public_key", "The server's key is given, so there is no need to trust another.",
                    "Remove one of the two.");
  }
  return connection;
}

}  // namespace

void read_connections(SectionReader& root, Config& config) {
  auto sections = root.sections("connections");
  std::vector<std::string> names;
  for (auto& section : sections) {
    auto connection = read_connection(section);
    const auto& listeners = config.net.listeners;
    bool spoken = std::any_of(listeners.begin(), listeners.end(), [&](const net::ListenerSettings& listener) {
      return listener.flavor == connection.flavor;
    });
    if (!spoken && !listeners.empty()) {
      section.mistake("flavor", "No listener speaks for this flavor, so clients can't reach the connection.",
                      "Add a listener with this flavor, or correct the flavor.");
    }
    names.push_back(connection.name);
    config.connections.push_back(std::move(connection));
  }
  check_unique_names(sections, "name", names);
}

}  // namespace sallyport::config
