#include "identity/issuer_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/token_test_support.h"

namespace sallyport::identity {
namespace {

using namespace std::chrono_literals;
using Answer = Result<std::string, FetchError>;

constexpr MonoTime start{1000s};

std::string key_set(std::string_view kid) {
  static const crypto::PrivateKey key = test::new_key(crypto::KeyType::ed25519);
  return test::jwks({test::jwk(key, R"(,"kid":")" + std::string(kid) + "\"")});
}

IssuerSettings settings(KeySource source) {
  IssuerSettings made;
  made.name = "main";
  made.issuer = "https://idp.example";
  made.keys = std::move(source);
  made.ca_file = "ca.pem";
  return made;
}

bool serves(const IssuerKeys& keys, std::string_view kid, std::size_t issuer = 0) {
  const auto& set = (*keys.snapshot())[issuer];
  return set != nullptr && set->find(kid, crypto::JwsAlgorithm::eddsa) != nullptr;
}
bool has_keys(const IssuerKeys& keys) {
  return (*keys.snapshot())[0] != nullptr;
}

IssuerKeys from_url() {
  return IssuerKeys({settings(JwksUrlKeys{"https://idp.example/jwks"})}, start);
}

// With keys "a", fetched at `start`.
IssuerKeys loaded() {
  IssuerKeys keys = from_url();
  EXPECT_EQ(keys.tick(start).size(), 1U);
  EXPECT_THAT(keys.fetched(0, Answer(key_set("a")), start, {}), testing::IsEmpty());
  return keys;
}

TEST(IssuerKeys, AreFetchedAtOnceAndThenAgainAtTheInterval) {
  IssuerKeys keys = from_url();
  EXPECT_EQ(keys.next_wake(), start);
  const auto requests = keys.tick(start);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].url, "https://idp.example/jwks");
  EXPECT_EQ(requests[0].ca_file, "ca.pem");
  EXPECT_THAT(keys.tick(start + 1s), testing::IsEmpty());
  EXPECT_FALSE(has_keys(keys));
  keys.fetched(0, Answer(key_set("a")), start + 1s, {});
  EXPECT_TRUE(serves(keys, "a"));
  EXPECT_EQ(keys.next_wake(), start + 301s);
  EXPECT_THAT(keys.tick(start + 300s), testing::IsEmpty());
  EXPECT_EQ(keys.tick(start + 301s).size(), 1U);
}

TEST(IssuerKeys, OfARotationReplaceTheOldOnesInANewSnapshot) {
  IssuerKeys keys = loaded();
  const auto before = keys.snapshot();
  const auto version = keys.version();
  keys.tick(start + 300s);
  keys.fetched(0, Answer(key_set("b")), start + 300s, {});
  EXPECT_TRUE(serves(keys, "b"));
  EXPECT_FALSE(serves(keys, "a"));
  EXPECT_GT(keys.version(), version);
  EXPECT_NE((*before)[0]->find("a", crypto::JwsAlgorithm::eddsa), nullptr);
}

TEST(IssuerKeys, MissedByALoginAreFetchedOnDemand) {
  IssuerKeys keys = loaded();
  const auto wait = keys.key_unknown(0, start + 60s);
  ASSERT_TRUE(wait);
  EXPECT_FALSE(keys.finished(*wait));
  EXPECT_EQ(keys.next_wake(), start + 60s);
  EXPECT_EQ(keys.tick(start + 60s).size(), 1U);
  EXPECT_FALSE(keys.finished(*wait));
  keys.fetched(0, Answer(key_set("b")), start + 61s, {});
  EXPECT_TRUE(keys.finished(*wait));
  EXPECT_TRUE(serves(keys, "b"));
}

