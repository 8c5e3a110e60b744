#include "wire/response.h"

namespace sallyport::wire {
namespace {

constexpr std::size_t sql_state_bytes = 5;
constexpr std::uint16_t progress_code = 0xFFFF;
constexpr std::uint8_t binary_row_null_offset = 2;

}  // namespace

std::optional<OkPacket> parse_ok(Bytes payload, Capabilities negotiated) {
  ByteReader reader{payload};
  OkPacket ok;
  ok.header = reader.u8();
  ok.affected_rows = read_lenenc(reader);
  ok.last_insert_id = read_lenenc(reader);
  ok.status_flags = reader.u16();
  ok.warnings = reader.u16();
  if (!reader.ok() || (ok.header != ok_header && ok.header != eof_header)) {
    return std::nullopt;
  }
  if (!reader.at_end()) {
    ok.info = text_of(read_lenenc_bytes(reader));
    if (has(negotiated, capability::session_track) && (ok.status_flags & status::session_state_changed) != 0) {
      ok.session_track = read_lenenc_bytes(reader);
    }
  }
  if (!reader.ok()) {
    return std::nullopt;
  }
  return ok;
}

void write_ok(PacketWriter& writer, const OkPacket& ok, Capabilities negotiated) {
  bool tracked = has(negotiated, capability::session_track) && (ok.status_flags & status::session_state_changed) != 0;
  writer.u8(ok.header);
  writer.lenenc(ok.affected_rows);
  writer.lenenc(ok.last_insert_id);
  writer.u16(ok.status_flags);
  writer.u16(ok.warnings);
  if (!ok.info.empty() || tracked) {
    writer.lenenc_text(ok.info);
  }
  if (tracked) {
    writer.lenenc_bytes(ok.session_track);
  }
}

std::optional<EofPacket> parse_eof(Bytes payload) {
  ByteReader reader{payload};
  if (reader.u8() != eof_header) {
    return std::nullopt;
  }
  EofPacket eof{.warnings = reader.u16(), .status_flags = reader.u16()};
  return reader.exhausted() ? std::optional(eof) : std::nullopt;
}

void write_eof(PacketWriter& writer, const EofPacket& eof) {
  writer.u8(eof_header);
  writer.u16(eof.warnings);
  writer.u16(eof.status_flags);
}

std::optional<ErrPacket> parse_err(Bytes payload) {
  ByteReader reader{payload};
  if (reader.u8() != err_header) {
    return std::nullopt;
  }
  ErrPacket err{.code = reader.u16(), .sql_state = {}, .message = {}};
  if (reader.peek() == std::uint8_t{'#'}) {
    reader.u8();
    err.sql_state = text_of(reader.take(sql_state_bytes));
  }
  if (!reader.ok()) {
    return std::nullopt;
  }
  err.message = text_of(reader.rest());
  return err;
}

void write_err(PacketWriter& writer, const ErrPacket& err) {
  writer.u8(err_header);
  writer.u16(err.code);
  if (!err.sql_state.empty()) {
    writer.u8('#');
    writer.text(err.sql_state);
  }
  writer.text(err.message);
}

bool is_progress_report(Bytes payload) {
  ByteReader reader{payload};
  bool marked = reader.u8() == err_header && reader.u16() == progress_code;
  return marked && reader.ok() && reader.peek() != std::uint8_t{'#'};
}

std::optional<ProgressReport> parse_progress_report(Bytes payload) {
  if (!is_progress_report(payload) || payload.size() > progress_report_bytes_max) {
    return std::nullopt;
  }
  ByteReader reader{payload.subspan(3)};
  std::uint8_t texts = reader.u8();
  ProgressReport report{.stage = reader.u8(), .stages = reader.u8(), .progress = reader.u24(), .text = {}};
  report.text = text_of(read_lenenc_bytes(reader));
  return reader.exhausted() && texts == 1 ? std::optional(report) : std::nullopt;
}

std::optional<ResultHeader> parse_result_header(Bytes payload, Capabilities negotiated) {
  ByteReader reader{payload};
  ResultHeader header{.columns = read_lenenc(reader)};
  std::uint8_t follows = has(negotiated, tells_of_definitions) ? reader.u8() : std::uint8_t{1};
  header.definitions_follow = follows != 0;
  bool sound = reader.exhausted() && follows <= 1 && header.columns > 0 && header.columns <= result_columns_max;
  return sound ? std::optional(header) : std::nullopt;
}

void write_result_header(PacketWriter& writer, const ResultHeader& header, Capabilities negotiated) {
  writer.lenenc(header.columns);
  if (has(negotiated, tells_of_definitions)) {
    writer.u8(header.definitions_follow ? 1 : 0);
  }
}

std::optional<PrepareOk> parse_prepare_ok(Bytes payload, Capabilities negotiated) {
  ByteReader reader{payload};
  if (reader.u8() != ok_header) {
    return std::nullopt;
  }
  PrepareOk ok{.statement_id = reader.u32(), .columns = reader.u16(), .parameters = reader.u16()};
  reader.u8();
  ok.warnings = reader.u16();
  std::uint8_t follows = has(negotiated, capability::optional_resultset_metadata) ? reader.u8() : std::uint8_t{1};
  ok.definitions_follow = follows != 0;
  return reader.ok() && follows <= 1 ? std::optional(ok) : std::nullopt;
}

std::optional<ColumnDefinition> parse_column_definition(Bytes payload, Capabilities negotiated) {
  ByteReader reader{payload};
  ColumnDefinition column;
  for (std::string_view* text :
       {&column.catalog, &column.schema, &column.table, &column.org_table, &column.name, &column.org_name}) {
    *text = text_of(read_lenenc_bytes(reader));
  }
  if (has(negotiated, capability::mariadb_extended_metadata)) {
    column.extended = text_of(read_lenenc_bytes(reader));
  }
  ByteReader fixed{read_lenenc_bytes(reader)};
  column.collation_id = fixed.u16();
  column.length = fixed.u32();
  column.type = static_cast<ColumnType>(fixed.u8());
  column.flags = fixed.u16();
  column.decimals = fixed.u8();
  // COM_FIELD_LIST appends the default value, which stays undecoded.
  return reader.ok() && fixed.ok() ? std::optional(column) : std::nullopt;
}

void write_column_definition(PacketWriter& writer, const ColumnDefinition& column, Capabilities negotiated) {
  for (std::string_view text :
       {column.catalog, column.schema, column.table, column.org_table, column.name, column.org_name}) {
    writer.lenenc_text(text);
  }
  if (has(negotiated, capability::mariadb_extended_metadata)) {
    writer.lenenc_text(column.extended);
  }
  writer.lenenc(0x0C);
  writer.u16(column.collation_id);
  writer.u32(column.length);
  writer.u8(static_cast<std::uint8_t>(column.type));
  writer.u16(column.flags);
  writer.u8(column.decimals);
  writer.zeros(2);
}

bool parse_text_row(Bytes payload, std::size_t columns, std::vector<std::optional<Bytes>>& cells) {
  ByteReader reader{payload};
  cells.clear();
  for (std::size_t i = 0; i < columns && reader.ok(); ++i) {
    if (reader.peek() == local_infile_header) {  // 0xFB: NULL
      reader.u8();
      cells.emplace_back();
    } else {
      cells.emplace_back(read_lenenc_bytes(reader));
    }
  }
  return reader.exhausted();
}

bool parse_binary_row(Bytes payload, const std::vector<ParameterType>& columns, std::vector<Value>& cells) {
  ByteReader reader{payload};
  cells.clear();
  if (reader.u8() != 0) {
    return false;
  }
  Bytes nulls = reader.take((columns.size() + 7 + binary_row_null_offset) / 8);
  if (!reader.ok()) {
    return false;
  }
  for (std::size_t i = 0; i < columns.size() && reader.ok(); ++i) {
    std::size_t bit = i + binary_row_null_offset;
    bool is_null = (nulls[bit / 8] >> (bit % 8) & 1) != 0;
    cells.push_back(is_null ? Value{Null{}} : read_value(reader, columns[i]));
  }
  return reader.exhausted();
}

std::optional<std::vector<SessionTrackEntry>> parse_session_track(Bytes session_track) {
  using Kind = SessionTrackEntry::Kind;
  std::vector<SessionTrackEntry> entries;
  ByteReader reader{session_track};
  while (!reader.at_end()) {
    Bytes before = reader.rest();
    SessionTrackEntry entry;
    entry.raw_kind = reader.u8();
    entry.kind = entry.raw_kind <= static_cast<std::uint8_t>(Kind::transaction_state)
                     ? static_cast<Kind>(entry.raw_kind)
                     : Kind::unknown;
    Bytes body = read_lenenc_bytes(reader);
    ByteReader fields{body};
    if (entry.kind == Kind::system_variable) {
      entry.name = text_of(read_lenenc_bytes(fields));
      entry.value = text_of(read_lenenc_bytes(fields));
    } else if (entry.kind == Kind::schema) {
      entry.value = text_of(read_lenenc_bytes(fields));
    } else {
      entry.value = text_of(body);
    }
    bool is_decoded = entry.kind == Kind::system_variable || entry.kind == Kind::schema;
    if (!reader.ok() || !fields.ok() || (is_decoded && !fields.at_end())) {
      return std::nullopt;
    }
    entry.raw = before.first(before.size() - reader.remaining());
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace sallyport::wire
