// Frames: the 4-byte header, and whole messages that may span several frames.
//
// Source: MySQL source documentation, "MySQL Packets": 3 bytes payload length, 1 byte sequence id; a payload of
// 0xFFFFFF bytes is continued by the next frame, if need be an empty one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/encoding.h"

namespace sallyport::wire {

struct FrameHeader {
  std::uint32_t payload_bytes;
  std::uint8_t sequence_id;
};

// Nothing while fewer than four bytes are there. Inline: it is called for each row that passes.
inline std::optional<FrameHeader> read_frame_header(Bytes bytes) {
  if (bytes.size() < frame_header_bytes) {
    return std::nullopt;
  }
  return FrameHeader{.payload_bytes = bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16,
                     .sequence_id = bytes[3]};
}

enum class FrameError : std::uint8_t {
  wrong_sequence_id,
  too_large  // the message exceeds the limit given; judged from its headers, before its payload is there
};

// A whole message at the front of a buffer.
struct Message {
  std::size_t frame_bytes = 0;  // with all headers: how much of the buffer it takes
  std::uint8_t next_sequence_id = 0;
  std::uint32_t frames = 0;
  std::uint64_t payload_bytes = 0;
};

// Finds the message at the front of `bytes`. Nothing while it is incomplete. `payload_bytes_max` bounds the sum of
// its frames' payloads.
Result<std::optional<Message>, FrameError> find_message(Bytes bytes, std::uint8_t expected_sequence_id,
                                                        std::uint64_t payload_bytes_max);

// For a person: what stands at the front of `bytes` where find_message() gave an error.
std::string describe_misplaced_frame(Bytes bytes, std::uint8_t expected_sequence_id);

// The payload of a message found at the front of `bytes`. Borrowed from `bytes` when the message is one frame;
// otherwise joined in `scratch`, from which it is then borrowed.
Bytes message_payload(Bytes bytes, const Message& message, std::vector<std::uint8_t>& scratch);

}  // namespace sallyport::wire
