// Clock values. The core takes the time as an argument; only the I/O shell and the programs read a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace sallyport {

using Nanoseconds = std::chrono::nanoseconds;
using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// UTC, nanoseconds since 1970-01-01T00:00:00Z. Compared with token times, printed in records.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Nanoseconds>;

// Monotonic, from an arbitrary start. Deadlines and durations.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Nanoseconds>;

// Both clocks, read at the same moment by whoever raises an event.
struct Now {
  WallTime wall;
  MonoTime mono;
};

constexpr WallTime wall_from_unix_seconds(std::int64_t seconds) {
  return WallTime{Seconds{seconds}};
}

}  // namespace sallyport
