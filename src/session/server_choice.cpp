#include "session/server_choice.h"

namespace sallyport::session {

bool admits(identity::ServerChoice choice, ServerRole role) {
  switch (choice) {
    case identity::ServerChoice::primary:
      return role == ServerRole::primary;
    case identity::ServerChoice::replica:
      return role == ServerRole::replica;
    case identity::ServerChoice::prefer_replica:
      return true;
  }
  return false;
}

std::vector<ServerCandidate> server_candidates(const ConnectionSettings& connection, identity::ServerChoice choice,
                                               ServerSet tried) {
  std::vector<ServerCandidate> candidates;
  std::uint8_t tier = 0;
  for (ServerRole role : {ServerRole::replica, ServerRole::primary}) {
    for (std::size_t i = 0; i < connection.servers.size(); ++i) {
      const ServerSettings& server = connection.servers[i];
      if (server.role != role || !admits(choice, role) || (tried >> i & 1) != 0) {
        continue;
      }
      tier = static_cast<std::uint8_t>(tier + (role == ServerRole::primary ? 1 : 0));
      candidates.push_back({.name = server.name, .tier = tier});
    }
  }
  return candidates;
}

}  // namespace sallyport::session
