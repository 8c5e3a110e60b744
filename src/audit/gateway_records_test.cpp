#include "audit/gateway_records.h"

#include <gtest/gtest.h>

#include "audit/canonical.h"

namespace sallyport::audit {
namespace {

TEST(GatewayRecords, AreCanonical) {
  constexpr WallTime now = wall_from_unix_seconds(0);
  crypto::Sha256Digest digest{1, 2};
  std::string loaded;
  append_configuration_loaded(loaded, {.configuration = digest, .previous = digest}, now);
  std::string hex = "0102" + std::string(60, '0');
  EXPECT_EQ(loaded, "{\"configuration\":\"" + hex + "\",\"previous\":\"" + hex +
                        "\",\"time\":\"1970-01-01T00:00:00.000000000Z\",\"type\":\"configuration_loaded\"}\n");
  std::string refused;
  append_configuration_refused(refused, {.configuration = digest, .error = "2 mistakes"}, now);
  std::string witness;
  append_witness_state(witness, {.witness = "w.example", .state = "failing", .records = 7, .detail = "timed out"}, now);
  EXPECT_EQ(witness,
            "{\"detail\":\"timed out\",\"records\":7,\"state\":\"failing\",\"time\":\"1970-01-01T00:00:00.000000000Z\","
            "\"type\":\"witness_state\",\"witness\":\"w.example\"}\n");
  for (const std::string& line : {loaded, refused, witness}) {
    EXPECT_EQ(canonical_json(line), line.substr(0, line.size() - 1));
  }
}

}  // namespace
}  // namespace sallyport::audit
