#include "wire/command.h"

#include <gtest/gtest.h>

#include <set>

#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::Buffer;
using test::from_hex;

TEST(Command, IsNamedAsInTheProtocol) {
  struct {
    int byte;
    Command command;
    std::string_view name;
  } const cases[] = {{0x00, Command::sleep, "sleep"},
                     {0x01, Command::quit, "quit"},
                     {0x02, Command::init_db, "init_db"},
                     {0x03, Command::query, "query"},
                     {0x04, Command::field_list, "field_list"},
                     {0x05, Command::create_db, "create_db"},
                     {0x06, Command::drop_db, "drop_db"},
                     {0x07, Command::refresh, "refresh"},
                     {0x08, Command::shutdown, "shutdown"},
                     {0x09, Command::statistics, "statistics"},
                     {0x0A, Command::process_info, "process_info"},
                     {0x0B, Command::connect, "connect"},
                     {0x0C, Command::process_kill, "process_kill"},
                     {0x0D, Command::debug, "debug"},
                     {0x0E, Command::ping, "ping"},
                     {0x0F, Command::time, "time"},
                     {0x10, Command::delayed_insert, "delayed_insert"},
                     {0x11, Command::change_user, "change_user"},
                     {0x12, Command::binlog_dump, "binlog_dump"},
                     {0x13, Command::table_dump, "table_dump"},
                     {0x14, Command::connect_out, "connect_out"},
                     {0x15, Command::register_replica, "register_replica"},
                     {0x16, Command::stmt_prepare, "stmt_prepare"},
                     {0x17, Command::stmt_execute, "stmt_execute"},
                     {0x18, Command::stmt_send_long_data, "stmt_send_long_data"},
                     {0x19, Command::stmt_close, "stmt_close"},
                     {0x1A, Command::stmt_reset, "stmt_reset"},
                     {0x1B, Command::set_option, "set_option"},
                     {0x1C, Command::stmt_fetch, "stmt_fetch"},
                     {0x1D, Command::daemon, "daemon"},
                     {0x1E, Command::binlog_dump_gtid, "binlog_dump_gtid"},
                     {0x1F, Command::reset_connection, "reset_connection"},
                     {0x20, Command::clone, "clone"},
                     {0x21, Command::subscribe_group_replication_stream, "subscribe_group_replication_stream"},
                     {0xFA, Command::stmt_bulk_execute, "stmt_bulk_execute"},
                     {0xFE, Command::mariadb_multi, "multi"}};
  std::set<int> known;
  for (const auto& c : cases) {
    EXPECT_EQ(command_from_byte(static_cast<std::uint8_t>(c.byte)), c.command) << c.name;
    EXPECT_EQ(name_of(c.command), c.name);
    known.insert(c.byte);
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (!known.contains(byte)) {
      EXPECT_EQ(command_from_byte(static_cast<std::uint8_t>(byte)), Command::unknown) << byte;
    }
  }
  EXPECT_EQ(name_of(Command::unknown), "unknown");
}

TEST(Query, IsAllBehindTheCommandByteWithoutQueryAttributes) {
  Buffer raw = from_hex("03 73656c65637420 4040 76657273696f6e");
  auto query = parse_query(raw, 0);
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->text, "select @@version");
  EXPECT_EQ(query->attribute_count, 0U);
  EXPECT_TRUE(query->attributes.empty());
  auto empty = parse_query(from_hex("03"), 0);
  ASSERT_TRUE(empty.has_value());
  EXPECT_EQ(empty->text, "");
  EXPECT_FALSE(parse_query({}, 0).has_value());
}

struct AttributeCase {
  std::string_view why;
  std::string_view hex;
  std::string_view text;  // empty: malformed
};

