// What all sessions of one configuration share. Immutable; a reload makes a new one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "identity/accounts.h"
#include "policy/policy.h"
#include "session/settings.h"

namespace sallyport::session {

struct Environment {
  Limits limits;
  std::vector<ConnectionSettings> connections;
  std::vector<std::string> server_public_keys;  // PEM, in the order of `connections`; empty where none is pinned
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
  std::string_view server_public_key(const ConnectionSettings& connection) const {
    auto index = static_cast<std::size_t>(&connection - connections.data());
    return index < server_public_keys.size() ? std::string_view(server_public_keys[index]) : std::string_view{};
  }
};

}  // namespace sallyport::session
