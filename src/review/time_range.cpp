#include "review/time_range.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>

#include "audit/record.h"
#include "audit/record_members.h"

namespace sallyport::review {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};
constexpr std::array<Unit, 5> units{{{"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}, {"d", 8.64e13}}};
constexpr double longest = 9e18;  // nanoseconds, in 63 bits

}  // namespace

std::optional<Nanoseconds> parse_duration(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  if (text.empty() || text[0] < '0' || text[0] > '9' || error != std::errc{}) {
    return std::nullopt;
  }
  for (const Unit& unit : units) {
    if (unit.name == name && number * unit.nanoseconds < longest) {
      return Nanoseconds{std::llround(number * unit.nanoseconds)};
    }
  }
  return std::nullopt;
}

std::optional<WallTime> parse_moment(std::string_view text, WallTime now) {
  auto today = std::chrono::floor<std::chrono::days>(now);
  if (text == "now") {
    return now;
  }
  if (text == "today") {
    return today;
  }
  if (text == "yesterday") {
    return today - std::chrono::days{1};
  }
  if (auto ago = parse_duration(text)) {
    return now - *ago;
  }
  std::string whole(text);
  constexpr std::size_t day = 10;
  constexpr std::size_t minute = 16;
  if (whole.size() > day && whole[day] == ' ') {
    whole[day] = 'T';
  }
  if (whole.size() == day) {
    whole += "T00:00";
  }
  if (whole.size() == minute) {
    whole += ":00";
  }
  return audit::parse_time(whole.ends_with('Z') ? whole : whole + "Z");
}

std::string shown_time(std::int64_t nanoseconds) {
  std::string text;
  audit::append_time(text, WallTime{Nanoseconds{nanoseconds}});
  constexpr std::size_t to_milliseconds = 23;
  text.resize(to_milliseconds);
  text[10] = ' ';
  return text;
}

std::string shown_duration(std::int64_t nanoseconds) {
  std::array<char, 48> text{};
  auto whole_minutes = static_cast<long long>(nanoseconds / 60'000'000'000);
  double value = static_cast<double>(nanoseconds);
  if (nanoseconds < 1'000'000) {
    std::snprintf(text.data(), text.size(), "%lld us", static_cast<long long>(nanoseconds / 1000));
  } else if (nanoseconds < 1'000'000'000) {
    std::snprintf(text.data(), text.size(), "%.3g ms", value / 1e6);
  } else if (whole_minutes == 0) {
    std::snprintf(text.data(), text.size(), "%.3g s", value / 1e9);
  } else if (whole_minutes < 60) {
    std::snprintf(text.data(), text.size(), "%lld min %02lld s", whole_minutes,
                  static_cast<long long>(nanoseconds / 1'000'000'000 % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%lld h %02lld min", whole_minutes / 60, whole_minutes % 60);
  }
  return text.data();
}

}  // namespace sallyport::review
