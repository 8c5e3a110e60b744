#include "control/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

Sources sources_with(std::vector<ReadinessCheck> checks) {
  return {.readiness = [checks = std::move(checks)] { return checks; },
          .metrics = [] { return MetricsSnapshot{}; },
          .catalogues = [] { return std::vector<CatalogueStatus>{}; }};
}

TEST(Respond, HealthIsOkWhileTheProcessLives) {
  auto response = respond({.method = "GET", .target = "/healthz"}, sources_with({}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok\n");
}

TEST(Respond, ReadinessNeedsEveryCheck) {
  auto ready =
      respond({.method = "GET", .target = "/readyz"},
              sources_with({{.name = "listener main", .state = CheckState::holds, .detail = "127.0.0.1:3307"}}));
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.content_type, "application/json");
  EXPECT_EQ(ready.body,
            "{\"ready\":true,\"checks\":[{\"name\":\"listener main\",\"ok\":true,\"detail\":\"127.0.0.1:3307\"}]}\n");
  auto unready = respond({.method = "GET", .target = "/readyz"},
                         sources_with({{.name = "a", .state = CheckState::holds, .detail = {}},
                                       {.name = "issuer \"x\"", .state = CheckState::fails, .detail = "no\nkeys\\"}}));
  EXPECT_EQ(unready.status, 503);
  EXPECT_EQ(unready.body,
            "{\"ready\":false,\"checks\":[{\"name\":\"a\",\"ok\":true,\"detail\":\"\"},"
            "{\"name\":\"issuer \\\"x\\\"\",\"ok\":false,\"detail\":\"no\\nkeys\\\\\"}]}\n");
}

TEST(Respond, WithoutAnyCheckNothingIsReady) {
  EXPECT_EQ(respond({.method = "GET", .target = "/readyz"}, sources_with({})).status, 503);
}

TEST(Respond, MetricsAreInPrometheusText) {
  auto response = respond({.method = "GET", .target = "/metrics?name=x"}, sources_with({}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, testing::HasSubstr("# TYPE sallyport_logins_accepted_total counter\n"));
}

TEST(Respond, CataloguesAreListedWithWhatIsKnownOfThem) {
  Sources sources = sources_with({});
  EXPECT_EQ(respond({.method = "GET", .target = "/catalogues"}, sources).body, "{\"catalogues\":[]}\n");
  sources.catalogues = [] {
    return std::vector<CatalogueStatus>{{.connection = "shop",
                                         .server = "primary",
                                         .version = 3,
                                         .age_seconds = 12.37,
                                         .refresh_seconds = 0.5,
                                         .complete = true,
                                         .schemas = 2,
                                         .tables = 40,
                                         .columns = 400,
                                         .routines = 5},
                                        {.connection = "new", .failures = 2, .last_failure = "no \"route\""}};
  };
  auto response = respond({.method = "GET", .target = "/catalogues"}, sources);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body,
            "{\"catalogues\":[{\"connection\":\"shop\",\"version\":3,\"server\":\"primary\",\"age_seconds\":12.3,"
            "\"complete\":true,\"schemas\":2,\"tables\":40,\"columns\":400,\"routines\":5,\"failures\":0},"
            "{\"connection\":\"new\",\"version\":0,\"failures\":2,\"last_failure\":\"no \\\"route\\\"\"}]}\n");
}

TEST(Respond, HeadIsGetWithoutABody) {
  auto response = respond({.method = "HEAD", .target = "/healthz"}, sources_with({}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
}

TEST(Respond, UnknownTargetsAre404AndOtherMethods405) {
  struct Case {
    std::string_view method;
    std::string_view target;
    std::uint16_t status;
  };
  for (const auto& [method, target, status] :
       {Case{"GET", "/", 404}, Case{"GET", "", 404}, Case{"GET", "/metrics/", 404}, Case{"GET", "/../metrics", 404},
        Case{"POST", "/unknown", 404}, Case{"POST", "/metrics", 405}, Case{"get", "/metrics", 405},
        Case{"DELETE", "/readyz", 405}, Case{"", "/healthz", 405}}) {
    auto response = respond({.method = method, .target = target}, sources_with({}));
    EXPECT_EQ(response.status, status) << method << " " << target;
    EXPECT_EQ(response.allow, status == 405 ? "GET, HEAD" : "");
  }
}

}  // namespace
}  // namespace sallyport::control
