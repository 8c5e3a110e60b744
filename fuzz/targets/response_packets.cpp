// OK, ERR, EOF and column definitions are read back as written; the cells of a row lie within it.
#include "base/check.h"
#include "fuzz/targets.h"
#include "wire/response.h"

namespace sallyport::fuzz {
namespace {

void check_ok(Bytes payload, wire::Capabilities negotiated) {
  auto first = wire::parse_ok(payload, negotiated);
  if (!first) {
    return;
  }
  std::vector<std::uint8_t> written;
  wire::PacketWriter writer{written};
  wire::write_ok(writer, *first, negotiated);
  auto second = wire::parse_ok(written, negotiated);
  SALLYPORT_CHECK(second && second->header == first->header && second->affected_rows == first->affected_rows);
  SALLYPORT_CHECK(second->last_insert_id == first->last_insert_id && second->status_flags == first->status_flags);
  SALLYPORT_CHECK(second->warnings == first->warnings && second->info == first->info);
  SALLYPORT_CHECK(text_of(second->session_track) == text_of(first->session_track));
}

void check_err_and_eof(Bytes payload) {
  std::vector<std::uint8_t> written;
  wire::PacketWriter writer{written};
  if (auto err = wire::parse_err(payload)) {
    wire::write_err(writer, *err);
    SALLYPORT_CHECK(text_of(written) == text_of(payload));
  } else if (auto eof = wire::parse_eof(payload)) {
    wire::write_eof(writer, *eof);
    SALLYPORT_CHECK(text_of(written) == text_of(payload));
  }
}

void check_column(Bytes payload, wire::Capabilities negotiated) {
  auto first = wire::parse_column_definition(payload, negotiated);
  if (!first) {
    return;
  }
  std::vector<std::uint8_t> written;
  wire::PacketWriter writer{written};
  wire::write_column_definition(writer, *first, negotiated);
  auto second = wire::parse_column_definition(written, negotiated);
  SALLYPORT_CHECK(second && second->catalog == first->catalog && second->schema == first->schema);
  SALLYPORT_CHECK(second->table == first->table && second->org_table == first->org_table);
  SALLYPORT_CHECK(second->name == first->name && second->org_name == first->org_name);
  SALLYPORT_CHECK(second->collation_id == first->collation_id && second->length == first->length);
  SALLYPORT_CHECK(second->type == first->type && second->flags == first->flags);
  SALLYPORT_CHECK(second->decimals == first->decimals && second->extended == first->extended);
}

void check_rows(Bytes payload, std::size_t columns, ByteReader types) {
  std::vector<std::optional<Bytes>> texts;
  if (wire::parse_text_row(payload, columns, texts)) {
    SALLYPORT_CHECK(texts.size() == columns);
    std::size_t bytes = 0;
    for (const auto& text : texts) {
      bytes += 1 + (text ? text->size() : 0);
    }
    SALLYPORT_CHECK(bytes <= payload.size());
  }
  std::vector<wire::ParameterType> shapes;
  for (std::size_t i = 0; i < columns; ++i) {
    shapes.push_back({.type = types.u8(), .is_unsigned = i % 2 == 0});
  }
  std::vector<wire::Value> values;
  if (wire::parse_binary_row(payload, shapes, values)) {
    SALLYPORT_CHECK(values.size() == columns);
  }
}

}  // namespace

void fuzz_response_packets(Bytes input) {
  ByteReader reader{input};
  std::uint8_t options = reader.u8();
  wire::Capabilities negotiated = (options & 1) != 0 ? wire::capability::session_track : 0;
  negotiated |= (options & 2) != 0 ? wire::capability::optional_resultset_metadata : 0;
  negotiated |= (options & 4) != 0 ? wire::capability::mariadb_cache_metadata : 0;
  std::size_t columns = reader.u8() % 16;
  ByteReader types{reader.take(std::min<std::size_t>(columns, reader.remaining()))};
  Bytes payload = reader.rest();
  check_ok(payload, negotiated);
  check_err_and_eof(payload);
  check_column(payload, 0);
  check_column(payload, wire::capability::mariadb_extended_metadata);
  check_rows(payload, columns, types);
  if (auto prepared = wire::parse_prepare_ok(payload, negotiated)) {
    SALLYPORT_CHECK(payload.size() >= 12 && payload[0] == 0);
  }
  if (auto header = wire::parse_result_header(payload, negotiated)) {
    std::vector<std::uint8_t> out;
    wire::PacketWriter writer{out};
    wire::write_result_header(writer, *header, negotiated);
    auto again = wire::parse_result_header(out, negotiated);
    SALLYPORT_CHECK(again && again->columns == header->columns &&
                    again->definitions_follow == header->definitions_follow);
  }
}

}  // namespace sallyport::fuzz
