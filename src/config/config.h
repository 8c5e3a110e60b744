// The configuration of a gateway: one immutable value, read whole from a YAML document or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audit/settings.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "identity/settings.h"
#include "net/settings.h"
#include "session/settings.h"
#include "sink/settings.h"

namespace sallyport::config {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { json, text };

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
};

struct Config {
  crypto::Sha256Digest digest{};  // SHA-256 of the document
  net::NetSettings net;
  session::Limits limits;
  identity::AccountLimits account_limits;  // of an account without limits of its own
  std::vector<session::ConnectionSettings> connections;
  identity::IdentitySettings identity;
  audit::AuditSettings audit;
  std::vector<sink::SinkSettings> sinks;  // of the audit log
  LogSettings log;
};

// One mistake: where it is, what is wrong, and what to write instead.
struct Mistake {
  std::string file;
  int line = 0;         // from 1; 0 when the mistake has no place (the file can't be read)
  int column = 0;       // from 1
  std::string path;     // of the setting, e.g. "connections[0].tls.mode"
  std::string message;  // what is wrong, one sentence
  std::string mend;     // what to do, one sentence
};

// "FILE:LINE:COLUMN: PATH: MESSAGE MEND"
std::string to_string(const Mistake& mistake);

// Reads and validates a document, and the secrets and files that it refers to (relative paths are taken from
// `base_directory`). All mistakes are found in one go, in the order of the document.
Result<Config, std::vector<Mistake>> parse(std::string_view yaml, std::string_view file_name,
                                           const std::filesystem::path& base_directory);

// The same of a file.
Result<Config, std::vector<Mistake>> load(const std::filesystem::path& file);

}  // namespace sallyport::config
