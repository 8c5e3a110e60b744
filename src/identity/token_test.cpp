#include "identity/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "crypto/hash.h"
#include "identity/token_test_issuers.h"

namespace sallyport::identity {
namespace {

using crypto::JwsAlgorithm;
using crypto::KeyType;
using test::at;
using test::encode;
using test::good_claims;
using test::good_header;
using test::jwk;
using test::jwks;
using test::Members;
using test::now;
using test::now_seconds;

class Token : public testing::Test, protected test::TestIssuers {};

TEST_F(Token, ThatIsGoodYieldsItsPrincipal) {
  const auto principal = verify(signed_text(good_header.text(), good_claims.with("groups", R"(["a"])").text()));
  ASSERT_TRUE(principal) << principal.error().detail;
  EXPECT_EQ(principal->issuer_name, "main");
  EXPECT_EQ(principal->issuer, "https://idp.example");
  EXPECT_EQ(principal->subject, "agent");
  EXPECT_EQ(principal->token_id, "t-1");
  EXPECT_EQ(principal->client_id, "agent");
  EXPECT_EQ(principal->issued_at, wall_from_unix_seconds(now_seconds - 10));
  EXPECT_EQ(principal->expires_at, wall_from_unix_seconds(now_seconds + 300));
  EXPECT_EQ(principal->key_id, "ec");
  EXPECT_EQ(principal->algorithm, JwsAlgorithm::es256);
  EXPECT_EQ(to_json(*principal->claims.find("groups")), R"(["a"])");
}

TEST_F(Token, IsAcceptedWithEachAlgorithmThatIsAllowed) {
  for (const auto& [key, algorithm, id] : {std::tuple{&test::ec_key(), JwsAlgorithm::es256, "\"ec\""},
                                           {&test::rsa_key(), JwsAlgorithm::rs256, "\"rsa\""},
                                           {&test::rsa_key(), JwsAlgorithm::ps256, "\"rsa\""},
                                           {&test::ed_key(), JwsAlgorithm::eddsa, "\"ed\""}}) {
    const Members header = good_header.with("alg", "\"" + std::string(name_of(algorithm)) + "\"").with("kid", id);
    EXPECT_EQ(outcome(test::sign(*key, algorithm, header.text(), good_claims.text())), "ok") << name_of(algorithm);
  }
}

TEST_F(Token, UnsecuredIsRefusedHoweverNoneIsWritten) {
  for (const char* const none : {"\"none\"", "\"None\"", "\"NONE\"", "\"nOnE\"", "\"\"", "\"none\\u0000\""}) {
    const std::string input = encode(good_header.with("alg", none).text()) + "." + encode(good_claims.text());
    EXPECT_EQ(outcome(input + "."), "token_algorithm_not_allowed") << none;
    EXPECT_EQ(outcome(input + ".AAAA"), "token_algorithm_not_allowed") << none;
  }
  EXPECT_EQ(with_header(good_header.without("alg")), "token_malformed");
  EXPECT_EQ(with_header(good_header.with("alg", "null")), "token_malformed");
  EXPECT_EQ(with_header(good_header.with("alg", "[\"ES256\"]")), "token_malformed");
}

TEST_F(Token, SignedWithHmacOverThePublicKeyIsRefused) {
  const std::string pem = test::rsa_key().public_pem();
  for (const char* const name : {"HS256", "HS384", "HS512"}) {
    const std::string input =
        encode(good_header.with("alg", "\"" + std::string(name) + "\"").with("kid", "\"rsa\"").text()) + "." +
        encode(good_claims.text());
    // HMAC with the PEM as its key (RFC 2104), the classic confusion; longer than a block, so hashed first.
    std::array<std::uint8_t, 64> inner{};
    std::array<std::uint8_t, 64> outer{};
    const auto key = crypto::sha256({bytes_of(pem)});
    std::copy(key.begin(), key.end(), inner.begin());
    outer = inner;
    for (std::size_t i = 0; i < inner.size(); ++i) {
      inner[i] ^= 0x36;
      outer[i] ^= 0x5c;
    }
    const auto mac = crypto::sha256({outer, crypto::sha256({inner, bytes_of(input)})});
    EXPECT_EQ(outcome(input + "." + crypto::base64url_encode(mac)), "token_algorithm_not_allowed") << name;
  }
}

TEST_F(Token, OfAnAlgorithmThatTheIssuerDoesNotAllowIsRefused) {
  const Members header = good_header.with("alg", "\"ES384\"").with("kid", "\"p384\"");
  EXPECT_EQ(outcome(test::sign(test::p384_key(), JwsAlgorithm::es384, header.text(), good_claims.text())),
            "token_algorithm_not_allowed");
  EXPECT_EQ(outcome(test::sign(test::rsa_key(), JwsAlgorithm::rs512,
                               good_header.with("alg", "\"RS512\"").with("kid", "\"rsa\"").text(), good_claims.text())),
            "token_algorithm_not_allowed");
  EXPECT_EQ(with_header(good_header.with("alg", "\"es256\"")), "token_algorithm_not_allowed");
}

TEST_F(Token, WhoseKeyIsOfAnotherTypeOrCurveIsRefused) {
  EXPECT_EQ(with_header(good_header.with("kid", "\"p384\"")), "token_key_unknown");
  EXPECT_EQ(with_header(good_header.with("kid", "\"rsa\"")), "token_key_unknown");
  EXPECT_EQ(with_header(good_header.with("alg", "\"RS256\"")), "token_key_unknown");
}

TEST_F(Token, WithAPsychicSignatureIsRefused) {
  const std::string input = encode(good_header.text()) + "." + encode(good_claims.text()) + ".";
  EXPECT_EQ(outcome(input + crypto::base64url_encode(std::vector<std::uint8_t>(64))), "token_signature_invalid");
  EXPECT_EQ(outcome(input + crypto::base64url_encode(std::vector<std::uint8_t>(63))), "token_signature_invalid");
  EXPECT_EQ(outcome(input + "MAYCAQACAQA"), "token_signature_invalid");
}

TEST_F(Token, ChangedAfterSigningIsRefused) {
  const std::string token = signed_text(good_header.text(), good_claims.text());
  const std::string claims = token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1);
  const std::string other = encode(good_claims.with("sub", "\"root\"").with("client_id", "\"root\"").text());
  std::string changed = token;
  changed.replace(token.find('.') + 1, claims.size(), other);
  EXPECT_EQ(outcome(changed), "token_signature_invalid");
  const crypto::PrivateKey foreign = test::new_key(KeyType::ec_p256);
  EXPECT_EQ(outcome(test::sign(foreign, JwsAlgorithm::es256, good_header.text(), good_claims.text())),
            "token_signature_invalid");
}

TEST_F(Token, HasNoSecondSpellingThatIsAcceptedToo) {
  const std::string token = signed_text(good_header.text(), good_claims.text());
  ASSERT_EQ(outcome(token), "ok");
  for (const std::string& other :
       {token + "=", token + "==", token + "\n", " " + token, token + ".", "." + token, token + "AA", "Bearer " + token,
        token.substr(0, token.find('.')) + "=" + token.substr(token.find('.'))}) {
    EXPECT_NE(outcome(other), "ok") << other;
  }
  // The last character of a signature of 64 bytes carries four bits that say nothing.
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  int accepted = 0;
  for (const char last : alphabet) {
    std::string other = token;
    other.back() = last;
    accepted += outcome(other) == "ok" ? 1 : 0;
  }
  EXPECT_EQ(accepted, 1);
}

TEST_F(Token, ThatIsNoCompactJwsIsMalformed) {
  const std::string header = encode(good_header.text());
  const std::string token = signed_text(good_header.text(), good_claims.text());
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."), std::string("a.b"),
        std::string("a.b.c"), header + "..AAAA", header + ".", "." + header + ".AAAA", header + ".AAAA.AAAA",
        header + "." + encode("[]") + ".AAAA", header + "." + encode("\"x\"") + ".AAAA",
        encode("[]") + "." + encode("{}") + ".AAAA", header + "." + encode("{} x") + ".AAAA",
        // JWE has five parts; the JSON serialisation none.
        header + ".a.b.c.d", std::string(R"({"payload":"e30","protected":"e30","signature":"AAAA"})"),
        std::string("password"), std::string("\0\0\0", 3), token.substr(0, token.rfind('.') + 1),
        token.substr(0, token.rfind('.'))}) {
    EXPECT_EQ(outcome(text), "token_malformed") << text;
  }
}

