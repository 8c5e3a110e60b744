#include <cstdio>

#include "serve.h"

namespace sallyport {

// TEMPORARY: the composition of the gateway takes this function's place.
int run_gateway(const config::Config& /*config*/, const std::filesystem::path& /*config_file*/) {
  std::fputs("sallyport: serve is not composed yet\n", stderr);
  return 1;
}

}  // namespace sallyport
