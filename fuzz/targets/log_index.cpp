// An index of a segment, whose three parts are the input: two bytes each with the length of the first and the second,
// then the parts. No block is named that the head has not, and what was read is the same once written and read again.
#include <zstd.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "fuzz/targets.h"
#include "store/log_index.h"

namespace sallyport::fuzz {
namespace {

constexpr std::string_view frame_magic{"\x28\xB5\x2F\xFD", 4};

std::string framed(Bytes part) {
  std::string frame(ZSTD_compressBound(part.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), part.data(), part.size(), 1));
  return frame;
}

std::optional<store::LogIndex> read(const std::string& content) {
  auto encoded = store::EncodedIndex::open(content);
  auto index = encoded ? encoded->head() : std::nullopt;
  auto sessions = encoded ? encoded->sessions() : std::nullopt;
  if (!index || !sessions) {
    return std::nullopt;
  }
  for (const store::SessionSummary& session : *sessions) {
    for (std::uint32_t block : session.blocks) {
      SALLYPORT_CHECK(block < index->blocks.size());
    }
  }
  for (const store::IndexedField& field : index->fields) {
    for (const store::IndexTerm& term : field.terms) {
      for (std::uint32_t block : term.blocks) {
        SALLYPORT_CHECK(block < index->blocks.size());
      }
    }
  }
  index->sessions = std::move(*sessions);
  return index;
}

}  // namespace

void fuzz_log_index(Bytes input) {
  static const std::string magic = [] {
    std::string empty = store::encode_index({});
    return empty.substr(0, empty.find(frame_magic));
  }();
  std::string content = magic;
  for (int part = 0; part < 2 && input.size() >= 2; ++part) {
    std::size_t size = input[0] | static_cast<std::size_t>(input[1]) << 8;
    input = input.subspan(2);
    size = std::min(size, input.size());
    content += framed(input.first(size));
    input = input.subspan(size);
  }
  content += framed(input);
  if (auto index = read(content)) {
    std::string written = store::encode_index(*index);
    auto again = read(written);
    SALLYPORT_CHECK(again && store::encode_index(*again) == written);
  }
}

}  // namespace sallyport::fuzz
