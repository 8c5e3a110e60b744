#include "identity/json.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sallyport::identity {
namespace {

using namespace std::string_view_literals;

JsonError fault(std::string_view text) {
  const auto value = parse_json(text, {});
  SALLYPORT_CHECK(!value.has_value());
  return value.error();
}

JsonValue parsed(std::string_view text) {
  auto value = parse_json(text, {});
  SALLYPORT_CHECK(value.has_value());
  return std::move(value).value();
}

TEST(Json, ReadsEveryKindOfValueAndWritesItBack) {
  for (const std::string_view text :
       {"null", "true", "false", "0", "-1", "9223372036854775807", "\"\"", "\"a\\\"b\\n\"", "[]", "{}",
        "[1,[2,{\"a\":null}],\"x\"]", "{\"b\":1,\"a\":{\"c\":[true]}}", "\"\xf0\x9f\x98\x80\""}) {
    EXPECT_EQ(to_json(parsed(text)), text);
  }
  EXPECT_EQ(to_json(parsed(" { \"a\" : [ 1 , 2 ] } \n")), "{\"a\":[1,2]}");
  EXPECT_EQ(*parsed("\"\\u00e9\\ud83d\\ude00\"").as_string(), "\xc3\xa9\xf0\x9f\x98\x80");
}

TEST(Json, ADuplicateMemberIsRefusedAtAnyDepthAndHoweverItIsEscaped) {
  for (const std::string_view text :
       {R"({"a":1,"a":2})", R"({"a":1,"b":2,"a":1})", R"({"x":{"a":1,"a":1}})", R"([[{"a":1,"a":1}]])",
        R"({"iss":1,"\u0069ss":2})", R"({"a\/b":1,"a/b":2})", R"({"":1,"":2})"}) {
    EXPECT_EQ(fault(text), JsonError::duplicate_member) << text;
  }
  EXPECT_TRUE(parse_json(R"({"a":1,"A":2,"b":{"a":1},"c":[{"a":1},{"a":1}]})", {}));
}

TEST(Json, WhatIsNotExactlyOneValueIsRefused) {
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      "{"sv,
                                      "}"sv,
                                      "{}{}"sv,
                                      "{} x"sv,
                                      "{}\0"sv,
                                      "[1,]"sv,
                                      "{\"a\":1,}"sv,
                                      "{'a':1}"sv,
                                      "{a:1}"sv,
                                      "// c\n{}"sv,
                                      "{}/* c */"sv,
                                      "NaN"sv,
                                      "Infinity"sv,
                                      "-"sv,
                                      "01"sv,
                                      "+1"sv,
                                      "1."sv,
                                      ".5"sv,
                                      "0x10"sv,
                                      "tru"sv,
                                      "\"\x01\""sv,
                                      "\"a\nb\""sv,
                                      "\"\\x41\""sv,
                                      "\xef\xbb\xbf{}"sv,
                                      "\"unterminated"sv}) {
    EXPECT_EQ(fault(text), JsonError::malformed) << text;
  }
}

TEST(Json, InvalidUtf8AndLoneSurrogatesAreRefused) {
  for (const std::string_view text :
       {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"", "\"\xf5\x80\x80\x80\"", "\"\\ud800\"",
        "\"\\udc00\"", "\"\\ud800\\u0041\"", "{\"\xff\":1}"}) {
    EXPECT_EQ(fault(text), JsonError::malformed) << text;
  }
}

TEST(Json, DepthAndSizeAreLimited) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(16), {}));
  EXPECT_EQ(fault(nested(17)), JsonError::too_deep);
  EXPECT_EQ(fault(nested(30'000)), JsonError::too_deep);
  std::string objects;
  for (int i = 0; i < 17; ++i) {
    objects += "{\"a\":";
  }
  EXPECT_EQ(fault(objects), JsonError::too_deep);
  EXPECT_EQ(parse_json("\"12345678\"", {.bytes_max = 9}).error(), JsonError::too_large);
  EXPECT_TRUE(parse_json("\"12345678\"", {.bytes_max = 10}));
}

TEST(Json, NumbersBeyondTheirTypesAreInfiniteOrRounded) {
  const auto number = [](std::string_view text) { return std::get<double>(parsed(text).content()); };
  EXPECT_EQ(number("18446744073709551615"), 18446744073709551615.0);
  EXPECT_TRUE(std::isinf(number("1e400")));
  EXPECT_TRUE(std::isinf(number("-1e400")));
  EXPECT_EQ(number("0e400"), 0.0);
  EXPECT_EQ(number("1.5"), 1.5);
  EXPECT_EQ(std::get<std::int64_t>(parsed("-9223372036854775808").content()), INT64_MIN);
}

TEST(Json, FindTakesTheExactNameFirstAndThenThePath) {
  const JsonValue value =
      parsed(R"({"a":{"b":{"c":"path"}},"a.b":{"c":"other"},"https://x.example/c":"url","n":1,"":{"":"empty"}})");
  EXPECT_EQ(*value.find("a.b.c")->as_string(), "path");
  EXPECT_EQ(*value.find("a.b")->member("c")->as_string(), "other");
  EXPECT_EQ(*value.find("https://x.example/c")->as_string(), "url");
  EXPECT_EQ(*value.find(".")->as_string(), "empty");
  for (const std::string_view missing : {"b", "a.x", "a.b.c.d", "n.a", "a..b", ".a", "a."}) {
    EXPECT_EQ(value.find(missing), nullptr) << missing;
  }
  EXPECT_EQ(parsed("[1]").find("0"), nullptr);
}

}  // namespace
}  // namespace sallyport::identity
