#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/hex.h"

namespace sallyport::crypto {
namespace {

std::vector<std::uint8_t> from_hex(std::string_view digits) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

Aes256Gcm::Nonce nonce_of(std::string_view digits) {
  Aes256Gcm::Nonce nonce{};
  auto bytes = from_hex(digits);
  std::copy(bytes.begin(), bytes.end(), nonce.begin());
  return nonce;
}

// Test cases 15 and 16 of the GCM specification (McGrew and Viega), appendix B.
constexpr std::string_view key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
constexpr std::string_view nonce = "cafebabefacedbaddecaf888";
constexpr std::string_view text =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
    "ba637b391aafd255";
constexpr std::string_view ciphertext =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
    "bcc9f662898015ad";

TEST(AeadTest, ItIsTheGcmOfItsSpecification) {
  Aes256Gcm gcm(from_hex(key));
  std::vector<std::uint8_t> out(64 + 16);
  gcm.seal(nonce_of(nonce), {}, from_hex(text), out);
  EXPECT_EQ(to_hex(out), std::string(ciphertext) + "b094dac5d93471bdec1a502270e3cc6c");
  auto associated = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  out.resize(60 + 16);
  gcm.seal(nonce_of(nonce), associated, from_hex(text.substr(0, 120)), out);
  EXPECT_EQ(to_hex(out), std::string(ciphertext.substr(0, 120)) + "76fc6ece0f4e1768cddf8853bb2d551b");
}

TEST(AeadTest, OnlyWhatWasSealedOpens) {
  Aes256Gcm gcm(from_hex(key));
  auto plain = from_hex(text);
  std::vector<std::uint8_t> associated{1, 2, 3};
  std::vector<std::uint8_t> sealed(plain.size() + 16);
  gcm.seal(nonce_of(nonce), associated, plain, sealed);
  std::vector<std::uint8_t> out(plain.size());
  ASSERT_TRUE(gcm.open(nonce_of(nonce), associated, sealed, out));
  EXPECT_EQ(out, plain);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto changed = sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_FALSE(gcm.open(nonce_of(nonce), associated, changed, out)) << bit;
    ASSERT_EQ(out, std::vector<std::uint8_t>(plain.size()));
  }
  std::vector<std::uint8_t> other{1, 2, 4};
  EXPECT_FALSE(gcm.open(nonce_of(nonce), other, sealed, out));
  auto next = nonce_of(nonce);
  ++next[11];
  EXPECT_FALSE(gcm.open(next, associated, sealed, out));
  Aes256Gcm another(std::vector<std::uint8_t>(32, 7));
  EXPECT_FALSE(another.open(nonce_of(nonce), associated, sealed, out));
  EXPECT_TRUE(gcm.open(nonce_of(nonce), associated, sealed, out)) << "after failures it works as before";
}

TEST(AeadTest, NothingIsSealedToATagAlone) {
  Aes256Gcm gcm(from_hex(key));
  std::vector<std::uint8_t> sealed(16);
  gcm.seal(nonce_of(nonce), {}, {}, sealed);
  EXPECT_TRUE(gcm.open(nonce_of(nonce), {}, sealed, {}));
  sealed[0] ^= 1;
  EXPECT_FALSE(gcm.open(nonce_of(nonce), {}, sealed, {}));
}

// RFC 5869, appendix A.
TEST(AeadTest, HkdfIsThatOfItsRfc) {
  std::vector<std::uint8_t> secret(22, 0x0b);
  std::vector<std::uint8_t> out(42);
  std::string info;
  for (int i = 0xf0; i <= 0xf9; ++i) {
    info.push_back(static_cast<char>(i));
  }
  hkdf_sha256({.key = secret, .salt = from_hex("000102030405060708090a0b0c"), .info = info}, out);
  EXPECT_EQ(to_hex(out), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf_sha256({.key = secret, .salt = {}, .info = ""}, out);
  EXPECT_EQ(to_hex(out), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

}  // namespace
}  // namespace sallyport::crypto
