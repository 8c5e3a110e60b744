#include "wire/parameters.h"

#include <gtest/gtest.h>

#include <sstream>

#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::Buffer;
using test::from_hex;

std::string printed(const Value& value) {
  struct Printer {
    std::string operator()(Null) const { return "NULL"; }
    std::string operator()(SentAsLongData) const { return "long data"; }
    std::string operator()(std::int64_t number) const { return "i" + std::to_string(number); }
    std::string operator()(std::uint64_t number) const { return "u" + std::to_string(number); }
    std::string operator()(double number) const {
      std::ostringstream out;
      out << "d" << number;
      return out.str();
    }
    std::string operator()(Bytes bytes) const { return "'" + std::string(text_of(bytes)) + "'"; }
    std::string operator()(const DateTime& t) const {
      std::ostringstream out;
      out << t.year << "-" << int{t.month} << "-" << int{t.day} << " " << int{t.hour} << ":" << int{t.minute} << ":"
          << int{t.second} << "." << t.microsecond;
      return out.str();
    }
    std::string operator()(const TimeSpan& t) const {
      std::ostringstream out;
      out << (t.is_negative ? "-" : "") << t.days << "d " << int{t.hour} << ":" << int{t.minute} << ":" << int{t.second}
          << "." << t.microsecond;
      return out.str();
    }
  };
  return std::visit(Printer{}, value);
}

std::string printed(const std::optional<ExecuteCommand>& command) {
  if (!command) {
    return "malformed";
  }
  std::string out;
  for (const Parameter& parameter : command->parameters) {
    out += out.empty() ? "" : ", ";
    out += parameter.name.empty() ? "" : std::string(parameter.name) + "=";
    out += printed(parameter.value);
  }
  return out;
}

struct ValueCase {
  int type;
  bool is_unsigned;
  std::string_view hex;
  std::string_view value;  // empty: malformed
};

// The dates and times are the examples of the MySQL source documentation, "Binary Protocol Value".
constexpr ValueCase value_cases[] = {{1, false, "ff", "i-1"},
                                     {1, true, "ff", "u255"},
                                     {1, false, "80", "i-128"},
                                     {1, false, "7f", "i127"},
                                     {1, false, "", ""},
                                     {2, false, "0080", "i-32768"},
                                     {2, true, "ffff", "u65535"},
                                     {2, false, "01", ""},
                                     {13, true, "e407", "u2020"},
                                     {3, false, "00000080", "i-2147483648"},
                                     {3, true, "ffffffff", "u4294967295"},
                                     {3, false, "010203", ""},
                                     {9, false, "ffffffff", "i-1"},
                                     {8, false, "0000000000000080", "i-9223372036854775808"},
                                     {8, true, "ffffffffffffffff", "u18446744073709551615"},
                                     {8, false, "01020304050607", ""},
                                     {4, false, "33332341", "d10.2"},
                                     {5, false, "6666666666662440", "d10.2"},
                                     {5, false, "66666666666624", ""},
                                     {12, false, "0b da 07 0a 11 13 1b 1e 01 00 00 00", "2010-10-17 19:27:30.1"},
                                     {7, false, "07 da 07 0a 11 13 1b 1e", "2010-10-17 19:27:30.0"},
                                     {10, false, "04 da 07 0a 11", "2010-10-17 0:0:0.0"},
                                     {10, false, "00", "0-0-0 0:0:0.0"},
                                     {10, false, "04 da 07 0a", ""},
                                     {12, false, "05 da 07 0a 11 13", ""},
                                     {12, false, "ff", ""},
                                     {12, false, "0c da 07 0a 11 13 1b 1e 01 00 00 00 00", ""},
                                     {11, false, "0c 01 78 00 00 00 13 1b 1e 01 00 00 00", "-120d 19:27:30.1"},
                                     {11, false, "08 01 78 00 00 00 13 1b 1e", "-120d 19:27:30.0"},
                                     {11, false, "00", "0d 0:0:0.0"},
                                     {11, false, "04 01 78 00 00", ""},
                                     {11, false, "0b 01 78 00 00 00 13 1b 1e 01 00 00", ""},
                                     {254, false, "03 666f6f", "'foo'"},
                                     {253, false, "00", "''"},
                                     {252, false, "fc 0300 666f6f", "'foo'"},
                                     {252, false, "04 666f6f", ""},
                                     {246, false, "04 312e3530", "'1.50'"},
                                     {0, false, "04 312e3530", "'1.50'"},
                                     {16, false, "01 07", "'\x07'"},
                                     {245, false, "02 7b7d", "'{}'"},
                                     {242, false, "04 41424344", "'ABCD'"},
                                     {255, false, "01 41", "'A'"},
                                     {254, false, "fb", ""},
                                     {254, false, "fe ffffffffffffffff", ""},
                                     {6, false, "00", ""}};