TEST(IssuerKeys, ALoginSoonAfterAFetchWaitsForTheNextPermittedOne) {
  IssuerKeys keys = loaded();
  const auto wait = keys.key_unknown(0, start + 500ms);
  EXPECT_EQ(keys.next_wake(), start + 2s);
  EXPECT_THAT(keys.tick(start + 1999ms), testing::IsEmpty());
  EXPECT_FALSE(keys.finished(*wait));
  EXPECT_EQ(keys.tick(start + 2s).size(), 1U);
  keys.fetched(0, Answer(key_set("b")), start + 2s, {});
  EXPECT_TRUE(keys.finished(*wait));
}

TEST(IssuerKeys, ALoginDuringAFetchWaitsForOneThatStartsAfterIt) {
  IssuerKeys keys = loaded();
  const auto first = keys.key_unknown(0, start + 60s);
  keys.tick(start + 60s);
  // The key was rotated after the issuer answered and before this login: the fetch in flight may not have it.
  const auto second = keys.key_unknown(0, start + 60s);
  EXPECT_THAT(keys.fetched(0, Answer(key_set("b")), start + 60s, {}), testing::IsEmpty());
  EXPECT_TRUE(keys.finished(*first));
  EXPECT_FALSE(keys.finished(*second));
  EXPECT_EQ(keys.next_wake(), start + 62s);
  EXPECT_EQ(keys.tick(start + 62s).size(), 1U);
  keys.fetched(0, Answer(key_set("c")), start + 62s, {});
  EXPECT_TRUE(keys.finished(*second));
}

TEST(IssuerKeys, AFetchThatTookLongIsFollowedByTheWaitingOneAtOnce) {
  IssuerKeys keys = loaded();
  keys.key_unknown(0, start + 60s);
  keys.tick(start + 60s);
  keys.key_unknown(0, start + 61s);
  EXPECT_EQ(keys.fetched(0, Answer(key_set("b")), start + 65s, {}).size(), 1U);
}

TEST(IssuerKeys, AFloodOfUnknownKeysCausesOneFetchPerSpacing) {
  IssuerKeys keys = loaded();
  int fetches = 0;
  for (MonoTime now = start + 10s; now < start + 20s; now += 10ms) {
    keys.key_unknown(0, now);
    for (const FetchRequest& request : keys.tick(now)) {
      ++fetches;
      keys.fetched(request.issuer, Answer(key_set("a")), now, {});
    }
  }
  EXPECT_EQ(fetches, 5);
}

TEST(IssuerKeys, OfAnIssuerThatIsDownServeUntilTheyAreStale) {
  IssuerKeys keys = loaded();
  MonoTime now = start + 300s;
  while (now < start + 3600s) {
    if (!keys.tick(now).empty()) {
      keys.fetched(0, Unexpected(FetchError::unreachable), now, {});
    }
    ASSERT_TRUE(serves(keys, "a"));
    ASSERT_GT(*keys.next_wake(), now);
    now = *keys.next_wake();
  }
  EXPECT_EQ(now, start + 3600s);
  keys.tick(now);
  EXPECT_FALSE(has_keys(keys));
  EXPECT_FALSE(keys.status(0).has_keys);
  EXPECT_EQ(keys.status(0).last_error, "the server can't be reached");
  keys.fetched(0, Unexpected(FetchError::unreachable), now, {});
  now = *keys.next_wake();
  ASSERT_EQ(keys.tick(now).size(), 1U);
  keys.fetched(0, Answer(key_set("b")), now, {});
  EXPECT_TRUE(serves(keys, "b"));
  EXPECT_EQ(keys.status(0).failures, 0U);
}

TEST(IssuerKeys, DoNotGoStaleWhileFetchesGoWell) {
  IssuerSettings brief = settings(JwksUrlKeys{"https://idp.example/jwks"});
  brief.stale_keys_max = Seconds(1);
  IssuerKeys keys({brief}, start);
  keys.tick(start);
  keys.fetched(0, Answer(key_set("a")), start, {});
  keys.tick(start + 299s);
  EXPECT_TRUE(has_keys(keys));
  keys.tick(start + 300s);
  EXPECT_TRUE(has_keys(keys));
  keys.fetched(0, Unexpected(FetchError::timed_out), start + 310s, {});
  EXPECT_FALSE(has_keys(keys));
}

