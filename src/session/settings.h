// What an operator configures about sessions and the servers behind them. Plain values; src/config fills them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "lineage/protected_columns.h"
#include "wire/capabilities.h"

namespace sallyport::session {

// Which family of servers a listener speaks for, or a connection leads to. Drivers choose behaviour by the
// greeting's version text, which comes before anything is known of them: so it belongs to the listener.
enum class Flavor : std::uint8_t { mysql, mariadb };

// What the gateway asks a client to authenticate with when the client's first answer carries no token.
enum class AuthMethod : std::uint8_t { caching_sha2_password, mysql_clear_password, openid_connect, dialog };

// Of the traffic with a server. A server that lacks it is not used.
enum class Compression : std::uint8_t { none, zlib, zstd };
// Of protocol capabilities, the one that means it.
constexpr wire::Capabilities compression_capability(Compression compression) {
  switch (compression) {
    case Compression::none:
      return 0;
    case Compression::zlib:
      return wire::capability::compress;
    case Compression::zstd:
      return wire::capability::zstd_compression;
  }
  return 0;
}
inline constexpr wire::Capabilities compression_capabilities =
    wire::capability::compress | wire::capability::zstd_compression;

struct Limits {
  std::uint32_t packet_bytes_max = 64U << 20;            // one command or handshake message of a client
  std::uint64_t digested_answer_bytes_max = UINT64_MAX;  // the record of a longer answer has no digest of it
  std::uint32_t token_bytes_max = 16U << 10;             // a token longer than this is refused unread
  std::uint32_t verified_signatures_max = 4096;          // of tokens, remembered by each event loop; 0: none
  std::uint64_t statement_tree_bytes_max = 256U << 20;   // of the syntax tree of one statement
  std::uint32_t prepared_statements_max = 4096;          // per session
  std::uint32_t bulk_values_max = 4U << 20;              // rows times parameters of one COM_STMT_BULK_EXECUTE
  std::uint64_t local_file_bytes_max = 1ULL << 30;       // one LOAD DATA LOCAL
  Milliseconds handshake_timeout{10'000};                // greeting to authenticated, backend login not counted
  Milliseconds backend_login_timeout{10'000};            // connect, TLS and login at the server, together
  Milliseconds backend_attempt_timeout{3'000};           // of that, at one server while there is another to be tried
  Milliseconds idle_timeout{8 * 3600 * 1000};            // no command from the client
  Milliseconds receive_timeout{60'000};                  // between two bytes of a command
  Milliseconds write_timeout{60'000};                    // a peer that takes nothing of what is due to it
  // KILLs of the gateway's own, over all event loops and servers together.
  std::uint32_t side_connections_max = 16;  // open at a time for them
  std::uint32_t kills_waiting_max = 1000;   // that wait for such a connection
  Milliseconds kill_timeout{5'000};         // from its need to its answer; and then, to the end of the statement
};

enum class BackendTlsMode : std::uint8_t {
  verify_full,  // chain and host name
  verify_ca,    // chain only
  required,     // encrypted, not authenticated
  disabled
};

struct BackendTlsSettings {
  BackendTlsMode mode = BackendTlsMode::verify_full;
  std::filesystem::path ca_file;           // empty: the system's store
  std::filesystem::path certificate_file;  // client certificate, optional
  std::filesystem::path key_file;
};

// An account on the server whose password only the gateway holds.
struct DatabaseLogin {
  std::string name;
  std::string user;
  Secret password;
};

// Whether sessions take their server connections from a pool, or open one each and close it.
enum class BackendMode : std::uint8_t { pooled, dedicated };

// The pool of each database login of a connection, over all event loops together.
struct PoolSettings {
  BackendMode mode = BackendMode::pooled;
  std::uint32_t connections_max = 1000;  // open at a time, whoever has them
  std::uint32_t connections_min = 0;     // kept open, in use or not, once a session has shown what kind is wanted
  std::uint32_t idle_max = 100;
  std::uint32_t waiting_max = 1000;     // logins that wait for a connection at a time
  Milliseconds wait_timeout{5'000};     // such a login's patience
  Milliseconds idle_timeout{300'000};   // unused for so long, a connection above connections_min is closed
  Milliseconds age_max{3'600'000};      // a connection older than this, give or take a tenth, is not reused
  Milliseconds check_interval{30'000};  // idle connections are pinged so often
};

// How the catalogue of a connection's servers is kept.
struct CatalogueSettings {
  std::string login;             // of the connection's logins, by its name
  Milliseconds refresh{60'000};  // it is read so often at least
  Milliseconds timeout{10'000};  // for one reading, from the connection on
};

enum class ServerRole : std::uint8_t { primary, replica };

// One server of a connection: where it is, and what it is known by.
struct ServerSettings {
  std::string name;  // of logs, records and metrics
  ServerRole role = ServerRole::primary;
  std::string host;  // empty when `socket_path` is set
  std::uint16_t port = 3306;
  std::filesystem::path socket_path;
  std::string tls_name;  // for SNI and verify-full; empty: the host
  // Without TLS, the RSA key that caching_sha2_password and sha256_password encrypt the password with: pinned by
  // this file, or, when `trust_server_public_key`, asked of the server (open to an active attacker on the way).
  std::filesystem::path public_key_file;

  bool same_place(const ServerSettings& other) const {
    return host == other.host && port == other.port && socket_path == other.socket_path;
  }
};

// Of one connection.
inline constexpr std::size_t servers_per_connection_max = 16;
// What the server of a connection is called that is not given as a list.
inline constexpr std::string_view only_server_name = "primary";

struct ConnectionSettings {
  std::string name;  // what clients give as user name, alone or before the dot
  Flavor flavor = Flavor::mysql;
  std::vector<ServerSettings> servers;  // from 1 to servers_per_connection_max, in the order of preference
  BackendTlsSettings tls;               // to each of them
  bool trust_server_public_key = false;
  std::string default_schema;  // when the client names none
  Compression compression = Compression::none;
  PoolSettings pool;
  std::vector<DatabaseLogin> logins;
  std::optional<CatalogueSettings> catalogue;                          // nothing: none is read
  std::shared_ptr<const lineage::ProtectedColumns> protected_columns;  // null: none
  bool seals_literals = false;  // those that may tell of protected columns: kept for the holders of a key
};

}  // namespace sallyport::session
