// The encoding of an index: numbers as LEB128, texts with their length, lists with their count, ascending lists as
// differences.
#include <zstd.h>

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "store/log_index.h"

namespace sallyport::store {
namespace {

constexpr std::string_view magic = "sallyport-index-1\n";
constexpr int compression_level = 3;
// No index of a segment is larger; it bounds what a damaged one can ask for.
constexpr std::size_t part_bytes_max = 1U << 28;

class Writer {
 public:
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }
  void time(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void text(std::string_view value) {
    number(value.size());
    out_ += value;
  }
  void ascending(const std::vector<std::uint32_t>& values) {
    number(values.size());
    std::uint32_t last = 0;
    for (std::uint32_t value : values) {
      number(value - last);
      last = value;
    }
  }
  std::string compressed() const {
    std::string frame(ZSTD_compressBound(out_.size()), '\0');
    std::size_t size = ZSTD_compress(frame.data(), frame.size(), out_.data(), out_.size(), compression_level);
    SALLYPORT_CHECK(ZSTD_isError(size) == 0);
    frame.resize(size);
    return frame;
  }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(bytes_of(text)) {}

  bool exhausted() const { return rest_.exhausted(); }
  bool ok() const { return rest_.ok(); }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      std::uint8_t byte = rest_.u8();
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    rest_.fail();
    return 0;
  }
  std::int64_t time() { return static_cast<std::int64_t>(number()); }
  std::string_view text() { return text_of(rest_.take(number())); }
  // How many items follow; each takes a byte at least.
  std::size_t count() {
    std::uint64_t value = number();
    if (value > rest_.remaining()) {
      rest_.fail();
      return 0;
    }
    return value;
  }
  void ascending(std::size_t limit, std::vector<std::uint32_t>& values) {
    values.resize(count());
    std::uint64_t last = 0;
    for (std::uint32_t& value : values) {
      last += number();
      if (last >= limit) {
        rest_.fail();
        values.clear();
        return;
      }
      value = static_cast<std::uint32_t>(last);
    }
  }

 private:
  ByteReader rest_;
};

std::optional<std::string> decompressed(std::string_view frame) {
  unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > part_bytes_max) {
    return std::nullopt;
  }
  std::string content(size, '\0');
  std::size_t got = ZSTD_decompress(content.data(), content.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0 || got != size) {
    return std::nullopt;
  }
  return content;
}

std::string encode_head(const LogIndex& index) {
  Writer out;
  out.number(index.first);
  out.number(index.end);
  out.number(index.segment_bytes);
  out.number(index.blocks.size());
  for (const LogBlock& block : index.blocks) {
    out.number(block.records);
    out.number(block.offset);
    out.number(block.stored_bytes);
    out.number(block.content_bytes);
    out.time(block.time_min);
    out.time(block.time_max);
  }
  out.number(index.fields.size());
  for (const IndexedField& field : index.fields) {
    out.number(field.complete ? 1 : 0);
    out.number(field.terms.size());
    for (const IndexTerm& term : field.terms) {
      out.text(term.text);
      out.ascending(term.blocks);
    }
  }
  out.ascending(index.unfinished_blocks);
  return out.compressed();
}

// Texts that many sessions share are written once.
class Dictionary {
 public:
  std::size_t number_of(const std::string& text) {
    auto [place, is_new] = numbers_.try_emplace(text, texts_.size());
    if (is_new) {
      texts_.push_back(&place->first);
    }
    return place->second;
  }
  const std::vector<const std::string*>& texts() const { return texts_; }

 private:
  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<const std::string*> texts_;
};

constexpr std::array<std::string SessionSummary::*, 7> shared_texts{
    &SessionSummary::account, &SessionSummary::subject, &SessionSummary::connection, &SessionSummary::role,
    &SessionSummary::client,  &SessionSummary::user,    &SessionSummary::end_reason};
constexpr std::array<std::uint64_t SessionSummary::*, 8> counts{
    &SessionSummary::first_record, &SessionSummary::records, &SessionSummary::commands, &SessionSummary::denied,
    &SessionSummary::errors,       &SessionSummary::aborted, &SessionSummary::rows,     &SessionSummary::bytes};

