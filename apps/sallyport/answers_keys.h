// Keys of encrypted answers, for the subcommands that read these.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "audit/answers_key.h"
#include "base/result.h"

namespace sallyport {

// --answers-key; `files` outlives the parsing.
void add_answers_keys(CLI::App& command, const std::string& description, std::vector<std::string>& files);

// Those of the files, and of the configuration when there is one: its answers_key and previous_answers_keys. The error
// is a sentence. A configuration that can't be loaded has no keys.
Result<std::vector<audit::AnswersKey>, std::string> load_answers_keys(const std::vector<std::string>& files,
                                                                      const std::string& config_file);

}  // namespace sallyport