TEST(BinaryValue, IsReadByItsType) {
  for (const ValueCase& c : value_cases) {
    Buffer raw = from_hex(c.hex);
    ByteReader reader{raw};
    Value value = read_value(reader, {.type = static_cast<std::uint8_t>(c.type), .is_unsigned = c.is_unsigned});
    EXPECT_EQ(reader.ok(), !c.value.empty()) << c.type << ": " << c.hex;
    if (reader.ok()) {
      EXPECT_EQ(printed(value), c.value) << c.type << ": " << c.hex;
      EXPECT_TRUE(reader.at_end()) << c.hex;
    }
  }
}

struct ExecuteCase {
  std::string_view why;
  std::string_view hex;  // behind command, statement id 1, flags and iteration count
  std::string_view parameters;
  std::uint8_t flags = 0;
  std::uint16_t parameter_count = 1;
};

Buffer execute_packet(std::uint8_t flags, std::string_view hex) {
  Buffer raw = from_hex("17 01000000 00 01000000");
  raw[5] = flags;
  test::append(raw, from_hex(hex));
  return raw;
}

void check(const ExecuteCase& c, Capabilities negotiated) {
  PreparedShape shape{.parameter_count = c.parameter_count, .types = {}, .sent_as_long_data = {}};
  Buffer raw = execute_packet(c.flags, c.hex);
  auto command = parse_execute(raw, negotiated, shape);
  EXPECT_EQ(printed(command), c.parameters) << c.why;
  if (command) {
    EXPECT_EQ(command->statement_id, 1U);
    EXPECT_EQ(command->flags, c.flags);
  }
}

TEST(Execute, IsReadWithoutQueryAttributes) {
  const ExecuteCase cases[] = {
      {"the example of the documentation", "00 01 0f00 03 666f6f", "'foo'"},
      {"no parameters", "", "", 0, 0},
      {"no parameters, and flag 8 has no meaning", "", "", 8, 0},
      {"a NULL has no value", "01 01 0600", "NULL"},
      {"two", "02 01 0300 0600 07000000", "i7, NULL", 0, 2},
      {"nine, the last NULL", "0001 01 010001000100010001000100010001000600 0102030405060708",
       "i1, i2, i3, i4, i5, i6, i7, i8, NULL", 0, 9},
      {"any flag but zero says that types follow", "00 02 0100 05", "i5"},
      {"types due and missing", "00 00 05", "malformed"},
      {"types due, although the value is NULL", "01 00", "malformed"},
      {"no bitmap", "", "malformed"},
      {"no flag", "00", "malformed"},
      {"types cut short", "00 01 03", "malformed"},
      {"value cut short", "00 01 0300 010203", "malformed"},
      {"a type NULL without its bit: servers differ", "00 01 0600", "malformed"},
      {"INT24: MariaDB takes NULL and no byte, MySQL refuses", "00 01 0900 01020304", "malformed"},
      {"YEAR: the same", "00 01 0d00 e407", "malformed"},
      {"BIT: the same", "00 01 1000 0101", "malformed"},
      {"a type of nine bits: MySQL reads it whole, MariaDB its low byte", "00 01 0301 01020304", "malformed"},
      {"a type that is none", "00 01 1e00 0161", "malformed"},
      {"a cursor", "00 01 0100 05", "i5", 1}};
  for (const ExecuteCase& c : cases) {
    check(c, 0);
  }
}

TEST(Execute, IsReadWithQueryAttributes) {
  const ExecuteCase cases[] = {
      {"the count, and names", "01 00 01 fe00 00 03 666f6f", "'foo'", 8},
      {"the count is there without flag 8 when there are placeholders", "01 00 01 fe00 00 03 666f6f", "'foo'", 0},
      {"no placeholders and no flag 8: nothing", "", "", 0, 0},
      {"no placeholders, no attributes", "00", "", 8, 0},
      {"an attribute alone", "01 00 01 0100 0161 05", "a=i5", 8, 0},
      {"an attribute behind the placeholder", "02 02 01 0100 00 fe00 0161 05", "i5, a=NULL", 8},
      {"fewer than the placeholders", "00", "malformed", 8},
      {"no count", "", "malformed", 8},
      {"NULL as the count", "fb", "malformed", 8},
      {"more than there may be", "fd000001 00 01", "malformed", 8},
      {"a name beyond the end", "01 00 01 fe00 05 61", "malformed", 8}};
  for (const ExecuteCase& c : cases) {
    check(c, capability::query_attributes);
  }
}

