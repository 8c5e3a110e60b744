// The line of tree-FIRST.json: each range has one spelling, and what is taken can be appended where it belongs.
#include "audit/range_json.h"
#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {

void fuzz_audit_range(Bytes input) {
  auto read = audit::parse_segment_range(text_of(input));
  if (!read) {
    return;
  }
  SALLYPORT_CHECK(audit::to_json_line(*read) == text_of(input));
  SALLYPORT_CHECK(audit::is_well_formed(read->range));
  audit::RangeTree range(read->range.first);
  SALLYPORT_CHECK(range.append_range(read->range) && range.range() == read->range);
  audit::Tree tree;
  SALLYPORT_CHECK(tree.append_range(read->range) == (read->range.first == 0));
}

}  // namespace sallyport::fuzz
