// Pieces of answers as they stand in answers-FIRST.blob, written and read. docs/audit-format.md has the form.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/sink.h"
#include "store/answer_sealer.h"
#include "store/log_file.h"

namespace sallyport::store {

enum class PieceForm : std::uint8_t { plain, sealed };

// Up to the session's id, which is of 255 bytes at most. `bytes` follow, less than 4 GiB.
void append_piece_head(std::string& out, PieceForm form, const audit::AnswerChunk& chunk, std::uint64_t bytes);

// A plain one.
void append_answer_piece(std::string& out, const audit::AnswerChunk& chunk);

// How many bytes of the file its whole pieces take, from the first one on; 0 when there is no such file.
std::uint64_t whole_pieces_bytes(const std::filesystem::path& file);

struct AnswerPiece {
  std::string_view session;
  std::uint64_t command = 0;     // seq of its record
  std::uint64_t offset = 0;      // in the answer
  std::uint64_t bytes = 0;       // of the answer
  std::optional<SealHead> seal;  // of a sealed one
};

// Goes over a file from its first piece on, with a buffer of some 300 KiB, and at most a sealed piece besides.
class AnswerPieceReader {
 public:
  // Nothing when it can't be opened.
  static std::optional<AnswerPieceReader> open(const std::filesystem::path& path);

  explicit AnswerPieceReader(LogFile file) : file_(std::move(file.descriptor)), size_(file.bytes) {}

  // Goes to the next whole piece; false where none is: at the end, or where the file is damaged. When the file has
  // grown since, another call may find one.
  bool next();
  // Where the next one begins; when there is none, the end of what can be read.
  std::uint64_t position() const { return next_; }
  std::uint64_t file_bytes();

  // Valid until the next call of next() or read().
  const AnswerPiece& piece() const { return piece_; }

  enum class Content : std::uint8_t { whole, key_wanted, damaged };
  // The first `bytes_max` bytes of the piece at hand, part by part. Of a sealed one that is not what was sealed nothing
  // is handed over. Once for a piece.
  Content read(AnswerOpener& opener, std::uint64_t bytes_max, const std::function<void(Bytes)>& take);

 private:
  // At most `bytes` bytes from there on, in the buffer; fewer only at the file's end.
  std::string_view view(std::uint64_t at, std::size_t bytes);

  Descriptor file_;
  std::string buffer_;
  std::uint64_t buffer_at_ = 0;
  std::uint64_t size_ = 0;  // of the file, when it was asked last
  std::uint64_t at_ = 0;    // of the piece at hand
  std::uint64_t next_ = 0;
  std::size_t head_bytes_ = 0;  // of the piece at hand: up to its answer's bytes, or its ciphertext
  AnswerPiece piece_;
};

}  // namespace sallyport::store
