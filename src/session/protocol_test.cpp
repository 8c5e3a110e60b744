#include "session/protocol.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sallyport::session {
namespace {

TEST(Protocol, EachCommandHasARuleInTheOrderOfTheEnum) {
  for (std::size_t i = 0; i < command_rules().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(command_rules()[i].command), i);
  }
}

TEST(Protocol, EachCapabilityHasARuleInTheOrderOfTheBits) {
  for (std::size_t i = 0; i < capability_rules().size(); ++i) {
    EXPECT_EQ(capability_rules()[i].flag, wire::Capabilities{1} << i) << capability_rules()[i].name;
  }
}

TEST(Protocol, OnlyWhatIsUnderstoodIsOfferedOrAskedFor) {
  for (const CapabilityRule& rule : capability_rules()) {
    bool understood = wire::has(wire::understood_capabilities, rule.flag);
    EXPECT_EQ(rule.offer != ClientOffer::never, understood) << rule.name;
    EXPECT_TRUE(rule.wish == BackendWish::never || understood) << rule.name;
  }
}

TEST(Protocol, ServersAreAskedForWhatClientsCanBeGiven) {
  wire::Capabilities offered =
      offered_capabilities(Flavor::mysql, {}) | offered_capabilities(Flavor::mariadb, "11.8.1-MariaDB");
  wire::Capabilities mirrored = wished_capabilities(BackendWish::same) | wished_capabilities(BackendWish::as_client) |
                                wished_capabilities(BackendWish::optional);
  EXPECT_EQ(mirrored & ~offered, 0U);
}

// Replaces what stands between a heading and the next by the table.
std::string with_table(const std::string& page, const std::string& heading, const std::string& table) {
  std::size_t begin = page.find("| ", page.find(heading));
  std::size_t end = page.find("\n\n", begin);
  if (begin == std::string::npos || end == std::string::npos) {
    return page;
  }
  return page.substr(0, begin) + table + page.substr(end + 1);
}

TEST(Protocol, TheDocumentationHasTheTables) {
  auto path = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "docs/protocol.md";
  std::stringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  std::string page = content.str();
  std::string due = with_table(with_table(page, "## Commands", command_table()), "## Capabilities", capability_table());
  if (std::getenv("SALLYPORT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << due;
    page = due;
  }
  EXPECT_NE(page.find(command_table()), std::string::npos)
      << "docs/protocol.md differs from src/session/protocol.cpp. Run session_test with SALLYPORT_UPDATE_GOLDEN=1.";
  EXPECT_NE(page.find(capability_table()), std::string::npos);
}

}  // namespace
}  // namespace sallyport::session
