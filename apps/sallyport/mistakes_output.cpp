#include "mistakes_output.h"

#include <cstdio>

namespace sallyport {

void print_mistakes(const std::vector<config::Mistake>& mistakes) {
  for (const auto& mistake : mistakes) {
    std::fprintf(stderr, "%s\n", to_string(mistake).c_str());
  }
  std::fprintf(stderr, "%zu %s\n", mistakes.size(), mistakes.size() == 1 ? "mistake" : "mistakes");
}

}  // namespace sallyport
