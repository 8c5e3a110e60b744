#include "store/answer_pieces.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "store/log_file.h"

namespace sallyport::store {
namespace {

constexpr std::string_view plain_magic = "ANS1";
constexpr std::string_view sealed_magic = "ANS2";
constexpr std::size_t head_bytes = 25;  // magic, length, command, offset, length of the session's id
constexpr std::size_t session_bytes_max = 255;
constexpr std::size_t front_bytes_max = head_bytes + session_bytes_max + SealHead::bytes;
constexpr std::size_t buffer_bytes = 256U << 10;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

struct Front {
  AnswerPiece piece;
  std::size_t bytes = 0;   // of the front
  std::uint64_t rest = 0;  // of the piece behind it
};

// `bytes` are all that there are, or front_bytes_max. The session is borrowed from there.
std::optional<Front> parse_front(Bytes bytes) {
  ByteReader reader{bytes};
  std::string_view magic = text_of(reader.take(plain_magic.size()));
  if (magic != plain_magic && magic != sealed_magic) {
    return std::nullopt;
  }
  Front front;
  std::uint64_t length = reader.u32();
  front.piece.command = reader.u64();
  front.piece.offset = reader.u64();
  front.piece.session = text_of(reader.take(reader.u8()));
  front.rest = front.piece.bytes = length;
  if (magic == sealed_magic) {
    if (length < seal_overhead_bytes || length > seal_overhead_bytes + sealed_bytes_max) {
      return std::nullopt;
    }
    Bytes seal = reader.take(SealHead::bytes);
    if (!reader.ok()) {
      return std::nullopt;
    }
    front.piece.seal = parse_seal_head(seal);
    front.rest = length - SealHead::bytes;
    front.piece.bytes = length - seal_overhead_bytes;
  }
  front.bytes = bytes.size() - reader.remaining();
  return reader.ok() ? std::optional(front) : std::nullopt;
}

}  // namespace

void append_piece_head(std::string& out, PieceForm form, const audit::AnswerChunk& chunk, std::uint64_t bytes) {
  SALLYPORT_CHECK(chunk.session.size() <= session_bytes_max && bytes <= UINT32_MAX);
  out += form == PieceForm::sealed ? sealed_magic : plain_magic;
  put(out, bytes, 4);
  put(out, chunk.command, 8);
  put(out, chunk.offset, 8);
  put(out, chunk.session.size(), 1);
  out += chunk.session;
}

void append_answer_piece(std::string& out, const audit::AnswerChunk& chunk) {
  append_piece_head(out, PieceForm::plain, chunk, chunk.bytes.size());
  out += text_of(chunk.bytes);
}

std::uint64_t whole_pieces_bytes(const std::filesystem::path& path) {
  auto reader = AnswerPieceReader::open(path);
  while (reader && reader->next()) {
  }
  return reader ? reader->position() : 0;
}

std::optional<AnswerPieceReader> AnswerPieceReader::open(const std::filesystem::path& path) {
  auto opened = open_log_file(path);
  return opened ? std::optional(AnswerPieceReader(std::move(*opened))) : std::nullopt;
}

std::uint64_t AnswerPieceReader::file_bytes() {
  struct stat status {};
  size_ = ::fstat(file_.number(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  return size_;
}

std::string_view AnswerPieceReader::view(std::uint64_t at, std::size_t bytes) {
  if (at < buffer_at_ || at + bytes > buffer_at_ + buffer_.size()) {
    buffer_.resize(std::max(bytes, buffer_bytes));
    std::size_t got = 0;
    while (got < bytes) {
      ssize_t count = ::pread(file_.number(), buffer_.data() + got, buffer_.size() - got, static_cast<off_t>(at + got));
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        break;
      }
      got += static_cast<std::size_t>(count);
    }
    buffer_.resize(got);
    buffer_at_ = at;
  }
  return std::string_view(buffer_).substr(at - buffer_at_, bytes);
}

bool AnswerPieceReader::next() {
  auto front = parse_front(bytes_of(view(next_, front_bytes_max)));
  if (!front) {
    return false;
  }
  std::uint64_t end = next_ + front->bytes + front->rest;
  if (end > size_ && end > file_bytes()) {
    return false;
  }
  piece_ = front->piece;
  head_bytes_ = front->bytes;
  at_ = next_;
  next_ = end;
  return true;
}

AnswerPieceReader::Content AnswerPieceReader::read(AnswerOpener& opener, std::uint64_t bytes_max,
                                                   const std::function<void(Bytes)>& take) {
  if (piece_.seal) {
    if (!opener.has(piece_.seal->key)) {
      return Content::key_wanted;
    }
    Bytes whole = bytes_of(view(at_, next_ - at_));
    if (whole.size() != next_ - at_) {
      return Content::damaged;
    }
    auto text = opener.open(whole.first(head_bytes_), *piece_.seal, whole.subspan(head_bytes_));
    if (text) {
      take(text->first(std::min<std::uint64_t>(bytes_max, text->size())));
    }
    return text ? Content::whole : Content::damaged;
  }
  std::uint64_t left = std::min(bytes_max, piece_.bytes);
  for (std::uint64_t at = at_ + head_bytes_; left > 0;) {
    std::string_view part = view(at, std::min<std::uint64_t>(left, buffer_bytes));
    if (part.empty()) {
      return Content::damaged;
    }
    take(bytes_of(part));
    at += part.size();
    left -= part.size();
  }
  return Content::whole;
}

}  // namespace sallyport::store
