// The entry that libFuzzer calls, for the target that the build names.
#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  sallyport::fuzz::SALLYPORT_FUZZ_FUNCTION({bytes, size});
  return 0;
}
