// Verification of a token, once for every login.
#include <benchmark/benchmark.h>

#include "identity/token.h"
#include "identity/token_test_issuers.h"

namespace sallyport::bench {
namespace {

using crypto::JwsAlgorithm;

struct Issuers : identity::test::TestIssuers {
  identity::TrustedIssuers trusted() const { return {settings_, keys_}; }
};

// Tokens of identity providers have some 1,900 bytes, most of them groups.
std::string token_of(const crypto::PrivateKey& key, JwsAlgorithm algorithm, std::string_view name,
                     std::string_view key_id) {
  auto header = identity::test::good_header.with("alg", '"' + std::string(name) + '"')
                    .with("kid", '"' + std::string(key_id) + '"');
  std::string groups = "[\"reporters\"";
  for (int number = 0; number < 45; ++number) {
    groups += ",\"department-" + std::to_string(1000 + number) + "-staff\"";
  }
  return identity::test::sign(key, algorithm, header.text(),
                              identity::test::good_claims.with("groups", groups + "]").text());
}

void verify(benchmark::State& state, const std::string& token) {
  const Issuers issuers;
  for (auto _ : state) {
    auto principal = identity::verify_token(token, issuers.trusted(), {.now = identity::test::now});
    SALLYPORT_CHECK(principal.has_value());
    benchmark::DoNotOptimize(principal);
  }
  state.counters["token_bytes"] = static_cast<double>(token.size());
}

void verify_token_es256(benchmark::State& state) {
  verify(state, token_of(identity::test::ec_key(), JwsAlgorithm::es256, "ES256", "ec"));
}
BENCHMARK(verify_token_es256);

void verify_token_rs256(benchmark::State& state) {
  verify(state, token_of(identity::test::rsa_key(), JwsAlgorithm::rs256, "RS256", "rsa"));
}
BENCHMARK(verify_token_rs256);

}  // namespace
}  // namespace sallyport::bench
