// Files and secrets that a configuration refers to.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "config/section_reader.h"

namespace sallyport::config {

enum class PemContent : std::uint8_t { certificate, private_key, public_key };

// The path, after a look whether the file can be read and has a PEM block of that content; a private key must not be
// readable by others. Empty when the key is not there.
std::filesystem::path read_pem_path(SectionReader& section, std::string_view name, PemContent content);

// A file's whole text; reports a mistake at `name` and is empty when it can't be read or is empty or larger than 1 MiB.
Secret read_file(SectionReader& section, std::string_view name, const std::filesystem::path& file);

// The secret that a section "secret" refers to.
Secret read_secret(SectionReader& section);

}  // namespace sallyport::config
