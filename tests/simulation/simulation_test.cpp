// Sessions between fake peers, many thousands of them, each from a seed.
//
//   SALLYPORT_SIMULATION_SEED=N   runs that seed alone
//   SALLYPORT_SIMULATION_RUNS=N   runs so many seeds, from 1
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "simulation/world.h"

namespace sallyport::simulation {
namespace {

constexpr std::uint64_t default_runs = 40'000;
constexpr std::uint64_t default_runs_min = 4'000;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string run_seed(std::uint64_t seed) {
  SeededChoices choices{seed};
  Scenario scenario = random_scenario(choices);
  World world{scenario, choices};
  world.run();
  if (world.failure().empty()) {
    return {};
  }
  std::string text = "seed " + std::to_string(seed) + ", fault " + std::string(name_of(scenario.fault)) + " at step " +
                     std::to_string(scenario.fault_step) + ": " + world.failure();
  if (std::getenv("SALLYPORT_SIMULATION_SEED") != nullptr) {
    for (const std::string& line : world.sink().lines()) {
      text += "\n" + line;
    }
  }
  return text;
}

TEST(Simulation, InvariantsHoldInRandomRuns) {
  if (std::uint64_t seed = number_from_environment("SALLYPORT_SIMULATION_SEED", 0); seed > 0) {
    EXPECT_EQ(run_seed(seed), "");
    return;
  }
  std::uint64_t runs = number_from_environment("SALLYPORT_SIMULATION_RUNS", 0);
  auto end = std::chrono::steady_clock::now() + Seconds{15};  // where sanitizers make it slow
  int failures = 0;
  for (std::uint64_t seed = 1; seed <= (runs > 0 ? runs : default_runs) && failures < 10; ++seed) {
    if (runs == 0 && seed > default_runs_min && std::chrono::steady_clock::now() > end) {
      break;
    }
    std::string failure = run_seed(seed);
    failures += failure.empty() ? 0 : 1;
    EXPECT_EQ(failure, "");
  }
}

TEST(Simulation, InvariantsHoldWithEachFaultAtEachStep) {
  Scenario scenario = plain_scenario();
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    SeededChoices choices{seed};
    World undisturbed{scenario, choices};
    undisturbed.run();
    ASSERT_EQ(undisturbed.failure(), "");
    ASSERT_EQ(undisturbed.sink().end_reason(), "client_quit");
    int failures = 0;
    for (std::uint32_t fault = 1; fault < fault_count; ++fault) {
      for (std::uint32_t at = 0; at <= undisturbed.steps() && failures < 10; ++at) {
        scenario.fault = static_cast<Fault>(fault);
        scenario.fault_step = at;
        SeededChoices same{seed};
        World world{scenario, same};
        world.run();
        failures += world.failure().empty() ? 0 : 1;
        EXPECT_EQ(world.failure(), "") << name_of(scenario.fault) << " at step " << at << ", seed " << seed;
      }
    }
    scenario = plain_scenario();
  }
}

TEST(Simulation, EverySeedRepeatsItself) {
  for (std::uint64_t seed = 100; seed < 130; ++seed) {
    std::vector<std::vector<std::string>> lines;
    for (int i = 0; i < 2; ++i) {
      SeededChoices choices{seed};
      World world{random_scenario(choices), choices};
      world.run();
      lines.push_back(world.sink().lines());
    }
    EXPECT_EQ(lines[0], lines[1]) << "seed " << seed;
  }
}

// "type.member" of each row of docs/audit-records.md.
std::set<std::string> documented_members() {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() /
                     "docs/audit-records.md");
  std::set<std::string> members;
  std::string type;
  std::string line;
  std::regex heading("## ([a-z_]+)");
  std::regex row("\\| `([a-z0-9_.\\[\\]]+)` \\|.*");
  std::smatch match;
  while (std::getline(file, line)) {
    if (line == "## All records") {
      type = "all";
    } else if (std::regex_match(line, match, heading)) {
      type = match[1];
    } else if (std::regex_match(line, match, row)) {
      members.insert(type + "." + match[1].str());
    }
  }
  return members;
}

TEST(Simulation, EveryMemberOfARecordIsDocumented) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    run_seed(seed);
  }
  std::set<std::string> documented = documented_members();
  EXPECT_GT(RecordingSink::members_seen().size(), 60U);
  for (std::string member : RecordingSink::members_seen()) {
    if (member.ends_with("_base64")) {
      member.resize(member.size() - std::string_view("_base64").size());
    }
    std::string name = member.substr(member.find('.'));
    bool found = documented.contains(member) || documented.contains("all" + name) ||
                 (member.starts_with("login_refused.") && documented.contains("login_accepted" + name));
    EXPECT_TRUE(found) << member;
  }
}

}  // namespace
}  // namespace sallyport::simulation
