#include "control/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <sstream>

namespace sallyport::control {
namespace {

using std::filesystem::path;
using testing::HasSubstr;
using testing::Not;

MetricsSnapshot snapshot_of(const LoopCounters& counters) {
  MetricsSnapshot snapshot{
      .totals = {},
      .issuers = {{"idp", 2}},
      .servers = {{"shop", "east", true, 0, 4}, {"shop", "west", false, 3, 0}},
      .catalogues = {{.connection = "shop", .version = 7, .age_seconds = 1.5, .failures = 2}, {.connection = "new"}},
      .version = "1.2.3",
      .start_time_seconds = 1.5e9};
  counters.add_to(snapshot.totals);
  return snapshot;
}

TEST(PrometheusText, ShowsCountersGaugesAndLabels) {
  LoopCounters counters;
  counters.add(Metric::config_reload_failures, 3);
  counters.raise(Level::backend_connections_open);
  counters.add_login_refused("token_expired");
  counters.add_session_ended("drained");
  counters.add_connection_refused("draining");
  counters.add_command(3);
  auto text = to_prometheus_text(snapshot_of(counters));
  EXPECT_THAT(text, HasSubstr("\nsallyport_config_reload_failures_total 3"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_backend_connections_open 1"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_logins_refused_total{reason=\"token_expired\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_logins_refused_total{reason=\"tls_required\"} 0"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_sessions_ended_total{reason=\"drained\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_connections_refused_total{reason=\"draining\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_commands_total{command=\"query\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_issuer_keys{issuer=\"idp\"} 2"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_backend_server_up{connection=\"shop\",server=\"east\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_backend_server_up{connection=\"shop\",server=\"west\"} 0"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_backend_server_failures_total{connection=\"shop\",server=\"west\"} 3"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_backend_server_connections_in_use{connection=\"shop\",server=\"east\"} 4"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_catalogue_version{connection=\"shop\"} 7"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_catalogue_version{connection=\"new\"} 0"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_catalogue_age_seconds{connection=\"shop\"} 1.5"));
  EXPECT_THAT(text, Not(HasSubstr("sallyport_catalogue_age_seconds{connection=\"new\"}")));
  EXPECT_THAT(text, HasSubstr("\nsallyport_catalogue_refresh_failures_total{connection=\"shop\"} 2"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_build_info{version=\"1.2.3\"} 1"));
}

TEST(PrometheusText, HistogramsAreCumulativeAndInSeconds) {
  LoopCounters counters;
  counters.observe(Duration::login, std::chrono::milliseconds{2});
  counters.observe(Duration::login, std::chrono::milliseconds{3});
  counters.observe(Duration::login, std::chrono::minutes{2});
  auto text = to_prometheus_text(snapshot_of(counters));
  EXPECT_THAT(text, HasSubstr("\nsallyport_login_duration_seconds_bucket{le=\"0.001\"} 0"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_login_duration_seconds_bucket{le=\"0.0025\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_login_duration_seconds_bucket{le=\"0.005\"} 2"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_login_duration_seconds_bucket{le=\"60\"} 2"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_login_duration_seconds_bucket{le=\"+Inf\"} 3"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_login_duration_seconds_count 3"));
  EXPECT_THAT(text, HasSubstr("\nsallyport_login_duration_seconds_sum 120.005"));
}

// Name, and type, of each family: from "# TYPE name type".
std::set<std::string> families_of(const std::string& text) {
  std::set<std::string> families;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("# TYPE ")) {
      families.insert(line.substr(7));
    }
  }
  return families;
}

// From rows "| `name` | type | ...".
std::set<std::string> documented_families(const path& file) {
  std::set<std::string> families;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    auto name_end = line.find("` | ");
    if (line.starts_with("| `") && name_end != std::string::npos) {
      auto type = line.substr(name_end + 4);
      families.insert(line.substr(3, name_end - 3) + " " + type.substr(0, type.find(' ')));
    }
  }
  return families;
}

TEST(PrometheusText, EveryFamilyIsDocumentedAndNoOther) {
  auto file = path(__FILE__).parent_path().parent_path().parent_path() / "docs/metrics.md";
  EXPECT_EQ(families_of(to_prometheus_text(snapshot_of(LoopCounters{}))), documented_families(file));
}

TEST(PrometheusText, EveryReasonIsDocumented) {
  std::ifstream stream(path(__FILE__).parent_path().parent_path().parent_path() / "docs/metrics.md");
  std::ostringstream text;
  text << stream.rdbuf();
  for (auto reasons : {std::span<const std::string_view>(connection_refusal_reasons),
                       std::span<const std::string_view>(login_refusal_reasons),
                       std::span<const std::string_view>(session_end_reasons)}) {
    for (auto reason : reasons) {
      EXPECT_THAT(text.str(), HasSubstr("`" + std::string(reason) + "`"));
    }
  }
}

}  // namespace
}  // namespace sallyport::control
