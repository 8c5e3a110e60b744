// Tokens and key sets of any form, good or not, for this module's tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base64.h"
#include "crypto/key.h"
#include "identity/token.h"

namespace sallyport::identity::test {

inline constexpr std::int64_t now_seconds = 1'800'000'000;
inline constexpr WallTime now = wall_from_unix_seconds(now_seconds);

inline std::string encode(std::string_view text) {
  return crypto::base64url_encode(bytes_of(text));
}

inline crypto::PrivateKey new_key(crypto::KeyType type) {
  auto key = crypto::PrivateKey::generate(type);
  SALLYPORT_CHECK(key.has_value());
  return std::move(key).value();
}

// A JWK with further members, e.g. R"(,"kid":"k1")".
inline std::string jwk(const crypto::PrivateKey& key, std::string_view more = "") {
  const crypto::JwkMembers members = key.public_jwk();
  std::string text = "{\"kty\":\"" + members.kty + "\"";
  for (const auto& [name, value] :
       {std::pair{"crv", members.crv}, {"n", members.n}, {"e", members.e}, {"x", members.x}, {"y", members.y}}) {
    if (!value.empty()) {
      text.append(",\"").append(name).append("\":\"").append(value).append("\"");
    }
  }
  return text.append(more).append("}");
}

inline std::string jwks(const std::vector<std::string>& keys) {
  std::string text = "{\"keys\":[";
  for (const std::string& key : keys) {
    text.append(text.back() == '[' ? "" : ",").append(key);
  }
  return text + "]}";
}

inline std::string sign(const crypto::PrivateKey& key, crypto::JwsAlgorithm algorithm, std::string_view header,
                        std::string_view payload) {
  const std::string input = encode(header) + "." + encode(payload);
  const auto signature = key.sign(algorithm, bytes_of(input));
  SALLYPORT_CHECK(signature.has_value());
  return input + "." + crypto::base64url_encode(*signature);
}

// Members of a JSON object by name; the value is JSON text, and a missing one leaves the member out.
class Members {
 public:
  Members(std::initializer_list<std::pair<std::string, std::string>> members) : members_(members) {}

  Members with(const std::string& name, const std::string& value) const {
    Members changed = without(name);
    changed.members_.emplace_back(name, value);
    return changed;
  }
  Members without(const std::string& name) const {
    Members changed = *this;
    std::erase_if(changed.members_, [&](const auto& member) { return member.first == name; });
    return changed;
  }
  std::string text() const {
    std::string text = "{";
    for (const auto& [name, value] : members_) {
      text.append(text.size() > 1 ? "," : "").append("\"").append(name).append("\":").append(value);
    }
    return text + "}";
  }

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

}  // namespace sallyport::identity::test
