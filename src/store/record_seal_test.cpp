#include "store/record_seal.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "crypto/base64.h"

namespace sallyport::store {
namespace {

audit::AnswersKey key_of(char digit) {
  return audit::AnswersKey::parse("0" + std::string(63, digit)).value();
}

std::string sealed_text(const audit::RecordPlace& place, std::string_view members) {
  Sealer sealer(key_of('a'), audit::AnswersKey::Use::literals);
  std::string sealed;
  append_sealed(sealed, sealer, place, members);
  return sealed;
}

std::string record_with(const std::string& sealed, std::string_view text = R"("text":"SELECT ?")",
                        std::string_view seq = "7") {
  return R"({"command":"query","redacted":true,"sealed":")" + sealed + R"(","seq":)" + std::string(seq) +
         R"(,"session":"0f3a-1",)" + std::string(text) + R"(,"type":"command"})";
}

constexpr audit::RecordPlace place{.session = "0f3a-1", .seq = 7};

TEST(RecordSeal, PutsTheMembersInPlaceOfThoseThatAreShown) {
  RecordOpener opener({key_of('b'), key_of('a')});
  std::string record = record_with(sealed_text(place, R"({"parameters":[{"value":1}],"text":"SELECT 721"})"));
  EXPECT_EQ(record.find("721"), std::string::npos);
  EXPECT_EQ(opener.open(record), RecordOpener::Result::opened);
  EXPECT_EQ(record, R"({"command":"query","parameters":[{"value":1}],"seq":7,"session":"0f3a-1",)"
                    R"("text":"SELECT 721","type":"command","unsealed":true})");
  record = record_with(sealed_text(place, R"({"redacted":true,"text_base64":"/w=="})"));
  EXPECT_EQ(opener.open(record), RecordOpener::Result::opened);
  EXPECT_EQ(record, R"({"command":"query","redacted":true,"seq":7,"session":"0f3a-1",)"
                    R"("text_base64":"/w==","type":"command","unsealed":true})");
  record = record_with(sealed_text(place, R"({"text":"x"})"), R"("text_base64":"/w==")");
  EXPECT_EQ(opener.open(record), RecordOpener::Result::opened);
  EXPECT_EQ(record.find("text_base64"), std::string::npos);
}

TEST(RecordSeal, IsOpenedWithItsKeyOnly) {
  RecordOpener opener({key_of('b')});
  std::string record = record_with(sealed_text(place, R"({"text":"SELECT 721"})"));
  std::string before = record;
  EXPECT_EQ(opener.open(record), RecordOpener::Result::key_wanted);
  EXPECT_EQ(opener.wanted_key(), to_hex(key_of('a').id()));
  EXPECT_EQ(record, before);
}

TEST(RecordSeal, IsBoundToItsRecord) {
  RecordOpener opener({key_of('a')});
  std::string sealed = sealed_text(place, R"({"text":"SELECT 721"})");
  std::string other = record_with(sealed, R"("text":"SELECT ?")", "8");
  EXPECT_EQ(opener.open(other), RecordOpener::Result::damaged);
  std::string elsewhere = record_with(sealed_text({.session = "0f3a-2", .seq = 7}, R"({"text":"SELECT 721"})"));
  EXPECT_EQ(opener.open(elsewhere), RecordOpener::Result::damaged);
  std::vector<std::uint8_t> bytes = *crypto::base64_decode(sealed);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::uint8_t> changed = bytes;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1U << bit % 8);
    std::string record = record_with(crypto::base64_encode(changed));
    std::string before = record;
    EXPECT_NE(opener.open(record), RecordOpener::Result::opened) << bit;
    EXPECT_EQ(record, before) << bit;
  }
}

TEST(RecordSeal, IsNoneOfAnAnswers) {
  Sealer sealer(key_of('a'), audit::AnswersKey::Use::answers);
  std::string sealed;
  append_sealed(sealed, sealer, place, R"({"text":"SELECT 721"})");
  std::string record = record_with(sealed);
  RecordOpener opener({key_of('a')});
  EXPECT_EQ(opener.open(record), RecordOpener::Result::damaged);
}

TEST(RecordSeal, WhatIsNoneIsLeftAsItIs) {
  RecordOpener opener({key_of('a')});
  for (std::string_view text : {R"({"seq":7,"session":"0f3a-1","text":"\"sealed\":\"x\""})", R"({"a":{"sealed":1}})",
                                R"(["sealed":)", R"({"sealed":)"}) {
    std::string record(text);
    EXPECT_EQ(opener.open(record), RecordOpener::Result::nothing_sealed) << text;
    EXPECT_EQ(record, text);
  }
  for (std::string_view sealed : {"", "x", "eA==", "AAAA"}) {
    std::string record = record_with(std::string(sealed));
    EXPECT_EQ(opener.open(record), RecordOpener::Result::damaged) << sealed;
  }
  std::string no_object = record_with(sealed_text(place, "[1]"));
  EXPECT_EQ(opener.open(no_object), RecordOpener::Result::damaged);
}

}  // namespace
}  // namespace sallyport::store