TEST_F(Token, NestedInAnotherIsRefused) {
  const std::string inner = signed_text(good_header.text(), good_claims.text());
  EXPECT_EQ(outcome(signed_text(good_header.text(), inner)), "token_malformed");
  EXPECT_EQ(outcome(signed_text(good_header.with("cty", "\"JWT\"").text(), inner)), "token_header_not_allowed");
  EXPECT_EQ(outcome(signed_text(good_header.text(), "\"" + inner + "\"")), "token_malformed");
}

TEST_F(Token, ThatBringsItsOwnKeyOrSemanticsIsRefused) {
  const crypto::PrivateKey own = test::new_key(KeyType::ec_p256);
  for (const auto& [name, value] :
       std::initializer_list<std::pair<std::string, std::string>>{{"jku", "\"https://evil.example/jwks\""},
                                                                  {"x5u", "\"https://evil.example/c\""},
                                                                  {"jwk", jwk(own)},
                                                                  {"x5c", "[\"AAAA\"]"},
                                                                  {"crit", "[\"exp\"]"},
                                                                  {"crit", "[]"},
                                                                  {"b64", "false"},
                                                                  {"cty", "\"JWT\""},
                                                                  {"enc", "\"A128GCM\""},
                                                                  {"zip", "\"DEF\""},
                                                                  {"jku", "null"}}) {
    const Members header = good_header.with(name, value);
    EXPECT_EQ(with_header(header), "token_header_not_allowed") << name;
    EXPECT_EQ(outcome(test::sign(own, JwsAlgorithm::es256, header.text(), good_claims.text())),
              "token_header_not_allowed")
        << name;
  }
  EXPECT_EQ(with_header(good_header.with("x5t", "\"AAAA\"")), "ok");
}

