#include "simulation/client_decoder.h"

#include <algorithm>

namespace sallyport::simulation {
namespace {

using Shape = OneResult::Shape;

constexpr std::uint16_t more_results = 0x0008;
constexpr std::uint16_t cursor_exists = 0x0040;
constexpr std::uint16_t state_changed = 0x4000;
constexpr std::size_t frame_max = 0xFFFFFF;

std::uint8_t octet(const std::string& text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

}  // namespace

std::optional<ClientPacket> PacketCutter::next() {
  ClientPacket packet;
  std::size_t at = taken_;
  for (bool first = true;; first = false) {
    if (stream_.size() - at < 4) {
      return std::nullopt;
    }
    std::size_t length = octet(stream_, at) | static_cast<std::size_t>(octet(stream_, at + 1)) << 8 |
                         static_cast<std::size_t>(octet(stream_, at + 2)) << 16;
    std::uint8_t id = octet(stream_, at + 3);
    if (!first && id != packet.next_sequence_id) {
      broken_ = true;
    }
    if (stream_.size() - at - 4 < length) {
      return std::nullopt;
    }
    packet.first_sequence_id = first ? id : packet.first_sequence_id;
    packet.next_sequence_id = static_cast<std::uint8_t>(id + 1);
    packet.payload.append(stream_, at + 4, length);
    at += 4 + length;
    if (length < frame_max) {
      break;
    }
  }
  taken_ = at;
  if (taken_ > (1U << 16)) {
    stream_.erase(0, taken_);
    taken_ = 0;
  }
  return packet;
}

// Reads a payload from front to back; ok() is false for good once something was missing.
class AnswerDecoder::Reader {
 public:
  explicit Reader(const std::string& payload) : payload_(payload) {}
  bool ok() const { return ok_; }
  bool at_end() const { return at_ >= payload_.size(); }
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      if (at_end()) {
        ok_ = false;
        return 0;
      }
      value |= static_cast<std::uint64_t>(octet(payload_, at_++)) << (8 * i);
    }
    return value;
  }
  std::uint64_t length() {
    std::uint64_t first = number(1);
    ok_ = ok_ && first != 0xFB && first != 0xFF;
    return first < 0xFB ? first : first == 0xFC ? number(2) : first == 0xFD ? number(3) : number(8);
  }
  std::string text() {
    std::uint64_t bytes = length();
    if (!ok_ || bytes > payload_.size() - at_) {
      ok_ = false;
      return {};
    }
    at_ += bytes;
    return payload_.substr(at_ - bytes, bytes);
  }
  std::string rest() { return payload_.substr(std::min(at_, payload_.size())); }

