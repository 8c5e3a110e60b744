#include "review/time_range.h"

#include <gtest/gtest.h>

namespace sallyport::review {
namespace {

TEST(Moment, IsADayATimeOrSoLongAgo) {
  WallTime now = *parse_moment("2026-03-01T10:20:30.5Z", WallTime{});
  struct Case {
    std::string_view text, shown;
  };
  for (const Case& one :
       {Case{"2026-01-31", "2026-01-31 00:00:00.000"}, Case{"2026-01-31T12:34", "2026-01-31 12:34:00.000"},
        Case{"2026-01-31 12:34:56.789Z", "2026-01-31 12:34:56.789"}, Case{"today", "2026-03-01 00:00:00.000"},
        Case{"yesterday", "2026-02-28 00:00:00.000"}, Case{"now", "2026-03-01 10:20:30.500"},
        Case{"90s", "2026-03-01 10:19:00.500"}, Case{"2h", "2026-03-01 08:20:30.500"},
        Case{"1.5d", "2026-02-27 22:20:30.500"}}) {
    auto moment = parse_moment(one.text, now);
    ASSERT_TRUE(moment) << one.text;
    EXPECT_EQ(shown_time(moment->time_since_epoch().count()), one.shown) << one.text;
  }
  for (std::string_view broken :
       {"", "x", "2026-13-01", "2026-01-31T25:00", "-2h", "2", "2w", "1e3s", "99999999999d", "2026-01-31T12"}) {
    EXPECT_FALSE(parse_moment(broken, now)) << broken;
  }
}

TEST(Duration, IsShownWithItsUnit) {
  EXPECT_EQ(shown_duration(123'000), "123 us");
  EXPECT_EQ(shown_duration(4'560'000), "4.56 ms");
  EXPECT_EQ(shown_duration(12'300'000'000), "12.3 s");
  EXPECT_EQ(shown_duration(65'000'000'000), "1 min 05 s");
  EXPECT_EQ(shown_duration(7'500'000'000'000), "2 h 05 min");
}

}  // namespace
}  // namespace sallyport::review
