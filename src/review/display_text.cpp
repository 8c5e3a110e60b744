#include "review/display_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace sallyport::review {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Unicode's control and format characters, line and paragraph separators, and fillers that look like nothing. Variation
// selectors stay: they belong to emoji and move nothing.
constexpr std::array<Range, 24> hidden{
    {{0x00, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},       {0x34F, 0x34F},     {0x600, 0x605},
     {0x61C, 0x61C},     {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},
     {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
     {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},
     {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}, {0xF0000, 0x10FFFF}}};

// The common ones: what is missed here makes a column of a table ragged.
constexpr std::array<Range, 27> without_width{
    {{0x300, 0x36F},   {0x483, 0x489},     {0x591, 0x5BD},    {0x5BF, 0x5C7},   {0x610, 0x61A},   {0x64B, 0x65F},
     {0x670, 0x670},   {0x6D6, 0x6DC},     {0x6DF, 0x6E8},    {0x6EA, 0x6ED},   {0x900, 0x902},   {0x93A, 0x93A},
     {0x93C, 0x93C},   {0x941, 0x948},     {0x94D, 0x94D},    {0xE31, 0xE31},   {0xE34, 0xE3A},   {0xE47, 0xE4E},
     {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},   {0x20D0, 0x20F0},  {0x302A, 0x302D}, {0x3099, 0x309A}, {0xFE00, 0xFE0F},
     {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF}, {0xE0100, 0xE01EF}}};
constexpr std::array<Range, 16> wide{{{0x1100, 0x115E},
                                      {0x231A, 0x231B},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0x33FF},
                                      {0x3400, 0x4DBF},
                                      {0x4E00, 0x9FFF},
                                      {0xA000, 0xA4CF},
                                      {0xA960, 0xA97C},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x1F64F},
                                      {0x1F680, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};

template <std::size_t size>
bool is_in(const std::array<Range, size>& ranges, std::uint32_t code) {
  auto place = std::upper_bound(ranges.begin(), ranges.end(), code,
                                [](std::uint32_t value, const Range& range) { return value < range.first; });
  return place != ranges.begin() && code <= (place - 1)->last;
}

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  // 0: the first byte begins none
};

// Strict: no overlong forms, no surrogates.
Character character_at(std::string_view text) {
  auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::uint8_t lead = at(0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  std::size_t bytes = lead >= 0xC2 && lead <= 0xDF   ? 2
                      : (lead & 0xF0) == 0xE0        ? 3
                      : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                     : 0;
  if (bytes == 0 || text.size() < bytes) {
    return {lead, 0};
  }
  std::uint32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xC0) != 0x80) {
      return {lead, 0};
    }
    code = code << 6 | (at(i) & 0x3FU);
  }
  bool is_overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  bool is_none = (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF;
  return {is_overlong || is_none ? lead : code, is_overlong || is_none ? 0 : bytes};
}

void append_escape(std::string& out, std::uint32_t code, bool is_byte) {
  std::array<char, 16> text{};
  switch (code) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      std::snprintf(text.data(), text.size(), is_byte || code < 0x80 ? "\\x%02X" : "\\u{%X}", code);
      out += text.data();
  }
}

void append_json_escape(std::string& out, std::uint32_t code) {
  std::array<char, 16> text{};
  if (code >= 0x10000) {
    std::snprintf(text.data(), text.size(), "\\u%04x\\u%04x", 0xD800 + ((code - 0x10000) >> 10),
                  0xDC00 + ((code - 0x10000) & 0x3FF));
  } else {
    std::snprintf(text.data(), text.size(), "\\u%04x", code);
  }
  out += text.data();
}

}  // namespace

std::string for_terminal(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    Character character = character_at(text);
    bool is_kept_line_end = lines == Lines::kept && character.code == '\n';
    if (character.bytes == 0) {
      append_escape(out, character.code, true);
    } else if (is_in(hidden, character.code) && !is_kept_line_end) {
      append_escape(out, character.code, false);
    } else {
      out += text.substr(0, character.bytes);
    }
    text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
  return out;
}

std::string json_for_terminal(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    Character character = character_at(json);
    if (character.bytes == 0) {
      out += "\\ufffd";  // JSON is UTF-8; this is none
    } else if (is_in(hidden, character.code)) {
      append_json_escape(out, character.code);
    } else {
      out += json.substr(0, character.bytes);
    }
    json.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    Character character = character_at(text);
    width += is_in(without_width, character.code) ? 0U : is_in(wide, character.code) ? 2U : 1U;
    text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) {
    return std::string(text);
  }
  std::size_t taken = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    Character character = character_at(text.substr(at));
    std::size_t bytes = std::max<std::size_t>(character.bytes, 1);
    std::size_t more = display_width(text.substr(at, bytes));
    if (taken + more + 1 > width) {
      break;
    }
    taken += more;
    at += bytes;
  }
  return std::string(text.substr(0, at)) + "…";
}

}  // namespace sallyport::review
