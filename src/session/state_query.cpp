#include "session/state_query.h"

#include <optional>

#include "session/backend_login.h"

namespace sallyport::session {
namespace {

using wire::PacketKind;

constexpr std::size_t columns = 3;

}  // namespace

StateQuery::StateQuery(wire::Capabilities negotiated, std::vector<std::uint8_t>& out) : negotiated_(negotiated) {
  wire::PacketWriter writer{out};
  writer.begin(0);
  write_own_query(writer, state_query_text, negotiated);
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
  if (!refused_ && !take_row(state)) {
    return Unexpected(Reason::backend_violation);
  }
  state.reading_is_current = true;
  return Step::done;
}

bool StateQuery::take(const wire::ResponseReader::Step& packet, Bytes bytes, TrackedState& state) {
  switch (packet.kind) {
    case PacketKind::column_count:
      return ++results_ == 1 && bytes[wire::frame_header_bytes] == columns;
    case PacketKind::column_definition:
      return true;
    case PacketKind::columns_end:
    case PacketKind::rows_end:
      return take_end(bytes.subspan(wire::frame_header_bytes), state);
    case PacketKind::row: {
      Bytes part = reader_.frame_starts() ? bytes.subspan(wire::frame_header_bytes) : bytes;
      row_.insert(row_.end(), part.begin(), part.end());
      return reader_.rows() <= 1 && row_.size() <= state_row_bytes_max;
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
  if (reader_.rows() != 1 || !wire::parse_text_row(row_, columns, cells) || !cells[0] || !cells[1]) {
    return false;
  }
  state.sql_mode = sql::parse_sql_mode(text_of(*cells[0]));
  state.charset = sql::parse_charset(text_of(*cells[1]));
  state.schema = cells[2] ? text_of(*cells[2]) : std::string_view{};
  return true;
}

}  // namespace sallyport::session
