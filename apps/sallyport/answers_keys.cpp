#include "answers_keys.h"

#include <CLI/CLI.hpp>

#include "config/config.h"
#include "store/answers_key_file.h"

namespace sallyport {

void add_answers_keys(CLI::App& command, const std::string& description, std::vector<std::string>& files) {
  command.add_option("--answers-key", files, description)->type_name("FILE")->allow_extra_args(false);
}

Result<std::vector<audit::AnswersKey>, std::string> load_answers_keys(const std::vector<std::string>& files,
                                                                      const std::string& config_file) {
  std::vector<audit::AnswersKey> keys;
  for (const std::string& file : files) {
    auto key = store::load_answers_key(file);
    if (!key) {
      return Unexpected(std::move(key).error());
    }
    keys.push_back(std::move(key).value());
  }
  if (config_file.empty()) {
    return keys;
  }
  if (auto config = config::load(config_file)) {
    if (config->audit.answers_key) {
      keys.push_back(*config->audit.answers_key);
    }
    const auto& previous = config->audit.previous_answers_keys;
    keys.insert(keys.end(), previous.begin(), previous.end());
  }
  return keys;
}

}  // namespace sallyport
