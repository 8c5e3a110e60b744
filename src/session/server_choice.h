// Which of a connection's servers a session may be on, and which is to be tried first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "identity/settings.h"
#include "session/settings.h"

namespace sallyport::session {

bool admits(identity::ServerChoice choice, ServerRole role);

// Servers of one tier are equal. Those of a higher tier are for when none of the lower ones can be reached.
struct ServerCandidate {
  std::string name;
  std::uint8_t tier = 0;
  bool operator==(const ServerCandidate&) const = default;
};

// Bit i stands for the server at place i of the connection.
using ServerSet = std::uint32_t;
static_assert(servers_per_connection_max <= 32);

// What `choice` admits without those that were `tried`, by tier: all replicas are one, each primary is its own.
std::vector<ServerCandidate> server_candidates(const ConnectionSettings& connection, identity::ServerChoice choice,
                                               ServerSet tried);

}  // namespace sallyport::session
