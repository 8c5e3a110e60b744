// What an operator configures about the audit log. Plain values; src/config fills them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sallyport::audit {

struct AuditSettings {
  std::filesystem::path directory;  // holds audit.N.jsonl, one file an event loop
  // Of the answers to accounts without a setting of their own; identity::answers_recorded_whole: all.
  std::uint64_t answer_bytes_recorded = 0;
  std::vector<std::string> claims;  // names of those that are on record
};

}  // namespace sallyport::audit