TEST(IssuerKeys, OfAFetchThatNeverEndsGoStaleToo) {
  IssuerKeys keys = loaded();
  keys.tick(start + 300s);
  EXPECT_EQ(keys.next_wake(), start + 3600s);
  keys.tick(start + 3600s);
  EXPECT_FALSE(has_keys(keys));
  EXPECT_EQ(keys.next_wake(), std::nullopt);
}

TEST(IssuerKeys, FailuresBackOffWithinTheirLimitsSpreadByTheJitter) {
  for (const double part : {0.0, 0.5, 1.0, -3.0, 7.0}) {
    IssuerKeys keys = from_url();
    MonoTime now = start;
    Nanoseconds last{};
    for (int failures = 1; failures <= 40; ++failures) {
      ASSERT_EQ(keys.tick(now).size(), 1U);
      keys.fetched(0, Unexpected(FetchError::bad_status), now, {part});
      const Nanoseconds pause = *keys.next_wake() - now;
      EXPECT_GE(pause, 500ms);
      EXPECT_LE(pause, 60s);
      EXPECT_GE(pause, last);
      last = pause;
      now += pause;
    }
    EXPECT_EQ(last, part <= 0 ? 30s : part >= 1 ? 60s : 45s);
    EXPECT_EQ(keys.status(0).failures, 40U);
  }
}

TEST(IssuerKeys, ALoginIsNotHeldUpByTheBackOff) {
  IssuerKeys keys = from_url();
  MonoTime now = start;
  for (int i = 0; i < 10; ++i) {
    keys.tick(now);
    keys.fetched(0, Unexpected(FetchError::bad_status), now, {});
    now = *keys.next_wake();
  }
  keys.tick(now);
  keys.fetched(0, Unexpected(FetchError::bad_status), now, {});
  const auto wait = keys.key_unknown(0, now + 1s);
  EXPECT_EQ(keys.next_wake(), now + 2s);
  keys.tick(now + 2s);
  keys.fetched(0, Unexpected(FetchError::bad_status), now + 3s, {});
  EXPECT_TRUE(keys.finished(*wait));
}

