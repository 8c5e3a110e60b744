#include "audit/log_scan.h"

#include <algorithm>

#include "audit/canonical_json.h"

namespace sallyport::audit {

RecordScan scan_records(std::string_view lines, std::uint64_t first, std::span<const std::uint64_t> cuts) {
  RecordScan scan{
      .first = first, .count = 0, .ranges = {}, .about_log = {}, .faults = {}, .fault_count = 0, .time_first = {}};
  auto cut = std::ranges::upper_bound(cuts, first);
  RangeTree range(first);
  std::uint64_t index = first;
  RecordOutline outline;
  std::string_view time;
  auto fault = [&](std::string what) {
    ++scan.fault_count;
    if (scan.faults.size() < RecordScan::faults_max) {
      scan.faults.push_back({.index = index, .what = std::move(what)});
    }
  };
  while (!lines.empty()) {
    std::size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view record = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    range.append(leaf_hash(record));
    outline = {};
    if (CanonicalFault found = check_canonical_object(record, outline)) {
      fault(std::string(found.what) + " (at byte " + std::to_string(found.at) + ")");
    } else if (outline.type.size() < 2 || outline.time.size() < 2) {
      fault("it has no type or no time");
    } else if (outline.type == "\"audit_key_changed\"" || outline.type == "\"audit_pruned\"") {
      scan.about_log.push_back({.index = index, .text = std::string(record)});
    }
    time = outline.time.size() < 2 ? "" : outline.time.substr(1, outline.time.size() - 2);
    if (index == first) {
      scan.time_first = time;
    }
    ++index;
    if (cut != cuts.end() && *cut == index) {
      scan.ranges.push_back({.range = range.range(), .time_last = std::string(time)});
      range = RangeTree(index);
      ++cut;
    }
  }
  if (range.range().first != index) {
    scan.ranges.push_back({.range = range.range(), .time_last = std::string(time)});
  }
  scan.count = index - first;
  return scan;
}

}  // namespace sallyport::audit
