#include "session/answer_relay.h"

namespace sallyport::session {
namespace {

using wire::PacketKind;

// Where the status flags of an EOF packet stand, in a frame.
constexpr std::size_t eof_status_at = wire::frame_header_bytes + 3;

// Of the flags that the last packet had, those that hold for an EOF behind column definitions as well: a cursor that
// was opened before is none of this result.
std::uint16_t columns_end_flags(std::uint16_t status_flags) {
  return static_cast<std::uint16_t>(status_flags & (wire::status::in_transaction | wire::status::autocommit));
}

}  // namespace

void AnswerRelay::start(wire::Command command, const Legs& legs, FirstSequenceIds first, const Bounds& bounds) {
  *this = AnswerRelay{};
  legs_ = legs;
  bounds_ = bounds;
  shift_ = static_cast<std::uint8_t>(first.client - first.backend);
  reader_.start(command, legs.backend, first.backend);
}

Result<AnswerRelay::Step, Reason> AnswerRelay::relay(InputBuffer& from, OutputQueue& to, TrackedState& state) {
  auto step = relay_packets(from, to, state);
  tell_run();
  return step;
}

Result<AnswerRelay::Step, Reason> AnswerRelay::relay_packets(InputBuffer& from, OutputQueue& to, TrackedState& state) {
  while (!reader_.done()) {
    if (to.made_bytes() > made_bytes_max) {
      return Step::more;
    }
    if (interrupt_due_) {
      interrupt_if_due(to, state);
    }
    auto packet = reader_.next(Bytes{from.unclaimed()});
    if (!packet) {
      return Unexpected(Reason::backend_violation);
    }
    if (packet->bytes == 0) {
      return Step::more;
    }
    if (packet->kind == PacketKind::local_infile) {
      request_bytes_ = packet->bytes;
      return Step::file_requested;
    }
    if (!cut_ && exceeds_bounds(*packet)) {
      cut(*packet, to, state);
    }
    if (cut_) {
      if (auto discarded = discard(*packet, from, to, state); !discarded) {
        return Unexpected(discarded.error());
      }
    } else if (packet->kind == PacketKind::row && !columns_end_due_) {
      forward(*packet, from, to);
    } else if (auto handled = handle(*packet, from, to, state); !handled) {
      return Unexpected(handled.error());
    }
  }
  return Step::done;
}

bool AnswerRelay::exceeds_bounds(const Packet& row) const {
  if (row.kind != PacketKind::row || !row.packet_starts) {
    return false;
  }
  std::uint64_t rows_before = reader_.rows() - (row.packet_ends ? 1 : 0);
  return (bounds_.rows_max != 0 && rows_before >= bounds_.rows_max) ||
         (bounds_.bytes_max != 0 && totals_.bytes >= bounds_.bytes_max);
}

// Puts an error in the place of a row. What the server still sends of the answer is dropped.
void AnswerRelay::cut(const Packet& row, OutputQueue& to, const TrackedState& state) {
  cut_ = true;
  rows_sent_ = reader_.rows() - (row.packet_ends ? 1 : 0);
  --shift_;  // the reader has counted the row already
  if (columns_end_due_) {
    insert_eof(to, columns_end_flags(state.status_flags) | added_flags(), 0);
  }
  answer_with_error(Reason::result_too_large, to);
}

void AnswerRelay::interrupt(Reason reason, OutputQueue& to, const TrackedState& state) {
  interrupt_due_ = reason;
  interrupt_if_due(to, state);
}

void AnswerRelay::interrupt_if_due(OutputQueue& to, const TrackedState& state) {
  if (reader_.done() || client_is_answered() || !reader_.at_packet_boundary()) {
    return;
  }
  if (columns_end_due_) {
    insert_eof(to, columns_end_flags(state.status_flags) | added_flags(), 0);
    columns_end_due_ = false;
  }
  rows_sent_ = reader_.rows();
  answer_with_error(*interrupt_due_, to);
  cut_ = interrupted_ = true;
  interrupt_due_.reset();
}

void AnswerRelay::answer_with_error(Reason reason, OutputQueue& to) {
  ClientError error = client_error(reason);
  wire::PacketWriter writer{to.made()};
  std::size_t before = to.made().size();
  writer.begin(next_client_sequence_id());
  wire::write_err(writer, {.code = error.mysql_error, .sql_state = error.sql_state, .message = error.message});
  writer.end();
  queue_made(before, to);
  totals_.error_code = error.mysql_error;
  totals_.error_sql_state = error.sql_state;
  totals_.error_message = error.message;
}

std::string_view AnswerRelay::requested_file(const InputBuffer& from) const {
  constexpr std::size_t head = wire::frame_header_bytes + 1;
  return text_of(from.unclaimed().subspan(head, request_bytes_ - head));
}

std::uint8_t AnswerRelay::pass_request(InputBuffer& from, OutputQueue& to) {
  std::uint8_t& sequence_id = from.unclaimed()[3];
  sequence_id = static_cast<std::uint8_t>(sequence_id + shift_);
  forward(request_bytes_, from, to);
  tell_run();
  return next_client_sequence_id();
}

void AnswerRelay::drop_request(OutputQueue& to) {
  to.skip(request_bytes_);
  --shift_;
}

std::uint8_t AnswerRelay::refuse_request(OutputQueue& to) {
  drop_request(to);
  rows_sent_ = reader_.rows();
  answer_with_error(Reason::local_file_refused, to);
  cut_ = request_refused_ = true;
  return number_empty_file();
}

std::uint8_t AnswerRelay::decline_request(OutputQueue& to) {
  drop_request(to);
  return number_empty_file();
}

std::uint8_t AnswerRelay::number_empty_file() {
  std::uint8_t sequence_id = reader_.next_sequence_id();
  reader_.resume(static_cast<std::uint8_t>(sequence_id + 1));
  return sequence_id;
}

Result<Unit, Reason> AnswerRelay::discard(const Packet& packet, InputBuffer& from, OutputQueue& to,
                                          TrackedState& state) {
  Bytes payload = Bytes{from.unclaimed()}.subspan(wire::frame_header_bytes, packet.bytes - wire::frame_header_bytes);
  bool ends =
      packet.kind == PacketKind::ok || packet.kind == PacketKind::columns_end || packet.kind == PacketKind::rows_end;
  if (ends && payload[0] == wire::eof_header && !backend_ends_with_ok()) {
    auto eof = wire::parse_eof(payload);
    if (!eof) {
      return Unexpected(Reason::backend_violation);
    }
    state.status_flags = eof->status_flags & static_cast<std::uint16_t>(~wire::status::session_state_changed);
  } else if (ends) {
    auto ok = wire::parse_ok(payload, legs_.backend);
    if (!ok || !follow(*ok, state)) {
      return Unexpected(Reason::backend_violation);
    }
  } else if (packet.kind == PacketKind::prepare_ok) {
    totals_.prepared = wire::parse_prepare_ok(payload, legs_.backend);
  }
  to.skip(packet.bytes);
  return Unit{};
}

void AnswerRelay::forward(const Packet& packet, InputBuffer& from, OutputQueue& to) {
  if (shift_ != 0 && reader_.frame_starts()) {
    std::uint8_t& sequence_id = from.unclaimed()[3];
    sequence_id = static_cast<std::uint8_t>(sequence_id + shift_);
  }
  forward(packet.bytes, from, to);
}

// Packets that lie side by side are told as one run.
void AnswerRelay::forward(std::size_t count, InputBuffer& from, OutputQueue& to) {
  const std::uint8_t* begin = from.unclaimed().data();
  if (run_.data() + run_.size() == begin && !run_.empty()) {
    run_ = {run_.data(), run_.size() + count};
  } else {
    tell_run();
    run_ = {begin, count};
  }
  to.forward(count);
  totals_.bytes += count;
}

void AnswerRelay::tell_run() {
  if (trace_ != nullptr) {
    trace_->add(run_);
  }
  run_ = {};
}

void AnswerRelay::queue_made(std::size_t before, OutputQueue& to) {
  tell_run();
  Bytes made = Bytes{to.made()}.subspan(before);
  if (trace_ != nullptr) {
    trace_->add(made);
  }
  totals_.bytes += made.size();
  to.queue_made();
}

void AnswerRelay::drop(const Packet& packet, OutputQueue& to) {
  to.skip(packet.bytes);
  --shift_;
}

// The packet goes between the last one read and the next: it bears the id that the next would have borne.
void AnswerRelay::insert_eof(OutputQueue& to, std::uint16_t status_flags, std::uint16_t warnings) {
  std::size_t before = to.made().size();
  wire::PacketWriter writer{to.made()};
  writer.begin(next_client_sequence_id());
  // An EOF has no room for what has changed of the session's state.
  auto flags = static_cast<std::uint16_t>(status_flags & ~wire::status::session_state_changed);
  wire::write_eof(writer, {.warnings = warnings, .status_flags = flags});
  writer.end();
  queue_made(before, to);
  ++shift_;
}

void AnswerRelay::insert_ok(OutputQueue& to, const wire::OkPacket& ok) {
  wire::PacketWriter writer{to.made()};
  std::size_t before = to.made().size();
  writer.begin(next_client_sequence_id());
  wire::write_ok(writer, ok, legs_.client);
  writer.end();
  queue_made(before, to);
  ++shift_;
}

Result<Unit, Reason> AnswerRelay::handle(const Packet& packet, InputBuffer& from, OutputQueue& to,
                                         TrackedState& state) {
  Bytes payload = Bytes{from.unclaimed()}.subspan(wire::frame_header_bytes, packet.bytes - wire::frame_header_bytes);
  switch (packet.kind) {
    case PacketKind::row:
      // columns_end_due_: the EOF goes before this row, whose header has been counted by the reader already.
      --shift_;
      insert_eof(to, columns_end_flags(state.status_flags) | added_flags(), 0);
      ++shift_;
      columns_end_due_ = false;
      forward(packet, from, to);
      return Unit{};
    case PacketKind::column_count:
      begin_definitions(packet, *wire::parse_result_header(payload, legs_.backend), from, to, state);
      return Unit{};
    case PacketKind::column_definition:
    case PacketKind::prepare_parameter:
    case PacketKind::prepare_column:
      pass_definition(packet, from, to);
      count_definition(packet.kind, to, state);
      return Unit{};
    case PacketKind::prepare_ok: {
      wire::PrepareOk prepared = *wire::parse_prepare_ok(payload, legs_.backend);
      forward(packet, from, to);
      note_prepare(prepared, to, state);
      return Unit{};
    }
    case PacketKind::err: {
      auto err = wire::parse_err(payload);
      totals_.error_code = err->code;
      totals_.error_sql_state = err->sql_state;
      totals_.error_message = err->message;
      columns_end_due_ = false;
      break_off_definitions();
      forward(packet, from, to);
      return Unit{};
    }
    case PacketKind::prepare_parameters_end:
    case PacketKind::prepare_columns_end:
      if (client_ends_with_ok()) {
        drop(packet, to);
      } else {
        forward(packet, from, to);
      }
      return Unit{};
    case PacketKind::text:
    case PacketKind::progress:
      forward(packet, from, to);
      return Unit{};
    case PacketKind::local_infile:
      break;  // relay() has seen to it
    case PacketKind::ok:
    case PacketKind::columns_end:
    case PacketKind::rows_end:
      return handle_end(packet, from, to, state);
  }
  return Unit{};
}

void AnswerRelay::count_definition(PacketKind kind, OutputQueue& to, const TrackedState& state) {
  if (definitions_left_ == 0 || --definitions_left_ > 0) {
    return;
  }
  if (kind == PacketKind::prepare_parameter) {
    definitions_left_ = prepare_columns_left_;
  }
  end_definitions(kind, to, state);
}

void AnswerRelay::note_prepare(const wire::PrepareOk& ok, OutputQueue& to, const TrackedState& state) {
  totals_.prepared = ok;
  totals_.warnings += ok.warnings;
  handling_ = caches_definitions() ? Handling::note : Handling::pass;
  if (ok.definitions_follow) {
    prepare_columns_left_ = ok.columns;
    definitions_left_ = ok.parameters > 0 ? ok.parameters : ok.columns;
    return;
  }
  if (ok.parameters > 0) {
    end_definitions(PacketKind::prepare_parameter, to, state);
  }
  if (ok.columns > 0) {
    end_definitions(PacketKind::prepare_column, to, state);
  }
}

// OK and EOF packets: the end of a result, of column definitions, or of a command without result.
Result<Unit, Reason> AnswerRelay::handle_end(const Packet& packet, InputBuffer& from, OutputQueue& to,
                                             TrackedState& state) {
  Bytes payload = Bytes{from.unclaimed()}.subspan(wire::frame_header_bytes, packet.bytes - wire::frame_header_bytes);
  if (payload[0] == wire::eof_header && !backend_ends_with_ok()) {
    auto eof = wire::parse_eof(payload);
    if (!eof) {
      return Unexpected(Reason::backend_violation);
    }
    state.status_flags = eof->status_flags & static_cast<std::uint16_t>(~wire::status::session_state_changed);
    bool ends_columns = packet.kind == PacketKind::columns_end;
    totals_.warnings += ends_columns ? 0U : eof->warnings;
    if (!client_ends_with_ok()) {
      auto flags = static_cast<std::uint16_t>(eof->status_flags | added_flags());
      if (!wire::has(legs_.client, wire::capability::session_track)) {
        flags &= static_cast<std::uint16_t>(~wire::status::session_state_changed);
      }
      from.unclaimed()[eof_status_at] = static_cast<std::uint8_t>(flags);
      from.unclaimed()[eof_status_at + 1] = static_cast<std::uint8_t>(flags >> 8);
      forward(packet, from, to);
      return Unit{};
    }
    drop(packet, to);
    // Behind column definitions the client is due nothing, unless a cursor takes the place of the rows.
    if (!ends_columns || reader_.announces_cursor(eof->status_flags)) {
      // MySQL leaves the flag out of the EOF behind a row of OUT parameters, though an OK follows.
      bool has_more = !ends_columns && !reader_.done();
      auto flags = static_cast<std::uint16_t>(eof->status_flags | added_flags() |
                                              (has_more ? wire::status::more_results_exist : 0));
      insert_ok(to, {.header = wire::eof_header, .status_flags = flags, .warnings = eof->warnings});
    }
    return Unit{};
  }
  auto ok = wire::parse_ok(payload, legs_.backend);
  if (!ok) {
    return Unexpected(Reason::backend_violation);
  }
  totals_.affected_rows += ok->affected_rows;
  totals_.warnings += ok->warnings;
  if (packet.kind == PacketKind::ok) {
    ++totals_.results;
    forget_definitions();  // connectors differ in what they keep behind an answer without columns
  }
  return handle_ok(packet, *ok, from, to, state);
}

Result<Unit, Reason> AnswerRelay::handle_ok(const Packet& packet, const wire::OkPacket& ok, InputBuffer& from,
                                            OutputQueue& to, TrackedState& state) {
  wire::OkPacket told = ok;
  if (!follow(ok, state)) {
    return Unexpected(Reason::backend_violation);
  }
  bool is_told_too_much = (ok.status_flags & wire::status::session_state_changed) != 0 &&
                          !wire::has(legs_.client, wire::capability::session_track);
  if (is_told_too_much) {
    told.status_flags &= static_cast<std::uint16_t>(~wire::status::session_state_changed);
  }
  told.status_flags |= added_flags();
  bool as_eof = ok.header == wire::eof_header && !client_ends_with_ok();
  if (!is_told_too_much && !as_eof && !more_results_follow_) {
    columns_end_due_ = false;
    forward(packet, from, to);
    return Unit{};
  }
  // The replacement is written before the original is skipped, as its text is borrowed from there; the id is that of
  // the packet just read.
  if (as_eof) {
    bool cursor = reader_.announces_cursor(ok.status_flags) && reader_.rows() == rows_before_result_;
    --shift_;
    if (columns_end_due_ && !cursor) {
      insert_eof(to, columns_end_flags(state.status_flags) | added_flags(), 0);
    }
    insert_eof(to, told.status_flags, ok.warnings);
    to.skip(packet.bytes);
  } else {
    --shift_;
    insert_ok(to, told);
    to.skip(packet.bytes);
  }
  columns_end_due_ = false;
  return Unit{};
}

}  // namespace sallyport::session
