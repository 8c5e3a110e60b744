// The directory of a development issuer: key.pem, jwks.json and issuer.yaml.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace sallyport {

inline constexpr std::string_view dev_key_file = "key.pem";
inline constexpr std::string_view dev_jwks_file = "jwks.json";
inline constexpr std::string_view dev_fragment_file = "issuer.yaml";

// Errors are sentences for the person at the terminal.

// Writes a file whole or not at all: first beside it, then renamed over what is there.
Result<Unit, std::string> write_file(const std::filesystem::path& file, std::string_view content, mode_t mode);

// At most 64 KiB.
Result<Secret, std::string> read_key_file(const std::filesystem::path& file);

}  // namespace sallyport
