#include "crypto/base64.h"

#include <gtest/gtest.h>

#include "crypto/random.h"

namespace sallyport::crypto {
namespace {

std::optional<std::string> decoded(std::string_view text) {
  const auto bytes = base64_decode(text);
  return bytes ? std::optional<std::string>(text_of(*bytes)) : std::nullopt;
}
std::optional<std::string> url_decoded(std::string_view text) {
  const auto bytes = base64url_decode(text);
  return bytes ? std::optional<std::string>(text_of(*bytes)) : std::nullopt;
}

TEST(Base64, AgreesWithTheVectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"},
                                                                   {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(base64_encode(bytes_of(plain)), text);
    EXPECT_EQ(decoded(text), plain);
  }
}

TEST(Base64, RefusesEveryTextThatIsNotTheOneOfItsBytes) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "=", "==", "====", "Z===", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm 9v",
        "Zm-v", "Zm_v", "Zm9v=", "Zm9v====", "Zm\xc3\xa9"}) {
    EXPECT_EQ(decoded(text), std::nullopt) << text;
  }
  EXPECT_EQ(decoded(std::string_view("Zm\0v", 4)), std::nullopt);
}

TEST(Base64Url, HasItsOwnAlphabetAndNoPadding) {
  EXPECT_EQ(base64url_encode(bytes_of("\xfb\xff\xfe")), "-__-");
  EXPECT_EQ(base64url_encode(bytes_of("f")), "Zg");
  EXPECT_EQ(url_decoded("-__-"), "\xfb\xff\xfe");
  EXPECT_EQ(url_decoded("Zg"), "f");
  EXPECT_EQ(url_decoded(""), "");
}

TEST(Base64Url, RefusesEveryTextThatIsNotTheOneOfItsBytes) {
  for (const std::string_view text : {"Zg==", "Zh", "Zm9", "Z", "+//+", "Zm9v\n", "Zm9v ", "Zm9vY", "Zm.v", "Zg="}) {
    EXPECT_EQ(url_decoded(text), std::nullopt) << text;
  }
}

TEST(Base64, EveryByteStringComesBack) {
  for (std::size_t length = 0; length < 70; ++length) {
    std::vector<std::uint8_t> bytes(length);
    random_bytes(bytes);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
  }
}

}  // namespace
}  // namespace sallyport::crypto
