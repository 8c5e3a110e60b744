#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace sallyport {

void check_failed(std::string_view expression, std::string_view file, int line) {
  std::fprintf(stderr, "%.*s:%d: check failed: %.*s\n", static_cast<int>(file.size()), file.data(), line,
               static_cast<int>(expression.size()), expression.data());
  std::abort();
}

}  // namespace sallyport
