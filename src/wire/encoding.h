// Length-encoded integers and strings, and the packet writer.
//
// Source: MySQL source documentation, "Protocol Data Types" and "MySQL Packets".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace sallyport::wire {

// The largest payload of one frame; a payload of this size or more goes on in the next frame.
inline constexpr std::uint32_t frame_payload_max = 0xFFFFFF;
inline constexpr std::size_t frame_header_bytes = 4;

// A length-encoded integer. 0xFB (NULL in a row) and 0xFF (an error packet) fail the reader.
std::uint64_t read_lenenc(ByteReader& reader);

// A length-encoded string, borrowed.
Bytes read_lenenc_bytes(ByteReader& reader);

// Appends packets to a byte vector. Usage: begin(sequence id), any number of puts, end(). A payload that exceeds one
// frame is split into several by end().
class PacketWriter {
 public:
  explicit PacketWriter(std::vector<std::uint8_t>& out) : out_(out) {}

  void begin(std::uint8_t sequence_id);
  // Closes the packet. Returns the sequence id that the next packet bears.
  std::uint8_t end();

  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value) { fixed(value, 2); }
  void u24(std::uint32_t value) { fixed(value, 3); }
  void u32(std::uint32_t value) { fixed(value, 4); }
  void u64(std::uint64_t value) { fixed(value, 8); }
  void zeros(std::size_t count) { out_.insert(out_.end(), count, 0); }
  void lenenc(std::uint64_t value);
  void bytes(Bytes value) { out_.insert(out_.end(), value.begin(), value.end()); }
  void text(std::string_view value) { bytes(bytes_of(value)); }
  void text_nul(std::string_view value) {
    text(value);
    u8(0);
  }
  void lenenc_bytes(Bytes value) {
    lenenc(value.size());
    bytes(value);
  }
  void lenenc_text(std::string_view value) { lenenc_bytes(bytes_of(value)); }

 private:
  void fixed(std::uint64_t value, int width);
  void put_header(std::size_t at, std::size_t payload_bytes);

  std::vector<std::uint8_t>& out_;
  std::size_t start_ = 0;
  std::uint8_t sequence_id_ = 0;
};

}  // namespace sallyport::wire
