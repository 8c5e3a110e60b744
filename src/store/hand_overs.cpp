#include "store/hand_overs.h"

#include <algorithm>
#include <utility>

#include "store/log_directory.h"
#include "store/log_proof.h"

namespace sallyport::store {
namespace {

// Each is some hundred bytes, and a note.
constexpr std::size_t hand_overs_bytes_max = std::size_t{1} << 28;

}  // namespace

Result<std::string, std::string> read_hand_overs(const std::filesystem::path& directory) {
  auto text = read_small_file(directory / std::string(hand_overs_file), hand_overs_bytes_max);
  if (!text) {
    return Unexpected(std::move(text).error());
  }
  return text->value_or("");
}

std::vector<audit::InclusionStatement> proven_hand_overs(std::string_view lines) {
  std::vector<audit::InclusionStatement> proven;
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    auto statement = audit::parse_statement(line);
    if (statement && audit::open_hand_over(*statement)) {
      proven.push_back(std::move(*statement));
    }
  }
  std::ranges::stable_sort(proven, {}, &audit::InclusionStatement::index);
  auto is_same = [](const auto& one, const auto& other) { return one.index == other.index; };
  proven.erase(std::unique(proven.begin(), proven.end(), is_same), proven.end());
  return proven;
}

Result<std::optional<std::string>, std::string> keep_hand_overs(FileSystem& files,
                                                                const std::filesystem::path& directory,
                                                                std::uint64_t end) {
  ProvenHandOvers deleted = prove_hand_overs(directory, end);
  auto lost = deleted.fault.empty()
                  ? std::nullopt
                  : std::optional("a change of key is deleted, and can't be kept: " + std::move(deleted.fault));
  auto kept = deleted.proven.empty() ? Result<std::string, std::string>(std::string{}) : read_hand_overs(directory);
  if (!kept) {
    return Unexpected(std::move(kept).error());
  }
  std::vector<audit::InclusionStatement> before = proven_hand_overs(*kept);
  std::string text;
  for (const audit::InclusionStatement& one : before) {
    text += to_json_line(one);
  }
  std::size_t bytes_before = text.size();
  for (const audit::InclusionStatement& one : deleted.proven) {
    bool is_there = std::ranges::find(before, one.index, &audit::InclusionStatement::index) != before.end();
    text += is_there ? std::string{} : to_json_line(one);
  }
  if (text.size() == bytes_before) {
    return lost;
  }
  auto done = replace_file(files, directory / std::string(hand_overs_file), text);
  if (done) {
    done = files.sync_directory(directory);
  }
  return done ? Result<std::optional<std::string>, std::string>(std::move(lost))
              : Unexpected(std::move(done).error().text);
}

}  // namespace sallyport::store
