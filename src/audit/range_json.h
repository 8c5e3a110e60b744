// The line of tree-FIRST.json: what the tree of all records needs of a closed segment.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "audit/tree.h"

namespace sallyport::audit {

struct SegmentRange {
  Range range;
  std::string time_first;  // of its first record, as records have it
  std::string time_last;

  friend bool operator==(const SegmentRange&, const SegmentRange&) = default;
};

// A JSON object in canonical form, and LF. The range is well-formed and ends at 2^53-1 or before.
std::string to_json_line(const SegmentRange& segment);

// Nothing for any text but one that to_json_line makes.
std::optional<SegmentRange> parse_segment_range(std::string_view line);

}  // namespace sallyport::audit
