#include "wire/encoding.h"

#include <algorithm>

namespace sallyport::wire {

std::uint64_t read_lenenc(ByteReader& reader) {
  std::uint8_t first = reader.u8();
  switch (first) {
    case 0xFB:
    case 0xFF:
      reader.fail();
      return 0;
    case 0xFC:
      return reader.u16();
    case 0xFD:
      return reader.u24();
    case 0xFE:
      return reader.u64();
    default:
      return first;
  }
}

Bytes read_lenenc_bytes(ByteReader& reader) {
  std::uint64_t length = read_lenenc(reader);
  if (length > reader.remaining()) {
    reader.fail();
    return {};
  }
  return reader.take(static_cast<std::size_t>(length));
}

void PacketWriter::begin(std::uint8_t sequence_id) {
  start_ = out_.size();
  sequence_id_ = sequence_id;
  zeros(frame_header_bytes);
}

void PacketWriter::put_header(std::size_t at, std::size_t payload_bytes) {
  out_[at] = static_cast<std::uint8_t>(payload_bytes);
  out_[at + 1] = static_cast<std::uint8_t>(payload_bytes >> 8);
  out_[at + 2] = static_cast<std::uint8_t>(payload_bytes >> 16);
  out_[at + 3] = sequence_id_++;
}

std::uint8_t PacketWriter::end() {
  std::size_t at = start_;
  std::size_t left = out_.size() - start_ - frame_header_bytes;
  while (left >= frame_payload_max) {
    put_header(at, frame_payload_max);
    at += frame_header_bytes + frame_payload_max;
    left -= frame_payload_max;
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(at), frame_header_bytes, 0);
  }
  put_header(at, left);
  return sequence_id_;
}

void PacketWriter::lenenc(std::uint64_t value) {
  if (value < 0xFB) {
    u8(static_cast<std::uint8_t>(value));
  } else if (value <= 0xFFFF) {
    u8(0xFC);
    fixed(value, 2);
  } else if (value <= 0xFFFFFF) {
    u8(0xFD);
    fixed(value, 3);
  } else {
    u8(0xFE);
    fixed(value, 8);
  }
}

void PacketWriter::fixed(std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) {
    out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

}  // namespace sallyport::wire
