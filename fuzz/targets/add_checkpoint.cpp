// A witness' request: what is read is written again as it was, and nothing is accepted that no key signed.
#include "audit/witness.h"
#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {

void fuzz_add_checkpoint(Bytes input) {
  std::string_view text = text_of(input);
  auto read = audit::parse_add_checkpoint(text);
  SALLYPORT_CHECK(!read || audit::to_text(*read) == text);
  SALLYPORT_CHECK(!read || read->proof.size() <= audit::consistency_lines_max);
  auto checked = audit::check_add_checkpoint(text, {});
  SALLYPORT_CHECK(!checked && (checked.error().status == 400 || checked.error().status == 404));
  auto size = audit::size_of_conflict(text);
  SALLYPORT_CHECK(!size || std::to_string(*size) + "\n" == text);
}

}  // namespace sallyport::fuzz
