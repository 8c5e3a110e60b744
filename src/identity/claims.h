// The checks of a token's claims; for this module's .cpp files only.
#pragma once

#include <optional>
#include <string_view>

#include "identity/token.h"

namespace sallyport::identity {

struct VerifiedToken {
  // `typ` as normal_type gives it; empty when the header has none.
  std::string_view type;
  std::string_view key_id;
  crypto::JwsAlgorithm algorithm{};
  JsonValue claims;  // an object
};

// Judges the claims of a token whose signature, algorithm and type are good, and makes the principal of them.
// A refusal lacks the issuer's index.
Result<Principal, Refusal> check_claims(VerifiedToken token, const IssuerSettings& issuer, WallTime now);

// A `typ` as RFC 7515 section 4.1.9 compares it: lower case, without "application/" where that may be left out.
std::string normal_type(std::string_view type);

// The string of that name; null when there is none or it is no string.
const std::string* text_claim(const JsonValue& claims, std::string_view name);

}  // namespace sallyport::identity
