#include "identity/claims.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "identity/spiffe_id.h"

namespace sallyport::identity {
namespace {

using Fault = std::optional<Refusal>;

Fault fault(TokenError error, std::string detail) {
  return Refusal{error, std::move(detail), std::nullopt};
}

// "2026-01-02T03:04:05Z"
std::string time_text(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<Seconds>(time - day)};
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", int{date.year()},
                    unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(clock.hours().count()),
                    static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

// Beyond the year 2223, where the nanoseconds of WallTime still leave room for sums.
constexpr std::int64_t unix_seconds_max = 8'000'000'000;

// NumericDate, RFC 7519 section 2: seconds, with or without a fraction.
std::optional<WallTime> numeric_date(const JsonValue& value) {
  if (const auto* const seconds = std::get_if<std::int64_t>(&value.content())) {
    if (*seconds < 0 || *seconds > unix_seconds_max) {
      return std::nullopt;
    }
    return wall_from_unix_seconds(*seconds);
  }
  if (const auto* const seconds = std::get_if<double>(&value.content())) {
    if (!std::isfinite(*seconds) || *seconds < 0 || *seconds > static_cast<double>(unix_seconds_max)) {
      return std::nullopt;
    }
    const double whole = std::floor(*seconds);
    return wall_from_unix_seconds(static_cast<std::int64_t>(whole)) +
           Nanoseconds(static_cast<std::int64_t>((*seconds - whole) * 1e9));
  }
  return std::nullopt;
}

enum class Presence : std::uint8_t { required, optional };

Fault read_time(const JsonValue& claims, std::string_view name, Presence presence, std::optional<WallTime>& out) {
  const JsonValue* const value = claims.member(name);
  if (value == nullptr) {
    return presence == Presence::optional ? std::nullopt
                                          : fault(TokenError::claim_invalid, std::string(name) + " is missing");
  }
  out = numeric_date(*value);
  return out ? std::nullopt : fault(TokenError::claim_invalid, std::string(name) + " is not a time");
}

// Claims that are strings wherever they occur.
Fault check_texts(const JsonValue& claims) {
  for (const std::string_view name : {"iss", "sub", "jti", "client_id", "azp", "appid"}) {
    const JsonValue* const value = claims.member(name);
    if (value != nullptr && value->as_string() == nullptr) {
      return fault(TokenError::claim_invalid, std::string(name) + " is not a string");
    }
  }
  const std::string* const subject = text_claim(claims, "sub");
  if (subject == nullptr || subject->empty()) {
    return fault(TokenError::claim_invalid, "sub is missing");
  }
  // RFC 7800: such a token is worth nothing without a proof of possession, which a MySQL login can't carry.
  if (claims.member("cnf") != nullptr) {
    return fault(TokenError::claim_invalid, "the token is bound to a key (cnf) and can't be used as a bearer token");
  }
  return std::nullopt;
}

bool accepts(const IssuerSettings& issuer, const std::string& audience) {
  return std::find(issuer.audiences.begin(), issuer.audiences.end(), audience) != issuer.audiences.end();
}

Fault check_audience(const JsonValue& claims, const IssuerSettings& issuer) {
  const JsonValue* const value = claims.member("aud");
  if (value == nullptr) {
    return fault(TokenError::audience_mismatch, "aud is missing");
  }
  bool accepted = false;
  if (const std::string* const audience = value->as_string()) {
    accepted = accepts(issuer, *audience);
  } else if (const JsonArray* const audiences = value->as_array()) {
    for (const JsonValue& element : *audiences) {
      if (element.as_string() == nullptr) {
        return fault(TokenError::claim_invalid, "aud has an element that is not a string");
      }
      accepted = accepted || accepts(issuer, *element.as_string());
    }
  } else {
    return fault(TokenError::claim_invalid, "aud is neither string nor array");
  }
  return accepted ? std::nullopt
                  : fault(TokenError::audience_mismatch, "aud names none of the audiences of issuer " + issuer.name);
}

struct Times {
  std::optional<WallTime> expires_at;
  std::optional<WallTime> not_before;
  std::optional<WallTime> issued_at;
};

Fault check_times(const JsonValue& claims, const IssuerSettings& issuer, WallTime now, Times& times) {
  const Presence issued = issuer.kind == IssuerKind::spiffe ? Presence::optional : Presence::required;
  for (Fault found : {read_time(claims, "exp", Presence::required, times.expires_at),
                      read_time(claims, "nbf", Presence::optional, times.not_before),
                      read_time(claims, "iat", issued, times.issued_at)}) {
    if (found) {
      return found;
    }
  }
  const WallTime expires_at = *times.expires_at;
  // Without any skew: a session ends at this very moment, so none may begin after it.
  if (expires_at <= now) {
    return fault(TokenError::expired, "exp " + time_text(expires_at) + " is past at " + time_text(now));
  }
  for (const auto& [name, time] : {std::pair{"nbf", times.not_before}, {"iat", times.issued_at}}) {
    if (time && *time > now + issuer.clock_skew) {
      return fault(TokenError::not_yet_valid,
                   std::string(name) + " " + time_text(*time) + " is to come at " + time_text(now));
    }
    if (time && *time >= expires_at) {
      return fault(TokenError::claim_invalid,
                   std::string(name) + " " + time_text(*time) + " is not before exp " + time_text(expires_at));
    }
  }
  const Nanoseconds lifetime = expires_at - times.issued_at.value_or(now);
  if (lifetime > issuer.lifetime_max) {
    return fault(TokenError::lifetime_too_long,
                 "valid for " + std::to_string(std::chrono::floor<Seconds>(lifetime).count()) + " s, more than " +
                     std::to_string(issuer.lifetime_max.count()) + " s");
  }
  return std::nullopt;
}

bool equals_ignoring_case(std::string_view left, std::string_view lower) {
  return std::equal(left.begin(), left.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

// Issuers that give every kind of token the type JWT tell them apart in the payload: OpenID Connect Core section 2
// and 3.3.2.11, Back-Channel Logout section 2.4, Keycloak's `typ`, Cognito's `token_use`.
Fault check_is_access_token(const VerifiedToken& token) {
  for (const std::string_view name : {"nonce", "at_hash", "c_hash", "s_hash", "events"}) {
    if (token.type != "at+jwt" && token.claims.member(name) != nullptr) {
      return fault(TokenError::type_not_allowed, "the claim " + std::string(name) + " belongs to no access token");
    }
  }
  for (const std::string_view name : {"typ", "token_use"}) {
    const std::string* const kind = text_claim(token.claims, name);
    for (const std::string_view other : {"id", "refresh", "offline", "logout"}) {
      if (kind != nullptr && equals_ignoring_case(*kind, other)) {
        return fault(TokenError::type_not_allowed, "the claim " + std::string(name) + " says " + std::string(other));
      }
    }
  }
  return std::nullopt;
}

bool claim_is(const JsonValue& claims, std::string_view name, std::string_view value) {
  const std::string* const text = text_claim(claims, name);
  return text != nullptr && *text == value;
}

// Whether a client got the token for itself: RFC 9068 section 2.2 makes the client the subject, Entra says
// idtyp = app, Auth0 names the grant.
bool is_for_a_machine(const JsonValue& claims) {
  const std::string& subject = *text_claim(claims, "sub");
  return claim_is(claims, "client_id", subject) || claim_is(claims, "azp", subject) ||
         claim_is(claims, "idtyp", "app") || claim_is(claims, "gty", "client-credentials");
}

Fault check_subject(const JsonValue& claims, const IssuerSettings& issuer) {
  const std::string& subject = *text_claim(claims, "sub");
  switch (issuer.kind) {
    case IssuerKind::oidc:
      if (issuer.subjects == Subjects::machine && !is_for_a_machine(claims)) {
        return fault(TokenError::subject_not_machine, "no claim says that the token is a client's own");
      }
      return std::nullopt;
    case IssuerKind::spiffe: {
      const auto id = parse_spiffe_id(subject);
      if (!id || id->trust_domain != issuer.issuer || id->path.empty()) {
        return fault(TokenError::claim_invalid, "sub is not a workload's SPIFFE ID in " + printable(issuer.issuer));
      }
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::string text_or_empty(const JsonValue& claims, std::string_view name) {
  const std::string* const text = text_claim(claims, name);
  return text == nullptr ? std::string() : *text;
}

std::string client_of(const JsonValue& claims) {
  for (const std::string_view name : {"client_id", "azp", "appid"}) {
    if (const std::string* const text = text_claim(claims, name)) {
      return *text;
    }
  }
  return {};
}

}  // namespace

const std::string* text_claim(const JsonValue& claims, std::string_view name) {
  const JsonValue* const value = claims.member(name);
  return value == nullptr ? nullptr : value->as_string();
}

std::string normal_type(std::string_view type) {
  std::string normal(type);
  for (char& c : normal) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  constexpr std::string_view prefix = "application/";
  if (normal.starts_with(prefix) && normal.find('/', prefix.size()) == std::string::npos) {
    normal.erase(0, prefix.size());
  }
  return normal;
}

Result<Principal, Refusal> check_claims(VerifiedToken token, const IssuerSettings& issuer, WallTime now) {
  Fault found = check_texts(token.claims);
  if (!found && issuer.kind == IssuerKind::oidc && !claim_is(token.claims, "iss", issuer.issuer)) {
    found = fault(TokenError::issuer_unknown, "iss is not that of issuer " + issuer.name);
  }
  if (!found) {
    found = check_audience(token.claims, issuer);
  }
  Times times;
  if (!found) {
    found = check_times(token.claims, issuer, now, times);
  }
  if (!found) {
    found = check_is_access_token(token);
  }
  if (!found) {
    found = check_subject(token.claims, issuer);
  }
  if (found) {
    return Unexpected(std::move(*found));
  }
  Principal principal;
  principal.issuer_name = issuer.name;
  principal.issuer = issuer.issuer;
  principal.subject = text_or_empty(token.claims, "sub");
  principal.token_id = text_or_empty(token.claims, "jti");
  principal.client_id = client_of(token.claims);
  principal.issued_at = times.issued_at;
  principal.expires_at = *times.expires_at;
  principal.key_id = token.key_id;
  principal.algorithm = token.algorithm;
  principal.claims = std::move(token.claims);
  return principal;
}

}  // namespace sallyport::identity
