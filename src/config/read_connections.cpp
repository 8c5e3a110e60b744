#include <algorithm>
#include <optional>

#include "config/files.h"
#include "config/sections.h"

namespace sallyport::config {

namespace {

using session::BackendTlsMode;
using session::ConnectionSettings;
using session::ServerSettings;

constexpr std::array<Choice<BackendTlsMode>, 4> tls_modes{{{"verify-full", BackendTlsMode::verify_full},
                                                           {"verify-ca", BackendTlsMode::verify_ca},
                                                           {"required", BackendTlsMode::required},
                                                           {"disabled", BackendTlsMode::disabled}}};

constexpr std::array<Choice<session::ServerRole>, 2> server_roles{
    {{"primary", session::ServerRole::primary}, {"replica", session::ServerRole::replica}}};

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

// Of a connection whose only server it is, or of an entry of `servers`: host or socket, and the server's key.
ServerSettings read_place(SectionReader& section) {
  ServerSettings server;
  server.host = section.text("host");
  server.port = static_cast<std::uint16_t>(section.number("port"));
  server.socket_path = section.path("socket");
  server.public_key_file = read_pem_path(section, "server_public_key", PemContent::public_key);
  if (section.present("port") && section.present("socket") && !section.present("host")) {
    section.mistake("port", "A Unix socket has no port.", "Remove it.");
  }
  if (server.socket_path.string().size() > 107) {
    section.mistake("socket", "The path of a Unix socket has at most 107 bytes.", "Move the socket, or link to it.");
  }
  return server;
}

std::vector<ServerSettings> read_server_list(SectionReader& connection) {
  auto sections = connection.sections("servers");
  std::vector<ServerSettings> servers;
  std::vector<std::string> names;
  for (auto& section : sections) {
    ServerSettings server = read_place(section);
    server.name = section.text("name");
    server.role = section.choice("role", server_roles);
    server.tls_name = section.text("server_name");
    bool has_place = !server.host.empty() || !server.socket_path.empty();
    bool twice = has_place && std::any_of(servers.begin(), servers.end(),
                                          [&](const ServerSettings& other) { return other.same_place(server); });
    if (twice) {
      section.mistake(server.host.empty() ? "socket" : "host", "An earlier entry of this list is the same server.",
                      "Remove one of the two.");
    }
    names.push_back(server.name);
    servers.push_back(std::move(server));
  }
  check_unique_names(sections, "name", names);
  for (std::string_view of_one : {"port", "server_public_key"}) {
    if (connection.present(of_one)) {
      connection.mistake(of_one, "With servers, each of them has its own.", "Move it into the entries of servers.");
    }
  }
  return servers;
}

std::vector<ServerSettings> read_servers(SectionReader& connection) {
  std::vector<ServerSettings> servers{read_place(connection)};
  if (connection.present("servers")) {
    return read_server_list(connection);
  }
  servers.front().name = session::only_server_name;
  return servers;
}

bool on_sockets(const std::vector<ServerSettings>& servers) {
  return !servers.empty() && std::all_of(servers.begin(), servers.end(),
                                         [](const ServerSettings& server) { return !server.socket_path.empty(); });
}

session::BackendTlsSettings read_tls(SectionReader& connection, std::vector<ServerSettings>& servers) {
  session::BackendTlsSettings tls;
  auto section = connection.section("tls");
  tls.mode = section.choice("mode", tls_modes);
  bool has_mode = connection.present("tls") && section.present("mode");
  if (on_sockets(servers) && !has_mode) {
    tls.mode = BackendTlsMode::disabled;
  }
  tls.ca_file = read_pem_path(section, "ca", PemContent::certificate);
  std::string server_name = section.text("server_name");
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
  bool nameless = false;
  for (ServerSettings& server : servers) {
    server.tls_name = server.tls_name.empty() ? server_name : server.tls_name;
    nameless = nameless || (!server.socket_path.empty() && server.tls_name.empty());
  }
  if (tls.mode == BackendTlsMode::verify_full && nameless) {
    constexpr std::string_view message = "On a Unix socket there is no host name to verify.";
    constexpr std::string_view mend = "Add server_name, or set mode to verify-ca or disabled.";
    if (connection.present("tls")) {
      section.mistake("mode", std::string(message), std::string(mend));
    } else {
      connection.mistake("servers", std::string(message), std::string(mend));
    }
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

std::optional<session::CatalogueSettings> read_catalogue(SectionReader& connection,
                                                         const std::vector<session::DatabaseLogin>& logins) {
  if (!connection.present("catalogue")) {
    return std::nullopt;
  }
  auto section = connection.section("catalogue");
  session::CatalogueSettings settings{.login = section.text("login"),
                                      .refresh = section.milliseconds("refresh"),
                                      .timeout = section.milliseconds("timeout")};
  std::vector<std::string_view> names;
  for (const session::DatabaseLogin& login : logins) {
    names.push_back(login.name);
  }
  if (!settings.login.empty() && std::find(names.begin(), names.end(), settings.login) == names.end()) {
    section.mistake("login", in_quotes(settings.login) + " is not defined.", suggestion(settings.login, names));
  }
  return settings;
}

std::shared_ptr<const lineage::ProtectedColumns> read_protected_columns(SectionReader& connection) {
  if (!connection.present("protected_columns")) {
    return nullptr;
  }
  std::vector<lineage::ColumnPattern> patterns;
  for (const std::string& text : connection.texts("protected_columns")) {
    auto pattern = lineage::parse_column_pattern(text);
    if (pattern) {
      patterns.push_back(*std::move(pattern));
    } else {
      connection.mistake("protected_columns", in_quotes(text) + " names no column.",
                         "Write schema.table.column, with * in place of a whole name for any.");
    }
  }
  if (!connection.present("catalogue")) {
    connection.mistake("protected_columns", "Without a catalogue it is not known which statements meet these columns.",
                       "Add a catalogue to the connection.");
  }
  return std::make_shared<const lineage::ProtectedColumns>(std::move(patterns));
}

constexpr std::array<Choice<bool>, 2> seals_literals_choices{{{"redacted", false}, {"sealed", true}}};

bool read_seals_literals(SectionReader& connection, bool has_answers_key) {
  bool seals = connection.choice("protected_literals", seals_literals_choices);
  if (connection.present("protected_literals") && !connection.present("protected_columns")) {
    connection.mistake("protected_literals", "No columns are protected.", "Name protected_columns, or remove this.");
  } else if (seals && !has_answers_key) {
    connection.mistake("protected_literals", "Without a key nothing can be sealed.",
                       "Set audit.answers_key, or write redacted.");
  }
  return seals;
}

ConnectionSettings read_connection(SectionReader& section, bool has_answers_key) {
  ConnectionSettings connection;
  connection.name = section.text("name");
  connection.flavor = section.choice("flavor", flavor_choices);
  connection.servers = read_servers(section);
  connection.tls = read_tls(section, connection.servers);
  connection.trust_server_public_key = section.flag("trust_server_public_key");
  connection.default_schema = section.text("default_schema");
  connection.compression = section.choice("compression", compressions);
  connection.pool = read_pool(section.section("pool"));
  connection.logins = read_logins(section);
  connection.catalogue = read_catalogue(section, connection.logins);
  connection.protected_columns = read_protected_columns(section);
  connection.seals_literals = read_seals_literals(section, has_answers_key);
  if (connection.compression == session::Compression::zstd && connection.flavor == session::Flavor::mariadb) {
    section.mistake("compression", "MariaDB servers do not have zstd.", "Write zlib, or none.");
  }
  bool pinned = std::any_of(connection.servers.begin(), connection.servers.end(),
                            [](const ServerSettings& server) { return !server.public_key_file.empty(); });
  if (connection.trust_server_public_key && pinned) {
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
    auto connection = read_connection(section, config.audit.answers_key.has_value());
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
