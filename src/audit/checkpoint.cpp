#include "audit/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

CheckpointError error_of(NoteError error) {
  switch (error) {
    case NoteError::too_large:
      return CheckpointError::too_large;
    case NoteError::malformed_note:
    case NoteError::malformed_key:
    case NoteError::unsupported_key:
      return CheckpointError::malformed;
    case NoteError::unknown_signers:
      return CheckpointError::unknown_signers;
    case NoteError::invalid_signature:
      return CheckpointError::invalid_signature;
  }
  return CheckpointError::malformed;
}

// Takes a line off the front; nothing when there is no line end.
std::optional<std::string_view> take_line(std::string_view& text) {
  std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t size = 0;
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (fault != std::errc{} || end != text.data() + text.size() || std::to_string(size) != text) {
    return std::nullopt;
  }
  return size;
}

}  // namespace

std::string_view describe(CheckpointError error) {
  switch (error) {
    case CheckpointError::too_large:
      return "longer than any that is written";
    case CheckpointError::malformed:
      return "not a checkpoint";
    case CheckpointError::unknown_signers:
      return "not signed by the key that it is to be verified with";
    case CheckpointError::invalid_signature:
      return "its signature is not that of the key whose name and id it bears";
  }
  return "";
}

std::string text_of(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" + crypto::base64_encode(checkpoint.root) +
         "\n";
}

Result<Checkpoint, CheckpointError> parse_checkpoint_text(std::string_view text) {
  auto origin = take_line(text);
  auto size_line = take_line(text);
  auto root_line = take_line(text);
  if (!origin || !size_line || !root_line || !text.empty() || !is_key_name(*origin)) {
    return Unexpected(CheckpointError::malformed);
  }
  auto size = parse_size(*size_line);
  auto root = crypto::base64_decode(*root_line);
  if (!size || !root || root->size() != Hash{}.size()) {
    return Unexpected(CheckpointError::malformed);
  }
  Checkpoint checkpoint{.origin = std::string(*origin), .size = *size, .root = {}};
  std::ranges::copy(*root, checkpoint.root.begin());
  return checkpoint;
}

Result<SignedCheckpoint, CheckpointError> parse_checkpoint(std::string_view note) {
  auto read = parse_note(note);
  if (!read) {
    return Unexpected(error_of(read.error()));
  }
  auto checkpoint = parse_checkpoint_text(read->text);
  if (!checkpoint) {
    return Unexpected(checkpoint.error());
  }
  return SignedCheckpoint{.checkpoint = std::move(*checkpoint), .note = std::move(*read)};
}

std::string sign(const Checkpoint& checkpoint, std::span<const NoteSigner* const> signers) {
  SALLYPORT_CHECK(
      std::ranges::all_of(signers, [&](const NoteSigner* signer) { return signer->name() == checkpoint.origin; }));
  return sign_note(text_of(checkpoint), signers);
}

Result<Checkpoint, CheckpointError> open(std::string_view note, std::span<const NoteKey> keys) {
  auto read = parse_checkpoint(note);
  if (!read) {
    return Unexpected(read.error());
  }
  auto verified = verify_note(read->note, keys);
  if (!verified) {
    return Unexpected(error_of(verified.error()));
  }
  // A key that signs for another log proves nothing of this one.
  bool of_this_log = std::ranges::any_of(keys, [&](const NoteKey& key) {
    return key.name() == read->checkpoint.origin && signed_by(read->note, key) == SignedBy::valid;
  });
  if (!of_this_log) {
    return Unexpected(CheckpointError::unknown_signers);
  }
  return std::move(read->checkpoint);
}

NoteList split_notes(std::string_view text) {
  NoteList list;
  // A note is a text, an empty line, signatures; then comes the empty line that ends it. As the text of a checkpoint
  // has no empty line, every second one ends a note.
  while (true) {
    std::string_view rest = text.substr(list.taken);
    std::size_t behind_text = rest.find("\n\n");
    std::size_t end = behind_text == std::string_view::npos ? behind_text : rest.find("\n\n", behind_text + 2);
    if (end == std::string_view::npos) {
      return list;
    }
    list.notes.push_back(rest.substr(0, end + 1));
    list.taken += end + 2;
  }
}

}  // namespace sallyport::audit
