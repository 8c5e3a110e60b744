// The file of recorded answers, answers-FIRST.blob: pieces of answers, one behind the other as they were made.
// docs/audit-format.md has the form. Which piece is whose it says itself; that it is unaltered, the SHA-256 in the
// outcome's record, which the log proves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/sink.h"
#include "base/result.h"
#include "store/answer_pieces.h"
#include "store/segment_blocks.h"

namespace sallyport::store {

// What is found of an answer.
struct StoredAnswer {
  std::optional<std::string> bytes;  // nothing when there is no piece of it
  std::vector<std::string> files;    // names of those that it was looked for in, there or not
  std::string wanted_key;            // in hexadecimal: of this key, which was not given, is a piece; `bytes` end before
};

// The answer to the command of that seq, as far as its pieces are in these files, as far as they are there. `bytes_max`
// bounds it: a longer one is cut. Pieces that do not follow on what was found are left out, and so is all behind a
// piece that is damaged. The error is for a person.
Result<StoredAnswer, std::string> read_answer(const std::vector<std::filesystem::path>& files, std::string_view session,
                                              std::uint64_t command, std::uint64_t bytes_max, AnswerOpener& opener);

// The files of answers that can hold one whose command is record `command` and whose outcome record `outcome`: of the
// segments that hold these and what lies between. One that is not there is among them.
std::vector<std::filesystem::path> answer_files(const std::filesystem::path& directory, std::uint64_t command,
                                                std::uint64_t outcome);

}  // namespace sallyport::store
