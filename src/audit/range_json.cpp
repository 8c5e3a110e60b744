#include "audit/range_json.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/json_text.h"
#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

// JSON's integers are exact up to here.
constexpr std::uint64_t index_max = (std::uint64_t{1} << 53) - 1;
constexpr std::size_t hash_text_bytes = 44;  // base64 of 32 bytes

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) {
    return false;
  }
  text.remove_prefix(expected.size());
  return true;
}

bool take_number(std::string_view& text, std::uint64_t& number) {
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || number > index_max) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_hash(std::string_view& text, Hash& hash) {
  auto bytes = crypto::base64_decode(text.substr(0, hash_text_bytes));
  if (!bytes || bytes->size() != hash.size()) {
    return false;
  }
  std::ranges::copy(*bytes, hash.begin());
  text.remove_prefix(hash_text_bytes);
  return true;
}

// Times have nothing that JSON escapes.
bool take_time(std::string_view& text, std::string& time) {
  std::size_t end = text.find('"');
  if (end == std::string_view::npos) {
    return false;
  }
  time = text.substr(0, end);
  text.remove_prefix(end);
  return std::ranges::all_of(time, [](char c) { return c > 0x20 && c < 0x7F && c != '\\'; });
}

bool take_hashes(std::string_view& text, Range& range) {
  std::size_t count = subtrees_of(range.first, range.end).size();
  range.hashes.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!take(text, i == 0 ? "\"" : ",\"") || !take_hash(text, range.hashes[i]) || !take(text, "\"")) {
      return false;
    }
  }
  return count != 0;
}

}  // namespace

std::string to_json_line(const SegmentRange& segment) {
  const Range& range = segment.range;
  SALLYPORT_CHECK(is_well_formed(range) && range.end <= index_max);
  std::string out =
      "{\"end\":" + std::to_string(range.end) + ",\"first\":" + std::to_string(range.first) + ",\"hashes\":[";
  for (std::size_t i = 0; i < range.hashes.size(); ++i) {
    out += i == 0 ? "\"" : ",\"";
    out += crypto::base64_encode(range.hashes[i]) + "\"";
  }
  out += "],\"time_first\":";
  append_json_string(out, segment.time_first);
  out += ",\"time_last\":";
  append_json_string(out, segment.time_last);
  out += "}\n";
  return out;
}

std::optional<SegmentRange> parse_segment_range(std::string_view line) {
  SegmentRange segment;
  std::string_view rest = line;
  bool read = take(rest, "{\"end\":") && take_number(rest, segment.range.end) && take(rest, ",\"first\":") &&
              take_number(rest, segment.range.first) && take(rest, ",\"hashes\":[") &&
              take_hashes(rest, segment.range) && take(rest, "],\"time_first\":\"") &&
              take_time(rest, segment.time_first) && take(rest, "\",\"time_last\":\"") &&
              take_time(rest, segment.time_last) && take(rest, "\"}\n") && rest.empty();
  // Numbers could have been spelt otherwise ("007").
  if (!read || to_json_line(segment) != line) {
    return std::nullopt;
  }
  return segment;
}

}  // namespace sallyport::audit
