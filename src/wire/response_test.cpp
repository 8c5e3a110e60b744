#include "wire/response.h"

#include <gtest/gtest.h>

#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::Buffer;
using test::from_hex;

template <typename Write>
Buffer payload_of(Write write) {
  Buffer out;
  PacketWriter writer{out};
  write(writer);
  return out;
}

TEST(OkPacket, IsTheExampleOfTheDocumentation) {
  Buffer raw = from_hex("00 00 00 02 00 00 00");
  auto ok = parse_ok(raw, capability::session_track);
  ASSERT_TRUE(ok.has_value());
  EXPECT_EQ(ok->affected_rows, 0U);
  EXPECT_EQ(ok->status_flags, status::autocommit);
  EXPECT_EQ(ok->warnings, 0);
  EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_ok(writer, *ok, capability::session_track); }), raw);
}

TEST(OkPacket, OfAnUpdateHasItsInfoWithOrWithoutSessionTracking) {  // captured
  Buffer raw = from_hex(
      "00 01 00 0200 0000 28 526f7773206d6174636865643a203120204368616e6765643a203120205761726e696e67733a2030");
  for (Capabilities negotiated : {Capabilities{0}, capability::session_track}) {
    auto ok = parse_ok(raw, negotiated);
    ASSERT_TRUE(ok.has_value());
    EXPECT_EQ(ok->affected_rows, 1U);
    EXPECT_EQ(ok->info, "Rows matched: 1  Changed: 1  Warnings: 0");
    EXPECT_TRUE(ok->session_track.empty());
    EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_ok(writer, *ok, negotiated); }), raw);
  }
}

// MySQL 9.7's answer to SET sql_mode='ANSI_QUOTES', autocommit=1.
constexpr std::string_view tracked =
    "00 00 00 0240 0000 00 3e 000e0a6175746f636f6d6d6974024f4e00150873716c5f6d6f64650b414e53495f51554f544553"
    "00120c73746174656d656e745f69640432323236020131";

TEST(OkPacket, CarriesSessionTrackDataWhenNegotiated) {
  Buffer raw = from_hex(tracked);
  auto ok = parse_ok(raw, capability::session_track);
  ASSERT_TRUE(ok.has_value());
  EXPECT_EQ(ok->session_track.size(), 0x3EU);
  EXPECT_EQ(ok->info, "");
  EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_ok(writer, *ok, capability::session_track); }), raw);
  auto entries = parse_session_track(ok->session_track);
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 4U);
  EXPECT_EQ((*entries)[0].name, "autocommit");
  EXPECT_EQ((*entries)[0].value, "ON");
  EXPECT_EQ((*entries)[1].name, "sql_mode");
  EXPECT_EQ((*entries)[1].value, "ANSI_QUOTES");
  EXPECT_EQ((*entries)[3].kind, SessionTrackEntry::Kind::state_change);
}

TEST(OkPacket, ForAClientWithoutSessionTrackingHasNone) {
  Buffer raw = from_hex(tracked);
  auto ok = parse_ok(raw, capability::session_track);
  ASSERT_TRUE(ok.has_value());
  Buffer written = payload_of([&](PacketWriter& writer) { write_ok(writer, *ok, 0); });
  EXPECT_EQ(written, from_hex("00 00 00 0240 0000"));
}

TEST(OkPacket, CutShortInsideIsNone) {
  Buffer raw = from_hex(tracked);
  for (std::size_t length = 0; length < raw.size(); ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    bool without_info = length == 7;
    EXPECT_EQ(parse_ok(cut, capability::session_track).has_value(), without_info) << length;
  }
}

TEST(OkPacket, HasOneOfTwoHeaders) {
  Buffer raw = from_hex("fe 00 00 0200 0000");
  ASSERT_TRUE(parse_ok(raw, 0).has_value());
  EXPECT_EQ(parse_ok(raw, 0)->header, eof_header);
  for (int header : {0x01, 0xFB, 0xFF}) {
    raw[0] = static_cast<std::uint8_t>(header);
    EXPECT_FALSE(parse_ok(raw, 0).has_value());
  }
}