TEST(IssuerKeys, BadContentIsAFailureThatKeepsTheOldKeys) {
  for (const std::string& bad :
       {std::string(), std::string("<html>"), std::string(R"({"keys":[]})"), std::string(300'000, ' ')}) {
    IssuerKeys keys = loaded();
    keys.tick(start + 300s);
    keys.fetched(0, Answer(bad), start + 300s, {});
    EXPECT_TRUE(serves(keys, "a"));
    EXPECT_THAT(keys.status(0).last_error, testing::StartsWith("the key set is "));
    EXPECT_EQ(keys.status(0).failures, 1U);
  }
}

class Discovery : public testing::Test {
 protected:
  Discovery() : keys_({settings(DiscoveryKeys{"https://idp.example/.well-known/openid-configuration"})}, start) {
    const auto requests = keys_.tick(start);
    SALLYPORT_CHECK(requests.size() == 1);
    EXPECT_EQ(requests[0].url, "https://idp.example/.well-known/openid-configuration");
    EXPECT_EQ(requests[0].bytes_max, discovery_bytes_max);
  }
  std::vector<FetchRequest> answer(const std::string& text) { return keys_.fetched(0, Answer(text), start, {}); }
  IssuerKeys keys_;
};

TEST_F(Discovery, FetchesTheDocumentAndThenTheKeysThatItNames) {
  const auto requests = answer(R"({"issuer":"https://idp.example","jwks_uri":"https://keys.example/jwks","x":[]})");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].url, "https://keys.example/jwks");
  EXPECT_EQ(requests[0].ca_file, "ca.pem");
  EXPECT_EQ(requests[0].bytes_max, jwks_bytes_max);
  EXPECT_EQ(keys_.status(0).fetches, 0U);
  EXPECT_THAT(keys_.fetched(0, Answer(key_set("a")), start, {}), testing::IsEmpty());
  EXPECT_TRUE(serves(keys_, "a"));
  EXPECT_EQ(keys_.status(0).fetches, 1U);
}

TEST_F(Discovery, RefusesADocumentOfAnotherIssuerOrWithoutSafeKeys) {
  for (const auto& [text, error] : std::initializer_list<std::pair<std::string, std::string>>{
           {R"({"issuer":"https://idp.example/","jwks_uri":"https://k.example"})", "names another issuer"},
           {R"({"issuer":"https://evil.example","jwks_uri":"https://k.example"})", "names another issuer"},
           {R"({"jwks_uri":"https://k.example"})", "names another issuer"},
           {R"({"issuer":["https://idp.example"],"jwks_uri":"https://k.example"})", "names another issuer"},
           {R"({"issuer":"https://idp.example"})", "no jwks_uri"},
           {R"({"issuer":"https://idp.example","jwks_uri":7})", "no jwks_uri"},
           {R"({"issuer":"https://idp.example","jwks_uri":"http://k.example/jwks"})", "neither https"},
           {R"({"issuer":"https://idp.example","jwks_uri":"file:///etc/passwd"})", "neither https"},
           {R"({"issuer":"https://idp.example","issuer":"https://evil.example","jwks_uri":"https://k.example"})",
            "named twice"},
           {"", "not JSON"},
           {"[]", "names another issuer"},
           {std::string(70'000, ' '), "too large"}}) {
    IssuerKeys keys({settings(DiscoveryKeys{"https://idp.example/d"})}, start);
    keys.tick(start);
    EXPECT_THAT(keys.fetched(0, Answer(text), start, {}), testing::IsEmpty()) << text;
    EXPECT_THAT(keys.status(0).last_error, testing::HasSubstr(error)) << text;
    EXPECT_FALSE(has_keys(keys));
  }
}

TEST_F(Discovery, FailsWholeWhenTheSecondStepFails) {
  answer(R"({"issuer":"https://idp.example","jwks_uri":"http://127.0.0.1:8080/jwks"})");
  keys_.fetched(0, Unexpected(FetchError::tls_failed), start, {});
  EXPECT_EQ(keys_.status(0).failures, 1U);
  EXPECT_EQ(keys_.tick(*keys_.next_wake())[0].url, "https://idp.example/.well-known/openid-configuration");
}

TEST(KeyFile, IsReadEverySecondAndServesWhatItHeldLast) {
  IssuerKeys keys({settings(JwksFileKeys{"jwks.json"})}, start);
  const auto requests = keys.tick(start);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].file, "jwks.json");
  EXPECT_EQ(requests[0].url, "");
  keys.fetched(0, Answer(key_set("a")), start, {});
  const auto version = keys.version();
  EXPECT_EQ(keys.next_wake(), start + 1s);
  EXPECT_EQ(keys.tick(start + 1s).size(), 1U);
  keys.unchanged(0, start + 1s);
  EXPECT_EQ(keys.version(), version);
  keys.tick(start + 2s);
  keys.fetched(0, Answer(std::string("half a fi")), start + 2s, {});
  EXPECT_TRUE(serves(keys, "a"));
  EXPECT_EQ(keys.status(0).failures, 1U);
  keys.tick(start + 3s);
  keys.unchanged(0, start + 3s);
  EXPECT_EQ(keys.status(0).failures, 2U) << "an unchanged bad file is still bad";
  keys.tick(start + 4s);
  keys.fetched(0, Answer(key_set("b")), start + 4s, {});
  EXPECT_TRUE(serves(keys, "b"));
}

TEST(KeyFile, ThatComesBackUnchangedServesAgain) {
  IssuerKeys keys({settings(JwksFileKeys{"jwks.json"})}, start);
  keys.tick(start);
  keys.fetched(0, Answer(key_set("a")), start, {});
  keys.tick(start + 1s);
  keys.fetched(0, Unexpected(FetchError::unreadable), start + 1s, {});
  keys.tick(start + 3600s);
  EXPECT_FALSE(has_keys(keys));
  keys.unchanged(0, start + 3601s);
  EXPECT_TRUE(serves(keys, "a"));
}

TEST(InlineKeys, AreThereFromTheStartAndForGood) {
  IssuerKeys keys({settings(InlineKeys{key_set("a")})}, start);
  EXPECT_TRUE(serves(keys, "a"));
  EXPECT_EQ(keys.next_wake(), std::nullopt);
  EXPECT_THAT(keys.tick(start + 100h), testing::IsEmpty());
  EXPECT_TRUE(serves(keys, "a"));
  EXPECT_EQ(keys.key_unknown(0, start), std::nullopt);
  IssuerKeys bad({settings(InlineKeys{"{}"})}, start);
  EXPECT_FALSE(has_keys(bad));
  EXPECT_EQ(bad.status(0).last_error, "the key set is not a JWK set");
}

TEST(IssuerKeys, OfSeveralIssuersAreKeptApart) {
  IssuerKeys keys({settings(JwksUrlKeys{"https://a.example"}), settings(JwksUrlKeys{"https://b.example"})}, start);
  EXPECT_EQ(keys.tick(start).size(), 2U);
  keys.fetched(1, Answer(key_set("b")), start, {});
  EXPECT_FALSE(has_keys(keys));
  EXPECT_TRUE(serves(keys, "b", 1));
  keys.fetched(0, Unexpected(FetchError::unreachable), start, {});
  EXPECT_TRUE(serves(keys, "b", 1));
  EXPECT_EQ(keys.status(1).failures, 0U);
}

TEST(IssuerKeys, AnAnswerThatNobodyAskedForIsIgnored) {
  IssuerKeys keys = loaded();
  EXPECT_THAT(keys.fetched(0, Answer(key_set("z")), start + 1s, {}), testing::IsEmpty());
  keys.unchanged(0, start + 1s);
  EXPECT_TRUE(serves(keys, "a"));
}

TEST(KeyUrl, MustBeHttpsOrOfALoopbackAddress) {
  for (const char* const good :
       {"https://idp.example", "https://idp.example:8443/a?b=c", "https://[2001:db8::1]/x", "http://localhost/x",
        "http://localhost:1", "http://127.0.0.1:8080/jwks", "http://127.255.3.4", "http://[::1]:80/"}) {
    EXPECT_TRUE(key_url_allowed(good)) << good;
  }
  for (const char* const bad : {"",
                                "https://",
                                "https:///x",
                                "http://idp.example",
                                "http://127.0.0.1.evil.example",
                                "http://localhost.evil.example",
                                "http://127.0.0.1@evil.example/",
                                "https://user:pw@idp.example",
                                "http://127.0.0.256",
                                "http://127.0.0",
                                "http://127.0.0.1.",
                                "http://127.0.0.01",
                                "http://0x7f.0.0.1",
                                "http://2130706433",
                                "http://[::1",
                                "http://[::1]x",
                                "http://localhost:",
                                "http://localhost:8x",
                                "http://localhost\\@evil.example",
                                "http://localhost#x",
                                "file:///etc/passwd",
                                "ftp://localhost",
                                "HTTPS://idp.example",
                                "https://idp example",
                                "https://idp.example/\n",
                                "//idp.example",
                                "http://localhost:123456"}) {
    EXPECT_FALSE(key_url_allowed(bad)) << bad;
  }
}

}  // namespace
}  // namespace sallyport::identity
