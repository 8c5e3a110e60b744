#include "identity/spiffe_id.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::identity {
namespace {

TEST(SpiffeId, FollowsTheGrammarToTheLetter) {
  for (const std::string& good : {std::string("spiffe://d"), std::string("spiffe://a.b-c_1/x"),
                                  std::string("spiffe://d/A/b.c/..d/_"), "spiffe://" + std::string(255, 'd') + "/a"}) {
    EXPECT_TRUE(parse_spiffe_id(good)) << good;
  }
  for (const std::string& bad : {std::string(),
                                 std::string("spiffe://"),
                                 std::string("spiffe:///a"),
                                 std::string("SPIFFE://d/a"),
                                 std::string("spiffe://D/a"),
                                 std::string("spiffe://d/"),
                                 std::string("spiffe://d//a"),
                                 std::string("spiffe://d/a/"),
                                 std::string("spiffe://d/."),
                                 std::string("spiffe://d/a/../b"),
                                 std::string("spiffe://d:80/a"),
                                 std::string("spiffe://u@d/a"),
                                 std::string("spiffe://d/a?q"),
                                 std::string("spiffe://d/a#f"),
                                 std::string("spiffe://d/%61"),
                                 std::string("spiffe://d/a b"),
                                 std::string("spiffe://d/\xc3\xa9"),
                                 std::string("https://d/a"),
                                 "spiffe://" + std::string(256, 'd') + "/a",
                                 "spiffe://d/" + std::string(2048, 'a')}) {
    EXPECT_FALSE(parse_spiffe_id(bad)) << bad;
  }
  EXPECT_EQ(parse_spiffe_id("spiffe://d/a/b")->trust_domain, "spiffe://d");
  EXPECT_EQ(parse_spiffe_id("spiffe://d/a/b")->path, "/a/b");
}

}  // namespace
}  // namespace sallyport::identity
