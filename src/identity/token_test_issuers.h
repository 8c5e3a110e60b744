// Issuers, keys and good tokens to start from, for this module's tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "identity/token.h"
#include "identity/token_test_support.h"

namespace sallyport::identity::test {

using crypto::JwsAlgorithm;
using crypto::KeyType;

// A NumericDate so many seconds from now.
inline std::string at(std::int64_t offset) {
  return std::to_string(now_seconds + offset);
}

inline const Members good_header{{"alg", "\"ES256\""}, {"typ", "\"at+jwt\""}, {"kid", "\"ec\""}};
inline const Members good_claims{{"iss", "\"https://idp.example\""},
                                 {"aud", "\"sallyport\""},
                                 {"sub", "\"agent\""},
                                 {"client_id", "\"agent\""},
                                 {"iat", at(-10)},
                                 {"exp", at(300)},
                                 {"jti", "\"t-1\""}};
inline const Members svid_header{{"alg", "\"ES256\""}, {"kid", "\"ec\""}};
inline const Members svid_claims{
    {"aud", "[\"sallyport\"]"}, {"sub", "\"spiffe://prod.example/ns/a/sa/b\""}, {"exp", at(300)}};

// The same keys in every test; new ones are slow to make.
inline const crypto::PrivateKey& ec_key() {
  static const crypto::PrivateKey key = new_key(KeyType::ec_p256);
  return key;
}
inline const crypto::PrivateKey& rsa_key() {
  static const crypto::PrivateKey key = new_key(KeyType::rsa);
  return key;
}
inline const crypto::PrivateKey& p384_key() {
  static const crypto::PrivateKey key = new_key(KeyType::ec_p384);
  return key;
}
inline const crypto::PrivateKey& ed_key() {
  static const crypto::PrivateKey key = new_key(KeyType::ed25519);
  return key;
}

// Issuer 0 is OIDC, 1 SPIFFE, 2 accepts tokens of type JWT from humans, 3 has no keys now. All share the keys.
class TestIssuers {
 protected:
  TestIssuers() {
    IssuerSettings oidc;
    oidc.name = "main";
    oidc.issuer = "https://idp.example";
    oidc.audiences = {"sallyport", "gateway"};
    oidc.algorithms = {JwsAlgorithm::es256, JwsAlgorithm::rs256, JwsAlgorithm::ps256, JwsAlgorithm::eddsa};
    oidc.token_types = {"at+jwt"};
    IssuerSettings spiffe = oidc;
    spiffe.name = "mesh";
    spiffe.kind = IssuerKind::spiffe;
    spiffe.issuer = "spiffe://prod.example";
    IssuerSettings humans = oidc;
    humans.name = "humans";
    humans.issuer = "https://humans.example";
    humans.token_types = {"JWT", ""};
    humans.subjects = Subjects::any;
    IssuerSettings down = oidc;
    down.name = "down";
    down.issuer = "https://down.example";
    settings_ = {oidc, spiffe, humans, down};
    auto set = KeySet::parse(jwks({jwk(ec_key(), R"(,"kid":"ec")"), jwk(rsa_key(), R"(,"kid":"rsa")"),
                                   jwk(p384_key(), R"(,"kid":"p384")"), jwk(ed_key(), R"(,"kid":"ed")")}));
    SALLYPORT_CHECK(set.has_value());
    const auto keys = std::make_shared<const KeySet>(std::move(*set));
    keys_ = {keys, keys, keys, nullptr};
  }

  Result<Principal, Refusal> verify(std::string_view token) const {
    return verify_token(token, {settings_, keys_}, {.now = now});
  }
  // "ok" or the reason code.
  std::string outcome(std::string_view token) const {
    const auto principal = verify(token);
    return std::string(principal ? "ok" : reason_code(principal.error().error));
  }
  static std::string signed_text(std::string_view header, std::string_view payload) {
    return sign(ec_key(), JwsAlgorithm::es256, header, payload);
  }
  std::string with_header(const Members& header) const {
    return outcome(signed_text(header.text(), good_claims.text()));
  }
  std::string with_claims(const Members& claims) const {
    return outcome(signed_text(good_header.text(), claims.text()));
  }
  std::string with_svid_claims(const Members& claims) const {
    return outcome(signed_text(svid_header.text(), claims.text()));
  }

  std::vector<IssuerSettings> settings_;
  KeySets keys_;
};

}  // namespace sallyport::identity::test
