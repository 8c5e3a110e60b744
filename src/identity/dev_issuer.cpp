#include "identity/dev_issuer.h"

#include <algorithm>

#include "crypto/base64.h"
#include "identity/json.h"

namespace sallyport::identity {
namespace {

JsonValue text_value(std::string_view text) {
  return JsonValue(std::string(text));
}

JsonValue seconds_value(WallTime time) {
  return JsonValue(static_cast<std::int64_t>(std::chrono::floor<Seconds>(time).time_since_epoch().count()));
}

void set(JsonObject& members, const std::string& name, JsonValue value) {
  const auto found =
      std::find_if(members.begin(), members.end(), [&name](const JsonMember& member) { return member.first == name; });
  if (found == members.end()) {
    members.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

JsonObject claims_of(const DevToken& token) {
  JsonArray groups;
  for (const std::string& group : token.groups) {
    groups.push_back(text_value(group));
  }
  JsonObject claims;
  set(claims, "iss", text_value(dev_issuer_url));
  set(claims, "aud", text_value(dev_audience));
  set(claims, "sub", text_value(token.account));
  set(claims, "client_id", text_value(token.account));
  set(claims, "groups", JsonValue(std::move(groups)));
  set(claims, "iat", seconds_value(token.now - std::max(-token.ttl + Seconds(1), Seconds(0))));
  set(claims, "exp", seconds_value(token.now + token.ttl));
  set(claims, "jti", text_value(crypto::base64url_encode(token.random)));
  for (const auto& [name, text] : token.claims) {
    auto value = parse_json(text, {});
    set(claims, name, value ? std::move(*value) : text_value(text));
  }
  return claims;
}

std::string encoded(JsonObject members) {
  return crypto::base64url_encode(bytes_of(to_json(JsonValue(std::move(members)))));
}

}  // namespace

DevIssuer::DevIssuer(crypto::PrivateKey key) : key_(std::move(key)), key_id_(crypto::thumbprint(key_.public_jwk())) {}

Result<DevIssuer, crypto::KeyError> DevIssuer::create() {
  auto key = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
  if (!key) {
    return Unexpected(key.error());
  }
  return DevIssuer(std::move(*key));
}

Result<DevIssuer, crypto::KeyError> DevIssuer::from_pem(std::string_view key_pem) {
  auto key = crypto::PrivateKey::from_pem(key_pem);
  if (!key) {
    return Unexpected(key.error());
  }
  if (key->type() != crypto::KeyType::ec_p256) {
    return Unexpected(crypto::KeyError::unsupported);
  }
  return DevIssuer(std::move(*key));
}

Secret DevIssuer::key_pem() const {
  return key_.to_pem();
}

std::string DevIssuer::jwks() const {
  const crypto::JwkMembers jwk = key_.public_jwk();
  JsonObject key;
  set(key, "kty", text_value(jwk.kty));
  set(key, "use", text_value("sig"));
  set(key, "alg", text_value("ES256"));
  set(key, "kid", text_value(key_id_));
  set(key, "crv", text_value(jwk.crv));
  set(key, "x", text_value(jwk.x));
  set(key, "y", text_value(jwk.y));
  JsonObject document;
  set(document, "keys", JsonValue(JsonArray{JsonValue(std::move(key))}));
  return to_json(JsonValue(std::move(document)));
}

Result<Secret, crypto::KeyError> DevIssuer::mint(const DevToken& token) const {
  SALLYPORT_CHECK(token.random.size() >= 16);
  JsonObject header;
  set(header, "alg", text_value("ES256"));
  set(header, "typ", text_value("at+jwt"));
  set(header, "kid", text_value(key_id_));
  std::string text = encoded(std::move(header)) + "." + encoded(claims_of(token));
  const auto signature = key_.sign(crypto::JwsAlgorithm::es256, bytes_of(text));
  if (!signature) {
    return Unexpected(signature.error());
  }
  text += "." + crypto::base64url_encode(*signature);
  return Secret(std::move(text));
}

}  // namespace sallyport::identity
