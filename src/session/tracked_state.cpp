#include "session/tracked_state.h"

#include <array>

namespace sallyport::session {
namespace {

// The gateway tracks all system variables; a client that asked for tracking is told of those that the servers track
// by default (session_track_system_variables).
constexpr std::array<std::string_view, 5> variables_told{
    "autocommit", "character_set_client", "character_set_connection", "character_set_results", "time_zone"};

bool is_told(const wire::SessionTrackEntry& entry) {
  if (entry.kind != wire::SessionTrackEntry::Kind::system_variable) {
    return true;
  }
  for (std::string_view name : variables_told) {
    if (entry.name == name) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool follow(const wire::OkPacket& ok, TrackedState& state, std::vector<std::uint8_t>& told) {
  state.status_flags = ok.status_flags & static_cast<std::uint16_t>(~wire::status::session_state_changed);
  if ((ok.status_flags & wire::status::session_state_changed) == 0) {
    return true;
  }
  auto entries = wire::parse_session_track(ok.session_track);
  if (!entries) {
    return false;
  }
  for (const auto& entry : *entries) {
    if (entry.kind == wire::SessionTrackEntry::Kind::schema) {
      state.schema = entry.value;
    } else if (entry.kind == wire::SessionTrackEntry::Kind::system_variable && entry.name == "sql_mode") {
      state.sql_mode = sql::parse_sql_mode(entry.value);
    } else if (entry.kind == wire::SessionTrackEntry::Kind::system_variable && entry.name == "character_set_client") {
      state.charset = sql::parse_charset(entry.value);
    }
    if (is_told(entry)) {
      told.insert(told.end(), entry.raw.begin(), entry.raw.end());
    }
  }
  return true;
}

}  // namespace sallyport::session
