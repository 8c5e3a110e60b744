#include "audit/canonical_json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <random>

#include "base/json_text.h"

namespace sallyport::audit {
namespace {

const char* fault_of(std::string_view text) {
  RecordOutline outline;
  return check_canonical_object(text, outline).what;
}

TEST(CanonicalJson, IsTaken) {
  for (std::string_view text : {
           R"({})",
           R"({"a":1})",
           R"({"a":[],"b":{},"c":[1,"x",null,true,false,[{"a":1}]]})",
           R"({"a":0,"aa":-1,"b":9007199254740991,"c":-9007199254740991})",
           R"({"n":0.1,"o":1e+21,"p":1e-7,"q":100000000000000000000,"r":-0.000001})",
           R"({"s":"\u0000\u0001\u0007\b\t\n\u000b\f\r\u000e\u001f\"\\/"})",
           "{\"s\":\"\x7F\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80\"}",
           R"({"":1,"A":1,"a":1})",
           // UTF-16 puts U+1F600 (D83D) before U+FB33, UTF-8 does not.
           "{\"\xE2\x82\xAC\":1,\"\xF0\x9F\x98\x80\":1,\"\xEF\xAC\xB3\":1}",
           "{\"\xED\x9F\xBF\":1,\"\xF0\x9F\x98\x80\":1,\"\xEE\x80\x80\":1,\"\xEF\xBF\xBD\":1}",
           R"({"\n":1,"\r":1,"1":1})",
       }) {
    EXPECT_EQ(fault_of(text), nullptr) << text;
  }
}

TEST(CanonicalJson, AnyOtherSpellingIsRefused) {
  using namespace std::string_view_literals;
  for (std::string_view text : {
           ""sv,
           "{"sv,
           "}"sv,
           "[]"sv,
           "1"sv,
           "{}{}"sv,
           "{} "sv,
           " {}"sv,
           "{ }"sv,
           "{\"a\": 1}"sv,
           "{\"a\" :1}"sv,
           "{\"a\":1,}"sv,
           "{,\"a\":1}"sv,
           "{\"a\"}"sv,
           "{\"a\":}"sv,
           "{a:1}"sv,
           "{\"a\":1 ,\"b\":1}"sv,
           "{\"b\":1,\"a\":1}"sv,
           "{\"a\":1,\"a\":1}"sv,
           "{\"a\":1,\"A\":1}"sv,
           "{\"aa\":1,\"a\":1}"sv,
           "{\"a\":[1,]}"sv,
           "{\"a\":[,1]}"sv,
           "{\"a\":[1 ]}"sv,
           "{\"a\":[1}"sv,
           "{\"a\":\"x}"sv,
           "{\"a\":01}"sv,
           "{\"a\":-0}"sv,
           "{\"a\":+1}"sv,
           "{\"a\":1.0}"sv,
           "{\"a\":1.}"sv,
           "{\"a\":.1}"sv,
           "{\"a\":1e5}"sv,
           "{\"a\":1E+21}"sv,
           "{\"a\":1e21}"sv,
           "{\"a\":1e400}"sv,
           "{\"a\":0.10}"sv,
           "{\"a\":9007199254740993}"sv,
           "{\"a\":1000000000000000000000}"sv,
           "{\"a\":0.0000001}"sv,
           "{\"a\":-}"sv,
           "{\"a\":NaN}"sv,
           "{\"a\":tru}"sv,
           "{\"a\":True}"sv,
           "{\"a\":nul}"sv,
           "{\"a\":--1}"sv,
           "{\"a\":\"\\/\"}"sv,
           "{\"a\":\"\\u0041\"}"sv,
           "{\"a\":\"\\u000a\"}"sv,
           "{\"a\":\"\\u0008\"}"sv,
           "{\"a\":\"\\u001F\"}"sv,
           "{\"a\":\"\\u00e9\"}"sv,
           "{\"a\":\"\\ud83d\\ude00\"}"sv,
           "{\"a\":\"\\u0020\"}"sv,
           "{\"a\":\"\\x\"}"sv,
           "{\"a\":\"\\"sv,
           "{\"a\":\"\\u00"sv,
           "{\"a\":\"\n\"}"sv,
           "{\"a\":\"\0\"}"sv,
           "{\"a\":\"\\\0\"}"sv,
           "{\"a\":\"\xFF\"}"sv,
           "{\"a\":\"\xED\xA0\x80\"}"sv,
           "{\"a\":\"\xC0\x80\"}"sv,
           "{\"\xEF\xAC\xB3\":1,\"\xF0\x9F\x98\x80\":1}"sv,
           "{\"\\r\":1,\"\\n\":1}"sv,
       }) {
    EXPECT_NE(fault_of(text), nullptr) << text;
  }
}

TEST(CanonicalJson, IsNestedSoFarAndNoFurther) {
  auto nested = [](unsigned arrays) { return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}"; };
  EXPECT_EQ(fault_of(nested(json_depth_max - 1)), nullptr);
  EXPECT_STREQ(fault_of(nested(json_depth_max)), "it is nested too deeply");
  EXPECT_NE(fault_of(nested(1'000'000)), nullptr);
}

TEST(CanonicalJson, TellsWhatAReaderOfRecordsWants) {
  RecordOutline outline;
  std::string_view text = R"({"a":{"seq":5,"type":"x"},"seq":7,"session":"s\n","time":"t","type":"command"})";
  EXPECT_FALSE(check_canonical_object(text, outline));
  EXPECT_EQ(outline.seq, "7");
  EXPECT_EQ(outline.type, "\"command\"");
  EXPECT_EQ(outline.time, "\"t\"");
  EXPECT_EQ(unescaped(outline.session), "s\n");
  EXPECT_EQ(find_member(text, "type"), "\"command\"");
  EXPECT_EQ(find_member(text, "a"), R"({"seq":5,"type":"x"})");
  EXPECT_EQ(find_member(text, "typ"), "");
  EXPECT_EQ(unescaped(R"("\u0001\"\\\b\f\r\t")"), "\x01\"\\\b\f\r\t");
}

TEST(CanonicalNumber, ReadsBackAndIsTaken) {
  std::mt19937_64 random(8785);
  for (int i = 0; i < 100'000; ++i) {
    auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) {
      continue;
    }
    std::string text;
    append_json_double(text, value);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    ASSERT_EQ(fault_of("{\"a\":" + text + "}"), nullptr) << text;
  }
}

}  // namespace
}  // namespace sallyport::audit
