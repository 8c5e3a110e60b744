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
#include "store/segment_blocks.h"

namespace sallyport::store {

// A session's id is of 255 bytes at most, a piece of less than 4 GiB.
void append_answer_piece(std::string& out, const audit::AnswerChunk& chunk);

// How many bytes of the file its whole pieces take, from the first one on; 0 when there is no such file.
std::uint64_t whole_pieces_bytes(const std::filesystem::path& file);

// The answer to the command of that seq, as far as its pieces are in the files of these segments; nothing when there
// is none. `bytes_max` bounds it: a longer one is cut. Pieces that do not follow on what was found are left out, and so
// is all behind a piece that is damaged. The error is for a person.
Result<std::optional<std::string>, std::string> read_answer(const std::vector<std::filesystem::path>& files,
                                                            std::string_view session, std::uint64_t command,
                                                            std::uint64_t bytes_max);

// The files of answers that can hold one whose command is record `command` and whose outcome record `outcome`: of the
// segments that hold these and what lies between.
std::vector<std::filesystem::path> answer_files(const std::filesystem::path& directory, std::uint64_t command,
                                                std::uint64_t outcome);

}  // namespace sallyport::store
