// What an operator configures about sessions and the servers behind them. Plain values; src/config fills them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace sallyport::session {

// Which family of servers a listener speaks for, or a connection leads to. Drivers choose behaviour by the
// greeting's version text, which comes before anything is known of them: so it belongs to the listener.
enum class Flavor : std::uint8_t { mysql, mariadb };

// What the gateway asks a client to authenticate with when the client's first answer carries no token.
enum class AuthMethod : std::uint8_t { caching_sha2_password, mysql_clear_password, openid_connect, dialog };

struct Limits {
  std::uint32_t packet_bytes_max = 64U << 20;       // one command or handshake message of a client
  std::uint32_t token_bytes_max = 16U << 10;        // a token longer than this is refused unread
  std::uint32_t prepared_statements_max = 4096;     // per session
  std::uint64_t local_file_bytes_max = 1ULL << 30;  // one LOAD DATA LOCAL
  Milliseconds handshake_timeout{10'000};           // greeting to authenticated, backend login not counted
  Milliseconds backend_login_timeout{10'000};       // connect, TLS and login at the server, together
  Milliseconds idle_timeout{8 * 3600 * 1000};       // no command from the client
  Milliseconds write_timeout{60'000};               // a peer that takes nothing of what is due to it
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
  std::string server_name;                 // for SNI and verify-full; empty: the host
  std::filesystem::path certificate_file;  // client certificate, optional
  std::filesystem::path key_file;
};

// An account on the server whose password only the gateway holds.
struct DatabaseLogin {
  std::string name;
  std::string user;
  Secret password;
};

struct ConnectionSettings {
  std::string name;  // what clients give as user name, alone or before the dot
  Flavor flavor = Flavor::mysql;
  std::string host;  // empty when `socket_path` is set
  std::uint16_t port = 3306;
  std::filesystem::path socket_path;
  BackendTlsSettings tls;
  // Without TLS, the RSA key that caching_sha2_password and sha256_password encrypt the password with: pinned by
  // this file, or, when `trust_server_public_key`, asked of the server (open to an active attacker on the way).
  std::filesystem::path server_public_key_file;
  bool trust_server_public_key = false;
  std::string default_schema;  // when the client names none
  std::vector<DatabaseLogin> logins;
};

}  // namespace sallyport::session
