// Verification of access tokens: compact JWS (RFC 7515) with JWT claims (RFC 7519, RFC 8725, RFC 9068), and SPIFFE
// JWT-SVIDs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "identity/key_set.h"
#include "identity/principal.h"
#include "identity/settings.h"
#include "identity/verified_signatures.h"

namespace sallyport::identity {

enum class TokenError : std::uint8_t {
  malformed,
  too_large,
  algorithm_not_allowed,
  key_unknown,
  signature_invalid,
  issuer_unknown,
  audience_mismatch,
  expired,
  not_yet_valid,
  lifetime_too_long,
  type_not_allowed,
  subject_not_machine,
  claim_invalid,
  header_not_allowed,
  issuer_keys_unavailable
};

// The stable code of records and metrics: "token_expired".
std::string_view reason_code(TokenError error);
// One sentence for the client: what was wrong and what to do. Says nothing that depends on the token.
std::string_view explain(TokenError error);

struct Refusal {
  TokenError error;
  // For records, in words; no byte of the token but algorithm, type, `kid` and issuer names (printable, cut short)
  // and times.
  std::string detail;
  // Index of the issuer's settings once it is known. With key_unknown and issuer_keys_unavailable the caller may ask
  // IssuerKeys::key_unknown for newer keys and try again.
  std::optional<std::size_t> issuer;
};

// Everything borrowed for the call only.
struct TrustedIssuers {
  std::span<const IssuerSettings> settings;
  const KeySets& keys;  // in the order of `settings`
};

struct TokenCheck {
  WallTime now;
  std::size_t token_bytes_max = 16U << 10;
  VerifiedSignatures* verified = nullptr;  // null: every signature is verified
};

// Verifies a token in full. The unverified payload is read only to choose the issuer whose keys are tried; each claim
// is judged after the signature. Takes no lock, does not throw.
Result<Principal, Refusal> verify_token(std::string_view token, const TrustedIssuers& issuers, const TokenCheck& check);

}  // namespace sallyport::identity
