// JSON of tokens and key sets: what is accepted is accepted again when written, as the same text.
#include "identity/json.h"

#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {

void fuzz_json(Bytes input) {
  auto first = identity::parse_json(text_of(input), {.bytes_max = 4096, .depth_max = 8});
  if (!first) {
    return;
  }
  SALLYPORT_CHECK(input.size() <= 4096);
  std::string written = identity::to_json(*first);
  auto second = identity::parse_json(written, {});
  SALLYPORT_CHECK(second.has_value());
  SALLYPORT_CHECK(identity::to_json(*second) == written);
}

}  // namespace sallyport::fuzz
