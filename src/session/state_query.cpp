#include "session/state_query.h"

#include <algorithm>
#include <array>
#include <optional>

#include "session/backend_login.h"

namespace sallyport::session {
namespace {

using wire::PacketKind;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

// What the server would run, as it would be read by a client whose character set is `client`.
std::optional<std::string> readable(std::string_view value, std::string_view charset,
                                    const std::optional<sql::Charset>& client) {
  constexpr std::array<std::string_view, 3> of_utf8{"utf8mb4", "utf8mb3", "utf8"};
  constexpr std::array<std::string_view, 3> of_ascii{"latin1", "ascii", "binary"};
  bool is_utf8 = std::find(of_utf8.begin(), of_utf8.end(), charset) != of_utf8.end();
  bool has_ascii = is_utf8 || std::find(of_ascii.begin(), of_ascii.end(), charset) != of_ascii.end();
  bool is_readable = has_ascii && value.size() <= evaluated_text_bytes_max &&
                     (is_ascii(value) || (is_utf8 && client == sql::Charset::utf8));
  return is_readable ? std::optional(std::string(value)) : std::nullopt;
}

}  // namespace

std::string state_query_with(std::string_view expression) {
  constexpr std::string_view end = " LIMIT 1";
  std::string text(state_query_text.substr(0, state_query_text.size() - end.size()));
  text.append(", LEFT(CAST(").append(expression).append(" AS BINARY), ");
  text.append(std::to_string(evaluated_text_bytes_max + 1)).append("), CAST(CHARSET(").append(expression);
  return text.append(") AS BINARY)").append(end);
}

StateQuery::StateQuery(wire::Capabilities negotiated, std::vector<std::uint8_t>& out, std::string expression)
    : negotiated_(negotiated), expression_(std::move(expression)) {
  wire::PacketWriter writer{out};
  writer.begin(0);
  write_own_query(writer, expression_.empty() ? std::string(state_query_text) : state_query_with(expression_),
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
  if (!expression_.empty()) {
    state.evaluated = EvaluatedText{.expression = expression_, .text = std::nullopt};
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
             row_.size() <= (expression_.empty() ? state_row_bytes_max : state_row_with_value_bytes_max);
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
  state.sql_mode = sql::parse_sql_mode(text_of(*cells[0]));
  state.charset = sql::parse_charset(text_of(*cells[1]));
  state.schema = cells[2] ? text_of(*cells[2]) : std::string_view{};
  if (!expression_.empty()) {
    constexpr std::string_view of_null = "NULL";  // what the servers run of it
    state.evaluated->text = cells[3] && cells[4] ? readable(text_of(*cells[3]), text_of(*cells[4]), state.charset)
                                                 : std::optional<std::string>(of_null);
  }
  return true;
}

}  // namespace sallyport::session