TEST(Execute, CutShortAnywhereIsMalformed) {
  Buffer raw = execute_packet(8, "03 00 01 fe00 00 0a00 00 0800 0161 0161 04e407021d 0102030405060708");
  PreparedShape whole{.parameter_count = 2, .types = {}, .sent_as_long_data = {}};
  ASSERT_TRUE(parse_execute(raw, capability::query_attributes, whole).has_value());
  for (std::size_t length = 0; length < raw.size(); ++length) {
    PreparedShape shape{.parameter_count = 2, .types = {}, .sent_as_long_data = {}};
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_execute(cut, capability::query_attributes, shape).has_value()) << length;
    EXPECT_TRUE(shape.types.empty()) << "what did not reach the server is not remembered";
  }
}

TEST(Execute, RemembersTypesFromOneExecutionToTheNext) {
  PreparedShape shape{.parameter_count = 2, .types = {}, .sent_as_long_data = {}};
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 01 0180 fe00 ff 0161"), 0, shape)), "u255, 'a'");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 00 fe 0162"), 0, shape)), "u254, 'b'");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "01 00 0163"), 0, shape)), "NULL, 'c'");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "02 01 0100 0600 ff"), 0, shape)), "i-1, NULL");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "02 00 fe"), 0, shape)), "i-2, NULL");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 00 fe 0161"), 0, shape)), "malformed")
      << "the type of the second is NULL now";
}

TEST(Execute, KeepsTheRememberedTypesWhenItIsMalformed) {
  PreparedShape shape{.parameter_count = 1, .types = {}, .sent_as_long_data = {}};
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 01 0100 05"), 0, shape)), "i5");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 01 0300 05"), 0, shape)), "malformed");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 00 06"), 0, shape)), "i6");
}

TEST(Execute, RemembersTheTypesOfPlaceholdersOnly) {  // MySQL calls attributes without types malformed
  PreparedShape shape{.parameter_count = 1, .types = {}, .sent_as_long_data = {}};
  EXPECT_EQ(printed(parse_execute(execute_packet(8, "02 00 01 0100 00 0100 0161 05 06"), capability::query_attributes,
                                  shape)),
            "i5, a=i6");
  EXPECT_EQ(printed(parse_execute(execute_packet(8, "02 00 00 05 06"), capability::query_attributes, shape)),
            "malformed");
  EXPECT_EQ(printed(parse_execute(execute_packet(8, "01 00 00 07"), capability::query_attributes, shape)), "i7");
}

TEST(Execute, ReadsTheLowHalfOfALongLengthAsServersDo) {
  PreparedShape shape{.parameter_count = 1, .types = {}, .sent_as_long_data = {}};
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 01 fc00 fe 02000000 02000000 6162"), 0, shape)), "'ab'")
      << "node-mysql2 repeats the low half";
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 01 fc00 fe 03000000 00000000 6162"), 0, shape)), "malformed");
}

TEST(Execute, HasNoValueForAParameterSentAsLongData) {
  PreparedShape shape{.parameter_count = 3, .types = {}, .sent_as_long_data = {false, true}};
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 01 0100 fc00 0100 05 06"), 0, shape)), "i5, long data, i6");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "02 01 0100 fc00 0100 05 06"), 0, shape)), "i5, long data, i6")
      << "PHP's mysqlnd sets the NULL bit besides";
  shape = {.parameter_count = 1, .types = {}, .type_block = {}, .sent_as_long_data = {false, true}};
  EXPECT_EQ(printed(parse_execute(execute_packet(8, "02 00 01 0100 00 0100 0161 05 06"), capability::query_attributes,
                                  shape)),
            "i5, a=i6")
      << "attributes have no long data";
}

std::string printed_bulk(std::string_view hex, PreparedShape& shape) {  // behind command and statement id 1
  Buffer raw = from_hex("fa 01000000");
  test::append(raw, from_hex(hex));
  auto command = parse_bulk_execute(raw, shape);
  if (!command) {
    return "malformed";
  }
  EXPECT_EQ(command->statement_id, 1U);
  std::string out;
  ByteReader rows{command->rows};
  std::vector<BulkValue> row;
  for (std::size_t i = 0; i < command->row_count; ++i) {
    EXPECT_TRUE(read_bulk_row(rows, shape.types, row));
    out += i == 0 ? "" : " | ";
    for (const BulkValue& cell : row) {
      out += &cell == &row.front() ? "" : ", ";
      out += cell.indicator == Indicator::default_ ? "DEFAULT"
             : cell.indicator == Indicator::ignore ? "IGNORE"
                                                   : printed(cell.value);
    }
  }
  EXPECT_TRUE(rows.at_end());
  return out;
}

