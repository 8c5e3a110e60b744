#include "audit/answers_key.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace sallyport::audit {
namespace {

constexpr std::string_view digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST(AnswersKeyTest, IsReadFromHexadecimalDigitsAndFromBase64) {
  auto key = AnswersKey::parse(digits);
  ASSERT_TRUE(key);
  // HKDF-SHA256 as another program computes it.
  EXPECT_EQ(to_hex(key->id()), "6c4581bb8d581e21");
  for (std::string_view same :
       {"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\r\n"}) {
    auto other = AnswersKey::parse(same);
    ASSERT_TRUE(other) << same;
    EXPECT_EQ(*other, *key);
  }
}

TEST(AnswersKeyTest, WhatIsNoKeyIsRefusedAndNotRepeated) {
  for (std::string_view text :
       {std::string_view(""), std::string_view("\n"), digits.substr(2), std::string_view("correct horse battery"),
        std::string_view("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
        std::string_view(" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        std::string_view("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"),
        std::string_view("g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
        std::string_view("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==")}) {
    auto key = AnswersKey::parse(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error(), "neither 64 hexadecimal digits nor base64 of 32 bytes");
  }
  EXPECT_FALSE(AnswersKey::parse(std::string(64, '0')));
  EXPECT_FALSE(AnswersKey::parse(std::string(64, '7')));
}

}  // namespace
}  // namespace sallyport::audit
