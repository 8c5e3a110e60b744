#include "audit/record_members.h"

#include <charconv>
#include <chrono>

#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

// The end of the string that begins at the front, behind its closing quote; npos when it is not closed.
std::size_t string_end(std::string_view text) {
  std::size_t at = 1;
  while (true) {
    at = text.find_first_of("\"\\", at);
    if (at == std::string_view::npos) {
      return at;
    }
    if (text[at] == '"') {
      return at + 1;
    }
    at += 2;
  }
}

// The same where there are few escapes.
std::size_t plain_string_end(std::string_view text) {
  std::size_t quote = text.find('"', 1);
  if (quote == std::string_view::npos) {
    return quote;
  }
  return text[quote - 1] == '\\' ? string_end(text) : quote + 1;
}

// The same of a name, which is short.
std::size_t name_end(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') {
    ++at;
  }
  return at < text.size() && text[at - 1] != '\\' ? at + 1 : plain_string_end(text);
}

std::size_t plain_value_end(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ',' || text[at] == '}' || text[at] == ']') {
      return at;
    }
  }
  return std::string_view::npos;
}

// The end of the value that begins at the front; npos when there is none.
std::size_t value_end(std::string_view text) {
  if (text.empty()) {
    return std::string_view::npos;
  }
  if (text[0] == '"') {
    return plain_string_end(text);
  }
  if (text[0] != '{' && text[0] != '[') {
    return plain_value_end(text);
  }
  std::size_t depth = 0;
  std::size_t at = 0;
  while (true) {
    at = text.find_first_of("\"{}[]", at);
    if (at == std::string_view::npos) {
      return at;
    }
    if (text[at] == '"') {
      std::size_t length = plain_string_end(text.substr(at));
      if (length == std::string_view::npos) {
        return length;
      }
      at += length;
      continue;
    }
    depth = text[at] == '{' || text[at] == '[' ? depth + 1 : depth - 1;
    ++at;
    if (depth == 0) {
      return at;
    }
  }
}