std::string encode_sessions(const LogIndex& index) {
  Dictionary dictionary;
  Writer rows;
  rows.number(index.sessions.size());
  rows.number(index.blocks.size());
  for (const SessionSummary& session : index.sessions) {
    rows.text(session.id);
    for (auto text : shared_texts) {
      rows.number(dictionary.number_of(session.*text));
    }
    rows.number(static_cast<std::uint64_t>(session.end) << 1 | (session.is_carried_on ? 1 : 0));
    rows.time(session.began);
    rows.time(session.time_min);
    rows.time(static_cast<std::int64_t>(static_cast<std::uint64_t>(session.time_max) -
                                        static_cast<std::uint64_t>(session.time_min)));
    for (auto count : counts) {
      rows.number(session.*count);
    }
    rows.ascending(session.blocks);
  }
  Writer texts;
  texts.number(dictionary.texts().size());
  for (const std::string* text : dictionary.texts()) {
    texts.text(*text);
  }
  return texts.compressed() + rows.compressed();
}

bool read_session(Reader& in, const std::vector<std::string_view>& texts, std::size_t blocks, SessionSummary& session) {
  session.id = in.text();
  for (auto text : shared_texts) {
    std::uint64_t number = in.number();
    if (number >= texts.size()) {
      return false;
    }
    session.*text = texts[number];
  }
  std::uint64_t state = in.number();
  if (state >> 1 > static_cast<std::uint64_t>(SessionSummary::End::refused)) {
    return false;
  }
  session.end = static_cast<SessionSummary::End>(state >> 1);
  session.is_carried_on = (state & 1) != 0;
  session.began = in.time();
  session.time_min = in.time();
  session.time_max =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(session.time_min) + static_cast<std::uint64_t>(in.time()));
  for (auto count : counts) {
    session.*count = in.number();
  }
  in.ascending(blocks, session.blocks);
  return in.ok();
}

}  // namespace

std::string encode_index(const LogIndex& index) {
  return std::string(magic) + encode_head(index) + encode_sessions(index);
}

std::optional<EncodedIndex> EncodedIndex::open(std::string content) {
  if (content.compare(0, magic.size(), magic) != 0) {
    return std::nullopt;
  }
  EncodedIndex index;
  std::size_t size = ZSTD_findFrameCompressedSize(content.data() + magic.size(), content.size() - magic.size());
  if (ZSTD_isError(size) != 0) {
    return std::nullopt;
  }
  index.head_bytes_ = size;
  index.content_ = std::move(content);
  return index;
}

std::optional<LogIndex> EncodedIndex::head() const {
  auto content = decompressed(std::string_view(content_).substr(magic.size(), head_bytes_));
  if (!content) {
    return std::nullopt;
  }
  Reader in{*content};
  LogIndex index;
  index.first = in.number();
  index.end = in.number();
  index.segment_bytes = in.number();
  index.blocks.resize(in.count());
  std::uint64_t record = index.first;
  for (LogBlock& block : index.blocks) {
    block.first_record = record;
    block.records = static_cast<std::uint32_t>(in.number());
    block.offset = in.number();
    block.stored_bytes = in.number();
    block.content_bytes = in.number();
    block.time_min = in.time();
    block.time_max = in.time();
    record += block.records;
  }
  if (record != index.end || in.number() != field_count) {
    return std::nullopt;
  }
  for (IndexedField& field : index.fields) {
    field.complete = in.number() != 0;
    field.terms.resize(in.count());
    for (IndexTerm& term : field.terms) {
      term.text = in.text();
      in.ascending(index.blocks.size(), term.blocks);
    }
  }
  in.ascending(index.blocks.size(), index.unfinished_blocks);
  return in.exhausted() ? std::optional(std::move(index)) : std::nullopt;
}

bool EncodedIndex::each_session(std::size_t blocks, const std::function<void(const SessionSummary&)>& each) const {
  std::string_view frames = std::string_view(content_).substr(magic.size() + head_bytes_);
  std::size_t size = ZSTD_findFrameCompressedSize(frames.data(), frames.size());
  if (ZSTD_isError(size) != 0) {
    return false;
  }
  auto dictionary = decompressed(frames.substr(0, size));
  auto rows = decompressed(frames.substr(size));
  if (!dictionary || !rows) {
    return false;
  }
  Reader texts_in{*dictionary};
  std::vector<std::string_view> texts(texts_in.count());
  for (std::string_view& text : texts) {
    text = texts_in.text();
  }
  if (!texts_in.exhausted()) {
    return false;
  }
  Reader in{*rows};
  std::size_t count = in.count();
  if (in.number() != blocks) {
    return false;
  }
  SessionSummary session;
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_session(in, texts, blocks, session)) {
      return false;
    }
    each(session);
  }
  return in.exhausted();
}

std::optional<std::vector<SessionSummary>> EncodedIndex::sessions() const {
  auto index = head();
  std::vector<SessionSummary> sessions;
  bool whole = index && each_session(index->blocks.size(), [&](const SessionSummary& one) { sessions.push_back(one); });
  return whole ? std::optional(std::move(sessions)) : std::nullopt;
}

}  // namespace sallyport::store
