#include "base/json_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

namespace sallyport {
namespace {

TEST(Utf8, AcceptsWellFormedAndRefusesTheRest) {
  for (std::string_view good :
       {"", "a", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (std::string_view bad : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                               "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC2", "\xE2\x82", "\xF0\x9F\x98", "a\xFF"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

// RFC 8785, section 3.2.2.2.
TEST(JsonString, EscapesQuotesBackslashesAndControlCharacters) {
  std::string out;
  append_json_string(out, std::string_view("a\"b\\c\b\f\n\r\t\x01\0z/\x1f\x7f", 16));
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u0000z/\\u001f\x7f\"");
}

// Both functions look at eight bytes at once where they can.
TEST(JsonString, FindsEveryByteWhereverItStands) {
  for (int value = 0; value < 256; ++value) {
    auto byte = static_cast<char>(value);
    std::string alone;
    append_json_string(alone, {&byte, 1});
    alone = alone.substr(1, alone.size() - 2);
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = byte;
      std::string out;
      append_json_string(out, text);
      EXPECT_EQ(out, '"' + std::string(at, 'x') + alone + std::string(19 - at, 'x') + '"') << value << " at " << at;
      EXPECT_EQ(is_utf8(text), value < 0x80) << value << " at " << at;
    }
  }
}

template <typename T>
std::string integer(T value) {
  std::string out;
  append_json_integer(out, value);
  return out;
}

TEST(PlainAscii, IsWhatJsonHasAsItIs) {
  EXPECT_TRUE(is_plain_ascii({}));
  for (int value = 0; value < 256; ++value) {
    bool is_plain = value >= 0x20 && value < 0x80 && value != '"' && value != '\\';
    for (std::size_t length = 1; length < 20; ++length) {
      for (std::size_t at = 0; at < length; ++at) {
        std::string text(length, 'x');
        text[at] = static_cast<char>(value);
        ASSERT_EQ(is_plain_ascii(text), is_plain) << value << " at " << at << " of " << length;
      }
    }
  }
}

TEST(JsonInteger, IsAStringWhereReadersWouldRoundIt) {
  EXPECT_EQ(integer(std::uint64_t{0}), "0");
  EXPECT_EQ(integer((std::uint64_t{1} << 53) - 1), "9007199254740991");
  EXPECT_EQ(integer(std::uint64_t{1} << 53), "\"9007199254740992\"");
  EXPECT_EQ(integer(~std::uint64_t{0}), "\"18446744073709551615\"");
  EXPECT_EQ(integer(std::int64_t{-1}), "-1");
  EXPECT_EQ(integer(std::int64_t{1} << 53), "\"9007199254740992\"");
  EXPECT_EQ(integer(-(std::int64_t{1} << 53) + 1), "-9007199254740991");
  EXPECT_EQ(integer(-(std::int64_t{1} << 53)), "\"-9007199254740992\"");
  EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::min()), "\"-9223372036854775808\"");
}

std::string number(double value) {
  std::string out;
  append_json_double(out, value);
  return out;
}

// RFC 8785, appendix B.
TEST(JsonDouble, IsWrittenAsEcmaScriptDoes) {
  struct Case {
    std::uint64_t bits;
    std::string_view text;
  };
  for (const Case& c : std::initializer_list<Case>{{0x0000000000000000, "0"},
                                                   {0x8000000000000000, "0"},
                                                   {0x0000000000000001, "5e-324"},
                                                   {0x8000000000000001, "-5e-324"},
                                                   {0x7fefffffffffffff, "1.7976931348623157e+308"},
                                                   {0xffefffffffffffff, "-1.7976931348623157e+308"},
                                                   {0x4340000000000000, "9007199254740992"},
                                                   {0xc340000000000000, "-9007199254740992"},
                                                   {0x4430000000000000, "295147905179352830000"},
                                                   {0x44b52d02c7e14af5, "9.999999999999997e+22"},
                                                   {0x44b52d02c7e14af6, "1e+23"},
                                                   {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
                                                   {0x444b1ae4d6e2ef4e, "999999999999999700000"},
                                                   {0x444b1ae4d6e2ef4f, "999999999999999900000"},
                                                   {0x444b1ae4d6e2ef50, "1e+21"},
                                                   {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
                                                   {0x3eb0c6f7a0b5ed8d, "0.000001"},
                                                   {0x41b3de4355555553, "333333333.3333332"},
                                                   {0x41b3de4355555554, "333333333.33333325"},
                                                   {0x41b3de4355555555, "333333333.3333333"},
                                                   {0x41b3de4355555556, "333333333.3333334"},
                                                   {0x41b3de4355555557, "333333333.33333343"},
                                                   {0xbecbf647612f3696, "-0.0000033333333333333333"},
                                                   {0x43143ff3c1cb0959, "1424953923781206.2"}}) {
    EXPECT_EQ(number(std::bit_cast<double>(c.bits)), c.text);
  }
}

TEST(JsonDouble, IsReadBackAsTheSame) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 100'000; ++i) {
    auto value = std::bit_cast<double>(random());
    if (i % 2 == 0) {
      value = std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 80) - 80);
    }
    if (std::isfinite(value)) {
      EXPECT_EQ(std::strtod(number(value).c_str(), nullptr), value) << number(value);
    }
  }
}

}  // namespace
}  // namespace sallyport
