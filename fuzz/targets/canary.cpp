// A planted mistake that the search must find step by step: the proof that the harness sees a violated property.
#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {

void fuzz_canary(Bytes input) {
  std::string_view text = text_of(input);
  std::size_t right = 0;
  for (char expected : std::string_view("port")) {
    if (right < text.size() && text[right] == expected) {
      ++right;
    } else {
      return;
    }
  }
  SALLYPORT_CHECK(right < 4);
}

}  // namespace sallyport::fuzz
