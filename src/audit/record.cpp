#include "audit/record.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/check.h"
#include "base/hex.h"
#include "base/json_text.h"
#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

// As many digits as there are places, then the character behind them. Returns what follows.
char* put(char* at, std::uint64_t value, int digits, char behind) {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  at[digits] = behind;
  return at + digits + 1;
}

// Members' names are short and hold nothing that JSON escapes.
constexpr std::size_t name_bytes_max = 60;
// A member with a value of so many bytes is put together apart, and appended at once.
constexpr std::size_t short_value_bytes_max = 64;
constexpr std::size_t short_member_bytes_max = name_bytes_max + short_value_bytes_max + 6;

// What stands before a member's value. Returns what follows.
char* put_name(char* at, std::string_view name, bool is_first) {
  SALLYPORT_CHECK(name.size() <= name_bytes_max);
  if (!is_first) {
    *at++ = ',';
  }
  *at++ = '"';
  at = std::copy(name.begin(), name.end(), at);
  *at++ = '"';
  *at++ = ':';
  return at;
}

constexpr std::size_t time_bytes = 30;

// "2026-01-31T"
using DateText = std::array<char, 11>;

DateText date_text(std::chrono::sys_days day) {
  std::chrono::year_month_day date{day};
  DateText text{};
  char* at = put(text.data(), static_cast<std::uint64_t>(static_cast<int>(date.year())), 4, '-');
  at = put(at, static_cast<unsigned>(date.month()), 2, '-');
  put(at, static_cast<unsigned>(date.day()), 2, 'T');
  return text;
}

// Returns what follows its time_bytes.
char* put_time(char* at, WallTime time) {
  struct Day {
    std::chrono::sys_days day{};
    DateText text = date_text({});
  };
  thread_local Day last;  // most times are of the same day
  auto day = std::chrono::floor<std::chrono::days>(time);
  if (day != last.day) {
    last = {.day = day, .text = date_text(day)};
  }
  auto nanoseconds = static_cast<std::uint64_t>((time - day).count());
  std::uint64_t seconds = nanoseconds / 1'000'000'000;
  at = std::copy(last.text.begin(), last.text.end(), at);
  at = put(at, seconds / 3600, 2, ':');
  at = put(at, seconds / 60 % 60, 2, ':');
  at = put(at, seconds % 60, 2, '.');
  return put(at, nanoseconds % 1'000'000'000, 9, 'Z');
}

}  // namespace

void append_time(std::string& out, WallTime time) {
  std::array<char, time_bytes> text;
  put_time(text.data(), time);
  out.append(text.data(), text.size());
}

RecordWriter::RecordWriter(std::string& out) : out_(out) {
  out_.push_back('{');
}

// A member whose value `put` writes where it is told, in at most short_value_bytes_max and two quotes; it returns what
// follows.
template <typename Put>
void RecordWriter::short_member(std::string_view name, Put put) {
  std::array<char, short_member_bytes_max> text;
  out_.append(text.data(), put(put_name(text.data(), name, out_.back() == '{' || out_.back() == '[')));
}

void RecordWriter::member(std::string_view name) {
  short_member(name, [](char* at) { return at; });
}

void RecordWriter::text(std::string_view name, std::string_view value) {
  if (value.size() <= short_value_bytes_max && is_plain_ascii(value)) {
    short_member(name, [value](char* at) {
      *at++ = '"';
      at = std::copy(value.begin(), value.end(), at);
      *at++ = '"';
      return at;
    });
  } else if (is_utf8(value)) {
    member(name);
    append_json_string(out_, value);
  } else {
    member(std::string(name) + "_base64");
    append_json_string(out_, crypto::base64_encode(bytes_of(value)));
  }
}

void RecordWriter::text_if_any(std::string_view name, std::string_view value) {
  if (!value.empty()) {
    text(name, value);
  }
}

void RecordWriter::number(std::string_view name, std::uint64_t value) {
  if (value > json_integer_max) {
    member(name);
    append_json_integer(out_, value);
    return;
  }
  short_member(name, [value](char* at) { return std::to_chars(at, at + short_value_bytes_max, value).ptr; });
}

void RecordWriter::number_if_any(std::string_view name, std::uint64_t value) {
  if (value != 0) {
    number(name, value);
  }
}

void RecordWriter::time(std::string_view name, WallTime value) {
  short_member(name, [value](char* at) {
    *at++ = '"';
    at = put_time(at, value);
    *at++ = '"';
    return at;
  });
}

void RecordWriter::hex(std::string_view name, Bytes value) {
  if (2 * value.size() > short_value_bytes_max) {
    text(name, to_hex(value));
    return;
  }
  short_member(name, [value](char* at) {
    *at++ = '"';
    for (std::uint8_t byte : value) {
      *at++ = lower_hex_digits[byte >> 4];
      *at++ = lower_hex_digits[byte & 15];
    }
    *at++ = '"';
    return at;
  });
}

void RecordWriter::begin_object(std::string_view name) {
  member(name);
  out_.push_back('{');
}

void RecordWriter::end_object() {
  out_.push_back('}');
}

void RecordWriter::begin_array(std::string_view name) {
  member(name);
  out_.push_back('[');
}

void RecordWriter::end_array() {
  out_.push_back(']');
}

void RecordWriter::separate() {
  if (out_.back() != '[') {
    out_.push_back(',');
  }
}

void RecordWriter::begin_element() {
  separate();
  out_.push_back('{');
}

void RecordWriter::begin_array_element() {
  separate();
  out_.push_back('[');
}

void RecordWriter::json_element(std::string_view value) {
  separate();
  out_ += value;
}

void RecordWriter::text_element(std::string_view value) {
  if (is_utf8(value)) {
    separate();
    append_json_string(out_, value);
    return;
  }
  begin_element();
  text("value", value);
  end_element();
}

void RecordWriter::end_element() {
  out_.push_back('}');
}

void RecordWriter::json(std::string_view name, std::string_view value) {
  member(name);
  out_ += value;
}

void RecordWriter::end() {
  out_ += "}\n";
}

}  // namespace sallyport::audit
