#include "audit/record.h"

#include <array>
#include <charconv>
#include <chrono>

#include "base/json_text.h"
#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

void append_number(std::string& out, std::uint64_t value, int width = 0) {
  std::array<char, 20> digits{};
  char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  for (auto count = end - digits.data(); count < width; ++count) {
    out.push_back('0');
  }
  out.append(digits.data(), end);
}

}  // namespace

void append_time(std::string& out, WallTime time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date{day};
  auto nanoseconds = static_cast<std::uint64_t>((time - day).count());
  std::uint64_t seconds = nanoseconds / 1'000'000'000;
  append_number(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  out.push_back('-');
  append_number(out, static_cast<unsigned>(date.month()), 2);
  out.push_back('-');
  append_number(out, static_cast<unsigned>(date.day()), 2);
  out.push_back('T');
  append_number(out, seconds / 3600, 2);
  out.push_back(':');
  append_number(out, seconds / 60 % 60, 2);
  out.push_back(':');
  append_number(out, seconds % 60, 2);
  out.push_back('.');
  append_number(out, nanoseconds % 1'000'000'000, 9);
  out.push_back('Z');
}

RecordWriter::RecordWriter(std::string& out, const Head& head) : out_(out) {
  out_.push_back('{');
  time("time", head.time);
  text("type", head.type);
  text("session", head.session);
  number("seq", head.seq);
}

void RecordWriter::member(std::string_view name) {
  if (out_.back() != '{' && out_.back() != '[') {
    out_.push_back(',');
  }
  append_json_string(out_, name);
  out_.push_back(':');
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
  append_number(out_, value);
}

void RecordWriter::time(std::string_view name, WallTime value) {
  member(name);
  out_.push_back('"');
  append_time(out_, value);
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

void RecordWriter::begin_element() {
  if (out_.back() != '[') {
    out_.push_back(',');
  }
  out_.push_back('{');
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
