#include "audit/record.h"

#include <array>
#include <charconv>
#include <chrono>

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

// The length of the UTF-8 sequence at the front; 0 when malformed.
std::size_t sequence_length(std::string_view text) {
  auto at = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0}; };
  auto continues = [&](std::size_t i, std::uint8_t low, std::uint8_t high) { return at(i) >= low && at(i) <= high; };
  std::uint8_t lead = at(0);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return continues(1, 0x80, 0xBF) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    std::uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
    std::uint8_t high = lead == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    std::uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    std::uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2, 0x80, 0xBF) && continues(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out.push_back(hex[static_cast<std::uint8_t>(c) >> 4]);
      out.push_back(hex[static_cast<std::uint8_t>(c) & 15]);
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::size_t length = sequence_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<std::uint8_t>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') {
      out.append(text, plain, i - plain);
      append_escaped(out, text[i]);
      plain = i + 1;
    }
  }
  out.append(text, plain);
  out.push_back('"');
}

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

void RecordWriter::end_object() { out_.push_back('}'); }

void RecordWriter::begin_array(std::string_view name) {
  member(name);
  out_.push_back('[');
}

void RecordWriter::end_array() { out_.push_back(']'); }

void RecordWriter::begin_element() {
  if (out_.back() != '[') {
    out_.push_back(',');
  }
  out_.push_back('{');
}

void RecordWriter::end_element() { out_.push_back('}'); }

void RecordWriter::json(std::string_view name, std::string_view value) {
  member(name);
  out_ += value;
}

void RecordWriter::end() { out_ += "}\n"; }

}  // namespace sallyport::audit
