#include "audit/witness.h"

#include <algorithm>
#include <charconv>

#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

constexpr std::string_view old_word = "old ";

// Decimal, without superfluous zeros.
std::optional<std::uint64_t> size_in(std::string_view text) {
  std::uint64_t size = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  bool is_size = error == std::errc{} && end == text.data() + text.size() && (text == "0" || text.front() != '0');
  return is_size ? std::optional(size) : std::nullopt;
}

WitnessAnswer refused(std::uint16_t status, std::string_view why) {
  WitnessAnswer answer;
  answer.status = status;
  answer.body = std::string(why) + "\n";
  return answer;
}

WitnessAnswer conflict(std::uint64_t size) {
  WitnessAnswer answer = refused(409, std::to_string(size));
  answer.content_type = tlog_size_type;
  return answer;
}

}  // namespace

std::string to_text(const AddCheckpoint& request) {
  std::string text = std::string(old_word) + std::to_string(request.old_size) + "\n";
  for (const Hash& hash : request.proof) {
    text += crypto::base64_encode(hash) + "\n";
  }
  return text + "\n" + request.note;
}

std::optional<AddCheckpoint> parse_add_checkpoint(std::string_view text) {
  AddCheckpoint request;
  std::size_t end = text.find('\n');
  if (text.size() > add_checkpoint_bytes_max || !text.starts_with(old_word) || end == std::string_view::npos) {
    return std::nullopt;
  }
  auto old_size = size_in(text.substr(old_word.size(), end - old_word.size()));
  if (!old_size) {
    return std::nullopt;
  }
  request.old_size = *old_size;
  text.remove_prefix(end + 1);
  while (!text.starts_with('\n')) {
    end = text.find('\n');
    auto bytes = end == std::string_view::npos ? std::nullopt : crypto::base64_decode(text.substr(0, end));
    if (!bytes || bytes->size() != Hash{}.size() || request.proof.size() == consistency_lines_max) {
      return std::nullopt;
    }
    std::ranges::copy(*bytes, request.proof.emplace_back().begin());
    text.remove_prefix(end + 1);
  }
  request.note = text.substr(1);
  return request;
}

Result<CheckedRequest, WitnessAnswer> check_add_checkpoint(std::string_view body, std::span<const NoteKey> keys) {
  auto request = parse_add_checkpoint(body);
  auto checkpoint = request ? parse_checkpoint(request->note)
                            : Result<SignedCheckpoint, CheckpointError>(Unexpected(CheckpointError::malformed));
  if (!checkpoint) {
    return Unexpected(refused(400, "this is no old size, consistency proof and checkpoint"));
  }
  const std::string& origin = checkpoint->checkpoint.origin;
  auto is_of_log = [&](const NoteKey& key) { return key.name() == origin; };
  if (std::ranges::none_of(keys, is_of_log)) {
    return Unexpected(refused(404, "this log is not witnessed here"));
  }
  bool is_signed = std::ranges::any_of(
      keys, [&](const NoteKey& key) { return is_of_log(key) && signed_by(checkpoint->note, key) == SignedBy::valid; });
  if (!is_signed) {
    return Unexpected(refused(403, "the checkpoint is not signed by a key of that log"));
  }
  if (request->old_size > checkpoint->checkpoint.size) {
    return Unexpected(refused(400, "the old size is beyond the checkpoint's"));
  }
  return CheckedRequest{.request = std::move(*request), .checkpoint = std::move(*checkpoint)};
}

WitnessAnswer judge(const CheckedRequest& checked, const std::optional<TreeHead>& known) {
  const AddCheckpoint& request = checked.request;
  const Checkpoint& checkpoint = checked.checkpoint.checkpoint;
  std::uint64_t known_size = known ? known->size : 0;
  if (request.old_size != known_size) {
    return conflict(known_size);
  }
  if (known && checkpoint.size == known->size && checkpoint.root != known->root) {
    return conflict(known_size);
  }
  if (checkpoint.size == 0 && checkpoint.root != Tree().root()) {
    return refused(422, "a tree of no records has another root");
  }
  bool is_first = known_size == 0;
  bool is_good = is_first ? request.proof.empty()
                          : is_consistent(*known, {.size = checkpoint.size, .root = checkpoint.root}, request.proof);
  return is_good ? WitnessAnswer{} : refused(422, "the checkpoint is not consistent with the one before");
}

std::optional<std::string> with_cosignature(std::string_view note, std::string_view answer, const WitnessKey& key) {
  if (answer.empty() || answer.size() > note_bytes_max || !answer.ends_with('\n')) {
    return std::nullopt;
  }
  // Line by line: what others there are is none of the log's business.
  for (std::string_view rest = answer; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n') + 1);
    rest.remove_prefix(line.size());
    std::string joined = std::string(note) + std::string(line);
    auto read = parse_note(joined);
    if (read && key.cosigned_at(*read)) {
      return joined;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> size_of_conflict(std::string_view answer) {
  if (answer.size() < 2 || !answer.ends_with('\n')) {
    return std::nullopt;
  }
  return size_in(answer.substr(0, answer.size() - 1));
}

}  // namespace sallyport::audit
