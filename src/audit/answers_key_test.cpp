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

// Each is what HKDF-SHA256 of another program yields: AES-256-GCM of nothing, with a nonce of zeros, has these tags.
TEST(AnswersKeyTest, EachUseHasADataKeyOfItsOwn) {
  auto key = AnswersKey::parse(digits);
  auto tag = [&](AnswersKey::Use use) {
    std::array<std::uint8_t, crypto::Aes256Gcm::tag_bytes> out{};
    key->data_key(use, AnswersKey::Salt{}).seal({}, {}, {}, out);
    return to_hex(out);
  };
  EXPECT_EQ(tag(AnswersKey::Use::answers), "8dd6d7a163c0e0f2e27b29d2932471dd");
  EXPECT_EQ(tag(AnswersKey::Use::literals), "2a7c5dc12ae2bdf1749939df7ca6049d");
}

}  // namespace
}  // namespace sallyport::audit
