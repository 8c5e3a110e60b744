#include "audit/record_members.h"

#include <gtest/gtest.h>

#include <vector>

#include "audit/record.h"

namespace sallyport::audit {
namespace {

std::vector<std::pair<std::string, std::string>> members_of(std::string_view object) {
  std::vector<std::pair<std::string, std::string>> found;
  MemberReader members{object};
  while (members.next()) {
    found.emplace_back(members.name(), members.value());
  }
  if (members.malformed()) {
    found.emplace_back("malformed", "");
  }
  return found;
}

using Members = std::vector<std::pair<std::string, std::string>>;

TEST(RecordMembers, AreFoundOneAfterTheOther) {
  EXPECT_EQ(members_of(R"({"a":1,"b":"x\"},{","c":{"d":[1,{"e":"]"}]},"f":[],"g":null,"h":-1.5e3})"),
            (Members{{"a", "1"},
                     {"b", R"("x\"},{")"},
                     {"c", R"({"d":[1,{"e":"]"}]})"},
                     {"f", "[]"},
                     {"g", "null"},
                     {"h", "-1.5e3"}}));
  EXPECT_EQ(members_of("{}"), Members{});
  EXPECT_EQ(members_of(R"({"a":"ends in \\","b":"\\\"","c":0})"),
            (Members{{"a", R"("ends in \\")"}, {"b", R"("\\\"")"}, {"c", "0"}}));
}

TEST(RecordMembers, OfWhatIsNoWholeObjectAreNeverReadBeyondTheText) {
  std::string whole = R"({"a":1,"b":"x\"},{","c":{"d":[1,{"e":"]"}]},"f":[],"g":null})";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    // In memory of its own size, so that a sanitizer sees a read beyond it.
    std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    MemberReader members{{exact.data(), exact.size()}};
    while (members.next()) {
    }
    EXPECT_TRUE(members.malformed()) << length;
  }
  for (std::string_view broken :
       {"", "x", "[1]", "{1}", R"({"a"})", R"({"a":})", R"({"a":1,})", R"({"a":"x})", R"({a:1})"}) {
    MemberReader members{broken};
    while (members.next()) {
    }
    EXPECT_TRUE(members.malformed()) << broken;
  }
}

TEST(RecordMembers, ElementsOfAnArrayAreFound) {
  std::vector<std::string> found;
  for (ElementReader elements{R"(["a",{"b":[1]},[2,3],4])"}; elements.next();) {
    found.emplace_back(elements.value());
  }
  EXPECT_EQ(found, (std::vector<std::string>{R"("a")", R"({"b":[1]})", "[2,3]", "4"}));
  EXPECT_FALSE(ElementReader{"[]"}.next());
  EXPECT_FALSE(ElementReader{"7"}.next());
}

TEST(RecordMembers, StringsAreFreedOfTheirEscapes) {
  std::string scratch;
  EXPECT_EQ(string_of(R"("plain")", scratch), "plain");
  EXPECT_EQ(string_of(R"("a\n\t\r\b\f\/\\\"z")", scratch), "a\n\t\r\b\f/\\\"z");
  EXPECT_EQ(string_of(R"("\u0000\u001f\u00fc\u20ac\ud83d\ude00")", scratch), std::string_view("\0\x1fü€😀", 11));
  for (std::string_view broken :
       {R"("\u12")", R"("\ud83d")", R"("\ude00")", R"("\ud83dx\ude00")", R"("\x")", "7", R"(")"}) {
    EXPECT_FALSE(string_of(broken, scratch)) << broken;
  }
}

TEST(RecordMembers, ATextMayStandInBase64) {
  EXPECT_EQ(text_member(R"({"textual":"no","text":"a\"b"})", "text"), "a\"b");
  EXPECT_EQ(text_member(R"({"text_base64":"//4="})", "text"), "\xFF\xFE");
  EXPECT_FALSE(text_member(R"({"text_base64":"//4"})", "text"));
  EXPECT_FALSE(text_member(R"({"texts":"x"})", "text"));
}

TEST(RecordMembers, TimesAreReadAsTheyAreWritten) {
  WallTime time{Nanoseconds{1'767'225'599'123'456'789}};
  std::string text;
  append_time(text, time);
  EXPECT_EQ(parse_time(text), time);
  EXPECT_EQ(parse_time("2026-01-31T12:34:56Z"), parse_time("2026-01-31T12:34:56.000000000Z"));
  EXPECT_EQ(*parse_time("2026-01-31T12:34:56.5Z") - *parse_time("2026-01-31T12:34:56Z"), Milliseconds{500});
  for (std::string_view broken :
       {"", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:34:56",
        "2026-01-31T12:34:56.Z", "2026-01-31T12:34:56.1234567890Z", "2026-01-31T12:34:5xZ", "7392-01-31T12:34:56Z",
        "2262-01-01T00:00:00Z", "1677-12-31T23:59:59Z", "0000-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_time(broken)) << broken;
  }
}

TEST(RecordMembers, NumbersAreWholeAndNotNegative) {
  EXPECT_EQ(number_of("0"), 0U);
  EXPECT_EQ(number_of("9007199254740991"), 9007199254740991U);
  EXPECT_EQ(number_of("\"18446744073709551615\""), 18446744073709551615U);
  for (std::string_view broken : {"", "-1", "1.5", "1x", "\"x\"", "\"\""}) {
    EXPECT_FALSE(number_of(broken)) << broken;
  }
}

}  // namespace
}  // namespace sallyport::audit
