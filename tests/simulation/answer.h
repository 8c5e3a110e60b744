// The answer of a server to one command as a value: made by the fake backend, written as the backend's leg negotiated,
// and compared with what the fake client read from its own leg.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "simulation/choices.h"
#include "wire/capabilities.h"

namespace sallyport::simulation {

using Buffer = std::vector<std::uint8_t>;

struct Tracked {
  std::uint8_t kind = 0;  // enum_session_state_type
  std::string name;       // of a system variable
  std::string value;
  bool operator==(const Tracked&) const = default;
};

struct ServerError {
  std::uint16_t code = 0;
  std::string sql_state;
  std::string message;
  bool operator==(const ServerError&) const = default;
};

// One result. What stands after the rows or alone is the end: an OK, an EOF or an ERR.
struct OneResult {
  enum class Shape : std::uint8_t {
    ok,        // OK alone
    rows,      // column definitions, rows, end
    cursor,    // column definitions, no rows: they are fetched
    fetched,   // rows and end without column definitions
    fields,    // COM_FIELD_LIST: definitions, end
    prepared,  // COM_STMT_PREPARE
    text,      // COM_STATISTICS
    bare_end,  // EOF alone, as COM_SET_OPTION has it
    error      // ERR alone
  };
  Shape shape = Shape::ok;
  std::vector<std::string> parameters;  // definitions, payloads as they are
  std::vector<std::string> columns;
  bool definitions_left_out = false;  // parameters and columns are empty then, and as many
  std::vector<std::string> rows;
  bool ends_with_error = false;
  ServerError error;
  std::uint32_t statement_id = 0;
  std::string text;
  std::uint64_t affected_rows = 0;
  std::uint64_t last_insert_id = 0;
  std::uint16_t status = wire::status::autocommit;
  std::uint16_t warnings = 0;
  std::string info;
  std::vector<Tracked> tracked;
  bool operator==(const OneResult&) const = default;
};

using Answer = std::vector<OneResult>;

// The packets of an answer, the first with `sequence_id`, as a server writes them to a peer with these capabilities.
Buffer write_answer(const Answer& answer, wire::Capabilities negotiated, std::uint8_t sequence_id);

// What a client with `client` capabilities is to read of an answer that a server wrote with `backend` capabilities.
Answer as_seen_by_client(Answer answer, wire::Capabilities client, wire::Capabilities backend);

// For failure messages.
std::string describe(const Answer& answer);

// Answers of random content.
Answer random_query_answer(Choices& choices, bool binary_rows);
OneResult random_ok(Choices& choices);
OneResult random_error(Choices& choices);
std::string random_definition(Choices& choices);
std::string random_row(Choices& choices, bool binary);

}  // namespace sallyport::simulation
