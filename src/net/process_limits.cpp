#include "net/process_limits.h"

#include <malloc.h>
#include <sys/resource.h>

namespace sallyport::net {
namespace {

// A heap's free end stays up to this; larger blocks than that come from the system and go back to it.
constexpr int heap_bytes_kept = 4 << 20;

}  // namespace

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

void settle_allocator() {
  ::mallopt(M_TRIM_THRESHOLD, heap_bytes_kept);
  ::mallopt(M_MMAP_THRESHOLD, heap_bytes_kept);
}

}  // namespace sallyport::net
