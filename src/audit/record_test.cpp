#include "audit/record.h"

#include <gtest/gtest.h>

namespace sallyport::audit {
namespace {

TEST(Utf8, AcceptsWellFormedAndRefusesTheRest) {
  for (std::string_view good : {"", "a", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) {
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

TEST(Time, IsRfc3339InUtcWithNanoseconds) {
  std::string out;
  append_time(out, wall_from_unix_seconds(1'767'225'599) + Nanoseconds{42});
  EXPECT_EQ(out, "2025-12-31T23:59:59.000000042Z");
}

TEST(Record, IsOneLineWithItsMembersInOrder) {
  std::string out;
  RecordWriter record{out, {.type = "command", .session = "s1", .seq = 7, .time = wall_from_unix_seconds(0)}};
  record.text("text", "SELECT '\n'");
  record.text_if_any("schema", "");
  record.begin_array("parameters");
  record.begin_element();
  record.number("value", 1);
  record.end_element();
  record.begin_element();
  record.text("value", "x");
  record.end_element();
  record.end_array();
  record.begin_object("tls");
  record.text("version", "TLSv1.3");
  record.end_object();
  record.end();
  EXPECT_EQ(out,
            "{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"type\":\"command\",\"session\":\"s1\",\"seq\":7,"
            "\"text\":\"SELECT '\\n'\",\"parameters\":[{\"value\":1},{\"value\":\"x\"}],"
            "\"tls\":{\"version\":\"TLSv1.3\"}}\n");
}

TEST(Record, KeepsBytesThatAreNotUtf8AsBase64) {
  std::string out;
  RecordWriter record{out, {.type = "command", .session = "s", .seq = 1, .time = wall_from_unix_seconds(0)}};
  record.text("text", "\xFF\xFE");
  record.end();
  EXPECT_NE(out.find("\"text_base64\":\"//4=\""), std::string::npos);
}

}  // namespace
}  // namespace sallyport::audit
