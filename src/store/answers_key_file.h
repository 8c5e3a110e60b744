// The key that encrypts recorded answers, as a file.
#pragma once

#include <filesystem>
#include <string>

#include "audit/answers_key.h"
#include "base/result.h"

namespace sallyport::store {

// Of audit::AnswersKey::parse's form; others than its owner and group can't read it. The error is a sentence for the
// operator, without anything of the file.
Result<audit::AnswersKey, std::string> load_answers_key(const std::filesystem::path& path);

}  // namespace sallyport::store
