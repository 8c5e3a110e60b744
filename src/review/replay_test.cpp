#include "review/replay.h"

#include <gtest/gtest.h>

namespace sallyport::review {
namespace {

std::string replayed(const std::string& outcome, const store::StoredAnswer& found) {
  auto story = tell_story(
      "s", {{.number = 3, .text = R"({"command":"query","seq":2,"session":"s","text":"SELECT 1","type":"command"})"},
            {.number = 4,
             .text = R"({"bytes":9,"of":2,"rows":1,"seq":3,"session":"s",)" + outcome + R"("type":"outcome"})"}});
  EXPECT_TRUE(story);
  std::string text;
  auto done = replay(
      *story, [&](const AnswerKey& /*key*/) { return Result<store::StoredAnswer, std::string>(found); }, {},
      [&](const ReplayStep& step) {
        text += step.text;
        return true;
      });
  EXPECT_TRUE(done);
  return text;
}

TEST(Replay, TellsAnAnswerThatIsMissingFromOneThatWasNotRecorded) {
  store::StoredAnswer nothing{.bytes = {}, .files = {"answers-00000000000000000002.blob"}, .wanted_key = {}};
  std::string recorded = R"("answer_recorded":{"bytes":9,"sha256":"00"},)";
  std::string text = replayed(R"("status":"ok",)", nothing);
  EXPECT_NE(text.find("\n(the answer was not recorded: ok"), std::string::npos) << text;
  text = replayed(recorded + R"("status":"ok",)", nothing);
  EXPECT_NE(
      text.find("\n(the answer was recorded, but is missing: it is not in answers-00000000000000000002.blob)\n(ok"),
      std::string::npos)
      << text;
  text = replayed(recorded + R"("error":"no","error_code":1064,"sql_state":"42000","status":"error",)", nothing);
  EXPECT_NE(text.find("blob)\nERROR 1064 (42000): no\n"), std::string::npos) << text;
  nothing.files.clear();
  text = replayed(recorded + R"("status":"ok",)", nothing);
  EXPECT_NE(text.find("it is not in what is left of the log)"), std::string::npos) << text;
  text = replayed(R"("answer_recorded":{"bytes":0,"failed":true,"sha256":"00"},"status":"ok",)", nothing);
  EXPECT_NE(text.find("the answer was not recorded: ok"), std::string::npos) << text;
}

}  // namespace
}  // namespace sallyport::review
