#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "crypto/random.h"

namespace sallyport::crypto {
namespace {

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

TEST(Hash, AgreesWithTheVectorsOfFips180) {
  EXPECT_EQ(hex(sha1({bytes_of("abc")})), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha256({bytes_of("abc")})), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha512({bytes_of("abc")})),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Hash, OfPartsIsThatOfTheirConcatenation) {
  EXPECT_EQ(sha256({bytes_of("a"), {}, bytes_of("bc")}), sha256({bytes_of("abc")}));
  EXPECT_EQ(sha1({}), sha1({bytes_of("")}));
  EXPECT_NE(sha512({bytes_of("a")}), sha512({bytes_of("b")}));
}

TEST(EqualInConstantTime, ComparesLengthAndContent) {
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_TRUE(equal_in_constant_time(bytes_of("secret"), bytes_of("secret")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("secret"), bytes_of("secreT")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("secret"), bytes_of("secre")));
}

TEST(RandomBytes, FillTheSpanAndDoNotRepeat) {
  std::set<std::vector<std::uint8_t>> seen;
  for (int i = 0; i < 100; ++i) {
    std::vector<std::uint8_t> bytes(16);
    random_bytes(bytes);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
  random_bytes({});
}

}  // namespace
}  // namespace sallyport::crypto
