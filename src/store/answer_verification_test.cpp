#include "store/answer_verification.h"

#include <gtest/gtest.h>

#include "store/log_directory.h"
#include "store/log_test_support.h"

namespace sallyport::store {
namespace {

class AnswerVerificationTest : public testing::Test {
 protected:
  AnswerVerificationTest()
      : verification_(log_.directory(), {}, [this](audit::FindingCode code, auto, const std::string& text, auto) {
          codes_.push_back(code);
          texts_.push_back(text);
        }) {}

  static void put(std::string& blob, const std::string& session, std::uint64_t offset, std::string_view text) {
    append_answer_piece(blob, {.session = session, .command = 1, .offset = offset, .bytes = bytes_of(text)});
  }
  void begin(std::uint64_t first) {
    verification_.begin_segment(first,
                                AnswerPieceReader::open(log_.directory() / name_of(SegmentFile::answers, first)));
  }
  void outcome(const std::string& session, std::string_view answer) {
    audit::RecordedAnswer recorded{.index = index_++,
                                   .session = session,
                                   .command = 1,
                                   .recorded_bytes = answer.size(),
                                   .recorded_sha256 = crypto::sha256({bytes_of(answer)}),
                                   .bytes = answer.size()};
    audit::RecordScan scan;
    scan.answers.push_back(std::move(recorded));
    verification_.take(scan);
  }

  test::TestLog log_;
  std::vector<audit::FindingCode> codes_;
  std::vector<std::string> texts_;
  AnswerVerification verification_;
  std::uint64_t index_ = 0;
};

TEST_F(AnswerVerificationTest, AnswersGoOverManySegmentsSideBySide) {
  constexpr std::uint64_t segments = 50;
  for (std::uint64_t i = 0; i < segments; ++i) {
    std::string blob;
    for (const char* session : {"a", "b", "c"}) {
      put(blob, session, i, std::to_string(i % 10));
    }
    log_.write(name_of(SegmentFile::answers, i), blob);
    begin(i);
  }
  std::string whole;
  for (std::uint64_t i = 0; i < segments; ++i) {
    whole += std::to_string(i % 10);
  }
  outcome("b", whole);
  outcome("a", whole.substr(0, 49) + "x");
  outcome("c", whole + "x");
  EXPECT_EQ(codes_, (std::vector{audit::FindingCode::answer_altered, audit::FindingCode::answer_missing}));
  EXPECT_NE(texts_[1].find("51 bytes were recorded, and 50 are found"), std::string::npos) << texts_[1];
  audit::AnswersReport report = verification_.finish();
  EXPECT_EQ(report.whole, 1U);
  EXPECT_EQ(report.bytes, segments);
}

TEST_F(AnswerVerificationTest, PiecesOfNoOutcomeTakeABoundedMemory) {
  std::string blob;
  put(blob, "before", 0, "forgotten");
  for (std::size_t i = 0; i < AnswerVerification::open_answers_max; ++i) {
    put(blob, std::to_string(i), 0, "x");
  }
  put(blob, "after", 0, "remembered");
  log_.write(name_of(SegmentFile::answers, 0), blob);
  begin(0);
  outcome("after", "remembered");
  EXPECT_EQ(codes_.size(), 0U);
  outcome("before", "forgotten");
  EXPECT_EQ(codes_, std::vector{audit::FindingCode::answer_missing});
}

TEST_F(AnswerVerificationTest, CommandsWithoutAnOutcomeTakeBoundedMemoryAndTime) {
  std::string blob;
  put(blob, "a", 0, "moved");
  log_.write(name_of(SegmentFile::answers, 0), blob);
  begin(0);
  audit::RecordScan scan;
  for (std::uint64_t i = 1; i <= 2 * AnswerVerification::commands_max; ++i) {
    scan.commands.push_back(i);
  }
  auto began = std::chrono::steady_clock::now();
  verification_.take(scan);
  EXPECT_LT(std::chrono::steady_clock::now() - began, Seconds{20});
  begin(9);
  audit::RecordScan newer;
  newer.commands.push_back(0);  // the hash of that of outcome()
  verification_.take(newer);
  outcome("a", "moved");
  EXPECT_EQ(codes_, std::vector{audit::FindingCode::answer_altered}) << "for the newer segment there is room";
}

TEST_F(AnswerVerificationTest, AFileThatGrowsIsReadOn) {
  std::string blob;
  put(blob, "a", 0, "one ");
  std::string more;
  put(more, "a", 4, "two");
  log_.write(name_of(SegmentFile::answers, 0), blob + more.substr(0, 5));
  begin(0);
  put(more, "b", 0, "three");
  log_.write(name_of(SegmentFile::answers, 0), blob + more);
  outcome("a", "one two");
  outcome("b", "three");
  EXPECT_EQ(codes_.size(), 0U) << texts_[0];
}

TEST_F(AnswerVerificationTest, WhereAFileIsDamagedIsSaid) {
  std::string blob;
  put(blob, "a", 0, "one");
  std::string other;
  put(other, "b", 0, "two");
  log_.write(name_of(SegmentFile::answers, 0), blob + "?" + other);
  log_.write(name_of(SegmentFile::answers, 9), "");
  begin(0);
  begin(9);
  outcome("a", "one");
  outcome("b", "two");
  ASSERT_EQ(codes_, std::vector{audit::FindingCode::answer_missing});
  EXPECT_NE(
      texts_[0].find("answers-00000000000000000000.blob can't be read behind its byte " + std::to_string(blob.size())),
      std::string::npos)
      << texts_[0];
}

}  // namespace
}  // namespace sallyport::store
