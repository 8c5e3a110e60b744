// The response reader: the same events however the bytes arrive, never more bytes taken than given, never more rows
// than packets fit.
//
// Input: command, options, arrival size, then the stream; with option 4 the stream is a list of payloads, each behind
// its length in one byte, that are framed with the right sequence ids here; with option 8 progress may be reported,
// with 16 and 32 definitions left out, and with 64 a cursor opened.
#include "wire/response_reader.h"

#include <algorithm>

#include "base/check.h"
#include "fuzz/targets.h"
#include "wire/test_packets.h"

namespace sallyport::fuzz {
namespace {

std::vector<std::uint8_t> framed(ByteReader payloads, std::uint8_t sequence_id) {
  std::vector<std::uint8_t> stream;
  wire::PacketWriter writer{stream};
  while (!payloads.at_end()) {
    std::size_t size = payloads.u8();
    writer.begin(sequence_id);
    writer.bytes(payloads.take(std::min(size, payloads.remaining())));
    sequence_id = writer.end();
  }
  return stream;
}

}  // namespace

void fuzz_response_reader(Bytes input) {
  ByteReader head{input};
  wire::Command command = wire::command_from_byte(head.u8());
  std::uint8_t options = head.u8();
  std::size_t arrival_bytes = 2 + head.u8();
  wire::Capabilities negotiated = wire::capability::protocol_41;
  negotiated |= (options & 1) != 0 ? wire::capability::deprecate_eof : 0;
  negotiated |= (options & 2) != 0 ? wire::capability::session_track : 0;
  negotiated |= (options & 8) != 0 ? wire::capability::mariadb_progress : 0;
  negotiated |= (options & 16) != 0 ? wire::capability::optional_resultset_metadata : 0;
  negotiated |= (options & 32) != 0 ? wire::capability::mariadb_cache_metadata : 0;
  std::vector<std::uint8_t> stream(head.rest().begin(), head.rest().end());
  if ((options & 4) != 0) {
    stream = framed(head, 1);
  }
  wire::ResponseReader reader;
  reader.start(command, negotiated, 1);
  if ((options & 64) != 0) {
    reader.expect_cursor();
  }
  // `follow` checks that no step takes more than there is.
  auto whole = wire::test::follow(reader, stream, std::max<std::size_t>(stream.size(), 1));
  SALLYPORT_CHECK(wire::test::follow(reader, stream, 1) == whole);
  SALLYPORT_CHECK(wire::test::follow(reader, stream, arrival_bytes) == whole);
  auto rows =
      std::count_if(whole.begin(), whole.end(), [](const std::string& event) { return event.starts_with("row:"); });
  SALLYPORT_CHECK(static_cast<std::size_t>(rows) * (wire::frame_header_bytes + 1) <= stream.size());
}

}  // namespace sallyport::fuzz