 private:
  const std::string& payload_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

void AnswerDecoder::packet(const ClientPacket& packet) {
  ++packets_;
  if (packet.first_sequence_id != sequence_id_) {
    fail("sequence id " + std::to_string(packet.first_sequence_id) + " where " + std::to_string(sequence_id_) +
         " is due");
    return;
  }
  sequence_id_ = packet.next_sequence_id;
  const std::string& payload = packet.payload;
  if (payload.empty() && expected_ != Expected::statistics) {
    fail("an empty packet");
    return;
  }
  if (!payload.empty() && octet(payload, 0) == 0xFF) {
    take_error(payload);
    return;
  }
  switch (state_) {
    case State::first:
      first(payload);
      break;
    case State::columns:
      column(payload);
      break;
    case State::columns_end:
      columns_end(payload);
      break;
    case State::rows:
      row(payload);
      break;
    case State::prepare_parameters:
    case State::prepare_columns:
      prepare_definition(payload);
      break;
    case State::prepare_ends: {
      OneResult ignored;
      take_eof(payload, ignored);
      done_ = done_ || --left_ == 0;
      break;
    }
  }
}

void AnswerDecoder::first(const std::string& payload) {
  switch (expected_) {
    case Expected::statistics:
      open(Shape::text).text = payload;
      done_ = true;
      return;
    case Expected::prepare:
      prepared(payload);
      return;
    case Expected::fetch:
    case Expected::fields:
      open(expected_ == Expected::fetch ? Shape::fetched : Shape::fields);
      state_ = State::rows;
      row(payload);
      return;
    case Expected::simple:
      simple(payload);
      return;
    case Expected::query:
    case Expected::execute:
    case Expected::cursor:
      break;
  }
  if (octet(payload, 0) == 0) {
    simple(payload);
    return;
  }
  result_begins(payload);
}

void AnswerDecoder::result_begins(const std::string& payload) {
  Reader reader{payload};
  left_ = reader.length();
  std::uint64_t follow = is_told_of_definitions() ? reader.number(1) : 1;
  if (!reader.ok() || !reader.at_end() || left_ == 0 || follow > 1) {
    fail("a malformed column count");
    return;
  }
  OneResult& result = open(Shape::rows);
  state_ = State::columns;
  if (follow == 1) {
    return;
  }
  state_ = ends_with_ok() ? State::rows : State::columns_end;
  if ((client_ & (1U << 25)) != 0) {
    result.columns.resize(left_);
    result.definitions_left_out = true;
  } else if (known_columns_ == nullptr || known_columns_->size() != left_) {
    fail("the definitions of columns that the client does not know are left out");
  } else {
    result.columns = *known_columns_;
  }
}

bool AnswerDecoder::opens_cursor(const OneResult& result) const {
  return expected_ == Expected::cursor && (result.status & (cursor_exists | more_results)) == cursor_exists;
}

void AnswerDecoder::simple(const std::string& payload) {
  if (octet(payload, 0) == 0) {
    take_ok(payload, open(Shape::ok));
  } else if (octet(payload, 0) == 0xFE && ends_with_ok()) {
    take_ok(payload, open(Shape::bare_end));
  } else if (octet(payload, 0) == 0xFE) {
    take_eof(payload, open(Shape::bare_end));
  } else {
    fail("neither OK nor EOF");
    return;
  }
  result_ends(answer_.back());
}

void AnswerDecoder::prepared(const std::string& payload) {
  Reader reader{payload};
  OneResult& result = open(Shape::prepared);
  if (reader.number(1) != 0) {
    fail("no prepare-OK");
    return;
  }
  result.statement_id = static_cast<std::uint32_t>(reader.number(4));
  left_columns_ = reader.number(2);
  left_ = reader.number(2);
  reader.number(1);
  result.warnings = static_cast<std::uint16_t>(reader.number(2));
  bool follow = (client_ & (1U << 25)) == 0 || reader.number(1) == 1;
  if (!reader.ok()) {
    fail("a malformed prepare-OK");
    return;
  }
  if (!follow) {
    result.definitions_left_out = true;
    result.parameters.resize(left_);
    result.columns.resize(left_columns_);
    left_ = ends_with_ok() ? 0 : (left_ > 0 ? 1U : 0U) + (left_columns_ > 0 ? 1U : 0U);
    state_ = State::prepare_ends;
    done_ = left_ == 0;
    return;
  }
  state_ = left_ > 0 ? State::prepare_parameters : State::prepare_columns;
  left_ = left_ > 0 ? left_ : std::exchange(left_columns_, 0);
  done_ = left_ == 0;
}

void AnswerDecoder::prepare_definition(const std::string& payload) {
  OneResult& result = answer_.back();
  if (end_due_) {
    OneResult ignored;
    take_eof(payload, ignored);
    end_due_ = false;
  } else {
    (state_ == State::prepare_parameters ? result.parameters : result.columns).push_back(payload);
    if (--left_ > 0) {
      return;
    }
    if (!ends_with_ok()) {
      end_due_ = true;
      return;
    }
  }
  state_ = State::prepare_columns;
  left_ = std::exchange(left_columns_, 0);
  done_ = done_ || left_ == 0;
}

void AnswerDecoder::column(const std::string& payload) {
  answer_.back().columns.push_back(payload);
  if (--left_ == 0) {
    state_ = ends_with_ok() ? State::rows : State::columns_end;
    if (known_columns_ != nullptr) {
      *known_columns_ = answer_.back().columns;
    }
  }
}

void AnswerDecoder::columns_end(const std::string& payload) {
  OneResult& result = answer_.back();
  take_eof(payload, result);
  if (opens_cursor(result)) {
    result.shape = Shape::cursor;
    result_ends(result);
    return;
  }
  result.status = 2;
  state_ = State::rows;
}

void AnswerDecoder::row(const std::string& payload) {
  OneResult& result = answer_.back();
  bool ends = octet(payload, 0) == 0xFE && payload.size() < (ends_with_ok() ? frame_max : 9);
  if (!ends) {
    (result.shape == Shape::fields ? result.columns : result.rows).push_back(payload);
    return;
  }
  if (ends_with_ok()) {
    take_ok(payload, result);
  } else {
    take_eof(payload, result);
  }
  if (result.shape == Shape::rows && opens_cursor(result)) {
    result.shape = Shape::cursor;
  }
  result_ends(result);
}

void AnswerDecoder::take_error(const std::string& payload) {
  Reader reader{payload};
  reader.number(1);
  ServerError error;
  error.code = static_cast<std::uint16_t>(reader.number(2));
  std::string rest = reader.rest();
  if (rest.size() < 6 || rest[0] != '#') {
    fail("an ERR without SQL state");
    return;
  }
  error.sql_state = rest.substr(1, 5);
  error.message = rest.substr(6);
  if (state_ == State::first) {
    open(Shape::error);
  }
  OneResult& result = answer_.back();
  result.ends_with_error = true;
  result.error = error;
  result.status = 2;
  result.warnings = 0;
  done_ = true;
}

void AnswerDecoder::take_ok(const std::string& payload, OneResult& result) {
  Reader reader{payload};
  reader.number(1);
  result.affected_rows = reader.length();
  result.last_insert_id = reader.length();
  result.status = static_cast<std::uint16_t>(reader.number(2));
  result.warnings = static_cast<std::uint16_t>(reader.number(2));
  bool tracks = (client_ & (1U << 23)) != 0 && (result.status & state_changed) != 0;
  if (!reader.at_end()) {
    result.info = reader.text();
  }
  std::string track = tracks ? reader.text() : std::string();
  if (!reader.ok() || !reader.at_end() || (tracks && track.empty())) {
    fail("a malformed OK");
    return;
  }
  Reader entries{track};
  while (entries.ok() && !entries.at_end()) {
    Tracked tracked;
    tracked.kind = static_cast<std::uint8_t>(entries.number(1));
    std::string body = entries.text();
    Reader fields{body};
    tracked.name = tracked.kind == 0 ? fields.text() : std::string();
    tracked.value = fields.text();
    if (!fields.ok() || !fields.at_end()) {
      fail("malformed session-track data");
    }
    result.tracked.push_back(tracked);
  }
  if (!entries.ok()) {
    fail("malformed session-track data");
  }
  if (!tracks && (result.status & state_changed) != 0) {
    fail("the session's state changed, but the client did not ask to be told");
  }
  result.status &= static_cast<std::uint16_t>(~state_changed);
}

void AnswerDecoder::take_eof(const std::string& payload, OneResult& result) {
  if (payload.size() != 5 || octet(payload, 0) != 0xFE) {
    fail("no EOF where one is due");
    return;
  }
  Reader reader{payload};
  reader.number(1);
  result.warnings = static_cast<std::uint16_t>(reader.number(2));
  result.status = static_cast<std::uint16_t>(reader.number(2));
  if ((result.status & state_changed) != 0) {
    fail("an EOF that says that the session's state changed, and can't say how");
  }
}

void AnswerDecoder::result_ends(OneResult& result) {
  if ((result.status & more_results) != 0) {
    state_ = State::first;
  } else {
    done_ = true;
  }
}

OneResult& AnswerDecoder::open(Shape shape) {
  answer_.push_back({.shape = shape});
  return answer_.back();
}

}  // namespace sallyport::simulation
