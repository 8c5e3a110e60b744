// What an operator configures about the audit log. Plain values; src/config fills them.
#pragma once

#include <filesystem>

namespace sallyport::audit {

struct AuditSettings {
  std::filesystem::path directory;  // holds audit.N.jsonl, one file an event loop
};

}  // namespace sallyport::audit
