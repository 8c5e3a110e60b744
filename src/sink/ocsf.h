// A record as an event of the Open Cybersecurity Schema Framework, version 1.5.0. docs/sinks.md has the mapping member
// by member. The class and attribute definitions are those of the schema that its makers publish.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sallyport::sink {

inline constexpr std::string_view ocsf_version = "1.5.0";

// What an event says of the session that its record is of, and the record itself does not.
struct OcsfSession {
  std::string account;
  std::string subject;
  std::string issuer;
  std::string issuer_name;
  std::string client;  // address and port
  std::string connection;
  std::string server;

  struct Command {
    int activity = 0;
    std::string kind;
  };
  std::map<std::uint64_t, Command> commands;  // by seq, the newest few; a record may come twice

  friend bool operator==(const OcsfSession&, const OcsfSession&) = default;
};
inline bool operator==(const OcsfSession::Command& left, const OcsfSession::Command& right) {
  return left.activity == right.activity && left.kind == right.kind;
}

// Remembers sessions as their records pass, the ones that were seen last, and asks for those that began before.
class OcsfSessions {
 public:
  static constexpr std::size_t sessions_max = 20'000;
  static constexpr std::size_t commands_max = 16;  // of each

  // What is known of a session without having seen its login; nothing where that can't be told.
  using Find = std::function<std::optional<OcsfSession>(const std::string& session)>;
  explicit OcsfSessions(Find find) : find_(std::move(find)) {}

  // Of the session of a record; `record` may add to it. The reference lives until the next call.
  OcsfSession& see(const std::string& session, std::string_view type, std::string_view record);
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Entry {
    std::string id;
    OcsfSession session;
  };
  Find find_;
  std::list<Entry> sessions_;  // the one seen last first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_id_;
};

struct OcsfInput {
  std::uint64_t index = 0;
  std::string_view record;  // canonical JSON, without a line end
  std::string_view origin;  // the log's name
  std::size_t bytes_max = 0;
};
// The event, an object of one line without its end. Where it would be longer than `bytes_max` (at least
// ocsf_bytes_least) it is without `unmapped`, with what fits of the statement's text and of long texts, and has the
// label "cut" and the record's size and SHA-256.
std::string ocsf_event(const OcsfInput& input, OcsfSession& session);

inline constexpr std::size_t ocsf_bytes_least = 3072;

}  // namespace sallyport::sink
