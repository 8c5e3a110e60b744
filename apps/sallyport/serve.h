// Running the gateway.
#pragma once

#include <filesystem>

#include "config/config.h"

namespace sallyport {

// Runs until SIGTERM or SIGINT has drained it; SIGHUP reads `config_file` again. Returns the exit code: 0 after an
// orderly end, 1 when it could not start (what failed is in the log, on standard error).
int run_gateway(const config::Config& config, const std::filesystem::path& config_file);

}  // namespace sallyport
