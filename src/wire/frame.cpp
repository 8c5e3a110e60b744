#include "wire/frame.h"

namespace sallyport::wire {

Result<std::optional<Message>, FrameError> find_message(Bytes bytes, std::uint8_t expected_sequence_id,
                                                        std::uint64_t payload_bytes_max) {
  Message message{.next_sequence_id = expected_sequence_id};
  while (true) {
    auto header = read_frame_header(bytes.subspan(message.frame_bytes));
    if (!header) {
      return std::optional<Message>{};
    }
    if (header->sequence_id != message.next_sequence_id) {
      return Unexpected(FrameError::wrong_sequence_id);
    }
    message.payload_bytes += header->payload_bytes;
    if (message.payload_bytes > payload_bytes_max) {
      return Unexpected(FrameError::too_large);
    }
    std::size_t frame = frame_header_bytes + header->payload_bytes;
    if (bytes.size() - message.frame_bytes < frame) {
      return std::optional<Message>{};
    }
    message.frame_bytes += frame;
    message.next_sequence_id = static_cast<std::uint8_t>(header->sequence_id + 1);
    ++message.frames;
    if (header->payload_bytes < frame_payload_max) {
      return std::optional<Message>{message};
    }
  }
}

std::string describe_misplaced_frame(Bytes bytes, std::uint8_t expected_sequence_id) {
  auto header = read_frame_header(bytes);
  if (!header) {
    return "nothing";
  }
  return "a packet of " + std::to_string(header->payload_bytes) + " bytes with number " +
         std::to_string(header->sequence_id) + " where number " + std::to_string(expected_sequence_id) + " was due";
}

Bytes message_payload(Bytes bytes, const Message& message, std::vector<std::uint8_t>& scratch) {
  if (message.frames == 1) {
    return bytes.subspan(frame_header_bytes, message.frame_bytes - frame_header_bytes);
  }
  scratch.clear();
  scratch.reserve(static_cast<std::size_t>(message.payload_bytes));
  std::size_t at = 0;
  while (at < message.frame_bytes) {
    std::size_t payload_bytes = read_frame_header(bytes.subspan(at))->payload_bytes;
    Bytes payload = bytes.subspan(at + frame_header_bytes, payload_bytes);
    scratch.insert(scratch.end(), payload.begin(), payload.end());
    at += frame_header_bytes + payload_bytes;
  }
  return scratch;
}

}  // namespace sallyport::wire