TEST_F(Token, WithADuplicateMemberIsMalformedHoweverItIsEscaped) {
  const std::string header = good_header.text();
  const std::string claims = good_claims.text();
  const auto more = [](std::string text, const std::string& member) { return text.insert(1, member + ","); };
  for (const auto& [h, c] : std::initializer_list<std::pair<std::string, std::string>>{
           {more(header, R"("alg":"none")"), claims},
           {more(header, R"("\u0061lg":"none")"), claims},
           {header, more(claims, R"("sub":"root")")},
           {header, more(claims, R"("s\u0075b":"root")")},
           {header, more(claims, R"("e\u0078p":1)")},
           {header, more(claims, R"("x":{"y":[{"z":1,"\u007a":2}]})")}}) {
    EXPECT_EQ(outcome(signed_text(h, c)), "token_malformed") << h << c;
  }
}

TEST_F(Token, WithBrokenJsonIsMalformed) {
  for (const std::string& payload :
       {std::string("{"), std::string("{}{}"), std::string("{\"sub\":\"\xff\"}"), std::string("{\"sub\":\"\\ud800\"}"),
        good_claims.text() + std::string(1, 0), good_claims.with("exp", "NaN").text(),
        good_claims.with("exp", "Infinity").text(), good_claims.with("exp", "0x7fffffff").text(),
        good_claims.with("x", std::string(16, '[') + std::string(16, ']')).text()}) {
    EXPECT_EQ(outcome(signed_text(good_header.text(), payload)), "token_malformed") << payload;
  }
  EXPECT_EQ(with_claims(good_claims.with("x", std::string(15, '[') + std::string(15, ']'))), "ok");
}

TEST_F(Token, LargerThanTheLimitIsRefusedUnread) {
  const std::string token =
      signed_text(good_header.text(), good_claims.with("x", "\"" + std::string(9000, 'x') + "\"").text());
  EXPECT_EQ(outcome(token), "ok");
  const TrustedIssuers issuers{settings_, keys_};
  EXPECT_EQ(verify_token(token, issuers, {.now = now, .token_bytes_max = token.size() - 1}).error().error,
            TokenError::too_large);
  EXPECT_TRUE(verify_token(token, issuers, {.now = now, .token_bytes_max = token.size()}));
  EXPECT_EQ(outcome(std::string(50U << 20, 'A')), "token_too_large");
  EXPECT_EQ(outcome(std::string(16384, '.')), "token_malformed");
}

