#include "identity/claims.h"

#include <gtest/gtest.h>

#include "identity/token_test_issuers.h"

namespace sallyport::identity {
namespace {

using test::at;
using test::good_claims;
using test::good_header;
using test::Members;
using test::now_seconds;
using test::svid_claims;
using test::svid_header;

class TokenClaims : public testing::Test, protected test::TestIssuers {};

TEST_F(TokenClaims, OfAnotherTypeIsRefused) {
  for (const auto& [type, expected] : std::initializer_list<std::pair<std::string, std::string>>{
           {"\"at+jwt\"", "ok"},
           {"\"AT+JWT\"", "ok"},
           {"\"application/at+jwt\"", "ok"},
           {"\"Application/AT+jwt\"", "ok"},
           {"\"JWT\"", "token_type_not_allowed"},
           {"\"jwt\"", "token_type_not_allowed"},
           {"\"\"", "token_type_not_allowed"},
           {"\"dpop+jwt\"", "token_type_not_allowed"},
           {"\"logout+jwt\"", "token_type_not_allowed"},
           {"\"at+jwt \"", "token_type_not_allowed"},
           {"\"text/at+jwt\"", "token_type_not_allowed"},
           {"\"application/application/at+jwt\"", "token_type_not_allowed"},
           {"null", "token_malformed"},
           {"7", "token_malformed"}}) {
    EXPECT_EQ(with_header(good_header.with("typ", type)), expected) << type;
  }
  EXPECT_EQ(with_header(good_header.without("typ")), "token_type_not_allowed");
}

TEST_F(TokenClaims, ThatIsAnIdOrRefreshTokenIsRefusedWhereTypesDontTell) {
  const Members claims = good_claims.with("iss", "\"https://humans.example\"").with("sub", "\"person\"");
  for (const Members& header : {good_header.with("typ", "\"JWT\""), good_header.without("typ")}) {
    EXPECT_EQ(outcome(signed_text(header.text(), claims.text())), "ok");
    EXPECT_EQ(outcome(signed_text(header.text(), claims.with("typ", "\"Bearer\"").text())), "ok");
    for (const auto& [name, value] :
         std::initializer_list<std::pair<std::string, std::string>>{{"nonce", "\"n\""},
                                                                    {"at_hash", "\"h\""},
                                                                    {"c_hash", "\"h\""},
                                                                    {"s_hash", "\"h\""},
                                                                    {"events", "{}"},
                                                                    {"typ", "\"ID\""},
                                                                    {"typ", "\"Refresh\""},
                                                                    {"typ", "\"Offline\""},
                                                                    {"typ", "\"Logout\""},
                                                                    {"token_use", "\"id\""}}) {
      EXPECT_EQ(outcome(signed_text(header.text(), claims.with(name, value).text())), "token_type_not_allowed") << name;
    }
  }
}

TEST_F(TokenClaims, ForAnotherAudienceIsRefused) {
  for (const auto& [audience, expected] :
       std::initializer_list<std::pair<std::string, std::string>>{{"\"gateway\"", "ok"},
                                                                  {"[\"x\",\"gateway\"]", "ok"},
                                                                  {"\"other\"", "token_audience_mismatch"},
                                                                  {"[\"other\"]", "token_audience_mismatch"},
                                                                  {"[]", "token_audience_mismatch"},
                                                                  {"\"\"", "token_audience_mismatch"},
                                                                  {"\"Sallyport\"", "token_audience_mismatch"},
                                                                  {"\"sallyport \"", "token_audience_mismatch"},
                                                                  {"\"sallyport gateway\"", "token_audience_mismatch"},
                                                                  {"null", "token_claim_invalid"},
                                                                  {"true", "token_claim_invalid"},
                                                                  {"{\"sallyport\":1}", "token_claim_invalid"},
                                                                  {"[\"sallyport\",null]", "token_claim_invalid"},
                                                                  {"[[\"sallyport\"]]", "token_claim_invalid"}}) {
    EXPECT_EQ(with_claims(good_claims.with("aud", audience)), expected) << audience;
  }
  EXPECT_EQ(with_claims(good_claims.without("aud")), "token_audience_mismatch");
}

TEST_F(TokenClaims, IsJudgedByItsTimesWithinTheSkew) {
  struct Case {
    std::string name, value, expected;
  };
  // The skew is 30 s and the longest lifetime 3600 s; iat is 10 s ago.
  for (const auto& [name, value, expected] :
       std::initializer_list<Case>{{"exp", at(1), "ok"},
                                   {"exp", at(0), "token_expired"},
                                   {"exp", at(-9), "token_expired"},
                                   {"exp", at(-29) + ".5", "token_expired"},
                                   {"exp", at(-30), "token_expired"},
                                   {"exp", at(-31), "token_expired"},
                                   {"exp", "0", "token_expired"},
                                   {"exp", at(3590), "ok"},
                                   {"exp", at(3591), "token_lifetime_too_long"},
                                   {"exp", at(3590) + ".5", "token_lifetime_too_long"},
                                   {"exp", at(300) + ".75", "ok"},
                                   {"exp", "4000000000", "token_lifetime_too_long"},
                                   {"exp", "8000000001", "token_claim_invalid"},
                                   {"exp", "-1", "token_claim_invalid"},
                                   {"exp", "9223372036854775807", "token_claim_invalid"},
                                   {"exp", "9223372036854775808", "token_claim_invalid"},
                                   {"exp", "18446744073709551616", "token_claim_invalid"},
                                   {"exp", "1e400", "token_claim_invalid"},
                                   {"exp", "-1e400", "token_claim_invalid"},
                                   {"exp", "1e18", "token_claim_invalid"},
                                   {"exp", "\"" + at(300) + "\"", "token_claim_invalid"},
                                   {"exp", "null", "token_claim_invalid"},
                                   {"exp", "true", "token_claim_invalid"},
                                   {"exp", "[" + at(300) + "]", "token_claim_invalid"},
                                   {"nbf", at(0), "ok"},
                                   {"nbf", at(30), "ok"},
                                   {"nbf", at(30) + ".5", "token_not_yet_valid"},
                                   {"nbf", at(31), "token_not_yet_valid"},
                                   {"nbf", at(300), "token_not_yet_valid"},
                                   {"nbf", "\"0\"", "token_claim_invalid"},
                                   {"nbf", "null", "token_claim_invalid"},
                                   {"iat", at(30), "ok"},
                                   {"iat", at(31), "token_not_yet_valid"},
                                   {"iat", "-5", "token_claim_invalid"},
                                   {"iat", "0", "token_lifetime_too_long"},
                                   {"iat", "1e400", "token_claim_invalid"},
                                   {"iat", "\"x\"", "token_claim_invalid"}}) {
    EXPECT_EQ(with_claims(good_claims.with(name, value)), expected) << name << " " << value;
  }
  EXPECT_EQ(with_claims(good_claims.without("exp")), "token_claim_invalid");
  EXPECT_EQ(with_claims(good_claims.without("iat")), "token_claim_invalid");
}

TEST_F(TokenClaims, ExpiryOfThePrincipalHasNoSkewInIt) {
  const auto principal = verify(signed_text(good_header.text(), good_claims.with("exp", at(5)).text()));
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->expires_at, wall_from_unix_seconds(now_seconds + 5));
}

TEST_F(TokenClaims, OfAHumanIsRefusedWhereAMachinesIsDue) {
  const Members human = good_claims.with("sub", "\"person\"");
  EXPECT_EQ(with_claims(human), "token_subject_not_machine");
  EXPECT_EQ(with_claims(human.without("client_id")), "token_subject_not_machine");
  EXPECT_EQ(with_claims(human.with("gty", "\"password\"").with("idtyp", "\"user\"")), "token_subject_not_machine");
  EXPECT_EQ(with_claims(human.with("azp", "\"person\"")), "ok");
  EXPECT_EQ(with_claims(human.with("idtyp", "\"app\"")), "ok");
  EXPECT_EQ(with_claims(human.with("gty", "\"client-credentials\"")), "ok");
  EXPECT_EQ(with_claims(human.with("idtyp", "[\"app\"]")), "token_subject_not_machine");
}

TEST_F(TokenClaims, WithClaimsOfAWrongFormIsRefused) {
  for (const auto& [name, value] :
       std::initializer_list<std::pair<std::string, std::string>>{{"sub", "\"\""},
                                                                  {"sub", "null"},
                                                                  {"sub", "7"},
                                                                  {"jti", "7"},
                                                                  {"client_id", "[\"agent\"]"},
                                                                  {"azp", "{}"},
                                                                  {"cnf", R"({"jkt":"AAAA"})"},
                                                                  {"cnf", R"({"x5t#S256":"AAAA"})"}}) {
    EXPECT_EQ(with_claims(good_claims.with(name, value)), "token_claim_invalid") << name << value;
  }
  EXPECT_EQ(with_claims(good_claims.without("sub")), "token_claim_invalid");
}

TEST_F(TokenClaims, ThatIsASpiffeSvidYieldsTheWorkload) {
  const auto principal = verify(signed_text(svid_header.text(), svid_claims.text()));
  ASSERT_TRUE(principal) << principal.error().detail;
  EXPECT_EQ(principal->issuer_name, "mesh");
  EXPECT_EQ(principal->subject, "spiffe://prod.example/ns/a/sa/b");
  EXPECT_EQ(principal->issued_at, std::nullopt);
  for (const auto& [type, expected] : std::initializer_list<std::pair<std::string, std::string>>{
           {"\"JWT\"", "ok"}, {"\"JOSE\"", "ok"}, {"\"jwt\"", "ok"}, {"\"at+jwt\"", "token_type_not_allowed"}}) {
    EXPECT_EQ(outcome(signed_text(svid_header.with("typ", type).text(), svid_claims.text())), expected) << type;
  }
}

TEST_F(TokenClaims, ThatIsASpiffeSvidMustBeOfTheTrustDomainForUsAndShortLived) {
  struct Case {
    std::string name, value, expected;
  };
  for (const auto& [name, value, expected] :
       std::initializer_list<Case>{{"iss", "\"https://spire.example\"", "ok"},
                                   {"sub", "\"spiffe://other.example/a\"", "token_issuer_unknown"},
                                   {"sub", "\"spiffe://prod.example.evil/a\"", "token_issuer_unknown"},
                                   {"sub", "\"spiffe://prod.example\"", "token_claim_invalid"},
                                   {"sub", "\"spiffe://prod.example/\"", "token_issuer_unknown"},
                                   {"sub", "\"spiffe://prod.example/a/../b\"", "token_issuer_unknown"},
                                   {"sub", "\"agent\"", "token_issuer_unknown"},
                                   {"aud", "\"other\"", "token_audience_mismatch"},
                                   {"exp", at(3600), "ok"},
                                   {"exp", at(3601), "token_lifetime_too_long"},
                                   {"exp", at(-31), "token_expired"},
                                   {"iat", at(-3000), "ok"},
                                   {"iat", at(-3600), "token_lifetime_too_long"},
                                   {"iat", at(60), "token_not_yet_valid"}}) {
    EXPECT_EQ(with_svid_claims(svid_claims.with(name, value)), expected) << name << " " << value;
  }
  EXPECT_EQ(with_svid_claims(svid_claims.without("aud")), "token_audience_mismatch");
  EXPECT_EQ(with_svid_claims(svid_claims.without("exp")), "token_claim_invalid");
  EXPECT_EQ(with_svid_claims(svid_claims.without("sub")), "token_issuer_unknown");
}

}  // namespace
}  // namespace sallyport::identity
