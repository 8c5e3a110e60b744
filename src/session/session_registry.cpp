#include "session/session_registry.h"

namespace sallyport::session {

SessionRegistry::Place SessionRegistry::enter(Entry entry) {
  std::uint32_t connection_id = entry.connection_id;
  std::lock_guard lock(mutex_);
  sessions_.insert_or_assign(connection_id, std::move(entry));
  return Place(*this, connection_id);
}

void SessionRegistry::leave(std::uint32_t connection_id) {
  std::lock_guard lock(mutex_);
  sessions_.erase(connection_id);
}

bool SessionRegistry::is_aimed_at(std::uint32_t connection_id) {
  std::lock_guard lock(mutex_);
  auto found = sessions_.find(connection_id);
  return found != sessions_.end() && found->second.aimed_at;
}

std::optional<SessionRegistry::Target> SessionRegistry::find_target(const Wanted& wanted) {
  std::lock_guard lock(mutex_);
  for (auto& [connection_id, entry] : sessions_) {
    std::uint64_t id = wanted.id >= first_connection_id ? connection_id : entry.server_connection_id;
    if (id == wanted.id && entry.account == wanted.account && entry.connection == wanted.connection &&
        entry.login == wanted.login) {
      entry.aimed_at = true;
      return Target{.session_id = entry.session_id, .server_connection_id = entry.server_connection_id};
    }
  }
  return std::nullopt;
}

}  // namespace sallyport::session
