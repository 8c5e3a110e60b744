#include "net/process_limits.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>

namespace sallyport::net {
namespace {

// A heap's free end stays up to this; larger blocks than that come from the system and go back to it.
constexpr int heap_bytes_kept = 4 << 20;
// Besides the two of each connection.
constexpr std::uint64_t descriptors_besides = 256;

}  // namespace

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

std::uint64_t descriptors_for(std::uint32_t connections) {
  return 2 * std::uint64_t{connections} + descriptors_besides;
}

std::uint32_t connections_within(std::uint64_t descriptors, std::uint32_t connections) {
  std::uint64_t kept = std::min(descriptors_besides, descriptors / 2);
  std::uint64_t fit = std::max<std::uint64_t>((descriptors - kept) / 2, 1);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(fit, connections));
}

void settle_allocator() {
  ::mallopt(M_TRIM_THRESHOLD, heap_bytes_kept);
  ::mallopt(M_MMAP_THRESHOLD, heap_bytes_kept);
}

}  // namespace sallyport::net
