#include "identity/token.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base64.h"
#include "identity/claims.h"
#include "identity/spiffe_id.h"

namespace sallyport::identity {
namespace {

Unexpected<Refusal> refuse(TokenError error, std::string detail, std::optional<std::size_t> issuer = std::nullopt) {
  return Unexpected(Refusal{error, std::move(detail), issuer});
}

// The parts of a compact serialisation (RFC 7515 section 7.1), borrowed and still encoded.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signing_input;
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signing_input = token.substr(0, second)};
}

Result<JsonValue, Refusal> read_object(std::string_view encoded, std::string_view what, std::size_t bytes_max) {
  const auto bytes = crypto::base64url_decode(encoded);
  if (!bytes) {
    return refuse(TokenError::malformed, "the " + std::string(what) + " is not base64url");
  }
  auto value = parse_json(text_of(*bytes), {.bytes_max = bytes_max});
  if (!value) {
    return refuse(TokenError::malformed, "the " + std::string(what) + " is " + std::string(describe(value.error())));
  }
  if (!value->is_object()) {
    return refuse(TokenError::malformed, "the " + std::string(what) + " is not an object");
  }
  return std::move(*value);
}

// All of a header that counts.
struct Header {
  crypto::JwsAlgorithm algorithm{};
  std::optional<std::string> type;  // normal_type
  std::optional<std::string> key_id;
};

// Members by which a token would choose its own key, change what is signed, or hold something else than claims.
constexpr std::array<std::string_view, 9> refused_members{"jku", "jwk", "x5u", "x5c", "crit",
                                                          "b64", "cty", "enc", "zip"};

Result<Header, Refusal> read_header(const JsonValue& value) {
  for (const std::string_view name : {"alg", "typ", "kid"}) {
    const JsonValue* const member = value.member(name);
    if (member != nullptr && member->as_string() == nullptr) {
      return refuse(TokenError::malformed, std::string(name) + " of the header is not a string");
    }
  }
  const std::string* const name = text_claim(value, "alg");
  if (name == nullptr) {
    return refuse(TokenError::malformed, "alg of the header is missing");
  }
  const auto algorithm = crypto::jws_algorithm_from_name(*name);
  if (!algorithm) {
    return refuse(TokenError::algorithm_not_allowed, "alg " + printable(*name) + " is never allowed");
  }
  for (const std::string_view refused : refused_members) {
    if (value.member(refused) != nullptr) {
      return refuse(TokenError::header_not_allowed, "the header has the member " + std::string(refused));
    }
  }
  Header header{.algorithm = *algorithm, .type = std::nullopt, .key_id = std::nullopt};
  if (const std::string* const type = text_claim(value, "typ")) {
    header.type = normal_type(*type);
  }
  if (const std::string* const key_id = text_claim(value, "kid")) {
    header.key_id = *key_id;
  }
  return header;
}

// The issuer whose keys are to be tried: by `iss`, else by the trust domain of `sub`. Nothing here is verified yet.
std::optional<std::size_t> claimed_issuer(const JsonValue& claims, std::span<const IssuerSettings> issuers) {
  const auto index_of = [issuers](IssuerKind kind, std::string_view name) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < issuers.size(); ++i) {
      if (issuers[i].kind == kind && issuers[i].issuer == name) {
        return i;
      }
    }
    return std::nullopt;
  };
  if (const std::string* const issuer = text_claim(claims, "iss")) {
    if (const auto index = index_of(IssuerKind::oidc, *issuer)) {
      return index;
    }
  }
  const std::string* const subject = text_claim(claims, "sub");
  const auto id = subject == nullptr ? std::nullopt : parse_spiffe_id(*subject);
  return id ? index_of(IssuerKind::spiffe, id->trust_domain) : std::nullopt;
}

std::string unknown_issuer_detail(const JsonValue& claims) {
  const std::string* const issuer = text_claim(claims, "iss");
  return issuer == nullptr ? "no iss, and no SPIFFE ID of a known trust domain"
                           : "iss " + printable(*issuer) + " is not configured";
}

bool type_allowed(const Header& header, const IssuerSettings& issuer) {
  switch (issuer.kind) {
    case IssuerKind::spiffe:  // JWT-SVID standard, section 2.3
      return !header.type || *header.type == "jwt" || *header.type == "jose";
    case IssuerKind::oidc:
      break;
  }
  return std::any_of(issuer.token_types.begin(), issuer.token_types.end(),
                     [&](const std::string& accepted) { return normal_type(accepted) == header.type.value_or(""); });
}

