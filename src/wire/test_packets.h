// What the tests of this module share: bytes from hexadecimal text, frames, and the events of an answer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "wire/encoding.h"
#include "wire/response_reader.h"

namespace sallyport::wire::test {

using Buffer = std::vector<std::uint8_t>;

// "0a 00 ff", with or without spaces.
inline Buffer from_hex(std::string_view text) {
  Buffer bytes;
  int digits = 0;
  unsigned value = 0;
  for (char c : text) {
    if (c == ' ' || c == '\n') {
      continue;
    }
    value = value << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (++digits % 2 == 0) {
      bytes.push_back(static_cast<std::uint8_t>(value));
      value = 0;
    }
  }
  return bytes;
}

inline Buffer from_text(std::string_view text) {
  return {text.begin(), text.end()};
}

inline void append(Buffer& to, const Buffer& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// A packet with its header or headers.
inline Buffer packet(std::uint8_t sequence_id, Bytes payload) {
  Buffer out;
  PacketWriter writer{out};
  writer.begin(sequence_id);
  writer.bytes(payload);
  writer.end();
  return out;
}

// Packets of these payloads, numbered from `sequence_id`.
inline Buffer answer_of(const std::vector<Buffer>& payloads, std::uint8_t sequence_id = 1) {
  Buffer out;
  for (const Buffer& payload : payloads) {
    PacketWriter writer{out};
    writer.begin(sequence_id);
    writer.bytes(payload);
    sequence_id = writer.end();
  }
  return out;
}

inline std::string_view name_of(PacketKind kind) {
  switch (kind) {
    case PacketKind::ok:
      return "ok";
    case PacketKind::err:
      return "err";
    case PacketKind::column_count:
      return "column_count";
    case PacketKind::column_definition:
      return "column_definition";
    case PacketKind::columns_end:
      return "columns_end";
    case PacketKind::row:
      return "row";
    case PacketKind::rows_end:
      return "rows_end";
    case PacketKind::prepare_ok:
      return "prepare_ok";
    case PacketKind::prepare_parameter:
      return "prepare_parameter";
    case PacketKind::prepare_parameters_end:
      return "prepare_parameters_end";
    case PacketKind::prepare_column:
      return "prepare_column";
    case PacketKind::prepare_columns_end:
      return "prepare_columns_end";
    case PacketKind::local_infile:
      return "local_infile";
    case PacketKind::text:
      return "text";
    case PacketKind::progress:
      return "progress";
  }
  return "?";
}

inline std::string_view name_of(ResponseError error) {
  switch (error) {
    case ResponseError::wrong_sequence_id:
      return "wrong_sequence_id";
    case ResponseError::malformed:
      return "malformed";
    case ResponseError::packet_too_large:
      return "packet_too_large";
  }
  return "?";
}

// What a reader says of a stream that arrives `arrival_bytes` at a time: one word a packet, "+BYTES" for a row that
// is not complete, the error's name with "!", and last "done" or "waits", with what is left over.
inline std::vector<std::string> follow(ResponseReader reader, Bytes stream, std::size_t arrival_bytes) {
  std::vector<std::string> events;
  std::size_t taken = 0;
  std::size_t there = 0;
  std::size_t row_bytes = 0;
  while (!reader.done()) {
    auto step = reader.next(stream.subspan(taken, there - taken));
    if (!step) {
      events.push_back("!" + std::string(name_of(step.error())));
      return events;
    }
    if (step->bytes == 0) {
      if (there == stream.size()) {
        break;
      }
      there = std::min(stream.size(), there + arrival_bytes);
      continue;
    }
    SALLYPORT_CHECK(step->bytes <= there - taken);
    SALLYPORT_CHECK(!step->packet_starts || (row_bytes == 0 && reader.frame_starts()));
    taken += step->bytes;
    row_bytes += step->bytes;
    if (step->packet_ends) {
      events.emplace_back(name_of(step->kind));
      if (step->kind == PacketKind::row) {
        events.back() += ":" + std::to_string(row_bytes);
      }
      row_bytes = 0;
    }
  }
  if (row_bytes > 0) {
    events.push_back("+" + std::to_string(row_bytes));
  }
  events.emplace_back(reader.done() ? "done" : "waits");
  if (taken < stream.size()) {
    events.back() += " with " + std::to_string(stream.size() - taken) + " left";
  }
  events.push_back("rows=" + std::to_string(reader.rows()));
  return events;
}

}  // namespace sallyport::wire::test
