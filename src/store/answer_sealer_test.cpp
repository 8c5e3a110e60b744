#include "store/answer_sealer.h"

#include <gtest/gtest.h>

#include <set>

#include "base/hex.h"
#include "store/answer_blob.h"
#include "store/log_test_support.h"

namespace sallyport::store {
namespace {

audit::AnswersKey key_of(char digit) {
  return audit::AnswersKey::parse("0" + std::string(63, digit)).value();
}

audit::AnswerChunk chunk_of(std::string_view text, std::uint64_t command = 7, std::uint64_t offset = 0) {
  return {.session = "0f3a5c7e-1", .command = command, .offset = offset, .bytes = bytes_of(text)};
}

class AnswerSealerTest : public testing::Test {
 protected:
  StoredAnswer answer(const std::string& blob, AnswerOpener& opener, std::uint64_t command = 7,
                      std::string_view session = "0f3a5c7e-1") {
    log_.write("answers-00000000000000000000.blob", blob);
    return read_answer({log_.directory() / "answers-00000000000000000000.blob"}, session, command, 16U << 20, opener)
        .value();
  }
  test::TestLog log_;
};

TEST_F(AnswerSealerTest, WhatIsSealedIsReadWithItsKeyOnly) {
  AnswerSealer sealer(key_of('a'));
  std::string blob;
  sealer.append_pieces(blob, chunk_of("the password is "));
  sealer.append_pieces(blob, chunk_of("open sesame", 7, 16));
  EXPECT_EQ(blob.find("password"), std::string::npos);
  EXPECT_EQ(blob.find("sesame"), std::string::npos);
  AnswerOpener with_key({key_of('b'), key_of('a')});
  EXPECT_EQ(answer(blob, with_key).bytes, "the password is open sesame");
  EXPECT_EQ(answer(blob, with_key).wanted_key, "");
  EXPECT_EQ(answer(blob, with_key, 8).bytes, std::nullopt);
  AnswerOpener without({key_of('b')});
  EXPECT_EQ(answer(blob, without).bytes, std::nullopt);
  EXPECT_EQ(answer(blob, without).wanted_key, to_hex(key_of('a').id()));
  EXPECT_EQ(answer(blob, without, 8).wanted_key, "") << "of another answer nothing is wanted";
}

TEST_F(AnswerSealerTest, ALongAnswerIsSealedInPiecesOfBoundedSize) {
  AnswerSealer sealer(key_of('a'));
  std::string text;
  for (std::size_t i = 0; text.size() <= 3 * sealed_bytes_max; ++i) {
    text += std::to_string(i);
  }
  std::string blob;
  sealer.append_pieces(blob, chunk_of(text));
  log_.write("blob", blob);
  auto reader = AnswerPieceReader::open(log_.directory() / "blob");
  int pieces = 0;
  while (reader->next()) {
    ++pieces;
    EXPECT_LE(reader->piece().bytes, sealed_bytes_max);
  }
  EXPECT_EQ(pieces, 4);
  AnswerOpener opener({key_of('a')});
  EXPECT_EQ(answer(blob, opener).bytes, text);
}

// What moves a piece, or changes a bit anywhere in it, makes it none.
TEST_F(AnswerSealerTest, APieceIsBoundToItsSessionCommandAndOffset) {
  AnswerSealer sealer(key_of('a'));
  std::string blob;
  sealer.append_pieces(blob, chunk_of("secret", 7, 0));
  AnswerOpener opener({key_of('a')});
  ASSERT_EQ(answer(blob, opener).bytes, "secret");
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    std::string changed = blob;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    log_.write("blob", changed);
    auto reader = AnswerPieceReader::open(log_.directory() / "blob");
    if (!reader->next()) {
      continue;  // no piece at all
    }
    std::string text;
    EXPECT_NE(reader->read(opener, 100, [&](Bytes bytes) { text += text_of(bytes); }),
              AnswerPieceReader::Content::whole)
        << bit;
    EXPECT_EQ(text, "") << bit;
  }
}

TEST_F(AnswerSealerTest, NoKeyAndNonceAreUsedTwice) {
  std::set<std::string> used;
  std::string blob;
  constexpr int starts = 20;
  constexpr int pieces = 10;
  for (int start = 0; start < starts; ++start) {
    AnswerSealer sealer(key_of('a'), {.pieces = 4, .bytes = 1000});
    for (int i = 0; i < pieces; ++i) {
      sealer.append_pieces(blob, chunk_of(std::string(i == 1 ? 2000 : 5, 'x')));
    }
  }
  log_.write("blob", blob);
  auto reader = AnswerPieceReader::open(log_.directory() / "blob");
  while (reader->next()) {
    const SealHead& seal = *reader->piece().seal;
    EXPECT_LT(seal.counter, 4U);
    EXPECT_TRUE(used.insert(to_hex(seal.salt) + std::to_string(seal.counter)).second);
  }
  EXPECT_EQ(used.size(), std::size_t{starts * pieces});
}

TEST_F(AnswerSealerTest, APieceThatSaysItIsLongerThanAnyIsNone) {
  std::string blob;
  append_piece_head(blob, PieceForm::sealed, chunk_of(""), seal_overhead_bytes + sealed_bytes_max + 1);
  blob += std::string(seal_overhead_bytes + sealed_bytes_max + 1, 'x');
  log_.write("blob", blob);
  EXPECT_EQ(whole_pieces_bytes(log_.directory() / "blob"), 0U);
  blob.clear();
  append_piece_head(blob, PieceForm::sealed, chunk_of(""), seal_overhead_bytes - 1);
  blob += std::string(seal_overhead_bytes - 1, 'x');
  log_.write("blob", blob);
  EXPECT_EQ(whole_pieces_bytes(log_.directory() / "blob"), 0U);
}

TEST_F(AnswerSealerTest, PlainAndSealedPiecesOfOneAnswerAreReadTogether) {
  std::string blob;
  append_answer_piece(blob, chunk_of("plain, "));
  AnswerSealer first(key_of('a'));
  first.append_pieces(blob, chunk_of("sealed, ", 7, 7));
  AnswerSealer second(key_of('b'));
  second.append_pieces(blob, chunk_of("sealed anew", 7, 15));
  AnswerOpener opener({key_of('a'), key_of('b')});
  EXPECT_EQ(answer(blob, opener).bytes, "plain, sealed, sealed anew");
  AnswerOpener half({key_of('a')});
  EXPECT_EQ(answer(blob, half).bytes, "plain, sealed, ");
  EXPECT_EQ(answer(blob, half).wanted_key, to_hex(key_of('b').id()));
}

}  // namespace
}  // namespace sallyport::store
