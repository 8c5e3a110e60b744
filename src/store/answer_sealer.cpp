#include "store/answer_sealer.h"

#include <algorithm>

#include "store/answer_pieces.h"

namespace sallyport::store {

void AnswerSealer::append_pieces(std::string& out, const audit::AnswerChunk& chunk) {
  audit::AnswerChunk part = chunk;
  for (Bytes rest = chunk.bytes; !rest.empty();) {
    part.bytes = rest.first(std::min(rest.size(), sealed_bytes_max));
    std::size_t begin = out.size();
    append_piece_head(out, PieceForm::sealed, part, seal_overhead_bytes + part.bytes.size());
    sealer_.append(out, begin, part.bytes);
    part.offset += part.bytes.size();
    rest = rest.subspan(part.bytes.size());
  }
}

}  // namespace sallyport::store
