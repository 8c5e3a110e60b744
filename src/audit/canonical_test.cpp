#include "audit/canonical.h"

#include <gtest/gtest.h>

namespace sallyport::audit {
namespace {

struct Case {
  std::string_view text;
  std::string_view canonical;
};

TEST(CanonicalJson, SortsMembersAndSpellsEachValueInOneWay) {
  for (const Case& c : std::vector<Case>{
           {R"( { "b" : 1 , "a" : [ true , false , null ] } )", R"({"a":[true,false,null],"b":1})"},
           {R"({"a":{"z":{},"y":[]}})", R"({"a":{"y":[],"z":{}}})"},
           {R"([56,{"d":true,"10":null,"1":[]}])", R"([56,{"1":[],"10":null,"d":true}])"},
           // RFC 8785, section 3.2.2.
           {R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],)"
            R"("string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})",
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
           // RFC 8785, section 3.2.3: by UTF-16 code units, so the pair D83D DE00 stands before FB33.
           {R"({"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Dalet","1":"One","\ud83d\ude00":"Grin",)"
            R"("\u0080":"Control","\u00f6":"O"})",
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"\u00f6\":\"O\","
            "\"\u20ac\":\"Euro Sign\",\"\U0001F600\":\"Grin\",\"\uFB33\":\"Dalet\"}"},
           {"-0", "0"},
           {"1e-400", "0"},
           {"\"\\u007f\\b\\f\\t\"", "\"\x7f\\b\\f\\t\""},
           {"9007199254740993", "9007199254740992"}}) {
    EXPECT_EQ(canonical_json(c.text), c.canonical) << c.text;
  }
}

TEST(CanonicalJson, RefusesWhatIsNotIJson) {
  for (std::string_view text : {"",
                                "{",
                                "[1,]",
                                "{\"a\":1,}",
                                "{\"a\":1,\"a\":2}",
                                "{\"a\":1,\"\\u0061\":2}",
                                "01",
                                "1.",
                                ".5",
                                "+1",
                                "1e",
                                "1e400",
                                "-",
                                "NaN",
                                "\"\n\"",
                                "\"\\x\"",
                                "\"\\ud800\"",
                                "\"\\udc00\"",
                                "\"\\ud800\\u0041\"",
                                "\"\\u12\"",
                                "\"\xFF\"",
                                "1 2",
                                "{\"a\" 1}",
                                "{a:1}",
                                "nul",
                                "\"abc",
                                "[1 2]",
                                "{1:2}"}) {
    EXPECT_EQ(canonical_json(text), std::nullopt) << text;
  }
  EXPECT_TRUE(canonical_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(canonical_json(std::string(66, '[') + std::string(66, ']')));
}

}  // namespace
}  // namespace sallyport::audit
