// An issuer of tokens for development: a key file and a JWK set file in place of an identity provider.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/key.h"

namespace sallyport::identity {

inline constexpr std::string_view dev_issuer_url = "https://dev.sallyport.invalid";
inline constexpr std::string_view dev_audience = "sallyport";

struct DevToken {
  std::string account = {};              // becomes `sub` and `client_id`
  std::vector<std::string> groups = {};  // becomes `groups`
  // Further members of the payload, or other values for those that it has. A value that is JSON is taken as that,
  // any other as a string.
  std::vector<std::pair<std::string, std::string>> claims = {};
  Seconds ttl{300};  // may be negative, to make an expired token
  WallTime now = {};
  Bytes random = {};  // at least 16 random bytes, which become `jti`
};

class DevIssuer {
 public:
  // With a new ECDSA P-256 key.
  static Result<DevIssuer, crypto::KeyError> create();
  // With the key of an earlier one.
  static Result<DevIssuer, crypto::KeyError> from_pem(std::string_view key_pem);

  Secret key_pem() const;
  // The JWK set that the gateway is given.
  std::string jwks() const;
  // A compact JWS of type at+jwt, signed with ES256.
  Result<Secret, crypto::KeyError> mint(const DevToken& token) const;

 private:
  explicit DevIssuer(crypto::PrivateKey key);
  crypto::PrivateKey key_;
  std::string key_id_;
};

}  // namespace sallyport::identity
