#include "base/secret.h"

#include <cstring>

namespace sallyport {

void wipe(void* bytes, std::size_t count) {
  if (count == 0) {
    return;
  }
  std::memset(bytes, 0, count);
  asm volatile("" : : "r"(bytes) : "memory");
}

}  // namespace sallyport
