#include "config/scalars.h"

#include <gtest/gtest.h>

namespace sallyport::config {
namespace {

TEST(ParseInteger, TakesDecimalDigitsOnly) {
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("9223372036854775807"), 9223372036854775807);
  for (auto text : {"", "-1", "+1", "01", "1 ", " 1", "1e3", "0x10", "1_000", "9223372036854775808", "one"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(ParseDuration, TakesAnIntegerAndAUnit) {
  EXPECT_EQ(parse_duration_ms("0s"), 0);
  EXPECT_EQ(parse_duration_ms("250ms"), 250);
  EXPECT_EQ(parse_duration_ms("30s"), 30'000);
  EXPECT_EQ(parse_duration_ms("5m"), 300'000);
  EXPECT_EQ(parse_duration_ms("8h"), 28'800'000);
  EXPECT_EQ(parse_duration_ms("1d"), 86'400'000);
  for (auto text : {"", "s", "5", "5 s", "5S", "-5s", "1.5s", "5w", "5ss", "106751991168d"}) {
    EXPECT_EQ(parse_duration_ms(text), std::nullopt) << text;
  }
}

TEST(ParseSize, TakesAnIntegerAndABinaryUnit) {
  EXPECT_EQ(parse_size_bytes("7B"), 7);
  EXPECT_EQ(parse_size_bytes("16KiB"), 16'384);
  EXPECT_EQ(parse_size_bytes("64MiB"), 67'108'864);
  EXPECT_EQ(parse_size_bytes("1GiB"), 1'073'741'824);
  for (auto text : {"", "5", "5KB", "5kib", "5 MiB", "9223372036854775807GiB"}) {
    EXPECT_EQ(parse_size_bytes(text), std::nullopt) << text;
  }
}

TEST(Format, UsesTheLargestUnitThatLeavesNoRemainder) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(1500), "1500ms");
  EXPECT_EQ(format_duration(90'000), "90s");
  EXPECT_EQ(format_duration(86'400'000), "1d");
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(1025), "1025B");
  EXPECT_EQ(format_size(1 << 20), "1MiB");
}

TEST(PlainType, IsThatOfTheCoreSchema) {
  for (auto text : {"", "~", "null", "NULL"}) {
    EXPECT_EQ(plain_type(text), PlainType::null) << text;
  }
  for (auto text : {"true", "False"}) {
    EXPECT_EQ(plain_type(text), PlainType::boolean) << text;
  }
  for (auto text : {"0", "-12", "+1.5", "1e3", ".5", "0x1F", "0o17", ".inf", "-.inf", ".nan", "10.11"}) {
    EXPECT_EQ(plain_type(text), PlainType::number) << text;
  }
  for (auto text :
       {"yes", "no", "127.0.0.1", "::1", "30s", "-", "+", "0x", "nan", "inf", "infinity", "nullable", "1 2"}) {
    EXPECT_EQ(plain_type(text), PlainType::text) << text;
  }
}

}  // namespace
}  // namespace sallyport::config
