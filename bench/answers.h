// Answers to measure with: what a server says to SELECT over bench/points.sql.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "wire/capabilities.h"
#include "wire/encoding.h"
#include "wire/response.h"

namespace sallyport::bench {

inline constexpr wire::Capabilities leg = wire::capability::protocol_41 | wire::capability::transactions;
inline constexpr wire::Capabilities leg_without_eof = leg | wire::capability::deprecate_eof;

// A text result set of four columns, whole, to a command whose sequence id was 0. Rows take some 200 bytes each.
inline std::vector<std::uint8_t> text_result(std::size_t rows, wire::Capabilities negotiated) {
  std::vector<std::uint8_t> out;
  wire::PacketWriter writer{out};
  std::uint8_t sequence_id = 1;
  auto packet = [&](auto&& write) {
    writer.begin(sequence_id);
    write();
    sequence_id = writer.end();
  };
  bool ok_ends_rows = wire::has(negotiated, wire::capability::deprecate_eof);
  auto end = [&] {
    if (ok_ends_rows) {
      wire::write_ok(writer, {.header = wire::eof_header, .status_flags = wire::status::autocommit}, negotiated);
    } else {
      wire::write_eof(writer, {.status_flags = wire::status::autocommit});
    }
  };
  packet([&] { writer.lenenc(4); });
  for (std::string_view name : {"id", "k", "c", "pad"}) {
    packet([&] {
      wire::write_column_definition(writer,
                                    {.catalog = "def",
                                     .schema = "shop",
                                     .table = "points",
                                     .org_table = "points",
                                     .name = name,
                                     .org_name = name},
                                    negotiated);
    });
  }
  if (!ok_ends_rows) {
    packet(end);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    packet([&] {
      writer.lenenc_text(std::to_string(100'000 + row));
      writer.lenenc_text(std::to_string(row * 7919 % 100'000));
      writer.lenenc_text(std::string(119, 'c'));
      writer.lenenc_text(std::string(59, 'p'));
    });
  }
  packet(end);
  return out;
}

}  // namespace sallyport::bench
