#include "wire/response_reader.h"

#include <algorithm>

namespace sallyport::wire {

void ResponseReader::start(Command command, Capabilities negotiated, std::uint8_t first_sequence_id) {
  *this = ResponseReader{};
  negotiated_ = negotiated;
  sequence_id_ = first_sequence_id;
  if (command == Command::query || command == Command::stmt_execute || command == Command::process_info ||
      command == Command::stmt_bulk_execute) {
    state_ = State::first;
  } else if (command == Command::stmt_prepare) {
    state_ = State::prepare_first;
  } else if (command == Command::stmt_fetch) {
    state_ = State::rows;
  } else if (command == Command::field_list) {
    state_ = State::field_list;
  } else if (command == Command::statistics) {
    state_ = State::statistics;
  } else if (command == Command::quit || command == Command::stmt_close || command == Command::stmt_send_long_data) {
    state_ = State::done;
  } else {
    state_ = State::simple;
  }
}

Result<ResponseReader::Step, ResponseError> ResponseReader::next(Bytes bytes) {
  SALLYPORT_CHECK(state_ != State::done);
  if (frame_left_ > 0 || continued_) {
    return next_row_part(bytes);
  }
  Step nothing{.kind = PacketKind::row, .bytes = 0, .packet_starts = false, .packet_ends = false};
  auto header = read_frame_header(bytes);
  if (!header) {
    return nothing;
  }
  if (header->sequence_id != sequence_id_) {
    return Unexpected(ResponseError::wrong_sequence_id);
  }
  if (state_ == State::rows) {
    if (header->payload_bytes == 0) {
      return Unexpected(ResponseError::malformed);
    }
    if (bytes.size() == frame_header_bytes) {
      return nothing;
    }
    if (!ends_rows(*header, bytes[frame_header_bytes])) {
      return next_row_part(bytes);
    }
  }
  if (header->payload_bytes > control_packet_bytes_max) {
    return Unexpected(ResponseError::packet_too_large);
  }
  std::size_t frame = frame_header_bytes + header->payload_bytes;
  if (bytes.size() < frame) {
    return nothing;
  }
  ++sequence_id_;
  frame_starts_ = true;
  auto kind = on_packet(bytes.subspan(frame_header_bytes, header->payload_bytes));
  if (!kind) {
    return Unexpected(kind.error());
  }
  return Step{.kind = *kind, .bytes = frame, .packet_starts = true, .packet_ends = true};
}

bool ResponseReader::announces_cursor(std::uint16_t status_flags) const {
  return may_open_cursor_ &&
         (status_flags & (status::cursor_exists | status::more_results_exist)) == status::cursor_exists;
}

// An ERR packet, or the packet behind the last row: with CLIENT_DEPRECATE_EOF an OK whose header is 0xFE, without it
// an EOF of fewer than 9 bytes. A row may begin with 0xFE too, as the length of a cell of 16 MiB or more: then its
// frame is full.
bool ResponseReader::ends_rows(const FrameHeader& header, std::uint8_t first_byte) const {
  if (first_byte == err_header) {
    return true;
  }
  std::uint32_t limit = has(negotiated_, capability::deprecate_eof) ? frame_payload_max : 9;
  return first_byte == eof_header && header.payload_bytes < limit;
}

Result<ResponseReader::Step, ResponseError> ResponseReader::next_row_part(Bytes bytes) {
  Step step{.kind = PacketKind::row, .bytes = 0, .packet_starts = false, .packet_ends = false};
  frame_starts_ = false;
  if (frame_left_ == 0) {
    auto header = read_frame_header(bytes);
    if (!header) {
      return step;
    }
    if (header->sequence_id != sequence_id_) {
      return Unexpected(ResponseError::wrong_sequence_id);
    }
    ++sequence_id_;
    step.packet_starts = !continued_;
    frame_starts_ = true;
    frame_left_ = header->payload_bytes;
    frame_is_full_ = header->payload_bytes == frame_payload_max;
    step.bytes = frame_header_bytes;
  }
  auto part = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size() - step.bytes, frame_left_));
  step.bytes += part;
  frame_left_ -= part;
  continued_ = frame_left_ == 0 ? frame_is_full_ : continued_;
  step.packet_ends = frame_left_ == 0 && !frame_is_full_;
  rows_ += step.packet_ends ? 1 : 0;
  return step;
}