TEST_F(Token, OfAnUnknownIssuerIsRefused) {
  for (const char* const issuer :
       {"\"https://evil.example\"", "\"https://idp.example/\"", "\"HTTPS://idp.example\"", "\"\"",
        "\"https://idp.example\\u0000\"", "null", "[\"https://idp.example\"]", "\"spiffe://prod.example\""}) {
    EXPECT_EQ(with_claims(good_claims.with("iss", issuer)), "token_issuer_unknown") << issuer;
  }
  EXPECT_EQ(with_claims(good_claims.without("iss")), "token_issuer_unknown");
}

TEST_F(Token, SignedByOneIssuerInTheNameOfAnotherIsRefused) {
  const crypto::PrivateKey other = test::new_key(KeyType::ec_p256);
  keys_[2] = std::make_shared<const KeySet>(*KeySet::parse(jwks({jwk(other, R"(,"kid":"ec")")})));
  EXPECT_EQ(outcome(test::sign(other, JwsAlgorithm::es256, good_header.text(), good_claims.text())),
            "token_signature_invalid");
}

TEST_F(Token, OfAnUnknownKeySaysWhichIssuersKeysToFetch) {
  for (const char* const id :
       {"\"new\"", "\"\"", "\"../../etc/passwd\"", "\"ec' OR '1'='1\"", "\"https://evil.example\""}) {
    const auto refused = verify(signed_text(good_header.with("kid", id).text(), good_claims.text()));
    ASSERT_FALSE(refused) << id;
    EXPECT_EQ(refused.error().error, TokenError::key_unknown) << id;
    EXPECT_EQ(refused.error().issuer, 0U);
  }
  const auto down = verify(signed_text(good_header.text(), good_claims.with("iss", "\"https://down.example\"").text()));
  EXPECT_EQ(down.error().error, TokenError::issuer_keys_unavailable);
  EXPECT_EQ(down.error().issuer, 3U);
}

TEST_F(Token, WithoutAKeyNameIsVerifiedWithTheOnlyKeyThatFits) {
  EXPECT_EQ(with_header(good_header.without("kid")), "ok");
  const crypto::PrivateKey second = test::new_key(KeyType::ec_p256);
  keys_[0] = std::make_shared<const KeySet>(*KeySet::parse(jwks({jwk(test::ec_key(), R"(,"kid":"ec")"), jwk(second)})));
  EXPECT_EQ(with_header(good_header.without("kid")), "token_key_unknown");
}

TEST_F(Token, RefusedNeverShowsItsContentInTheDetail) {
  const std::string secret = "s3cr3t-claim-value";
  const Members claims = good_claims.with("sub", "\"" + secret + "\"").with("aud", "\"" + secret + "\"");
  const std::string token = signed_text(good_header.text(), claims.text());
  const auto refused = verify(token);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, testing::Not(testing::HasSubstr(secret)));
  const auto unknown =
      verify(signed_text(good_header.with("kid", "\"" + std::string(500, 'k') + "\\u001b\"").text(), claims.text()));
  EXPECT_LT(unknown.error().detail.size(), 150U);
  EXPECT_EQ(verify(signed_text(good_header.text(), good_claims.with("exp", at(-60)).text())).error().detail,
            "exp 2027-01-15T07:59:00Z is past at 2027-01-15T08:00:00Z");
}

TEST_F(Token, CutShortAnywhereIsRefused) {
  const std::string token = signed_text(good_header.text(), good_claims.text());
  for (std::size_t length = 0; length < token.size(); ++length) {
    EXPECT_NE(outcome(std::string_view(token).substr(0, length)), "ok") << length;
  }
}

TEST(TokenError, EachHasACodeAndASentence) {
  for (int i = 0; i <= static_cast<int>(TokenError::issuer_keys_unavailable); ++i) {
    const auto error = static_cast<TokenError>(i);
    EXPECT_NE(reason_code(error), "unknown");
    EXPECT_TRUE(explain(error).ends_with('.'));
  }
}

}  // namespace
}  // namespace sallyport::identity