// Where the text begins was seen in the errors of a MySQL 9.7 server for these very packets.
constexpr AttributeCase attribute_cases[] = {
    {"no attributes", "03 00 01 41", "A"},
    {"one of a string type", "03 01 01 00 01 fe00 0178 0161 42", "B"},
    {"NULL in the bitmap has no value", "03 01 01 01 01 fe00 0178 42", "B"},
    {"eight bits of an integer", "03 01 01 00 01 0100 0178 61 42", "B"},
    {"sixty-four unsigned bits", "03 01 01 00 01 0880 0178 6162636465666768 42", "B"},
    {"two, with names of their own", "03 02 01 00 01 fe00 0178 0300 00 0161 01020304 42", "B"},
    {"a date", "03 01 01 00 01 0a00 0178 04 e407021d 42", "B"},
    {"any flag but zero says that types follow", "03 01 01 00 02 fe00 0178 0161 42", "B"},
    {"the server reads a value of type NULL as text", "03 01 01 00 01 0600 0178 0161 42", ""},
    {"the server reads INT24 as text", "03 01 01 00 01 0900 0178 08 4142434445464748 42", ""},
    {"the server reads YEAR as text", "03 01 01 00 01 0d00 0178 08 4142434445464748 42", ""},
    {"the server takes fifteen bits of type", "03 01 01 00 01 0301 0178 01 41 42434445", ""},
    {"a type that is none", "03 01 01 00 01 1e00 0178 0161 42", ""},
    {"BOOL, which the server refuses", "03 01 01 00 01 f400 0178 01 42", ""},
    {"no types", "03 01 01 00 00 0161 42", ""},
    {"two sets", "03 01 02 00 01 fe00 0178 0161 42", ""},
    {"no set", "03 00 00 42", ""},
    {"no count", "03", ""},
    {"NULL as the count", "03 fb 01 42", ""},
    {"more attributes than there may be", "03 fd000001 01 42", ""},
    {"a bitmap cut short", "03 09 01 00", ""},
    {"a name beyond the end", "03 01 01 00 01 fe00 7f78 0161 42", ""},
    {"a value beyond the end", "03 01 01 00 01 fe00 0178 7f61 42", ""},
    {"a date of five bytes", "03 01 01 00 01 0a00 0178 05 e407021d00 42", ""}};

TEST(Query, TextBeginsBehindTheAttributesWhereTheServerSeesIt) {
  for (const AttributeCase& c : attribute_cases) {
    Buffer raw = from_hex(c.hex);
    auto query = parse_query(raw, capability::query_attributes);
    EXPECT_EQ(query.has_value(), !c.text.empty()) << c.why;
    if (query) {
      EXPECT_EQ(query->text, c.text) << c.why;
    }
  }
}

TEST(Query, AttributesCutShortAnywhereAreMalformed) {
  Buffer raw = from_hex("03 02 01 00 01 fe00 0178 0c00 0179 0161 0b e407021d 0102030405060708");
  raw.resize(raw.size() - 1);
  ASSERT_TRUE(parse_query(raw, capability::query_attributes).has_value());
  for (std::size_t length = 0; length < raw.size(); ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_query(cut, capability::query_attributes).has_value()) << length;
  }
}

TEST(LongData, NamesAStatementAndAParameter) {
  Buffer raw = from_hex("18 04030201 0605 6162");
  auto command = parse_long_data(raw);
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->statement_id, 0x01020304U);
  EXPECT_EQ(command->parameter, 0x0506U);
  EXPECT_EQ(text_of(command->value), "ab");
  for (std::size_t length = 0; length < 7; ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_long_data(cut).has_value()) << length;
  }
  raw.resize(7);
  EXPECT_TRUE(parse_long_data(raw).has_value()) << "an empty piece";
}

TEST(StatementId, IsTheFourBytesBehindTheCommand) {
  Buffer raw = from_hex("19 04030201");
  EXPECT_EQ(parse_statement_id(raw), 0x01020304U);
  for (std::size_t length = 0; length < raw.size(); ++length) {
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_statement_id(cut).has_value()) << length;
  }
}

}  // namespace
}  // namespace sallyport::wire
