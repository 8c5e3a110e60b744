#include "crypto/random.h"

#include <sodium.h>

#include "base/check.h"

namespace sallyport::crypto {

void random_bytes(MutableBytes out) {
  // Thread-safe and idempotent; the first call opens the operating system's generator.
  SALLYPORT_CHECK(sodium_init() >= 0);
  if (!out.empty()) {
    randombytes_buf(out.data(), out.size());
  }
}

}  // namespace sallyport::crypto
