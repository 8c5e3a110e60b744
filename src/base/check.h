// Checks of our own invariants. Active in release builds: a broken invariant aborts, it never runs on.
#pragma once

#include <string_view>

namespace sallyport {

// Writes "FILE:LINE: check failed: EXPRESSION" to standard error and aborts.
[[noreturn]] void check_failed(std::string_view expression, std::string_view file, int line);

}  // namespace sallyport

#define SALLYPORT_CHECK(expression)                               \
  do {                                                            \
    if (!(expression)) [[unlikely]] {                             \
      ::sallyport::check_failed(#expression, __FILE__, __LINE__); \
    }                                                             \
  } while (false)
