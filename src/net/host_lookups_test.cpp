#include "net/host_lookups.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

namespace sallyport::net {
namespace {

using Found = HostLookups::Found;

Found loopback(std::uint16_t port) {
  boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(), port);
  return HostLookups::Endpoints{endpoint};
}

// A resolver that answers for "slow" when it is let.
struct Resolver {
  HostLookups::LookUp look_up() {
    return [this, let = let.get_future().share()](const std::string& host, std::uint16_t port) {
      ++asked;
      if (host == "slow") {
        let.wait();
      }
      return host == "none" ? Found(Unexpected(std::string("no such name"))) : loopback(port);
    };
  }
  std::promise<void> let;
  std::atomic<int> asked{0};
};

std::future<Found> find(HostLookups& lookups, const std::string& host, std::uint16_t port = 3306) {
  auto told = std::make_shared<std::promise<Found>>();
  lookups.find(host, port, [told](const Found& found) { told->set_value(found); });
  return told->get_future();
}

TEST(HostLookups, ANameWithoutAnAnswerIsInNobodysWay) {
  Resolver resolver;
  HostLookups lookups(resolver.look_up());
  auto slow = find(lookups, "slow");
  for (int i = 0; i < 20; ++i) {
    find(lookups, "slow");
  }
  auto shared = find(lookups, "slow");
  auto other_port = find(lookups, "slow", 3307);
  auto found = find(lookups, "other").get();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 1U);
  auto none = find(lookups, "none").get();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), "no such name");
  EXPECT_EQ(slow.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  resolver.let.set_value();
  EXPECT_TRUE(slow.get());
  EXPECT_TRUE(shared.get());
  EXPECT_TRUE(other_port.get());
  EXPECT_EQ(resolver.asked, 4) << "who asks while it is looked up shares the answer";
  EXPECT_TRUE(find(lookups, "slow").get());
  EXPECT_EQ(resolver.asked, 5) << "and nobody later";
}

TEST(HostLookups, WhoIsGoneIsToldNothing) {
  Resolver resolver;
  std::atomic<bool> told{false};
  {
    HostLookups lookups(resolver.look_up());
    lookups.find("slow", 3306, [&](const Found& /*found*/) { told = true; });
    while (resolver.asked == 0) {
      std::this_thread::yield();
    }
  }
  resolver.let.set_value();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(told);
}

TEST(HostLookups, TheSystemsResolverKnowsThisMachine) {
  HostLookups lookups;
  auto found = find(lookups, "localhost").get();
  ASSERT_TRUE(found) << found.error();
  EXPECT_GE(found->size(), 1U);
  auto unknown = find(lookups, "no such name").get();
  ASSERT_FALSE(unknown);
  EXPECT_FALSE(unknown.error().empty());
}

}  // namespace
}  // namespace sallyport::net
