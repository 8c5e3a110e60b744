// Records as they are verified: cut anywhere, their ranges are one tree, each line is counted, and what is canonical is
// UTF-8 without control characters.
#include <algorithm>

#include "audit/canonical_json.h"
#include "audit/log_scan.h"
#include "base/check.h"
#include "base/json_text.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {

void fuzz_audit_records(Bytes input) {
  if (input.size() < 2) {
    return;
  }
  std::uint64_t first = input[0];
  const std::uint64_t cuts[] = {first + input[1] % 8, first + 8};
  std::string lines(text_of(input.subspan(2)));
  lines += '\n';
  audit::RecordScan cut = audit::scan_records(lines, first, cuts);
  audit::RecordScan whole = audit::scan_records(lines, first, {});
  SALLYPORT_CHECK(cut.count == static_cast<std::uint64_t>(std::ranges::count(lines, '\n')) && cut.count == whole.count);
  SALLYPORT_CHECK(cut.fault_count == whole.fault_count && whole.ranges.size() == 1);
  audit::RangeTree joined(first);
  for (const audit::ScannedRange& part : cut.ranges) {
    SALLYPORT_CHECK(joined.append_range(part.range));
  }
  SALLYPORT_CHECK(joined.range() == whole.ranges[0].range);
  audit::RecordOutline outline;
  std::string_view record = std::string_view(lines).substr(0, lines.size() - 1);
  if (!audit::check_canonical_object(record, outline)) {
    SALLYPORT_CHECK(is_utf8(record) && record.starts_with('{') && record.ends_with('}'));
    SALLYPORT_CHECK(std::ranges::none_of(record, [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
    if (outline.type.starts_with('"')) {
      std::string quoted;
      append_json_string(quoted, audit::unescaped(outline.type));
      SALLYPORT_CHECK(audit::find_member(record, "type") == outline.type);
      SALLYPORT_CHECK(audit::unescaped(quoted) == audit::unescaped(outline.type));
    }
  }
}

}  // namespace sallyport::fuzz
