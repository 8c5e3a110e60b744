// What an operator configures about issuers and service accounts. Plain values; src/config fills them.
#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "crypto/algorithm.h"

namespace sallyport::identity {

enum class IssuerKind : std::uint8_t {
  oidc,   // JWT access tokens (RFC 9068 and the profiles in use before it)
  spiffe  // SPIFFE JWT-SVID; `issuer` is the trust domain, e.g. "spiffe://prod.example.org"
};

// Where an issuer's signing keys (a JWK set, RFC 7517) come from.
struct DiscoveryKeys {
  std::string url;  // of the OpenID configuration document, https (or http to a loopback address)
};
struct JwksUrlKeys {
  std::string url;
};
struct JwksFileKeys {
  std::filesystem::path path;  // read again when it changes
};
struct InlineKeys {
  std::string jwks;  // JSON text
};
using KeySource = std::variant<DiscoveryKeys, JwksUrlKeys, JwksFileKeys, InlineKeys>;

enum class Subjects : std::uint8_t {
  machine,  // only tokens issued to a client for itself (client credentials), not on behalf of a human
  any
};

struct IssuerSettings {
  std::string name;  // how the rest of the configuration and the audit log call it
  IssuerKind kind = IssuerKind::oidc;
  std::string issuer;                  // compared with `iss` byte for byte (spiffe: the trust domain of `sub`)
  std::vector<std::string> audiences;  // a token must name at least one of these in `aud`; never empty
  KeySource keys;
  std::filesystem::path ca_file;                 // trusted for the HTTPS fetches; empty: the system's store
  std::vector<crypto::JwsAlgorithm> algorithms;  // never empty
  std::vector<std::string> token_types;          // accepted `typ` as RFC 7515 section 4.1.9 compares; "": none
  Subjects subjects = Subjects::machine;
  Seconds lifetime_max{3600};    // of exp - iat
  Seconds clock_skew{30};        // tolerated on nbf and iat; a token's end is never put off
  Seconds refresh_every{300};    // background refresh of fetched keys
  Seconds stale_keys_max{3600};  // how long cached keys serve while the issuer can't be reached
};

// One condition on a claim. `claim` is a member name, or a path of them ("realm_access.roles").
struct ClaimMatcher {
  enum class Kind : std::uint8_t {
    equals,    // the claim is a string equal to `value`
    glob,      // the claim is a string that `value` matches: `*` any run of characters but '/', `**` any run, `?` one
    contains,  // the claim is an array of strings (or a space-separated string) that has `value` as an element
    one_of     // the claim is a string equal to one of `values`
  };
  std::string claim;
  Kind kind = Kind::equals;
  std::string value;
  std::vector<std::string> values;
};

// All matchers of a rule must hold, and the token must come from the issuer.
struct MatchRule {
  std::string issuer;                // IssuerSettings::name
  std::vector<ClaimMatcher> claims;  // never empty
};

// Which of a connection's servers a session may be on.
enum class ServerChoice : std::uint8_t {
  primary,        // the first primary, in their order, that can be reached
  replica,        // one of the replicas
  prefer_replica  // one of the replicas; where none can be reached, as `primary`
};

// What a service account may open: a connection, under a database account, optionally with a MySQL role.
struct Grant {
  std::string connection;  // ConnectionSettings::name
  std::string role;        // the name that a client gives after the dot; the first grant of a connection is its default
  std::string login;       // name of the database login of that connection
  std::string set_role;    // MySQL role to SET ROLE to after the login; empty: the login's own default roles
  bool local_infile = false;  // LOAD DATA LOCAL
  ServerChoice servers = ServerChoice::primary;
};

// What the sessions of a service account may use. 0: no bound.
struct AccountLimits {
  std::uint32_t sessions_max = 1000;        // at a time
  std::uint32_t logins_per_second_max = 0;  // on average; as many may come at once after a quiet second
  Milliseconds statement_timeout{0};        // from a command's forwarding to the end of its answer
  Milliseconds transaction_timeout{0};      // how long a transaction may stay open
  std::uint64_t result_rows_max = 0;        // in the answer to one command
  std::uint64_t result_bytes_max = 0;       // the same; the row that exceeds it is the last one sent
};

struct ServiceAccount {
  std::string name;
  std::vector<MatchRule> match;  // any of them
  std::vector<Grant> grants;
  AccountLimits limits;
  bool disabled = false;  // refuses logins and ends live sessions
  // So much of the answer to each command is recorded; answers_recorded_whole: all of it.
  std::uint64_t answer_bytes_recorded = 0;
};
inline constexpr std::uint64_t answers_recorded_whole = UINT64_MAX;

struct IdentitySettings {
  std::vector<IssuerSettings> issuers;
  std::vector<ServiceAccount> accounts;
};

}  // namespace sallyport::identity
