// Token verification: nothing is accepted while an issuer has no key or another's, and a refusal's detail is printable.
#include "identity/token.h"

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {
namespace {

// The public key of RFC 8037, appendix A.2. No seed has a signature of its private key.
constexpr std::string_view other_keys =
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

identity::IssuerSettings issuer(identity::IssuerKind kind, std::string name) {
  identity::IssuerSettings settings;
  settings.name = name;
  settings.kind = kind;
  settings.issuer = std::move(name);
  settings.audiences = {"sallyport"};
  settings.algorithms = {crypto::JwsAlgorithm::rs256, crypto::JwsAlgorithm::es256, crypto::JwsAlgorithm::eddsa};
  settings.token_types = {"at+jwt", "JWT"};
  return settings;
}

void check_refused(std::string_view token, const identity::KeySets& keys) {
  static const std::vector<identity::IssuerSettings> settings{
      issuer(identity::IssuerKind::oidc, "https://issuer.example.org"),
      issuer(identity::IssuerKind::spiffe, "spiffe://example.org")};
  auto principal = identity::verify_token(token, {.settings = settings, .keys = keys},
                                          {.now = wall_from_unix_seconds(1'800'000'000), .token_bytes_max = 8192});
  SALLYPORT_CHECK(!principal.has_value());
  const identity::Refusal& refusal = principal.error();
  SALLYPORT_CHECK(!identity::reason_code(refusal.error).empty() && !identity::explain(refusal.error).empty());
  SALLYPORT_CHECK(!refusal.issuer || *refusal.issuer < settings.size());
  SALLYPORT_CHECK(refusal.detail.size() <= 1024);
  SALLYPORT_CHECK(
      std::all_of(refusal.detail.begin(), refusal.detail.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
}

}  // namespace

void fuzz_token(Bytes input) {
  static const auto others = [] {
    auto keys = identity::KeySet::parse(other_keys);
    SALLYPORT_CHECK(keys.has_value());
    return std::make_shared<const identity::KeySet>(std::move(*keys));
  }();
  static const auto none = std::make_shared<const identity::KeySet>();
  check_refused(text_of(input), {nullptr, nullptr});
  check_refused(text_of(input), {none, none});
  check_refused(text_of(input), {others, others});
}

}  // namespace sallyport::fuzz