TEST(EofPacket, IsTheExampleOfTheDocumentation) {
  Buffer raw = from_hex("fe 00 00 02 00");
  auto eof = parse_eof(raw);
  ASSERT_TRUE(eof.has_value());
  EXPECT_EQ(eof->status_flags, status::autocommit);
  EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_eof(writer, *eof); }), raw);
  EXPECT_EQ(payload_of([](PacketWriter& writer) { write_eof(writer, {.warnings = 0x102, .status_flags = 0x304}); }),
            from_hex("fe 0201 0403"));
}

TEST(EofPacket, HasFiveBytesNoMoreNoLess) {
  for (std::string_view hex : {"", "fe", "fe00", "fe0000", "fe000002", "fe0000020000", "000000 0200"}) {
    EXPECT_FALSE(parse_eof(from_hex(hex)).has_value()) << hex;
  }
}

TEST(ErrPacket, IsTheExampleOfTheDocumentation) {
  Buffer raw = from_hex("ff 48 04 23 48 59 30 30 30 4e 6f 20 74 61 62 6c 65 73 20 75 73 65 64");
  auto err = parse_err(raw);
  ASSERT_TRUE(err.has_value());
  EXPECT_EQ(err->code, 1096);
  EXPECT_EQ(err->sql_state, "HY000");
  EXPECT_EQ(err->message, "No tables used");
  EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_err(writer, *err); }), raw);
}

TEST(ErrPacket, BeforeTheLoginHasNoState) {
  Buffer raw = from_hex("ff 1004 546f6f206d616e7920636f6e6e656374696f6e73");
  auto err = parse_err(raw);
  ASSERT_TRUE(err.has_value());
  EXPECT_EQ(err->code, 1040);
  EXPECT_EQ(err->sql_state, "");
  EXPECT_EQ(err->message, "Too many connections");
  EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_err(writer, *err); }), raw);
}

TEST(ErrPacket, CutShortInsideItsStateIsNone) {
  for (std::string_view hex : {"", "ff", "ff48", "ff4804 23", "ff4804 2348593030", "00 4804"}) {
    EXPECT_FALSE(parse_err(from_hex(hex)).has_value()) << hex;
  }
  EXPECT_TRUE(parse_err(from_hex("ff4804")).has_value()) << "no message";
  EXPECT_TRUE(parse_err(from_hex("ff4804 234859303030")).has_value());
}

TEST(PrepareOk, CountsColumnsAndParameters) {
  Buffer raw = from_hex("00 89000000 0200 0100 00 0304");
  auto ok = parse_prepare_ok(raw, capability::protocol_41);
  ASSERT_TRUE(ok.has_value());
  EXPECT_EQ(ok->statement_id, 0x89U);
  EXPECT_EQ(ok->columns, 2);
  EXPECT_EQ(ok->parameters, 1);
  EXPECT_EQ(ok->warnings, 0x0403);
  for (std::size_t length = 0; length < raw.size(); ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_prepare_ok(cut, capability::protocol_41).has_value()) << length;
  }
  raw[0] = 0xFE;
  EXPECT_FALSE(parse_prepare_ok(raw, capability::protocol_41).has_value());
}

TEST(PrepareOk, SaysWhetherDefinitionsFollowWhereThatWasNegotiated) {
  Buffer raw = from_hex("00 89000000 0200 0100 00 0304 00");
  auto ok = parse_prepare_ok(raw, capability::optional_resultset_metadata);
  ASSERT_TRUE(ok.has_value());
  EXPECT_FALSE(ok->definitions_follow);
  EXPECT_TRUE(parse_prepare_ok(raw, capability::protocol_41)->definitions_follow);
  raw.back() = 1;
  EXPECT_TRUE(parse_prepare_ok(raw, capability::optional_resultset_metadata)->definitions_follow);
}

