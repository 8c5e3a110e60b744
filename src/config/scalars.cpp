#include "config/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace sallyport::config {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<Unit, 5> duration_units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 4> size_units{{{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  auto number = parse_integer(text.substr(0, digits));
  for (const auto& unit : units) {
    if (number && text.substr(digits) == unit.name) {
      if (*number > std::numeric_limits<std::int64_t>::max() / unit.factor) {
        return std::nullopt;
      }
      return *number * unit.factor;
    }
  }
  return std::nullopt;
}

std::string format_with_unit(std::int64_t value, std::span<const Unit> units) {
  const Unit* largest = &units[0];
  for (const auto& unit : units) {
    if (value % unit.factor == 0) {
      largest = &unit;
    }
  }
  return std::to_string(value / largest->factor) + std::string(largest->name);
}

bool is_number(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    text.remove_prefix(1);
  }
  if (text == ".inf" || text == ".Inf" || text == ".INF") {
    return true;
  }
  if (text.starts_with("0x") || text.starts_with("0o")) {
    return text.size() > 2 && std::all_of(text.begin() + 2, text.end(), [](char c) {
             return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
  }
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool begins_like_one = !text.empty() && (is_digit(text.front()) || text.front() == '.');
  return begins_like_one && error != std::errc::invalid_argument && end == text.data() + text.size();
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || !is_digit(text.front()) || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  return parse_with_unit(text, duration_units);
}

std::optional<std::int64_t> parse_size_bytes(std::string_view text) {
  return parse_with_unit(text, size_units);
}

std::string format_duration(std::int64_t milliseconds) {
  return milliseconds == 0 ? "0s" : format_with_unit(milliseconds, duration_units);
}

std::string format_size(std::int64_t bytes) {
  return bytes == 0 ? "0B" : format_with_unit(bytes, size_units);
}

PlainType plain_type(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return PlainType::null;
  }
  for (std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) {
      return PlainType::boolean;
    }
  }
  bool not_a_number = text == ".nan" || text == ".NaN" || text == ".NAN";
  return not_a_number || is_number(text) ? PlainType::number : PlainType::text;
}

}  // namespace sallyport::config
