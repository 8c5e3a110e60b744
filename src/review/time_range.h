// Times as people give them on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace sallyport::review {

// "2026-01-31T12:34:56.789Z", "2026-01-31T12:34:56Z", "2026-01-31T12:34", "2026-01-31" (its begin), all in UTC;
// "today", "yesterday", "now"; "90s", "30m", "2h", "7d": that long before `now`. Nothing for any other text.
std::optional<WallTime> parse_moment(std::string_view text, WallTime now);

// "1.5s", "200ms", "3m": nothing for any other text.
std::optional<Nanoseconds> parse_duration(std::string_view text);

// "2026-01-31 12:34:56.789", in UTC.
std::string shown_time(std::int64_t nanoseconds);
// "123 us", "4.56 ms", "12.3 s", "2 h 05 min"
std::string shown_duration(std::int64_t nanoseconds);

}  // namespace sallyport::review
