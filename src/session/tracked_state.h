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

// The value of an expression that the server was asked for (sql::DynamicText).
struct EvaluatedText {
  std::string expression;
  // Nothing where it is not to be had, is longer than evaluated_text_bytes_max, or is in a character set of which it
  // can't be told how the server would read it.
  std::optional<std::string> text;
};
inline constexpr std::size_t evaluated_text_bytes_max = 65'536;

struct TrackedState {
  std::string schema;
  bool schema_reported = false;  // by the answer to the command forwarded last
  std::uint16_t status_flags = wire::status::autocommit;
  // How the server reads the next text. Nothing: it did not say, or said what is not understood.
  std::optional<sql::SqlMode> sql_mode;
  std::optional<sql::Charset> charset;
  bool reading_is_current = false;         // the server was asked, and got no command since that may have changed it
  std::optional<EvaluatedText> evaluated;  // since the last command
};

// Takes over what `ok` says. False where its data is malformed.
bool follow(const wire::OkPacket& ok, TrackedState& state);

}  // namespace sallyport::session