std::optional<Refusal> check_header(const Header& header, const IssuerSettings& issuer) {
  if (std::find(issuer.algorithms.begin(), issuer.algorithms.end(), header.algorithm) == issuer.algorithms.end()) {
    return Refusal{TokenError::algorithm_not_allowed,
                   "alg " + std::string(name_of(header.algorithm)) + " is not allowed for issuer " + issuer.name,
                   std::nullopt};
  }
  if (!type_allowed(header, issuer)) {
    return Refusal{TokenError::type_not_allowed,
                   (header.type ? "typ " + printable(*header.type) : std::string("a token without typ")) +
                       " is not allowed for issuer " + issuer.name,
                   std::nullopt};
  }
  return std::nullopt;
}

// The parts are the whole of `token`.
bool is_signed(const Header& header, const Parts& parts, std::string_view token, Bytes signature,
               const KeySet::Key& key, VerifiedSignatures* verified) {
  if (verified == nullptr || !verified->keep_any()) {
    return key.key.verify(header.algorithm, bytes_of(parts.signing_input), signature);
  }
  const auto digest = VerifiedSignatures::digest_of(key.key, header.algorithm, token);
  if (verified->contains(digest)) {
    return true;
  }
  if (!key.key.verify(header.algorithm, bytes_of(parts.signing_input), signature)) {
    return false;
  }
  verified->add(digest);
  return true;
}

std::optional<Refusal> check_signature(const Header& header, const Parts& parts, std::string_view token,
                                       const KeySet* keys, VerifiedSignatures* verified) {
  const auto signature = crypto::base64url_decode(parts.signature);
  if (!signature || signature->empty()) {
    return Refusal{TokenError::malformed, "the signature is not base64url", std::nullopt};
  }
  if (keys == nullptr) {
    return Refusal{TokenError::issuer_keys_unavailable, "the issuer's keys are not known at the moment", std::nullopt};
  }
  const KeySet::Key* const key = keys->find(header.key_id, header.algorithm);
  if (key == nullptr) {
    return Refusal{TokenError::key_unknown,
                   header.key_id
                       ? "kid " + printable(*header.key_id) + " is not a published key for " +
                             std::string(name_of(header.algorithm))
                       : "no kid, and not exactly one published key for " + std::string(name_of(header.algorithm)),
                   std::nullopt};
  }
  if (!is_signed(header, parts, token, *signature, *key, verified)) {
    return Refusal{TokenError::signature_invalid, "not signed with key " + printable(key->id), std::nullopt};
  }
  return std::nullopt;
}

}  // namespace

Result<Principal, Refusal> verify_token(std::string_view token, const TrustedIssuers& issuers,
                                        const TokenCheck& check) {
  SALLYPORT_CHECK(issuers.keys.size() == issuers.settings.size());
  if (token.size() > check.token_bytes_max) {
    return refuse(TokenError::too_large,
                  std::to_string(token.size()) + " bytes, more than " + std::to_string(check.token_bytes_max));
  }
  const auto parts = split(token);
  if (!parts) {
    return refuse(TokenError::malformed, "not three parts between dots");
  }
  const auto header_value = read_object(parts->header, "header", check.token_bytes_max);
  if (!header_value) {
    return Unexpected(header_value.error());
  }
  const auto header = read_header(*header_value);
  if (!header) {
    return Unexpected(header.error());
  }
  auto claims = read_object(parts->payload, "payload", check.token_bytes_max);
  if (!claims) {
    return Unexpected(claims.error());
  }
  const auto index = claimed_issuer(*claims, issuers.settings);
  if (!index) {
    return refuse(TokenError::issuer_unknown, unknown_issuer_detail(*claims));
  }
  const IssuerSettings& issuer = issuers.settings[*index];
  std::optional<Refusal> refusal = check_header(*header, issuer);
  if (!refusal) {
    refusal = check_signature(*header, *parts, token, issuers.keys[*index].get(), check.verified);
  }
  if (refusal) {
    refusal->issuer = index;
    return Unexpected(std::move(*refusal));
  }
  auto principal = check_claims({.type = header->type ? std::string_view(*header->type) : std::string_view(),
                                 .key_id = header->key_id ? std::string_view(*header->key_id) : std::string_view(),
                                 .algorithm = header->algorithm,
                                 .claims = std::move(*claims)},
                                issuer, check.now);
  if (!principal) {
    principal.error().issuer = index;
  }
  return principal;
}

}  // namespace sallyport::identity