void append_utf8(std::string& out, std::uint32_t code) {
  auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::optional<std::uint32_t> hexadecimal(std::string_view digits) {
  std::uint32_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 4 || error != std::errc{} || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

// Undoes "\uXXXX", or two of them that are a pair; returns how much of `text` that took, 0 when malformed.
std::size_t append_code(std::string& out, std::string_view text) {
  auto code = text.size() < 6 ? std::nullopt : hexadecimal(text.substr(2, 4));
  if (!code || (*code >= 0xDC00 && *code <= 0xDFFF)) {
    return 0;
  }
  if (*code < 0xD800 || *code > 0xDBFF) {
    append_utf8(out, *code);
    return 6;
  }
  auto low = text.size() < 12 || text.substr(6, 2) != "\\u" ? std::nullopt : hexadecimal(text.substr(8, 4));
  if (!low || *low < 0xDC00 || *low > 0xDFFF) {
    return 0;
  }
  append_utf8(out, 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00));
  return 12;
}

std::size_t append_escape(std::string& out, std::string_view text) {
  constexpr std::string_view escapes = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  if (text.size() < 2) {
    return 0;
  }
  if (text[1] == 'u') {
    return append_code(out, text);
  }
  std::size_t which = escapes.find(text[1]);
  if (which == std::string_view::npos) {
    return 0;
  }
  out.push_back(meanings[which]);
  return 2;
}

// A number of digits only; `valid` is false from the first other character on.
unsigned number_in(std::string_view digits, bool& valid) {
  unsigned value = 0;
  for (char c : digits) {
    auto digit = static_cast<unsigned>(c) - '0';
    valid = valid && digit <= 9;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace

MemberReader::MemberReader(std::string_view object) : rest_(object) {
  if (rest_.size() < 2 || rest_[0] != '{') {
    fail();
    return;
  }
  rest_.remove_prefix(1);
}

bool MemberReader::fail() {
  malformed_ = true;
  rest_ = {};
  return false;
}

bool MemberReader::next() {
  if (rest_.empty() || rest_[0] == '}') {
    malformed_ = malformed_ || rest_.empty();
    return false;
  }
  if (rest_[0] == ',') {
    rest_.remove_prefix(1);
  }
  std::size_t colon = rest_.empty() || rest_[0] != '"' ? std::string_view::npos : name_end(rest_);
  if (colon == std::string_view::npos || colon >= rest_.size() || rest_[colon] != ':') {
    return fail();
  }
  name_ = rest_.substr(1, colon - 2);
  rest_.remove_prefix(colon + 1);
  std::size_t end = value_end(rest_);
  if (end == std::string_view::npos || end == 0) {
    return fail();
  }
  value_ = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return true;
}

ElementReader::ElementReader(std::string_view array) : rest_(array) {
  rest_ = rest_.empty() || rest_[0] != '[' ? std::string_view{} : rest_.substr(1);
}

bool ElementReader::next() {
  if (!rest_.empty() && rest_[0] == ',') {
    rest_.remove_prefix(1);
  }
  std::size_t end = rest_.empty() || rest_[0] == ']' ? std::string_view::npos : value_end(rest_);
  if (end == std::string_view::npos || end == 0) {
    rest_ = {};
    return false;
  }
  value_ = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return true;
}

std::string_view member_value(std::string_view object, std::string_view name) {
  MemberReader members{object};
  while (members.next()) {
    if (members.name() == name) {
      return members.value();
    }
  }
  return {};
}

std::optional<std::string_view> string_of(std::string_view value, std::string& scratch) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') {
    return std::nullopt;
  }
  std::string_view inner = value.substr(1, value.size() - 2);
  std::size_t escape = inner.find('\\');
  if (escape == std::string_view::npos) {
    return inner;
  }
  scratch.clear();
  while (escape != std::string_view::npos) {
    scratch.append(inner.substr(0, escape));
    std::size_t taken = append_escape(scratch, inner.substr(escape));
    if (taken == 0) {
      return std::nullopt;
    }
    inner.remove_prefix(escape + taken);
    escape = inner.find('\\');
  }
  scratch.append(inner);
  return scratch;
}

std::string string_of(std::string_view value) {
  std::string scratch;
  auto text = string_of(value, scratch);
  return text ? std::string(*text) : std::string{};
}

std::optional<std::string> text_member(std::string_view object, std::string_view name) {
  std::string scratch;
  for (MemberReader members{object}; members.next();) {
    if (!members.name().starts_with(name)) {
      continue;
    }
    if (members.name().size() == name.size()) {
      auto text = string_of(members.value(), scratch);
      return text ? std::optional(std::string(*text)) : std::nullopt;
    }
    if (members.name().substr(name.size()) == "_base64") {
      auto bytes = crypto::base64_decode(string_of(members.value()));
      return bytes ? std::optional(std::string(text_of(*bytes))) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_of(std::string_view value) {
  if (value.size() > 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || error != std::errc{} || end != value.data() + value.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<WallTime> parse_time(std::string_view text) {
  constexpr std::size_t whole_seconds = 19;  // "2026-01-31T12:34:56"
  if (text.size() < whole_seconds + 1 || text.size() > whole_seconds + 11 || text[4] != '-' || text[7] != '-' ||
      text[10] != 'T' || text[13] != ':' || text[16] != ':' || text.back() != 'Z') {
    return std::nullopt;
  }
  bool valid = true;
  unsigned year = number_in(text.substr(0, 4), valid);
  unsigned month = number_in(text.substr(5, 2), valid);
  unsigned day = number_in(text.substr(8, 2), valid);
  unsigned hour = number_in(text.substr(11, 2), valid);
  unsigned minute = number_in(text.substr(14, 2), valid);
  unsigned second = number_in(text.substr(17, 2), valid);
  std::string_view fraction = text.substr(whole_seconds, text.size() - whole_seconds - 1);
  if (fraction.size() == 1 || (!fraction.empty() && fraction[0] != '.')) {
    return std::nullopt;
  }
  std::string_view places = fraction.empty() ? fraction : fraction.substr(1);
  std::int64_t scaled = number_in(places, valid);
  if (!valid || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  // What 64 bits of nanoseconds reach.
  if (year < 1678 || year > 2261) {
    return std::nullopt;
  }
  std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)}, std::chrono::month{month},
                                   std::chrono::day{day}};
  if (!date.ok()) {
    return std::nullopt;
  }
  for (std::size_t i = places.size(); i < 9; ++i) {
    scaled *= 10;
  }
  return WallTime{std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{hour} +
                  std::chrono::minutes{minute} + Seconds{second} + Nanoseconds{scaled}};
}

}  // namespace sallyport::audit
