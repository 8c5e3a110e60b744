// Asks the server how it reads the next text, which schema is the default one, and what an expression says.
//
// A query of the gateway's own, between two commands of the client's. It says the same whatever the client has set:
// LIMIT outweighs sql_select_limit, a binary text is not converted to character_set_results, and nothing in the query
// depends on sql_mode or the character set. Tried on MySQL 9.7 and MariaDB 10.11, also in the states of XA.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "session/input_buffer.h"
#include "session/output_queue.h"
#include "session/reason.h"
#include "session/tracked_state.h"
#include "wire/response_reader.h"

namespace sallyport::session {

inline constexpr std::string_view state_query_text =
    "SELECT CAST(@@SESSION.sql_mode AS BINARY), CAST(@@SESSION.character_set_client AS BINARY), CAST(DATABASE() AS "
    "BINARY) LIMIT 1";
struct AskedText {  // of sql::DynamicText
  std::string expression;
  std::vector<std::string> variables;  // in it
};
// The same, and behind it the value of the expression, its character set, the value in UTF-8, and the connection's
// character set. No value and no character set where its variables hold more than evaluated_text_bytes_max together:
// nothing is then evaluated.
std::string state_query_with(const AskedText& asked);
// The row: a server has some 40 modes and names of 64 characters.
inline constexpr std::size_t state_row_bytes_max = 4096;
inline constexpr std::size_t state_row_with_value_bytes_max = state_row_bytes_max + 2 * evaluated_text_bytes_max;

class StateQuery {
 public:
  // Writes the query to `out`; `negotiated` with the server, which stands between commands.
  StateQuery(wire::Capabilities negotiated, std::vector<std::uint8_t>& out, AskedText asked = {});

  enum class Step : std::uint8_t { more, done };
  // Takes what there is of the answer from `from`, nothing of which is for `to`'s peer. When it is done, `state` has
  // what the server said; where it refused to say, mode and character set are unknown. Error: backend_violation.
  Result<Step, Reason> read(InputBuffer& from, OutputQueue& to, TrackedState& state);
  bool done() const { return reader_.done(); }

 private:
  // False: the answer is not to this query.
  bool take(const wire::ResponseReader::Step& packet, Bytes bytes, TrackedState& state);
  bool take_end(Bytes payload, TrackedState& state) const;
  bool take_row(TrackedState& state) const;

  std::size_t columns() const { return asked_.expression.empty() ? 3 : 7; }

  wire::Capabilities negotiated_;
  AskedText asked_;
  wire::ResponseReader reader_;
  std::uint32_t results_ = 0;
  bool refused_ = false;
  std::vector<std::uint8_t> row_;
};

}  // namespace sallyport::session
