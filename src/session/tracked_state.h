// What the server said of the session's state.
//
// Schema and status flags come with its answers. How it reads a text (sql_mode, character_set_client) does not, for
// sure: clients choose what is tracked, and can have a change reported or not (docs/adr/0025-how-the-server-reads.md).
// So the gateway asks (StateQuery) where it has to know, and what it was told holds until the next command is
// forwarded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sql/dialect.h"
#include "wire/capabilities.h"
#include "wire/response.h"

namespace sallyport::session {

struct TrackedState {
  std::string schema;
  bool schema_reported = false;  // by the answer to the command forwarded last
  std::uint16_t status_flags = wire::status::autocommit;
  // How the server reads the next text. Nothing: it did not say, or said what is not understood.
  std::optional<sql::SqlMode> sql_mode;
  std::optional<sql::Charset> charset;
  bool reading_is_current = false;  // the server was asked, and got no command since
};

// Takes over what `ok` says. False where its data is malformed.
bool follow(const wire::OkPacket& ok, TrackedState& state);

}  // namespace sallyport::session
