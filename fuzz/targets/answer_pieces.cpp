// A file of answers: pieces lie one behind the other within the file, memory is bounded, and of a sealed piece that is
// not what was sealed nothing is handed over.
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/descriptor.h"
#include "fuzz/targets.h"
#include "store/answer_pieces.h"

namespace sallyport::fuzz {

void fuzz_answer_pieces(Bytes input) {
  constexpr std::string_view key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  Descriptor file(::memfd_create("answers", MFD_CLOEXEC));
  SALLYPORT_CHECK(::write(file.number(), input.data(), input.size()) == static_cast<ssize_t>(input.size()));
  auto reader = store::AnswerPieceReader::open("/proc/self/fd/" + std::to_string(file.number()));
  SALLYPORT_CHECK(reader.has_value());
  store::AnswerOpener opener({audit::AnswersKey::parse(key).value()});
  std::uint64_t at = 0;
  while (reader->next()) {
    SALLYPORT_CHECK(reader->position() > at && reader->position() <= input.size());
    std::uint64_t size = reader->position() - at;
    at = reader->position();
    bool is_sealed = reader->piece().seal.has_value();
    std::uint64_t bytes = reader->piece().bytes;
    SALLYPORT_CHECK(bytes < size && (!is_sealed || bytes <= store::sealed_bytes_max));
    std::uint64_t taken = 0;
    auto content = reader->read(opener, UINT64_MAX, [&](Bytes part) { taken += part.size(); });
    SALLYPORT_CHECK(taken == (content == store::AnswerPieceReader::Content::whole ? bytes : 0));
    SALLYPORT_CHECK(is_sealed || content == store::AnswerPieceReader::Content::whole);
  }
}

}  // namespace sallyport::fuzz