TEST(ResultHeader, IsReadAsItWasWritten) {
  constexpr Capabilities told = capability::mariadb_cache_metadata;
  for (std::uint64_t columns : {1ULL, 250ULL, 251ULL, 70'000ULL}) {
    for (bool follow : {true, false}) {
      Buffer out;
      PacketWriter writer{out};
      write_result_header(writer, {.columns = columns, .definitions_follow = follow}, told);
      auto header = parse_result_header(out, told);
      ASSERT_TRUE(header.has_value());
      EXPECT_EQ(header->columns, columns);
      EXPECT_EQ(header->definitions_follow, follow);
      EXPECT_FALSE(parse_result_header(out, capability::protocol_41).has_value()) << "a byte too many";
    }
  }
}

constexpr std::string_view captured_column =  // of MariaDB and MySQL alike
    "03646566 0777697265636170 0174 0174 046e616d65 046e616d65 0c 2d00 50000000 fd 0000 00 0000";

TEST(ColumnDefinition, IsWrittenAsServersWriteIt) {
  Buffer raw = from_hex(captured_column);
  auto column = parse_column_definition(raw, 0);
  ASSERT_TRUE(column.has_value());
  EXPECT_EQ(column->catalog, "def");
  EXPECT_EQ(column->schema, "wirecap");
  EXPECT_EQ(column->table, "t");
  EXPECT_EQ(column->org_table, "t");
  EXPECT_EQ(column->name, "name");
  EXPECT_EQ(column->org_name, "name");
  EXPECT_EQ(column->collation_id, 45);
  EXPECT_EQ(column->length, 80U);
  EXPECT_EQ(column->type, ColumnType::var_string);
  EXPECT_EQ(column->decimals, 0);
  EXPECT_EQ(payload_of([&](PacketWriter& writer) { write_column_definition(writer, *column, 0); }), raw);
}

TEST(ColumnDefinition, OfAFieldListHasADefaultBehind) {
  Buffer raw = from_hex(captured_column);
  test::append(raw, from_hex("046e6f6e65"));
  EXPECT_TRUE(parse_column_definition(raw, 0).has_value());
}

// The field "format: json" of MariaDB 10.11, and a column that has none.
TEST(ColumnDefinition, MayHaveExtendedMetadata) {
  for (std::string extended : {"06 01046a736f6e", "00"}) {
    Buffer raw = from_hex(std::string(captured_column).replace(captured_column.find("0c 2d00"), 0, extended + " "));
    EXPECT_FALSE(parse_column_definition(raw, 0).has_value());
    auto column = parse_column_definition(raw, capability::mariadb_extended_metadata);
    ASSERT_TRUE(column.has_value());
    EXPECT_EQ(column->name, "name");
    EXPECT_EQ(column->extended, extended == "00" ? "" : "\x01\x04json");
    EXPECT_EQ(column->type, ColumnType::var_string);
    EXPECT_EQ(payload_of([&](PacketWriter& writer) {
                write_column_definition(writer, *column, capability::mariadb_extended_metadata);
              }),
              raw);
  }
  EXPECT_FALSE(parse_column_definition(from_hex(captured_column), capability::mariadb_extended_metadata).has_value());
}

TEST(ColumnDefinition, CutShortIsNone) {
  Buffer raw = from_hex(captured_column);
  for (std::size_t length = 0; length < raw.size(); ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_column_definition(cut, 0).has_value()) << length;
  }
}

TEST(TextRow, HasNullsAndTexts) {
  Buffer raw = from_hex("0132 fb 00 fc0100 61");
  std::vector<std::optional<Bytes>> cells;
  ASSERT_TRUE(parse_text_row(raw, 4, cells));
  EXPECT_EQ(text_of(*cells[0]), "2");
  EXPECT_FALSE(cells[1].has_value());
  EXPECT_EQ(text_of(*cells[2]), "");
  EXPECT_EQ(text_of(*cells[3]), "a");
  EXPECT_FALSE(parse_text_row(raw, 3, cells)) << "bytes left over";
  EXPECT_FALSE(parse_text_row(raw, 5, cells)) << "a cell too few";
  for (std::size_t length = 0; length < raw.size(); ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_text_row(cut, 4, cells)) << length;
  }
}

