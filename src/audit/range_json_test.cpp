#include "audit/range_json.h"

#include <gtest/gtest.h>

namespace sallyport::audit {
namespace {

SegmentRange segment_of(std::uint64_t first, std::uint64_t end) {
  RangeTree tree(first);
  for (std::uint64_t i = first; i < end; ++i) {
    tree.append(leaf_hash(std::to_string(i)));
  }
  return {.range = tree.range(), .time_first = "2026-01-31T12:34:56.000000789Z", .time_last = "2026-01-31T12:35:00Z"};
}

TEST(SegmentRange, IsACanonicalObjectOnALine) {
  EXPECT_EQ(to_json_line(segment_of(7, 9)),
            "{\"end\":9,\"first\":7,\"hashes\":[\"eXQnz4NoBR/nuOPp1a3pxbydDPlvTz+tKh4deEg2gYg=\","
            "\"GV9YvG1rezYzXJXgg0OCWnrm8wQ3tKfm+nuJ12kHVwo=\"],\"time_first\":\"2026-01-31T12:34:56.000000789Z\","
            "\"time_last\":\"2026-01-31T12:35:00Z\"}\n");
}

TEST(SegmentRange, IsReadBack) {
  for (std::uint64_t first : {0U, 1U, 2U, 7U, 8U, 100U}) {
    for (std::uint64_t count : {1U, 2U, 3U, 8U, 60U}) {
      SegmentRange segment = segment_of(first, first + count);
      EXPECT_EQ(parse_segment_range(to_json_line(segment)), segment);
    }
  }
  SegmentRange last = segment_of(0, 1);
  last.range.end = (std::uint64_t{1} << 53) - 1;
  last.range.first = last.range.end - 1;
  EXPECT_EQ(parse_segment_range(to_json_line(last)), last);
}

TEST(SegmentRange, IsReadInItsOneSpellingOnly) {
  std::string line = to_json_line(segment_of(8, 11));
  for (std::size_t i = 0; i < line.size() * 8; ++i) {
    std::string changed = line;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    auto read = parse_segment_range(changed);
    // What another number, hash or time is said with is another range, in its one spelling.
    EXPECT_TRUE(!read || to_json_line(*read) == changed) << changed;
  }
  auto with = [&](std::string_view part, std::string_view other) {
    std::string changed = line;
    changed.replace(changed.find(part), part.size(), other);
    return changed;
  };
  for (const std::string& text :
       {std::string(), line.substr(0, line.size() - 1), line + "\n", line + line, " " + line,
        with(",\"first", ", \"first"), with("\"end\":11", "\"end\":011"), with("\"end\":11", "\"end\":11.0"),
        with("\"end\":11", "\"end\":12"), with("\"end\":11", "\"end\":8"), with("\"end\":11", "\"end\":7"),
        with("\"end\":11", "\"end\":9007199254740992"), with("\"end\":11", "\"end\":99999999999999999999"),
        with("\"first\":8", "\"first\":-8"), with("[\"", "["), with("2026", "20\\u0032"), with("2026", "20\"6"),
        with("2026", "20\n6")}) {
    EXPECT_FALSE(parse_segment_range(text)) << text;
  }
}

}  // namespace
}  // namespace sallyport::audit
