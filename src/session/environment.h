// What all sessions of one configuration share. Immutable; a reload makes a new one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "identity/accounts.h"
#include "policy/policy.h"
#include "session/settings.h"

namespace sallyport::session {

// The SHA-256 of the configuration file: which configuration, and with it which policy, is in force.
using ConfigurationDigest = crypto::Sha256Digest;

struct Environment {
  ConfigurationDigest configuration{};
  // Of each token, by name, on record at the login.
  std::vector<std::string> recorded_claims;
  Limits limits;
  std::vector<ConnectionSettings> connections;
  // PEM, in the order of `connections` and their servers; empty, or not there, where none is pinned.
  std::vector<std::vector<std::string>> server_public_keys;
  identity::AccountDirectory accounts;
  std::unique_ptr<policy::Policy> policy;

  // Null when there is none of that name.
  const ConnectionSettings* find_connection(std::string_view name) const {
    for (const ConnectionSettings& connection : connections) {
      if (connection.name == name) {
        return &connection;
      }
    }
    return nullptr;
  }
  static const DatabaseLogin* find_login(const ConnectionSettings& connection, std::string_view name) {
    for (const DatabaseLogin& login : connection.logins) {
      if (login.name == name) {
        return &login;
      }
    }
    return nullptr;
  }
  static const ServerSettings* find_server(const ConnectionSettings& connection, std::string_view name) {
    for (const ServerSettings& server : connection.servers) {
      if (server.name == name) {
        return &server;
      }
    }
    return nullptr;
  }
  // `connection` is one of `connections`, `server` one of its servers.
  std::string_view server_public_key(const ConnectionSettings& connection, const ServerSettings& server) const {
    auto index = static_cast<std::size_t>(&connection - connections.data());
    auto place = static_cast<std::size_t>(&server - connection.servers.data());
    bool pinned = index < server_public_keys.size() && place < server_public_keys[index].size();
    return pinned ? std::string_view(server_public_keys[index][place]) : std::string_view{};
  }
};

}  // namespace sallyport::session
