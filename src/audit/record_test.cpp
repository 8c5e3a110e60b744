#include "audit/record.h"

#include <gtest/gtest.h>

#include <vector>

#include "audit/canonical.h"
#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

TEST(Time, IsRfc3339InUtcWithNanoseconds) {
  std::string out;
  append_time(out, wall_from_unix_seconds(1'767'225'599) + Nanoseconds{42});
  EXPECT_EQ(out, "2025-12-31T23:59:59.000000042Z");
}

TEST(Time, OfAnyDayBehindAnother) {
  std::string out;
  for (std::int64_t seconds : {1'800'000'000, 1'800'057'600 - 1, 1'800'057'600, 0, 1'800'057'600, -1}) {
    append_time(out, wall_from_unix_seconds(seconds));
    out.push_back(' ');
  }
  EXPECT_EQ(out,
            "2027-01-15T08:00:00.000000000Z 2027-01-15T23:59:59.000000000Z 2027-01-16T00:00:00.000000000Z "
            "1970-01-01T00:00:00.000000000Z 2027-01-16T00:00:00.000000000Z 1969-12-31T23:59:59.000000000Z ");
}

// Short members are put together elsewhere than long ones.
TEST(Record, SaysTheSameWhateverTheLength) {
  for (std::size_t length : {0U, 1U, 7U, 8U, 31U, 32U, 33U, 63U, 64U, 65U, 200U}) {
    const std::string plain(length, 'x');
    std::string line;
    RecordWriter record{line};
    record.text("a", plain);
    record.text("b", plain + "\"");
    record.text("c", plain + "\xC3\xA9");
    record.text("d", plain + "\xFF");
    record.hex("e", std::vector<std::uint8_t>(length, 0xA5));
    record.end();
    std::string hex;
    for (std::size_t i = 0; i < length; ++i) {
      hex += "a5";
    }
    EXPECT_EQ(line, "{\"a\":\"" + plain + "\",\"b\":\"" + plain + "\\\"\",\"c\":\"" + plain +
                        "\xC3\xA9\",\"d_base64\":\"" + crypto::base64_encode(bytes_of(plain + "\xFF")) + "\",\"e\":\"" +
                        hex + "\"}\n");
  }
}

TEST(Record, IsOneLineWithItsMembersInOrder) {
  std::string out;
  RecordWriter record{out};
  record.begin_array("parameters");
  record.begin_element();
  record.number("value", 1);
  record.end_element();
  record.begin_element();
  record.text("value", "x");
  record.end_element();
  record.end_array();
  record.number("rows", 0);
  record.number_if_any("seconds", 0);
  record.number("size", (std::uint64_t{1} << 53) - 1);
  record.number("size_beyond", std::uint64_t{1} << 53);
  record.text("text", "SELECT '\n'");
  record.text_if_any("thing", "");
  record.time("time", wall_from_unix_seconds(0));
  record.begin_object("tls");
  record.text("version", "TLSv1.3");
  record.end_object();
  record.end();
  EXPECT_EQ(out,
            "{\"parameters\":[{\"value\":1},{\"value\":\"x\"}],\"rows\":0,\"size\":9007199254740991,"
            "\"size_beyond\":\"9007199254740992\",\"text\":\"SELECT '\\n'\","
            "\"time\":\"1970-01-01T00:00:00.000000000Z\",\"tls\":{\"version\":\"TLSv1.3\"}}\n");
  EXPECT_EQ(canonical_json(out), out.substr(0, out.size() - 1));
}

TEST(Record, KeepsBytesThatAreNotUtf8AsBase64) {
  std::string out;
  RecordWriter record{out};
  record.text("text", "\xFF\xFE");
  record.end();
  EXPECT_EQ(out, "{\"text_base64\":\"//4=\"}\n");
}

}  // namespace
}  // namespace sallyport::audit
