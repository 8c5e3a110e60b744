// The key that signs the audit log's checkpoints, as a file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "audit/cosignature.h"
#include "audit/note.h"
#include "base/result.h"

namespace sallyport::store {

// Ed25519, PEM ("PRIVATE KEY"), of which others than its owner and group can't read. The verifier key's line is put
// beside it, with ".pub" added to the name, where it isn't there. The error is a sentence for the operator.
Result<audit::NoteSigner, std::string> load_signing_key(const std::filesystem::path& path, std::string_view origin);

// The same; where there is no such file one is made, with mode 0600.
Result<audit::NoteSigner, std::string> load_or_make_signing_key(const std::filesystem::path& path,
                                                                std::string_view origin);

// The same of the key with which this gateway cosigns other logs' checkpoints.
Result<audit::Cosigner, std::string> load_or_make_cosigner(const std::filesystem::path& path, std::string_view name);

}  // namespace sallyport::store
