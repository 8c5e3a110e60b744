// Which sessions there are, over all event loops, and which connection of the server each has: what KILL has to know.
// Used from any thread, at a session's begin and end and by KILL only.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sallyport::session {

// The gateway numbers its connections from here; servers number theirs from 1. So a number says whose it is.
inline constexpr std::uint32_t first_connection_id = 1U << 31;

class SessionRegistry {
 public:
  struct Entry {
    std::uint32_t connection_id = 0;         // that the client was greeted with
    std::uint32_t server_connection_id = 0;  // of its connection to the server
    std::string session_id;
    std::string account;
    std::string connection;   // name of the configured connection
    std::string server_name;  // of the one of its servers
    std::string login;        // name of the database login
    std::string server;       // that it is connected to, as the shell writes it
    bool aimed_at = false;    // find_target() gave it
  };
  // A session's entry; taken out when this is destroyed. The registry must outlive it.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : registry_(other.registry_), connection_id_(other.connection_id_) {
      other.registry_ = nullptr;
    }
    Place& operator=(Place&& other) noexcept {
      std::swap(registry_, other.registry_);
      std::swap(connection_id_, other.connection_id_);
      return *this;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { leave(); }
    // Takes the entry out. Whether it ever was the target of a KILL; from here on it can't become one.
    bool leave() {
      SessionRegistry* registry = std::exchange(registry_, nullptr);
      return registry != nullptr && registry->leave(connection_id_);
    }

   private:
    friend class SessionRegistry;
    Place(SessionRegistry& registry, std::uint32_t connection_id)
        : registry_(&registry), connection_id_(connection_id) {}

    SessionRegistry* registry_ = nullptr;
    std::uint32_t connection_id_ = 0;
  };

  Place enter(Entry entry);

  // Who asks, and for which id: the gateway's or the server's.
  struct Wanted {
    std::uint64_t id;
    std::string_view account;
    std::string_view connection;
    std::string_view server;
  };
  struct Target {
    std::string session_id;
    std::uint32_t server_connection_id;
    std::string connection;
    std::string server_name;
    std::string login;
    std::string server;
  };
  // A session of the same account. A server's own number is looked for among the sessions of the same connection only,
  // first among those that are connected to the same server: others may number the same.
  std::optional<Target> find_target(const Wanted& wanted);

 private:
  bool leave(std::uint32_t connection_id);

  std::mutex mutex_;
  std::unordered_map<std::uint32_t, Entry> sessions_;  // by connection_id
};

}  // namespace sallyport::session
