#include "identity/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/token_test_support.h"

namespace sallyport::identity {
namespace {

using crypto::JwsAlgorithm;
using crypto::KeyType;
using test::jwk;
using test::jwks;
using test::new_key;

TEST(KeySet, FindsAKeyByItsNameAndAlgorithm) {
  const auto set = KeySet::parse(
      jwks({jwk(new_key(KeyType::ec_p256), R"(,"kid":"a","use":"sig","key_ops":["verify"])"),
            jwk(new_key(KeyType::rsa), R"(,"kid":"b")"), jwk(new_key(KeyType::rsa), R"(,"kid":"c","alg":"PS256")"),
            jwk(new_key(KeyType::ed25519), R"(,"kid":"a")")}));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->size(), 4U);
  EXPECT_THAT(set->notes(), testing::IsEmpty());
  EXPECT_EQ(set->find("a", JwsAlgorithm::es256)->key.type(), KeyType::ec_p256);
  EXPECT_EQ(set->find("a", JwsAlgorithm::eddsa)->key.type(), KeyType::ed25519);
  EXPECT_EQ(set->find("a", JwsAlgorithm::es384), nullptr);
  EXPECT_EQ(set->find("a", JwsAlgorithm::rs256), nullptr);
  EXPECT_NE(set->find("b", JwsAlgorithm::rs256), nullptr);
  EXPECT_NE(set->find("c", JwsAlgorithm::ps256), nullptr);
  EXPECT_EQ(set->find("c", JwsAlgorithm::rs256), nullptr);
  EXPECT_EQ(set->find("A", JwsAlgorithm::es256), nullptr);
  EXPECT_EQ(set->find("", JwsAlgorithm::es256), nullptr);
}

TEST(KeySet, WithoutANameFindsOnlyTheSingleKeyThatFits) {
  const auto set = KeySet::parse(jwks({jwk(new_key(KeyType::ec_p256), R"(,"kid":"a")"), jwk(new_key(KeyType::rsa)),
                                       jwk(new_key(KeyType::ed25519)), jwk(new_key(KeyType::ed25519))}));
  ASSERT_TRUE(set);
  EXPECT_NE(set->find(std::nullopt, JwsAlgorithm::es256), nullptr);
  EXPECT_NE(set->find(std::nullopt, JwsAlgorithm::ps384), nullptr);
  EXPECT_EQ(set->find(std::nullopt, JwsAlgorithm::eddsa), nullptr);
}

TEST(KeySet, LeavesOutWhatCantVerifySignatures) {
  const auto small = crypto::PrivateKey::generate_rsa(1024);
  const crypto::PrivateKey key = new_key(KeyType::ec_p256);
  for (const auto& [bad, note] : std::initializer_list<std::pair<std::string, std::string>>{
           {jwk(key, R"(,"kid":"x","use":"enc")"), "Key 1 (kid x) is left out: its use is not sig."},
           {jwk(key, R"(,"use":7)"), "use"},
           {jwk(key, R"(,"key_ops":["sign"])"), "key_ops"},
           {jwk(key, R"(,"key_ops":"verify")"), "key_ops"},
           {jwk(key, R"(,"alg":"RS256")"), "alg"},
           {jwk(key, R"(,"alg":"ES384")"), "alg"},
           {jwk(key, R"(,"alg":"HS256")"), "alg"},
           {jwk(key, R"(,"alg":"none")"), "alg"},
           {jwk(key, R"(,"alg":"")"), "alg"},
           {jwk(key, R"(,"alg":null)"), "string"},
           {jwk(key, R"(,"kid":5)"), "string"},
           {jwk(key, R"(,"kid":"good")"), "same kid"},
           {jwk(key, R"(,"d":"AAAA")"), "private"},
           {jwk(*small), "shorter than 2048 bits"},
           {R"({"kty":"oct","k":"c2VjcmV0","kid":"h","alg":"HS256"})", "shared"},
           {R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})", "not supported"},
           {R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})", "malformed"},
           {R"({"kid":"\u001b[31m"})", "kid ?[31m"},
           {"{}", "malformed"},
           {"\"key\"", "not an object"},
           {"null", "not an object"}}) {
    const auto set = KeySet::parse(jwks({jwk(new_key(KeyType::ec_p256), R"(,"kid":"good")"), bad}));
    ASSERT_TRUE(set) << bad;
    EXPECT_EQ(set->size(), 1U) << bad;
    EXPECT_THAT(set->notes(), testing::ElementsAre(testing::HasSubstr(note))) << bad;
    const bool by_itself = KeySet::parse(jwks({bad})).has_value();
    EXPECT_EQ(by_itself, note == "same kid") << bad;
  }
}

TEST(KeySet, IsBounded) {
  EXPECT_EQ(KeySet::parse(std::string(jwks_bytes_max + 1, ' ')).error(), KeySetError::too_large);
  EXPECT_EQ(KeySet::parse(jwks(std::vector<std::string>(101, "{}"))).error(), KeySetError::too_many_keys);
  EXPECT_EQ(KeySet::parse(jwks(std::vector<std::string>(100, "{}"))).error(), KeySetError::no_usable_key);
}

TEST(KeySet, RefusesWhatIsNoKeySet) {
  const std::string key = jwk(new_key(KeyType::ec_p256));
  for (const std::string& text : {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"keys":{}})"),
                                  std::string("<html>"), R"({"keys":[],"keys":[)" + key + "]}", "[" + key + "]"}) {
    EXPECT_EQ(KeySet::parse(text).error(), KeySetError::malformed) << text;
  }
  EXPECT_EQ(KeySet::parse(R"({"keys":[]})").error(), KeySetError::no_usable_key);
}

TEST(Printable, CutsShortAndHidesWhatIsNotPrintable) {
  EXPECT_EQ(printable("kid-1"), "kid-1");
  EXPECT_EQ(printable("a\nb\x1b\xff"), "a?b??");
  EXPECT_EQ(printable(std::string(100, 'x')), std::string(64, 'x'));
}

}  // namespace
}  // namespace sallyport::identity