struct BulkCase {
  std::string_view why;
  std::string_view hex;
  std::string_view rows;
  std::uint16_t parameter_count = 2;
};

constexpr BulkCase bulk_cases[] = {
    {"one row", "8000 0100 fe00 00 05 00 0161", "i5, 'a'"},
    {"two rows", "8000 0180 fe00 00 ff 00 0161 00 fe 00 00", "u255, 'a' | u254, ''"},
    {"indicators bring no value", "8000 0100 fe00 01 02 | 03 00 0161", "NULL, DEFAULT | IGNORE, 'a'"},
    {"a result for each row", "c000 0100 fe00 00 05 00 0161", "i5, 'a'"},
    {"an unknown flag", "8100 0100 fe00 00 05 00 0161", "malformed"},
    {"an unknown flag of the second byte", "8001 0100 fe00 00 05 00 0161", "malformed"},
    {"an unknown indicator", "8000 0100 fe00 04 00 0161", "malformed"},
    {"an unknown indicator, the last", "8000 0100 fe00 00 05 ff", "malformed"},
    {"no rows", "8000 0100 fe00", "malformed"},
    {"no rows and no types", "0000", "malformed"},
    {"types neither sent nor remembered", "0000 00 05 00 0161", "malformed"},
    {"a row and a half", "8000 0100 fe00 00 05 00 0161 00 06", "malformed"},
    {"a type that has no value", "8000 0100 0600 00 05 00 0161", "malformed"},
    {"no parameters", "8000 01", "malformed", 0},
};

TEST(BulkExecute, IsReadRowByRow) {
  for (const BulkCase& c : bulk_cases) {
    PreparedShape shape{.parameter_count = c.parameter_count, .types = {}, .sent_as_long_data = {}};
    std::string hex(c.hex);
    std::erase(hex, '|');
    EXPECT_EQ(printed_bulk(hex, shape), c.rows) << c.why;
    EXPECT_EQ(shape.types.empty(), c.rows == "malformed") << c.why;
  }
}

TEST(BulkExecute, CutShortAnywhereIsMalformed) {
  Buffer raw = from_hex("fa 01000000 8000 0800 fe00 00 0102030405060708 00 03616263");
  for (std::size_t length = 0; length < raw.size(); ++length) {
    PreparedShape shape{.parameter_count = 2, .types = {}, .sent_as_long_data = {}};
    Buffer cut(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_bulk_execute(cut, shape).has_value()) << length;
    EXPECT_TRUE(shape.types.empty()) << length;
  }
  PreparedShape whole{.parameter_count = 2, .types = {}, .sent_as_long_data = {}};
  EXPECT_TRUE(parse_bulk_execute(raw, whole).has_value());
}

TEST(BulkExecute, SharesItsTypesWithPlainExecutions) {
  PreparedShape shape{.parameter_count = 1, .types = {}, .sent_as_long_data = {}};
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 01 0180 ff"), 0, shape)), "u255");
  EXPECT_EQ(printed_bulk("0000 00 fe 00 fd", shape), "u254 | u253");
  EXPECT_EQ(printed_bulk("8000 0100 00 fe", shape), "i-2");
  EXPECT_EQ(printed_bulk("8000 0800 00 fe", shape), "malformed");
  EXPECT_EQ(printed(parse_execute(execute_packet(0, "00 00 fd"), 0, shape)), "i-3");
}

TEST(BulkExecute, HasNoLongData) {
  PreparedShape shape{.parameter_count = 1, .types = {}, .sent_as_long_data = {true}};
  EXPECT_EQ(printed_bulk("8000 0100 00 05", shape), "malformed");
}

TEST(QueryAttributes, AreDecodedWithTheirNames) {
  Buffer raw = from_hex("02 01 fe00 0178 0300 027979 0161");
  auto attributes = parse_query_attributes(raw, 2);
  ASSERT_EQ(attributes.size(), 2U);
  EXPECT_EQ(attributes[0].name, "x");
  EXPECT_EQ(printed(attributes[0].value), "'a'");
  EXPECT_EQ(attributes[1].name, "yy");
  EXPECT_EQ(printed(attributes[1].value), "NULL");
  EXPECT_TRUE(parse_query_attributes(raw, 3).empty());
  EXPECT_TRUE(parse_query_attributes(raw, UINT64_MAX).empty());
}

}  // namespace
}  // namespace sallyport::wire
