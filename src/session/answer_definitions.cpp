// Column definitions on their way to the client: passed, or left out where an execution's first result has those that
// the client was sent last for this statement (MARIADB CACHE_METADATA). The server sends them each time.
#include <algorithm>

#include "session/answer_relay.h"

namespace sallyport::session {
namespace {

// Where the sequence id stands in a frame's header. It is zero in what is kept of a definition.
constexpr std::size_t sequence_id_at = 3;

}  // namespace

// The count of columns, which begins a result.
void AnswerRelay::begin_definitions(const Packet& packet, const wire::ResultHeader& header, InputBuffer& from,
                                    OutputQueue& to, const TrackedState& state) {
  definitions_left_ = header.definitions_follow ? header.columns : 0;
  rows_before_result_ = reader_.rows();
  ++totals_.results;
  if (!caches_definitions()) {
    forward(packet, from, to);
  } else {
    bool is_first = leaves_out_known_ && totals_.results == 1;
    if (!is_first) {
      known_definitions_.clear();
    }
    handling_ = !is_first ? Handling::pass : known_definitions_.empty() ? Handling::note : Handling::hold;
    known_bytes_met_ = 0;
    result_columns_ = header.columns;
    drop(packet, to);
    if (handling_ != Handling::hold) {
      write_header(DefinitionsFollow::yes, to);
    }
  }
  if (!header.definitions_follow) {
    end_definitions(wire::PacketKind::column_definition, to, state);
  }
}

void AnswerRelay::pass_definition(const Packet& packet, InputBuffer& from, OutputQueue& to) {
  Bytes frame = Bytes{from.unclaimed()}.first(packet.bytes);
  if (handling_ == Handling::hold) {
    if (is_next_known(frame)) {
      known_bytes_met_ += frame.size();
      drop(packet, to);
      return;
    }
    --shift_;  // what is held goes before this one, which has been counted by the reader already
    write_held(to);
    ++shift_;
  }
  if (handling_ == Handling::note && packet.kind != wire::PacketKind::prepare_parameter) {
    if (known_definitions_.size() + frame.size() > cached_definitions_bytes_max) {
      forget_definitions();
    } else {
      known_definitions_.insert(known_definitions_.end(), frame.begin(), frame.end());
      known_definitions_[known_definitions_.size() - frame.size() + sequence_id_at] = 0;
    }
  }
  forward(packet, from, to);
}

bool AnswerRelay::is_next_known(Bytes frame) const {
  Bytes known = Bytes{known_definitions_}.subspan(known_bytes_met_);
  if (known.size() < frame.size()) {
    return false;
  }
  constexpr std::size_t head = wire::frame_header_bytes;
  return std::equal(frame.begin(), frame.begin() + sequence_id_at, known.begin()) &&
         std::equal(frame.begin() + head, frame.end(), known.begin() + head);
}

void AnswerRelay::end_definitions(wire::PacketKind kind, OutputQueue& to, const TrackedState& state) {
  if (handling_ == Handling::hold) {
    if (known_bytes_met_ == known_definitions_.size()) {
      write_header(DefinitionsFollow::no, to);
    } else {
      write_held(to);
    }
  }
  if (kind != wire::PacketKind::prepare_parameter) {
    handling_ = Handling::pass;
  }
  if (!backend_ends_with_ok() || client_ends_with_ok()) {
    return;
  }
  if (kind == wire::PacketKind::column_definition) {
    columns_end_due_ = true;  // its flags depend on what follows: rows, or a cursor
  } else {
    insert_eof(to, state.status_flags, 0);
  }
}

// An error has come in the place of definitions. What was held back is not missed: the client keeps what it knows.
void AnswerRelay::break_off_definitions() {
  if (handling_ == Handling::note) {
    forget_definitions();
  }
  handling_ = Handling::pass;
}

void AnswerRelay::forget_definitions() {
  known_definitions_.clear();
  handling_ = Handling::pass;
}

void AnswerRelay::write_header(DefinitionsFollow follow, OutputQueue& to) {
  wire::PacketWriter writer{to.made()};
  std::size_t before = to.made().size();
  writer.begin(next_client_sequence_id());
  wire::write_result_header(
      writer, {.columns = result_columns_, .definitions_follow = follow == DefinitionsFollow::yes}, legs_.client);
  writer.end();
  queue_made(before, to);
  ++shift_;
}

// The client is due the definitions after all: those that have been dropped are the first of those that it knows.
void AnswerRelay::write_held(OutputQueue& to) {
  handling_ = Handling::note;
  known_definitions_.resize(known_bytes_met_);
  write_header(DefinitionsFollow::yes, to);
  std::size_t before = to.made().size();
  wire::PacketWriter writer{to.made()};
  for (Bytes rest{known_definitions_}; !rest.empty();) {
    std::size_t payload_bytes = wire::read_frame_header(rest)->payload_bytes;
    writer.begin(next_client_sequence_id());
    writer.bytes(rest.subspan(wire::frame_header_bytes, payload_bytes));
    writer.end();
    ++shift_;
    rest = rest.subspan(wire::frame_header_bytes + payload_bytes);
  }
  queue_made(before, to);
}

}  // namespace sallyport::session
