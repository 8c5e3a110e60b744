#include "base/json_text.h"

#include <gtest/gtest.h>

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

TEST(JsonString, EscapesQuotesBackslashesAndControlCharacters) {
  std::string out;
  append_json_string(out, std::string_view("a\"b\\c\n\r\t\x01\0z", 11));
  EXPECT_EQ(out, R"("a\"b\\c\n\r\t\u0001\u0000z")");
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

}  // namespace
}  // namespace sallyport
