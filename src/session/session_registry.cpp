#include "session/session_registry.h"

namespace sallyport::session {

SessionRegistry::Place SessionRegistry::enter(Entry entry) {
  std::uint32_t connection_id = entry.connection_id;
  std::lock_guard lock(mutex_);
  sessions_.insert_or_assign(connection_id, std::move(entry));
  return Place(*this, connection_id);
}

bool SessionRegistry::leave(std::uint32_t connection_id) {
  std::lock_guard lock(mutex_);
  auto entry = sessions_.extract(connection_id);
  return !entry.empty() && entry.mapped().aimed_at;
}

std::optional<SessionRegistry::Target> SessionRegistry::find_target(const Wanted& wanted) {
  std::lock_guard lock(mutex_);
  bool is_of_gateway = wanted.id >= first_connection_id;
  Entry* best = nullptr;
  for (auto& [connection_id, entry] : sessions_) {
    std::uint64_t id = is_of_gateway ? connection_id : entry.server_connection_id;
    bool within_reach =
        entry.account == wanted.account && (is_of_gateway || entry.connection == wanted.connection) && id == wanted.id;
    if (within_reach && (best == nullptr || entry.server == wanted.server)) {
      best = &entry;
    }
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  best->aimed_at = true;
  return Target{.session_id = best->session_id,
                .server_connection_id = best->server_connection_id,
                .connection = best->connection,
                .server_name = best->server_name,
                .login = best->login,
                .server = best->server};
}

}  // namespace sallyport::session
