#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/hex.h"
#include "base/json_text.h"
#include "review/answers.h"

namespace sallyport::review {
namespace {

constexpr std::uint16_t binary_collation = 63;
constexpr std::uint16_t zerofill_flag = 64;
// As many decimals or more: none are fixed, and a number has as many as it takes.
constexpr std::uint8_t decimals_not_fixed = 31;
constexpr std::size_t padded_bytes_max = 255;
constexpr std::size_t year_digits = 4;

// Source: the servers' lists of collations, SHOW COLLATION.
bool is_latin1(std::uint16_t collation) {
  constexpr std::array<std::uint16_t, 8> ids{5, 8, 15, 31, 47, 48, 49, 94};
  for (std::uint16_t id : ids) {
    if (id == collation) {
      return true;
    }
  }
  return false;
}

// The servers' latin1 is Windows-1252, and its five unassigned bytes are the control characters of their number.
std::string from_latin1(std::string_view text) {
  constexpr std::array<std::uint16_t, 32> upper{0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021,
                                                0x2C6,  0x2030, 0x160,  0x2039, 0x152,  0x8D,   0x17D,  0x8F,
                                                0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};
  std::string out;
  for (char c : text) {
    auto byte = static_cast<std::uint8_t>(c);
    std::uint32_t code = byte >= 0x80 && byte < 0xA0 ? upper[byte - 0x80U] : byte;
    if (code < 0x80) {
      out.push_back(c);
    } else if (code < 0x800) {
      out.push_back(static_cast<char>(0xC0 | code >> 6));
      out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    } else {
      out.push_back(static_cast<char>(0xE0 | code >> 12));
      out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
      out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    }
  }
  return out;
}

std::string hexadecimal(Bytes bytes) {
  return "0x" + to_hex(bytes, upper_hex_digits);
}

bool holds_bytes(const AnswerColumn& column) {
  if (column.collation_id != binary_collation) {
    return false;
  }
  switch (column.type) {
    case wire::ColumnType::bit:
    case wire::ColumnType::tiny_blob:
    case wire::ColumnType::medium_blob:
    case wire::ColumnType::long_blob:
    case wire::ColumnType::blob:
    case wire::ColumnType::var_string:
    case wire::ColumnType::string:
    case wire::ColumnType::varchar:
    case wire::ColumnType::geometry:
    case wire::ColumnType::vector:
      return true;
    case wire::ColumnType::decimal:
    case wire::ColumnType::tiny:
    case wire::ColumnType::short_:
    case wire::ColumnType::long_:
    case wire::ColumnType::float_:
    case wire::ColumnType::double_:
    case wire::ColumnType::null:
    case wire::ColumnType::timestamp:
    case wire::ColumnType::longlong:
    case wire::ColumnType::int24:
    case wire::ColumnType::date:
    case wire::ColumnType::time:
    case wire::ColumnType::datetime:
    case wire::ColumnType::year:
    case wire::ColumnType::timestamp2:
    case wire::ColumnType::datetime2:
    case wire::ColumnType::time2:
    case wire::ColumnType::json:
    case wire::ColumnType::newdecimal:
    case wire::ColumnType::enum_:
    case wire::ColumnType::set:
      return false;
  }
  return false;
}

// As the servers print it in text results: the shortest digits that are read as the same number.
template <typename Number>
std::string shown_number(Number value) {
  std::array<char, 400> text{};
  double magnitude = std::fabs(static_cast<double>(value));
  bool is_plain = magnitude == 0 || (magnitude >= 1e-15 && magnitude < 1e15);
  auto format = is_plain ? std::chars_format::fixed : std::chars_format::scientific;
  auto end = std::to_chars(text.data(), text.data() + text.size(), value, format).ptr;
  std::string out(text.data(), end);
  // "1e+100" and "1e-07" are 1e100 and 1e-7 there.
  std::size_t exponent = out.find('e');
  if (exponent != std::string::npos) {
    std::size_t digits = out.find_first_not_of("+-0", exponent + 1);
    bool is_negative = out[exponent + 1] == '-';
    out = out.substr(0, exponent + 1) + (is_negative ? "-" : "") + out.substr(digits);
  }
  return out;
}

std::string shown_real(double value, const AnswerColumn& column) {
  if (column.decimals < decimals_not_fixed) {
    std::array<char, 400> text{};
    return {
        text.data(),
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, column.decimals).ptr};
  }
  return column.type == wire::ColumnType::float_ ? shown_number(static_cast<float>(value)) : shown_number(value);
}

// A number as text results have it, which come with zeros in front where the column says so.
std::string padded(std::string number, const AnswerColumn& column) {
  bool is_year = column.type == wire::ColumnType::year;
  bool is_filled = is_year || (column.flags & zerofill_flag) != 0;
  std::size_t width = is_filled ? std::min<std::size_t>(is_year ? year_digits : column.length, padded_bytes_max) : 0;
  return std::string(width - std::min(width, number.size()), '0') + number;
}

std::string fraction_of(std::uint32_t microsecond, std::uint8_t decimals) {
  if (decimals == 0 || decimals > 6) {
    return "";
  }
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), ".%06u", static_cast<unsigned>(microsecond));
  return std::string(text.data(), std::size_t{1} + decimals);
}