Result<PacketKind, ResponseError> ResponseReader::on_packet(Bytes payload) {
  if (payload.empty() && state_ != State::statistics) {
    return Unexpected(ResponseError::malformed);
  }
  if (!payload.empty() && payload[0] == err_header) {
    return is_progress_report(payload) ? on_progress(payload) : on_err(payload);
  }
  switch (state_) {
    case State::first:
      return on_first(payload);
    case State::simple:
      // COM_SET_OPTION and COM_DEBUG are answered as rows are ended.
      return on_ok(payload, payload[0] == eof_header ? PacketKind::rows_end : PacketKind::ok);
    case State::column_definitions:
      if (--definitions_left_ == 0) {
        state_ = has(negotiated_, capability::deprecate_eof) ? State::rows : State::columns_end;
      }
      return PacketKind::column_definition;
    case State::columns_end: {
      auto eof = parse_eof(payload);
      if (!eof) {
        return Unexpected(ResponseError::malformed);
      }
      bool has_more = (eof->status_flags & status::more_results_exist) != 0;
      // MySQL says of a procedure's OUT parameters here only that an OK follows, not in the EOF behind their row.
      ok_follows_rows_ = has_more && (eof->status_flags & status::ps_out_params) != 0;
      state_ = announces_cursor(eof->status_flags) ? State::done : State::rows;
      return PacketKind::columns_end;
    }
    case State::rows:
      return on_ok(payload, PacketKind::rows_end);
    case State::field_list:
      if (payload[0] == eof_header) {
        state_ = State::done;
        return PacketKind::rows_end;
      }
      return PacketKind::column_definition;
    case State::prepare_first:
      return on_prepare_ok(payload);
    case State::prepare_parameters:
      return on_prepare_definition(PacketKind::prepare_parameter);
    case State::prepare_columns:
      return on_prepare_definition(PacketKind::prepare_column);
    case State::prepare_parameters_end:
    case State::prepare_columns_end: {
      if (!parse_eof(payload)) {
        return Unexpected(ResponseError::malformed);
      }
      bool parameters = state_ == State::prepare_parameters_end;
      if (parameters) {
        begin_prepare_columns();
      } else {
        state_ = State::done;
      }
      return parameters ? PacketKind::prepare_parameters_end : PacketKind::prepare_columns_end;
    }
    case State::statistics:
      state_ = State::done;
      return PacketKind::text;
    case State::local_infile_sent:
      if (payload[0] == ok_header) {
        return on_ok(payload, PacketKind::ok);
      }
      break;
    case State::local_infile:
    case State::done:
      break;
  }
  return Unexpected(ResponseError::malformed);
}

void ResponseReader::resume(std::uint8_t sequence_id) {
  SALLYPORT_CHECK(state_ == State::local_infile);
  sequence_id_ = sequence_id;
  state_ = State::local_infile_sent;
}

Result<PacketKind, ResponseError> ResponseReader::on_first(Bytes payload) {
  if (payload[0] == ok_header) {
    return on_ok(payload, PacketKind::ok);
  }
  if (payload[0] == local_infile_header) {
    state_ = State::local_infile;
    return PacketKind::local_infile;
  }
  auto header = parse_result_header(payload, negotiated_);
  if (!header) {
    return Unexpected(ResponseError::malformed);
  }
  definitions_left_ = header->columns;
  // The EOF behind the definitions comes without them too.
  state_ = header->definitions_follow                    ? State::column_definitions
           : has(negotiated_, capability::deprecate_eof) ? State::rows
                                                         : State::columns_end;
  return PacketKind::column_count;
}

Result<PacketKind, ResponseError> ResponseReader::on_ok(Bytes payload, PacketKind kind) {
  std::uint16_t status_flags = 0;
  if (kind == PacketKind::rows_end && !has(negotiated_, capability::deprecate_eof)) {
    auto eof = parse_eof(payload);
    if (!eof) {
      return Unexpected(ResponseError::malformed);
    }
    status_flags = eof->status_flags;
  } else {
    auto ok = parse_ok(payload, negotiated_);
    if (!ok) {
      return Unexpected(ResponseError::malformed);
    }
    status_flags = ok->status_flags;
  }
  bool has_more = (status_flags & status::more_results_exist) != 0 || ok_follows_rows_;
  ok_follows_rows_ = false;
  state_ = has_more ? State::first : State::done;
  return kind;
}

Result<PacketKind, ResponseError> ResponseReader::on_err(Bytes payload) {
  if (!parse_err(payload)) {
    return Unexpected(ResponseError::malformed);
  }
  state_ = State::done;
  return PacketKind::err;
}

// One that was not negotiated would be an error without an end to its answer.
Result<PacketKind, ResponseError> ResponseReader::on_progress(Bytes payload) const {
  bool due = has(negotiated_, capability::mariadb_progress) && state_ != State::local_infile;
  if (!due || !parse_progress_report(payload)) {
    return Unexpected(ResponseError::malformed);
  }
  return PacketKind::progress;
}

Result<PacketKind, ResponseError> ResponseReader::on_prepare_ok(Bytes payload) {
  auto ok = parse_prepare_ok(payload, negotiated_);
  if (!ok) {
    return Unexpected(ResponseError::malformed);
  }
  prepared_ = *ok;
  begin_prepare_parameters();
  return PacketKind::prepare_ok;
}

PacketKind ResponseReader::on_prepare_definition(PacketKind kind) {
  if (--definitions_left_ > 0) {
    return kind;
  }
  bool parameters = kind == PacketKind::prepare_parameter;
  if (!has(negotiated_, capability::deprecate_eof)) {
    state_ = parameters ? State::prepare_parameters_end : State::prepare_columns_end;
  } else if (parameters) {
    begin_prepare_columns();
  } else {
    state_ = State::done;
  }
  return kind;
}

// Where definitions are left out, the EOFs behind them come all the same.
void ResponseReader::begin_prepare_parameters() {
  definitions_left_ = prepared_.parameters;
  bool eof_follows = !has(negotiated_, capability::deprecate_eof);
  if (prepared_.parameters > 0 && (prepared_.definitions_follow || eof_follows)) {
    state_ = prepared_.definitions_follow ? State::prepare_parameters : State::prepare_parameters_end;
  } else {
    begin_prepare_columns();
  }
}

void ResponseReader::begin_prepare_columns() {
  definitions_left_ = prepared_.columns;
  bool eof_follows = !has(negotiated_, capability::deprecate_eof);
  if (prepared_.columns > 0 && (prepared_.definitions_follow || eof_follows)) {
    state_ = prepared_.definitions_follow ? State::prepare_columns : State::prepare_columns_end;
  } else {
    state_ = State::done;
  }
}

}  // namespace sallyport::wire
