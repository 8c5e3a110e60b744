#include "audit/record.h"

#include <algorithm>
#include <array>
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

}  // namespace

void append_time(std::string& out, WallTime time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date{day};
  auto nanoseconds = static_cast<std::uint64_t>((time - day).count());
  std::uint64_t seconds = nanoseconds / 1'000'000'000;
  std::array<char, 30> text{};
  char* at = put(text.data(), static_cast<std::uint64_t>(static_cast<int>(date.year())), 4, '-');
  at = put(at, static_cast<unsigned>(date.month()), 2, '-');
  at = put(at, static_cast<unsigned>(date.day()), 2, 'T');
  at = put(at, seconds / 3600, 2, ':');
  at = put(at, seconds / 60 % 60, 2, ':');
  at = put(at, seconds % 60, 2, '.');
  at = put(at, nanoseconds % 1'000'000'000, 9, 'Z');
  out.append(text.data(), at);
}

RecordWriter::RecordWriter(std::string& out) : out_(out) {
  out_.push_back('{');
}

void RecordWriter::member(std::string_view name) {
  SALLYPORT_CHECK(name.size() <= name_bytes_max);
  std::array<char, name_bytes_max + 4> text;
  char* at = text.data();
  if (out_.back() != '{' && out_.back() != '[') {
    *at++ = ',';
  }
  *at++ = '"';
  at = std::copy(name.begin(), name.end(), at);
  *at++ = '"';
  *at++ = ':';
  out_.append(text.data(), at);
}

void RecordWriter::text(std::string_view name, std::string_view value) {
  if (is_utf8(value)) {
    member(name);
    append_json_string(out_, value);
    return;
  }
  member(std::string(name) + "_base64");
  append_json_string(out_, crypto::base64_encode(bytes_of(value)));
}

void RecordWriter::text_if_any(std::string_view name, std::string_view value) {
  if (!value.empty()) {
    text(name, value);
  }
}

void RecordWriter::number(std::string_view name, std::uint64_t value) {
  member(name);
  append_json_integer(out_, value);
}

void RecordWriter::number_if_any(std::string_view name, std::uint64_t value) {
  if (value != 0) {
    number(name, value);
  }
}

void RecordWriter::time(std::string_view name, WallTime value) {
  member(name);
  out_.push_back('"');
  append_time(out_, value);
  out_.push_back('"');
}

void RecordWriter::hex(std::string_view name, Bytes value) {
  member(name);
  out_.push_back('"');
  append_hex(out_, value);
  out_.push_back('"');
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