TEST(BinaryRow, IsReadAsMariaDbSentIt) {
  // SELECT 1.50 (decimal), a date, a time, a datetime, 1e0, NULL, 7, -7, b'101'.
  Buffer raw = from_hex(
      "00 8000 04312e3530 04e407021d 0c01000000000c223820a10700 07e407021d010203 000000000000f03f 0700000000000000"
      "f9ffffffffffffff 0105");
  const std::vector<ParameterType> columns{{.type = 246},
                                           {.type = 10},
                                           {.type = 11},
                                           {.type = 12},
                                           {.type = 5},
                                           {.type = 6},
                                           {.type = 8, .is_unsigned = true},
                                           {.type = 8},
                                           {.type = 16}};
  std::vector<Value> cells;
  ASSERT_TRUE(parse_binary_row(raw, columns, cells));
  ASSERT_EQ(cells.size(), 9U);
  EXPECT_EQ(text_of(std::get<Bytes>(cells[0])), "1.50");
  EXPECT_EQ(std::get<DateTime>(cells[1]).year, 2020);
  EXPECT_TRUE(std::get<TimeSpan>(cells[2]).is_negative);
  EXPECT_EQ(std::get<TimeSpan>(cells[2]).microsecond, 500000U);
  EXPECT_EQ(std::get<DateTime>(cells[3]).second, 3);
  EXPECT_EQ(std::get<double>(cells[4]), 1.0);
  EXPECT_TRUE(std::holds_alternative<Null>(cells[5]));
  EXPECT_EQ(std::get<std::uint64_t>(cells[6]), 7U);
  EXPECT_EQ(std::get<std::int64_t>(cells[7]), -7);
  EXPECT_EQ(text_of(std::get<Bytes>(cells[8])), "\x05");
  for (std::size_t length = 0; length < raw.size(); ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_binary_row(cut, columns, cells)) << length;
  }
  raw.push_back(0);
  EXPECT_FALSE(parse_binary_row(raw, columns, cells)) << "a byte left over";
}

struct TrackCase {
  std::string_view why;
  std::string_view hex;
  std::string_view entries;  // "KIND name=value; ..."; "malformed"
};

constexpr TrackCase track_cases[] = {
    {"nothing", "", ""},
    {"schema, from MariaDB's USE", "01080777697265636170 020131", "1 =wirecap; 2 =1; "},
    {"a transaction's state and characteristics", "0509 08545f5f5f5f5f5f5f 0401 00", "5 =\x08T_______; 4 =; "},
    {"a kind that is not known", "2a 02 6162", "42 =ab; "},
    {"a body beyond the end", "00 0f 0161 0162", "malformed"},
    {"a name beyond its body", "00 02 0261 0162", "malformed"},
    {"no value", "00 02 0161", "malformed"},
    {"a second variable in one entry", "00 08 0161 0162 0163 0164", "malformed"},
    {"bytes behind the schema", "01 03 0161 62", "malformed"},
    {"no body", "00", "malformed"}};

TEST(SessionTrack, IsReadEntryByEntry) {
  for (const TrackCase& c : track_cases) {
    Buffer raw = from_hex(c.hex);
    auto entries = parse_session_track(raw);
    std::string printed = entries ? "" : "malformed";
    std::size_t raw_bytes = 0;
    for (const auto& entry : entries.value_or(std::vector<SessionTrackEntry>{})) {
      printed += std::to_string(entry.raw_kind) + " " + std::string(entry.name) + "=" + std::string(entry.value) + "; ";
      raw_bytes += entry.raw.size();
    }
    printed.erase(std::remove(printed.begin(), printed.end(), '\0'), printed.end());
    EXPECT_EQ(printed, c.entries) << c.why;
    EXPECT_EQ(raw_bytes, entries ? raw.size() : 0) << "the entries cover the whole";
  }
}

}  // namespace
}  // namespace sallyport::wire
