#include "identity/dev_issuer.h"

#include <gtest/gtest.h>

#include "identity/token_test_support.h"

namespace sallyport::identity {
namespace {

IssuerSettings settings() {
  IssuerSettings made;
  made.name = "dev";
  made.issuer = dev_issuer_url;
  made.audiences = {std::string(dev_audience)};
  made.algorithms = {crypto::JwsAlgorithm::es256};
  made.token_types = {"at+jwt"};
  return made;
}

Result<Principal, Refusal> verify(const DevIssuer& issuer, const Secret& token) {
  auto set = KeySet::parse(issuer.jwks());
  SALLYPORT_CHECK(set.has_value());
  const KeySets keys{std::make_shared<const KeySet>(std::move(*set))};
  const std::vector<IssuerSettings> issuers{settings()};
  return verify_token(token.reveal(), {issuers, keys}, {.now = test::now});
}

DevToken token_for(Bytes random) {
  return {.account = "reporter", .groups = {"reporters", "all"}, .now = test::now, .random = random};
}

TEST(DevIssuer, MintsTokensThatVerify) {
  const auto issuer = DevIssuer::create();
  ASSERT_TRUE(issuer);
  const std::vector<std::uint8_t> random(16, 1);
  const auto token = issuer->mint(token_for(random));
  ASSERT_TRUE(token);
  const auto principal = verify(*issuer, *token);
  ASSERT_TRUE(principal) << principal.error().detail;
  EXPECT_EQ(principal->subject, "reporter");
  EXPECT_EQ(principal->client_id, "reporter");
  EXPECT_EQ(principal->token_id, "AQEBAQEBAQEBAQEBAQEBAQ");
  EXPECT_EQ(principal->expires_at, test::now + Seconds(300));
  EXPECT_EQ(to_json(*principal->claims.find("groups")), R"(["reporters","all"])");
}

TEST(DevIssuer, TakesFurtherClaimsAsJsonOrAsText) {
  const auto issuer = DevIssuer::create();
  const std::vector<std::uint8_t> random(16, 1);
  DevToken wanted = token_for(random);
  wanted.claims = {{"env", "prod"}, {"level", "7"}, {"list", R"(["a"])"}, {"text", "\"7\""}, {"groups", "[]"}};
  const auto principal = verify(*issuer, *issuer->mint(wanted));
  ASSERT_TRUE(principal);
  for (const auto& [name, json] : std::initializer_list<std::pair<std::string, std::string>>{
           {"env", "\"prod\""}, {"level", "7"}, {"list", "[\"a\"]"}, {"text", "\"7\""}, {"groups", "[]"}}) {
    EXPECT_EQ(to_json(*principal->claims.find(name)), json);
  }
}

TEST(DevIssuer, MintsTokensToBeRefusedToo) {
  const auto issuer = DevIssuer::create();
  const std::vector<std::uint8_t> random(16, 1);
  DevToken expired = token_for(random);
  expired.ttl = Seconds(-60);
  EXPECT_EQ(verify(*issuer, *issuer->mint(expired)).error().error, TokenError::expired);
  DevToken misled = token_for(random);
  misled.claims = {{"aud", "other"}};
  EXPECT_EQ(verify(*issuer, *issuer->mint(misled)).error().error, TokenError::audience_mismatch);
}

TEST(DevIssuer, ComesBackFromItsKeyFile) {
  const auto issuer = DevIssuer::create();
  const auto again = DevIssuer::from_pem(issuer->key_pem().reveal());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->jwks(), issuer->jwks());
  const std::vector<std::uint8_t> random(16, 1);
  EXPECT_TRUE(verify(*issuer, *again->mint(token_for(random))));
  EXPECT_FALSE(verify(*DevIssuer::create(), *again->mint(token_for(random))));
}

TEST(DevIssuer, RefusesAKeyFileThatIsNoneOrOfAnotherType) {
  EXPECT_EQ(DevIssuer::from_pem("nothing").error(), crypto::KeyError::malformed);
  const crypto::PrivateKey other = test::new_key(crypto::KeyType::ed25519);
  EXPECT_EQ(DevIssuer::from_pem(other.to_pem().reveal()).error(), crypto::KeyError::unsupported);
}

TEST(DevIssuer, ItsJwksHoldsNoPrivateMember) {
  EXPECT_EQ(DevIssuer::create()->jwks().find("\"d\""), std::string::npos);
}

}  // namespace
}  // namespace sallyport::identity
