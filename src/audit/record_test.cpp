#include "audit/record.h"

#include <gtest/gtest.h>

namespace sallyport::audit {
namespace {

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
