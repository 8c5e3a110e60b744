// Telling a person what is wrong with a configuration.
#pragma once

#include <vector>

#include "config/config.h"

namespace sallyport {

// Writes each mistake on a line of standard error, and how many there are.
void print_mistakes(const std::vector<config::Mistake>& mistakes);

}  // namespace sallyport
