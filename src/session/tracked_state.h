// What the server said of the session's state in OK packets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/dialect.h"
#include "wire/capabilities.h"
#include "wire/response.h"

namespace sallyport::session {

struct TrackedState {
  std::string schema;
  std::uint16_t status_flags = wire::status::autocommit;
  // How the server reads the next text. Nothing: the server never said, or said what is not understood.
  std::optional<sql::SqlMode> sql_mode;
  std::optional<sql::Charset> charset;
};

// Takes over what `ok` says. `told` gets the entries that a client which asked for session tracking is told of. False
// where the data is malformed.
bool follow(const wire::OkPacket& ok, TrackedState& state, std::vector<std::uint8_t>& told);

}  // namespace sallyport::session
