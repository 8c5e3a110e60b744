#include "session/tracked_state.h"

namespace sallyport::session {

bool follow(const wire::OkPacket& ok, TrackedState& state) {
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
      state.schema_reported = true;
    }
  }
  return true;
}

}  // namespace sallyport::session