std::string shown_moment(const wire::DateTime& value, const AnswerColumn& column) {
  std::array<char, 48> text{};
  if (column.type == wire::ColumnType::date) {
    std::snprintf(text.data(), text.size(), "%04u-%02u-%02u", unsigned{value.year}, unsigned{value.month},
                  unsigned{value.day});
    return text.data();
  }
  std::snprintf(text.data(), text.size(), "%04u-%02u-%02u %02u:%02u:%02u", unsigned{value.year}, unsigned{value.month},
                unsigned{value.day}, unsigned{value.hour}, unsigned{value.minute}, unsigned{value.second});
  return text.data() + fraction_of(value.microsecond, column.decimals);
}

std::string shown_span(const wire::TimeSpan& value, const AnswerColumn& column) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s%02llu:%02u:%02u", value.is_negative ? "-" : "",
                static_cast<unsigned long long>(value.days) * 24 + value.hour, unsigned{value.minute},
                unsigned{value.second});
  return text.data() + fraction_of(value.microsecond, column.decimals);
}

}  // namespace

std::string shown_cell(const std::optional<Bytes>& cell, const AnswerColumn& column, const AnswerLimits& limits) {
  if (!cell) {
    return "NULL";
  }
  std::string_view text = text_of(cell->first(std::min(cell->size(), limits.cell_bytes_max)));
  std::string cut = text.size() < cell->size() ? "… (" + std::to_string(cell->size()) + " bytes)" : "";
  if (!cut.empty() && !is_utf8(text)) {
    // Not within a character.
    while (!text.empty() && (static_cast<std::uint8_t>(text.back()) & 0xC0) == 0x80) {
      text.remove_suffix(1);
    }
    text.remove_suffix(text.empty() || static_cast<std::uint8_t>(text.back()) < 0x80 ? 0 : 1);
  }
  if (holds_bytes(column)) {
    return hexadecimal(bytes_of(text)) + cut;
  }
  if (is_latin1(column.collation_id)) {
    return from_latin1(text) + cut;
  }
  return (is_utf8(text) ? std::string(text) : hexadecimal(bytes_of(text))) + cut;
}

std::string shown_cell(const wire::Value& cell, const AnswerColumn& column, const AnswerLimits& limits) {
  struct Shown {
    const AnswerColumn& column;
    const AnswerLimits& limits;
    std::string operator()(const wire::Null& /*value*/) const { return "NULL"; }
    std::string operator()(const wire::SentAsLongData& /*value*/) const { return ""; }
    std::string operator()(std::int64_t value) const { return padded(std::to_string(value), column); }
    std::string operator()(std::uint64_t value) const { return padded(std::to_string(value), column); }
    std::string operator()(double value) const { return padded(shown_real(value, column), column); }
    std::string operator()(Bytes value) const { return shown_cell(std::optional(value), column, limits); }
    std::string operator()(const wire::DateTime& value) const { return shown_moment(value, column); }
    std::string operator()(const wire::TimeSpan& value) const { return shown_span(value, column); }
  };
  return std::visit(Shown{column, limits}, cell);
}

}  // namespace sallyport::review
