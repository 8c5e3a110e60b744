#include "base/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace sallyport {
namespace {

// Eight bytes at once: a byte's highest bit, and its lowest.
constexpr std::uint64_t high_bits = 0x8080808080808080;
constexpr std::uint64_t low_bits = 0x0101010101010101;

std::uint64_t word_at(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  return word;
}

// Non-zero when a byte of the word is below 0x20, '"' or '\\'.
constexpr std::uint64_t needs_escape(std::uint64_t word) {
  constexpr auto zero_byte = [](std::uint64_t x) { return (x - low_bits) & ~x; };
  std::uint64_t control = (word - low_bits * 0x20) & ~word;
  return (control | zero_byte(word ^ low_bits * '"') | zero_byte(word ^ low_bits * '\\')) & high_bits;
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
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
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
    while (text.size() >= sizeof(std::uint64_t) && (word_at(text.data()) & high_bits) == 0) {
      text.remove_prefix(sizeof(std::uint64_t));
    }
    if (text.empty()) {
      return true;
    }
    std::size_t length = sequence_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

bool is_plain_ascii(std::string_view text) {
  constexpr std::size_t word_bytes = sizeof(std::uint64_t);
  auto is_plain = [](std::uint64_t word) { return (needs_escape(word) | (word & high_bits)) == 0; };
  if (text.empty()) {
    return true;
  }
  if (text.size() < word_bytes) {
    std::uint64_t word = low_bits * 'x';
    std::memcpy(&word, text.data(), text.size());
    return is_plain(word);
  }
  for (std::size_t i = 0; i + word_bytes < text.size(); i += word_bytes) {
    if (!is_plain(word_at(text.data() + i))) {
      return false;
    }
  }
  return is_plain(word_at(text.data() + text.size() - word_bytes));
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    while (text.size() - i > sizeof(std::uint64_t) && needs_escape(word_at(text.data() + i)) == 0) {
      i += sizeof(std::uint64_t);
    }
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

void append_json_integer(std::string& out, std::uint64_t value) {
  std::array<char, 22> text{'"'};
  char* end = std::to_chars(text.data() + 1, text.data() + text.size(), value).ptr;
  if (value <= json_integer_max) {
    out.append(text.data() + 1, end);
    return;
  }
  *end++ = '"';
  out.append(text.data(), end);
}

void append_json_integer(std::string& out, std::int64_t value) {
  if (value >= 0) {
    append_json_integer(out, static_cast<std::uint64_t>(value));
    return;
  }
  bool is_number = value >= -static_cast<std::int64_t>(json_integer_max);
  out += is_number ? "" : "\"";
  out += std::to_string(value);
  out += is_number ? "" : "\"";
}

void append_json_double(std::string& out, double value) {
  SALLYPORT_CHECK(std::isfinite(value));
  if (value == 0) {
    out.push_back('0');
    return;
  }
  if (value < 0) {
    out.push_back('-');
    value = -value;
  }
  // "d.ddde-307"
  std::array<char, 32> text{};
  char* end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr;
  std::string_view scientific(text.data(), static_cast<std::size_t>(end - text.data()));
  std::size_t e = scientific.find('e');
  std::string digits(1, scientific[0]);
  digits += scientific.substr(std::min<std::size_t>(e, 2), e - std::min<std::size_t>(e, 2));
  int exponent = 0;
  std::from_chars(text.data() + e + (scientific[e + 1] == '+' ? 2 : 1), end, exponent);
  // The names of ECMA-262: the value is 0.DIGITS times 10 to the n.
  int n = exponent + 1;
  auto k = static_cast<int>(digits.size());
  if (k <= n && n <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(n - k), '0');
  } else if (0 < n && n <= 21) {
    out.append(digits, 0, static_cast<std::size_t>(n));
    out.push_back('.');
    out.append(digits, static_cast<std::size_t>(n));
  } else if (-6 < n && n <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-n), '0');
    out += digits;
  } else {
    out.push_back(digits[0]);
    if (k > 1) {
      out.push_back('.');
      out.append(digits, 1);
    }
    out.push_back('e');
    out.push_back(exponent < 0 ? '-' : '+');
    out += std::to_string(std::abs(exponent));
  }
}

}  // namespace sallyport
