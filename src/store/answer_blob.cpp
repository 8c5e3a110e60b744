#include "store/answer_blob.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "store/log_directory.h"

namespace sallyport::store {
namespace {

constexpr std::string_view magic = "ANS1";
constexpr std::size_t head_bytes = 25;  // magic, length, command, offset, length of the session's id
constexpr std::size_t session_bytes_max = 255;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

struct Head {
  std::uint32_t bytes = 0;
  std::uint64_t command = 0;
  std::uint64_t offset = 0;
  std::uint8_t session_bytes = 0;
};

std::optional<Head> parse_head(Bytes bytes) {
  ByteReader reader{bytes};
  if (text_of(reader.take(magic.size())) != magic) {
    return std::nullopt;
  }
  Head head;
  head.bytes = reader.u32();
  head.command = reader.u64();
  head.offset = reader.u64();
  head.session_bytes = reader.u8();
  return reader.ok() ? std::optional(head) : std::nullopt;
}

class File {
 public:
  explicit File(const std::filesystem::path& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  bool is_open() const { return descriptor_ >= 0; }
  // As many as there are.
  std::size_t read(std::uint64_t at, char* to, std::size_t bytes) const {
    std::size_t got = 0;
    while (got < bytes) {
      ssize_t count = ::pread(descriptor_, to + got, bytes - got, static_cast<off_t>(at + got));
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return got;
      }
      got += static_cast<std::size_t>(count);
    }
    return got;
  }

 private:
  int descriptor_;
};

// Adds to `answer` what the file has of it; false when it can't be opened.
bool add_pieces(const std::filesystem::path& path, std::string_view session, std::uint64_t command,
                std::uint64_t bytes_max, std::optional<std::string>& answer) {
  File file{path};
  if (!file.is_open()) {
    return false;
  }
  std::array<char, head_bytes + session_bytes_max> front{};
  std::uint64_t at = 0;
  while (true) {
    std::size_t got = file.read(at, front.data(), front.size());
    auto head = parse_head(bytes_of({front.data(), std::min(got, head_bytes)}));
    if (!head || head_bytes + head->session_bytes > got) {
      return true;
    }
    std::uint64_t data = at + head_bytes + head->session_bytes;
    at = data + head->bytes;
    std::size_t had = answer ? answer->size() : 0;
    if (head->command != command || std::string_view(front.data() + head_bytes, head->session_bytes) != session ||
        head->offset != had || had >= bytes_max) {
      continue;
    }
    answer = answer ? std::move(answer) : std::string{};
    answer->resize(had + std::min<std::uint64_t>(head->bytes, bytes_max - had));
    std::size_t read = file.read(data, answer->data() + had, answer->size() - had);
    answer->resize(had + read);
  }
}

}  // namespace

void append_answer_piece(std::string& out, const audit::AnswerChunk& chunk) {
  SALLYPORT_CHECK(chunk.session.size() <= session_bytes_max && chunk.bytes.size() <= UINT32_MAX);
  out += magic;
  put(out, chunk.bytes.size(), 4);
  put(out, chunk.command, 8);
  put(out, chunk.offset, 8);
  put(out, chunk.session.size(), 1);
  out += chunk.session;
  out += text_of(chunk.bytes);
}

std::uint64_t whole_pieces_bytes(const std::filesystem::path& path) {
  File file{path};
  std::error_code error;
  std::uint64_t size = file.is_open() ? std::filesystem::file_size(path, error) : 0;
  std::array<char, head_bytes> front{};
  for (std::uint64_t at = 0; !error;) {
    std::size_t got = file.is_open() ? file.read(at, front.data(), front.size()) : 0;
    auto head = parse_head(bytes_of({front.data(), got}));
    std::uint64_t end = head ? at + head_bytes + head->session_bytes + head->bytes : 0;
    if (!head || end > size) {
      return at;
    }
    at = end;
  }
  return 0;
}

Result<std::optional<std::string>, std::string> read_answer(const std::vector<std::filesystem::path>& files,
                                                            std::string_view session, std::uint64_t command,
                                                            std::uint64_t bytes_max) {
  std::optional<std::string> answer;
  for (const std::filesystem::path& path : files) {
    if (!add_pieces(path, session, command, bytes_max, answer)) {
      return Unexpected("cannot open " + path.string() + ": " + std::strerror(errno));
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
    if (segment.has(SegmentFile::answers) && segment.first <= outcome && !ends_before) {
      files.push_back(log->file(SegmentFile::answers, segment.first));
    }
  }
  return files;
}

}  // namespace sallyport::store
