// Frames: a message found lies within the bytes given, does not depend on what follows it, and yields the payload that
// was written.
#include "wire/frame.h"

#include <algorithm>

#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {
namespace {

void check_found(Bytes stream, std::uint8_t sequence_id, std::uint64_t limit) {
  auto found = wire::find_message(stream, sequence_id, limit);
  if (!found || !*found) {
    return;
  }
  const wire::Message& message = **found;
  SALLYPORT_CHECK(message.frame_bytes <= stream.size());
  SALLYPORT_CHECK(message.payload_bytes <= limit);
  SALLYPORT_CHECK(message.frame_bytes == message.payload_bytes + message.frames * wire::frame_header_bytes);
  std::vector<std::uint8_t> scratch;
  SALLYPORT_CHECK(wire::message_payload(stream, message, scratch).size() == message.payload_bytes);
  auto alone = wire::find_message(stream.first(message.frame_bytes), sequence_id, limit);
  SALLYPORT_CHECK(alone && *alone && (*alone)->frame_bytes == message.frame_bytes);
  auto cut = wire::find_message(stream.first(message.frame_bytes - 1), sequence_id, limit);
  SALLYPORT_CHECK(cut && !*cut);
}

void check_round_trip(Bytes payload, std::uint8_t sequence_id) {
  std::vector<std::uint8_t> stream;
  wire::PacketWriter writer{stream};
  writer.begin(sequence_id);
  writer.bytes(payload);
  std::uint8_t next = writer.end();
  auto found = wire::find_message(stream, sequence_id, payload.size());
  SALLYPORT_CHECK(found && *found && (*found)->frame_bytes == stream.size() && (*found)->next_sequence_id == next);
  std::vector<std::uint8_t> scratch;
  Bytes read = wire::message_payload(stream, **found, scratch);
  SALLYPORT_CHECK(std::equal(read.begin(), read.end(), payload.begin(), payload.end()));
}

}  // namespace

void fuzz_frame(Bytes input) {
  ByteReader reader{input};
  std::uint8_t sequence_id = reader.u8();
  std::uint64_t limit = reader.u16();
  check_found(reader.rest(), sequence_id, limit);
  check_round_trip(reader.rest(), sequence_id);
}

}  // namespace sallyport::fuzz
