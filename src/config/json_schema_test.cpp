#include "config/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config.h"
#include "config/document.h"

namespace sallyport::config {
namespace {

using std::filesystem::path;

const path documentation = path(__FILE__).parent_path().parent_path().parent_path() / "docs";

std::string read_whole(const path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

constexpr std::string_view how_to_update =
    "docs/ differs from src/config/settings_table.cpp. Run config_test with SALLYPORT_UPDATE_GOLDEN=1, and look at "
    "what "
    "changed in docs/.";

bool updates_golden() {
  return std::getenv("SALLYPORT_UPDATE_GOLDEN") != nullptr;
}

const Node* member(const Node& node, std::string_view name) {
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    if (node.keys[i].name == name) {
      return &node.items[i];
    }
  }
  return nullptr;
}

TEST(JsonSchema, TheOneInTheDocumentationIsTheParsers) {
  auto file = documentation / "configuration.schema.json";
  if (updates_golden()) {
    std::ofstream(file, std::ios::binary) << json_schema();
  }
  EXPECT_TRUE(read_whole(file) == json_schema()) << how_to_update;
}

TEST(JsonSchema, IsWellFormedWithRequiredKeysDefaultsAndExclusiveOnes) {
  auto schema = read_document(json_schema());  // JSON is YAML
  ASSERT_TRUE(schema) << schema.error().message;
  EXPECT_EQ(member(*schema, "$schema")->text, "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(member(*schema, "additionalProperties")->text, "false");
  ASSERT_NE(member(*schema, "required"), nullptr);
  EXPECT_EQ(member(*schema, "required")->items.size(), 4U);
  const Node* definitions = member(*schema, "$defs");
  const Node* limits = member(*definitions, "limits");
  ASSERT_NE(limits, nullptr);
  EXPECT_EQ(member(*member(*member(*limits, "properties"), "packet_bytes_max"), "default")->text, "64MiB");
  const Node* issuer = member(*definitions, "issuer");
  EXPECT_EQ(member(*member(*member(*issuer, "properties"), "algorithms"), "default")->items.size(), 4U);
  const Node* secret = member(*definitions, "secret");
  EXPECT_EQ(member(*secret, "oneOf")->items.size(), 3U);
}

TEST(SettingsReference, IsTheEndOfTheDocumentation) {
  auto file = documentation / "configuration.md";
  constexpr std::string_view marker = "do not edit below. -->\n\n";
  auto text = read_whole(file);
  auto at = text.find(marker);
  ASSERT_NE(at, std::string::npos);
  if (updates_golden()) {
    text = text.substr(0, at + marker.size()) + settings_reference();
    std::ofstream(file, std::ios::binary) << text;
  }
  EXPECT_TRUE(text.substr(at + marker.size()) == settings_reference()) << how_to_update;
}

TEST(SettingsReference, HasARowForEachSetting) {
  auto reference = settings_reference();
  EXPECT_THAT(reference, testing::HasSubstr("| `write_timeout` | duration, 1s to 1h | `60s` | How long"));
  EXPECT_THAT(reference, testing::HasSubstr("| `listeners` | list of [listener](#listener) | required | Where"));
}

}  // namespace
}  // namespace sallyport::config
