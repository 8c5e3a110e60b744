#include "wire/local_infile.h"

#include <algorithm>
#include <array>

namespace sallyport::wire {
namespace {

constexpr std::string_view blanks = " \t\n\v\f\r";

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

class StatementHead {
 public:
  explicit StatementHead(std::string_view text) : rest_(text) {}

  // Skips white space and plain comments. False at what only some servers take for a comment, or end elsewhere.
  bool skip() {
    for (;;) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
      if (rest_.starts_with("/*")) {
        if (!skip_comment("*/", 2)) {
          return false;
        }
      } else if (rest_.starts_with("#") || rest_.starts_with("-- ")) {
        if (!skip_comment("\n", 1)) {
          return false;
        }
      } else {
        return true;
      }
    }
  }

  bool take_word(std::string_view word) {
    if (rest_.size() <= word.size() || is_word_character(rest_[word.size()])) {
      return false;
    }
    for (std::size_t i = 0; i < word.size(); ++i) {
      if ((rest_[i] & ~0x20) != word[i]) {
        return false;
      }
    }
    rest_.remove_prefix(word.size());
    return true;
  }

  std::optional<std::string_view> take_text() {
    if (!rest_.starts_with('\'')) {
      return std::nullopt;
    }
    std::size_t end = rest_.find('\'', 1);
    if (end == std::string_view::npos || rest_.substr(end + 1).starts_with('\'')) {
      return std::nullopt;
    }
    std::string_view text = rest_.substr(1, end - 1);
    bool certain = !text.empty() && is_printable(text) && text.find('\\') == std::string_view::npos;
    return certain ? std::optional(text) : std::nullopt;
  }

 private:
  bool skip_comment(std::string_view end, std::size_t head) {
    std::size_t at = rest_.find(end, head);
    if (at == std::string_view::npos) {
      return false;
    }
    std::string_view inside = rest_.substr(head, at - head);
    // Executed comments (/*!, /*M!) and hints (/*+); comments in comments; ends of lines that differ.
    bool plain = !inside.starts_with('!') && !inside.starts_with("M!") && !inside.starts_with('+') &&
                 inside.find("/*") == std::string_view::npos &&
                 std::all_of(inside.begin(), inside.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
    rest_.remove_prefix(at + end.size());
    return plain;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::string_view> local_file_of(std::string_view text) {
  StatementHead head{text};
  auto word = [&](std::string_view due) { return head.skip() && head.take_word(due); };
  if (!word("LOAD") || (!word("DATA") && !word("XML"))) {
    return std::nullopt;
  }
  if (!word("LOW_PRIORITY")) {
    word("CONCURRENT");
  }
  if (!word("LOCAL") || !word("INFILE") || !head.skip()) {
    return std::nullopt;
  }
  return head.take_text();
}

Result<UploadReader::Step, FrameError> UploadReader::next(Bytes bytes) {
  Step step;
  if (frame_left_ == 0) {
    auto header = read_frame_header(bytes);
    if (!header) {
      return step;
    }
    if (header->sequence_id != sequence_id_) {
      return Unexpected(FrameError::wrong_sequence_id);
    }
    ++sequence_id_;
    frame_left_ = header->payload_bytes;
    done_ = frame_left_ == 0 && !continued_;
    continued_ = frame_left_ == frame_payload_max;
    step = {.bytes = frame_header_bytes, .frame_starts = true};
  }
  auto part = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size() - step.bytes, frame_left_));
  frame_left_ -= part;
  bytes_ += part;
  step.bytes += part;
  return step;
}

}  // namespace sallyport::wire
