#include "net/key_service.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <string>
#include <vector>

namespace sallyport::net {
namespace {

identity::IssuerSettings issuer(const std::string& name, identity::KeySource keys) {
  identity::IssuerSettings made;
  made.name = name;
  made.issuer = "https://" + name + ".example";
  made.keys = std::move(keys);
  return made;
}

class KeyServiceTest : public testing::Test {
 protected:
  void wait(const std::string& name) {
    service_.wait_for_keys(name, [this, name] { happened_.push_back("waited for " + name); });
  }
  // Nobody answers at this address.
  static identity::KeySource unreachable() { return identity::JwksUrlKeys{"http://127.0.0.1:9/jwks"}; }
  static identity::KeySource fixed() { return identity::InlineKeys{R"({"keys":[]})"}; }

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  Log log_{{.lowest = Severity::error, .style = LogStyle::text}};
  LoopCounters counters_;
  std::vector<std::string> happened_;
  KeyService service_{context_, log_, counters_, [this](const KeySnapshot& snapshot) {
                        happened_.push_back("published " + snapshot.issuers->front().name);
                      }};
};

TEST_F(KeyServiceTest, AnIssuerWithoutFetchesIsNotWaitedFor) {
  service_.set_issuers({issuer("main", fixed())});
  happened_.clear();
  wait("main");
  wait("unknown");
  EXPECT_EQ(happened_, (std::vector<std::string>{"waited for main", "waited for unknown"}));
}

TEST_F(KeyServiceTest, WhoWaitsIsToldAfterTheNewIssuersArePublished) {
  service_.set_issuers({issuer("main", unreachable())});
  happened_.clear();
  wait("main");
  EXPECT_TRUE(happened_.empty());
  service_.set_issuers({issuer("main", fixed())});
  EXPECT_EQ(happened_, (std::vector<std::string>{"published main", "waited for main"}));
}

TEST_F(KeyServiceTest, WhoWaitsGoesOnWaitingForTheNewIssuerOfThatName) {
  service_.set_issuers({issuer("main", unreachable())});
  wait("main");
  happened_.clear();
  service_.set_issuers({issuer("other", fixed()), issuer("main", unreachable())});
  EXPECT_EQ(happened_, std::vector<std::string>{"published other"});
  while (happened_.size() < 2 && context_.run_one_for(std::chrono::seconds(10)) > 0) {
  }
  EXPECT_EQ(happened_.back(), "waited for main") << "its fetch has failed";
}

}  // namespace
}  // namespace sallyport::net
