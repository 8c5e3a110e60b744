#include "net/address_range.h"

#include <gtest/gtest.h>

namespace sallyport::net {
namespace {

TEST(AddressRange, ContainsWhatHasItsPrefix) {
  struct Row {
    const char* range;
    const char* address;
    bool contained;
  };
  constexpr std::array<Row, 14> rows{{
      {"10.0.0.0/8", "10.255.1.2", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.1.1.1", true},
      {"10.0.0.0/8", "a00::1", false},
      {"192.168.1.128/25", "192.168.1.127", false},
      {"192.168.1.128/25", "192.168.1.200", true},
      {"127.0.0.1", "127.0.0.1", true},
      {"127.0.0.1", "127.0.0.2", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "203.0.113.9", true},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::1/128", "::1", true},
  }};
  for (const Row& row : rows) {
    auto range = parse_address_range(row.range);
    auto address = parse_address(row.address);
    ASSERT_TRUE(range && address) << row.range << " " << row.address;
    EXPECT_EQ(range->contains(*address), row.contained) << row.range << " " << row.address;
  }
}

TEST(AddressRange, OtherTextsAreNone) {
  for (const char* text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8", "::/129", "::1/64",
                           "example.org", "10.0.0.0/8 ", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "fe80::1%lo"}) {
    EXPECT_FALSE(parse_address_range(text)) << text;
  }
}

}  // namespace
}  // namespace sallyport::net
