// Who a verified token says is there.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "crypto/algorithm.h"
#include "identity/json.h"

namespace sallyport::identity {

struct Principal {
  std::string issuer_name;            // IssuerSettings::name
  std::string issuer;                 // `iss`; of a SPIFFE issuer its trust domain
  std::string subject;                // `sub`
  std::string token_id;               // `jti`; empty when the token has none
  std::string client_id;              // `client_id`, else `azp`, else `appid`; empty when the token has none
  JsonValue claims;                   // all of the token's payload, an object
  std::optional<WallTime> issued_at;  // `iat`, which only a SPIFFE token may lack
  WallTime expires_at;                // `exp`, without any skew: the session ends then
  std::string key_id;                 // `kid`; empty when the token has none
  crypto::JwsAlgorithm algorithm{};
};

}  // namespace sallyport::identity
