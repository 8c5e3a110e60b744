#include "session/state_query.h"

#include <optional>

#include "base/ascii.h"
#include "session/backend_login.h"

namespace sallyport::session {
namespace {

using wire::PacketKind;

// The value of an expression, and the names of character sets: its own, and those of the session.
struct Value {
  std::string_view bytes;
  std::string_view in_utf8;
  std::string_view charset;
  std::string_view client;
  std::string_view connection;
};

// What the server reads of it. A binary value it takes as it is; any other MariaDB converts to the client's character
// set, and MySQL to the connection's, to read the bytes as the client's all the same.
std::optional<std::string> readable(const Value& value) {
  bool is_kept = value.charset == "binary" || (value.charset == value.client && value.charset == value.connection);
  bool is_plain = is_ascii(value.in_utf8) && sql::parse_charset(value.connection);
  if (!is_kept && !is_plain) {
    return std::nullopt;
  }
  std::string_view read = is_kept ? value.bytes : value.in_utf8;
  return read.size() <= evaluated_text_bytes_max ? std::optional(std::string(read)) : std::nullopt;
}

}  // namespace

std::string state_query_with(const AskedText& asked) {
  constexpr std::string_view end = " LIMIT 1";
  std::string bytes_max = std::to_string(evaluated_text_bytes_max + 1);
  std::string is_short = "0";
  for (const std::string& variable : asked.variables) {
    is_short += " + COALESCE(OCTET_LENGTH(" + variable + "), 0)";
  }
  is_short += " < " + bytes_max;
  const std::string& of = asked.expression;
  auto column = [&](const std::string& value) { return ", IF(" + is_short + ", " + value + ", NULL)"; };
  return std::string(state_query_text.substr(0, state_query_text.size() - end.size())) +
         column("LEFT(CAST(" + of + " AS BINARY), " + bytes_max + ")") + column("CAST(CHARSET(" + of + ") AS BINARY)") +
         column("LEFT(CAST(CONVERT(" + of + " USING utf8mb4) AS BINARY), " + bytes_max + ")") +
         ", CAST(@@SESSION.character_set_connection AS BINARY)" + std::string(end);
}

StateQuery::StateQuery(wire::Capabilities negotiated, std::vector<std::uint8_t>& out, AskedText asked)
    : negotiated_(negotiated), asked_(std::move(asked)) {
  wire::PacketWriter writer{out};
  writer.begin(0);
  write_own_query(writer, asked_.expression.empty() ? std::string(state_query_text) : state_query_with(asked_),
                  negotiated);
  reader_.start(wire::Command::query, negotiated, writer.end());
}

Result<StateQuery::Step, Reason> StateQuery::read(InputBuffer& from, OutputQueue& to, TrackedState& state) {
  while (!reader_.done()) {
    Bytes received{from.unclaimed()};
    auto packet = reader_.next(received);
    if (!packet) {
      return Unexpected(Reason::backend_violation);
    }
    if (packet->bytes == 0) {
      return Step::more;
    }
    if (!take(*packet, received.first(packet->bytes), state)) {
      return Unexpected(Reason::backend_violation);
    }
    to.skip(packet->bytes);
  }
  state.sql_mode.reset();
  state.charset.reset();
  state.evaluated.reset();
  if (!asked_.expression.empty()) {
    state.evaluated = EvaluatedText{.expression = asked_.expression, .text = std::nullopt};
  }
  if (!refused_ && !take_row(state)) {
    return Unexpected(Reason::backend_violation);
  }
  state.reading_is_current = true;
  return Step::done;
}

bool StateQuery::take(const wire::ResponseReader::Step& packet, Bytes bytes, TrackedState& state) {
  switch (packet.kind) {
    case PacketKind::column_count:
      return ++results_ == 1 && bytes[wire::frame_header_bytes] == columns();
    case PacketKind::column_definition:
      return true;
    case PacketKind::columns_end:
    case PacketKind::rows_end:
      return take_end(bytes.subspan(wire::frame_header_bytes), state);
    case PacketKind::row: {
      Bytes part = reader_.frame_starts() ? bytes.subspan(wire::frame_header_bytes) : bytes;
      row_.insert(row_.end(), part.begin(), part.end());
      return reader_.rows() <= 1 &&
             row_.size() <= (asked_.expression.empty() ? state_row_bytes_max : state_row_with_value_bytes_max);
    }
    case PacketKind::err:
      refused_ = true;
      return true;
    case PacketKind::ok:
    case PacketKind::prepare_ok:
    case PacketKind::prepare_parameter:
    case PacketKind::prepare_parameters_end:
    case PacketKind::prepare_column:
    case PacketKind::prepare_columns_end:
    case PacketKind::local_infile:
    case PacketKind::text:
    case PacketKind::progress:
      return false;
  }
  return false;
}

bool StateQuery::take_end(Bytes payload, TrackedState& state) const {
  if (wire::has(negotiated_, wire::capability::deprecate_eof)) {
    auto ok = wire::parse_ok(payload, negotiated_);
    return ok && follow(*ok, state);
  }
  auto eof = wire::parse_eof(payload);
  if (eof) {
    state.status_flags = eof->status_flags & static_cast<std::uint16_t>(~wire::status::session_state_changed);
  }
  return eof.has_value();
}

bool StateQuery::take_row(TrackedState& state) const {
  std::vector<std::optional<Bytes>> cells;
  if (reader_.rows() != 1 || !wire::parse_text_row(row_, columns(), cells) || !cells[0] || !cells[1]) {
    return false;
  }
  sql::SqlMode mode = sql::parse_sql_mode(text_of(*cells[0]));
  state.sql_mode = (mode & sql::sql_mode::unknown) == 0 ? std::optional(mode) : std::nullopt;
  state.charset = sql::parse_charset(text_of(*cells[1]));
  state.schema = cells[2] ? text_of(*cells[2]) : std::string_view{};
  if (!asked_.expression.empty()) {
    constexpr std::string_view of_null = "NULL";  // what the servers run of it
    auto cell = [&](std::size_t i) { return cells[i] ? text_of(*cells[i]) : std::string_view{}; };
    state.evaluated->text =
        !cells[4] ? std::nullopt
        : cells[3]
            ? readable(
                  {.bytes = cell(3), .in_utf8 = cell(5), .charset = cell(4), .client = cell(1), .connection = cell(6)})
            : std::optional<std::string>(of_null);
  }
  return true;
}

}  // namespace sallyport::session
