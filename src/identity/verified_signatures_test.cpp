#include "identity/verified_signatures.h"

#include <gtest/gtest.h>

#include "identity/token_test_issuers.h"

namespace sallyport::identity {
namespace {

using crypto::JwsAlgorithm;
using crypto::KeyType;
using test::good_claims;
using test::good_header;
using test::jwk;
using test::jwks;
using test::now;

crypto::Sha256Digest digest_with(std::uint8_t first) {
  crypto::Sha256Digest digest{};
  digest.fill(1);
  digest[0] = first;
  return digest;
}

TEST(VerifiedSignatures, KeepWhatWasAddedAndNothingElse) {
  VerifiedSignatures verified;
  verified.keep_at_most(16);
  EXPECT_FALSE(verified.contains(digest_with(1)));
  verified.add(digest_with(1));
  EXPECT_TRUE(verified.contains(digest_with(1)));
  for (std::uint8_t other = 2; other < 40; ++other) {
    EXPECT_FALSE(verified.contains(digest_with(other)));
  }
}

TEST(VerifiedSignatures, AreNoMoreThanThereIsRoomFor) {
  VerifiedSignatures verified;
  verified.keep_at_most(8);
  for (std::uint8_t i = 0; i < 200; ++i) {
    verified.add(digest_with(i));
  }
  int kept = 0;
  for (std::uint8_t i = 0; i < 200; ++i) {
    kept += verified.contains(digest_with(i)) ? 1 : 0;
  }
  EXPECT_EQ(kept, 8);
}

TEST(VerifiedSignatures, AreNotKeptWithoutRoom) {
  VerifiedSignatures verified;
  EXPECT_FALSE(verified.keep_any());
  verified.add(digest_with(1));
  EXPECT_FALSE(verified.contains(digest_with(1)));
  verified.keep_at_most(4);
  verified.add(digest_with(1));
  verified.keep_at_most(0);
  EXPECT_FALSE(verified.contains(digest_with(1)));
}

TEST(VerifiedSignatures, DifferByKeyAndAlgorithmAndEachByteOfTheToken) {
  auto digest = [](const crypto::PrivateKey& key, JwsAlgorithm algorithm, std::string_view token) {
    auto set = KeySet::parse(jwks({jwk(key)}));
    return VerifiedSignatures::digest_of(set->find(std::nullopt, algorithm)->key, algorithm, token);
  };
  const auto one = digest(test::rsa_key(), JwsAlgorithm::rs256, "a.b.c");
  EXPECT_EQ(digest(test::rsa_key(), JwsAlgorithm::rs256, "a.b.c"), one);
  EXPECT_NE(digest(test::rsa_key(), JwsAlgorithm::ps256, "a.b.c"), one);
  EXPECT_NE(digest(test::new_key(KeyType::rsa), JwsAlgorithm::rs256, "a.b.c"), one);
  EXPECT_NE(digest(test::rsa_key(), JwsAlgorithm::rs256, "a.b.d"), one);
  EXPECT_NE(digest(test::rsa_key(), JwsAlgorithm::rs256, "a.b.c="), one);
}

// A token whose signature is known as valid; whatever else has changed still counts.
class KnownToken : public testing::Test, protected test::TestIssuers {
 protected:
  KnownToken() {
    verified_.keep_at_most(64);
    EXPECT_EQ(outcome(token_), "ok");
    EXPECT_EQ(outcome(token_), "ok");
  }
  std::string outcome(std::string_view token, WallTime when = now) {
    const auto principal = verify_token(token, {settings_, keys_}, {.now = when, .verified = &verified_});
    return std::string(principal ? "ok" : reason_code(principal.error().error));
  }
  void publish(const std::vector<std::string>& keys) {
    auto set = KeySet::parse(jwks(keys));
    ASSERT_TRUE(set);
    keys_[0] = std::make_shared<const KeySet>(std::move(*set));
  }

  VerifiedSignatures verified_;
  std::string token_ = signed_text(good_header.text(), good_claims.text());
};

TEST_F(KnownToken, YieldsThePrincipalThatItYieldedAtFirst) {
  const auto again = verify_token(token_, {settings_, keys_}, {.now = now, .verified = &verified_});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->subject, "agent");
  EXPECT_EQ(again->key_id, "ec");
  EXPECT_EQ(again->expires_at, verify(token_)->expires_at);
}

TEST_F(KnownToken, IsRefusedOnceItsKeyIsNoLongerPublished) {
  publish({jwk(test::rsa_key(), R"(,"kid":"rsa")")});
  EXPECT_EQ(outcome(token_), "token_key_unknown");
}

TEST_F(KnownToken, IsRefusedOnceAnotherKeyHasItsKeysName) {
  publish({jwk(test::new_key(KeyType::ec_p256), R"(,"kid":"ec")")});
  EXPECT_EQ(outcome(token_), "token_signature_invalid");
  EXPECT_EQ(outcome(token_), "token_signature_invalid");
}

TEST_F(KnownToken, IsRefusedWhileTheIssuersKeysAreUnavailable) {
  keys_[0] = nullptr;
  EXPECT_EQ(outcome(token_), "issuer_keys_unavailable");
}

TEST_F(KnownToken, IsAcceptedWhenTheSameKeyIsPublishedAnew) {
  publish({jwk(test::ec_key(), R"(,"kid":"ec","use":"sig")")});
  EXPECT_EQ(outcome(token_), "ok");
}

TEST_F(KnownToken, IsRefusedOnceItHasExpired) {
  EXPECT_EQ(outcome(token_, now + std::chrono::hours{2}), "token_expired");
}

TEST_F(KnownToken, IsRefusedBeforeItsTime) {
  EXPECT_EQ(outcome(token_, now - std::chrono::hours{2}), "token_not_yet_valid");
}

TEST_F(KnownToken, IsRefusedOnceItsIssuerIsConfiguredOtherwise) {
  const std::vector<IssuerSettings> before = settings_;
  settings_[0].audiences = {"elsewhere"};
  EXPECT_EQ(outcome(token_), "token_audience_mismatch");
  settings_ = before;
  settings_[0].algorithms = {JwsAlgorithm::rs256};
  EXPECT_EQ(outcome(token_), "token_algorithm_not_allowed");
  settings_ = before;
  settings_[0].token_types = {"JWT"};
  EXPECT_EQ(outcome(token_), "token_type_not_allowed");
  settings_ = before;
  settings_[0].issuer = "https://idp.elsewhere.example";
  EXPECT_EQ(outcome(token_), "token_issuer_unknown");
}

TEST_F(KnownToken, LendsItsSignatureToNoOther) {
  for (std::size_t at = token_.find('.') + 1; at < token_.size(); at += 7) {
    std::string changed = token_;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_NE(outcome(changed), "ok") << at;
  }
}

TEST_F(KnownToken, WhoseSignatureIsInvalidIsNeverRemembered) {
  const std::string forged =
      test::sign(test::new_key(KeyType::ec_p256), JwsAlgorithm::es256, good_header.text(), good_claims.text());
  EXPECT_EQ(outcome(forged), "token_signature_invalid");
  EXPECT_EQ(outcome(forged), "token_signature_invalid");
}

}  // namespace
}  // namespace sallyport::identity
