#include "store/answer_blob.h"

#include "base/hex.h"
#include "store/log_directory.h"
#include "store/log_file.h"

namespace sallyport::store {
namespace {

struct Wanted {
  std::string_view session;
  std::uint64_t command = 0;
  std::uint64_t bytes_max = 0;
};

// Adds to `answer` what the file has of it; false when there can be no more.
bool add_pieces(AnswerPieceReader& reader, const Wanted& wanted, AnswerOpener& opener, StoredAnswer& answer) {
  while (reader.next()) {
    const AnswerPiece& piece = reader.piece();
    std::uint64_t had = answer.bytes ? answer.bytes->size() : 0;
    if (piece.command != wanted.command || piece.session != wanted.session || piece.offset != had ||
        had >= wanted.bytes_max) {
      continue;
    }
    std::string part;
    switch (reader.read(opener, wanted.bytes_max - had, [&](Bytes bytes) { part += text_of(bytes); })) {
      case AnswerPieceReader::Content::whole:
        answer.bytes = answer.bytes ? *std::move(answer.bytes) + part : std::move(part);
        break;
      case AnswerPieceReader::Content::key_wanted:
        answer.wanted_key = to_hex(reader.piece().seal->key);
        return false;
      case AnswerPieceReader::Content::damaged:
        answer.bytes = answer.bytes ? std::move(answer.bytes) : std::string{};
        return false;
    }
  }
  return true;
}

}  // namespace

Result<StoredAnswer, std::string> read_answer(const std::vector<std::filesystem::path>& files, std::string_view session,
                                              std::uint64_t command, std::uint64_t bytes_max, AnswerOpener& opener) {
  StoredAnswer answer;
  for (const std::filesystem::path& path : files) {
    answer.files.push_back(path.filename().string());
    auto file = open_log_file(path);
    if (!file && file.error().is_absent) {
      continue;
    }
    if (!file) {
      return Unexpected(file.error().sentence(path));
    }
    AnswerPieceReader reader(std::move(*file));
    if (!add_pieces(reader, {.session = session, .command = command, .bytes_max = bytes_max}, opener, answer)) {
      break;
    }
  }
  return answer;
}

std::vector<std::filesystem::path> answer_files(const std::filesystem::path& directory, std::uint64_t command,
                                                std::uint64_t outcome) {
  std::vector<std::filesystem::path> files;
  auto log = list_log(directory);
  if (!log) {
    return files;
  }
  for (std::size_t i = 0; i < log->segments.size(); ++i) {
    const SegmentEntry& segment = log->segments[i];
    bool ends_before = i + 1 < log->segments.size() && log->segments[i + 1].first <= command;
    if (segment.first <= outcome && !ends_before) {
      files.push_back(log->file(SegmentFile::answers, segment.first));
    }
  }
  return files;
}

}  // namespace sallyport::store
