#include "crypto/mariadb_ed25519.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/key.h"
#include "crypto/random.h"

namespace sallyport::crypto {
namespace {

TEST(MariadbEd25519, OfAPasswordOf32BytesIsOrdinaryEd25519) {
  for (int i = 0; i < 50; ++i) {
    std::vector<std::uint8_t> password(32);
    std::vector<std::uint8_t> nonce(mariadb_ed25519_nonce_bytes);
    random_bytes(password);
    random_bytes(nonce);
    const auto key = PrivateKey::ed25519_from_seed(password);
    ASSERT_TRUE(key);
    const auto expected = key->sign(JwsAlgorithm::eddsa, nonce);
    ASSERT_TRUE(expected);
    const auto signature = mariadb_ed25519_sign(text_of(password), nonce);
    EXPECT_EQ(std::vector<std::uint8_t>(signature.begin(), signature.end()), *expected);
  }
}

TEST(MariadbEd25519, TakesPasswordsOfAnyLength) {
  const std::vector<std::uint8_t> nonce(mariadb_ed25519_nonce_bytes, 7);
  const auto empty = mariadb_ed25519_sign("", nonce);
  EXPECT_NE(empty, mariadb_ed25519_sign("secret", nonce));
  EXPECT_EQ(mariadb_ed25519_sign("secret", nonce), mariadb_ed25519_sign("secret", nonce));
  EXPECT_NE(mariadb_ed25519_sign(std::string(1000, 'p'), nonce), empty);
}

TEST(MariadbEd25519DeathTest, NeedsANonceOf32Bytes) {
  EXPECT_DEATH(mariadb_ed25519_sign("secret", bytes_of("short")), "check failed");
}

}  // namespace
}  // namespace sallyport::crypto
