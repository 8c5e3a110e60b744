#include "session/backend_pool.h"

#include <gtest/gtest.h>

namespace sallyport::session {
namespace {

using Kind = BackendPool::Order::Kind;

class BackendPoolTest : public testing::Test {
 protected:
  static BackendKind kind(std::uint8_t collation_id = 45) {
    return {
        .connection = "shop", .server = "primary", .login = "reader", .capabilities = 0, .collation_id = collation_id};
  }
  BackendPool::Orders request(BackendPool::Ticket ticket, std::uint32_t loop = 0, std::uint8_t collation_id = 45) {
    BackendPool::Orders orders;
    BackendKind wanted = kind(collation_id);
    wanted.server.clear();
    pool_.request({.kind = wanted, .servers = servers_, .loop = loop, .ticket = ticket}, settings_, now_, orders);
    return orders;
  }
  BackendPool::Slot open(BackendPool::Ticket ticket, std::uint32_t loop = 0, std::uint8_t collation_id = 45) {
    auto orders = request(ticket, loop, collation_id);
    EXPECT_EQ(orders.size(), 1U);
    EXPECT_EQ(orders[0].kind, Kind::open);
    pool_.opened(orders[0].slot, now_, orders);
    return orders[0].slot;
  }
  BackendPool::Orders give_back(BackendPool::Slot slot) {
    EXPECT_TRUE(pool_.give_back(slot, now_));
    BackendPool::Orders orders;
    pool_.ready(slot, now_, orders);
    return orders;
  }
  BackendPool::Orders close(BackendPool::Slot slot) {
    BackendPool::Orders orders;
    pool_.closed(slot, now_, orders);
    return orders;
  }
  BackendPool::Orders pass(Milliseconds time) {
    now_.mono += time;
    BackendPool::Orders orders;
    pool_.time_passed(now_, orders);
    return orders;
  }
  BackendPool::Orders fail(BackendPool::Slot slot) {
    BackendPool::Orders orders;
    pool_.open_failed(slot, Reason::backend_unavailable, "refused", now_, orders);
    return orders;
  }

  PoolSettings settings_{.connections_max = 2, .check_interval = Milliseconds{10'000'000}};
  std::vector<ServerCandidate> servers_{{.name = "primary"}};
  Now now_{wall_from_unix_seconds(1'800'000'000), MonoTime{Seconds{1000}}};
  BackendPool pool_{1};
};

TEST_F(BackendPoolTest, AConnectionThatWasResetIsGivenToTheNext) {
  auto slot = open(1);
  EXPECT_TRUE(pool_.give_back(slot, now_));
  auto orders = request(2);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::open) << "one that is not reset yet is not given";
  give_back(orders[0].slot);
  orders = request(3);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::reuse);
}

TEST_F(BackendPoolTest, KindsAndLoopsAreKeptApart) {
  settings_.connections_max = 10;
  give_back(open(1, 0, 45));
  EXPECT_EQ(request(2, 0, 33).at(0).kind, Kind::open);
  EXPECT_EQ(request(3, 1, 45).at(0).kind, Kind::open);
  EXPECT_EQ(request(4, 0, 45).at(0).kind, Kind::reuse);
}

TEST_F(BackendPoolTest, BeyondTheBoundLoginsWaitInTheirOrder) {
  auto first = open(1);
  open(2);
  EXPECT_TRUE(request(3).empty());
  EXPECT_TRUE(request(4).empty());
  EXPECT_EQ(pool_.counts(kind()).waiting, 2U);
  auto orders = give_back(first);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::reuse);
  EXPECT_EQ(orders[0].ticket, 3U);
  orders = close(first);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::open);
  EXPECT_EQ(orders[0].ticket, 4U);
}

TEST_F(BackendPoolTest, AnIdleConnectionElsewhereMakesRoom) {
  auto first = open(1, 0);
  open(2, 0);
  give_back(first);
  auto orders = request(3, 1);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::close);
  EXPECT_EQ(orders[0].slot, first);
  EXPECT_EQ(orders[0].loop, 0U);
  EXPECT_TRUE(request(4, 0).empty()) << "what is being closed is not given, and nobody overtakes";
  orders = close(first);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::open);
  EXPECT_EQ(orders[0].ticket, 3U);
}

TEST_F(BackendPoolTest, AWaitEnds) {
  open(1);
  open(2);
  request(3);
  EXPECT_TRUE(pass(settings_.wait_timeout - Milliseconds{1}).empty());
  auto orders = pass(Milliseconds{1});
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::refuse);
  EXPECT_EQ(orders[0].reason, Reason::backend_pool_exhausted);
  EXPECT_EQ(orders[0].waited, settings_.wait_timeout);
}

TEST_F(BackendPoolTest, TheQueueIsBounded) {
  settings_.waiting_max = 1;
  open(1);
  open(2);
  EXPECT_TRUE(request(3).empty());
  auto orders = request(4);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::refuse);
  EXPECT_EQ(orders[0].ticket, 4U);
}

TEST_F(BackendPoolTest, AWithdrawnLoginGetsNothing) {
  auto first = open(1);
  open(2);
  request(3);
  request(4);
  pool_.withdraw(3, kind());
  EXPECT_EQ(give_back(first).at(0).ticket, 4U);
}

TEST_F(BackendPoolTest, AServerThatIsDownIsLeftAloneAndTriedByOne) {
  settings_.connections_max = 10;
  auto slot = request(1).at(0).slot;
  fail(slot);
  auto orders = request(2);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::refuse);
  EXPECT_EQ(orders[0].reason, Reason::backend_unavailable);
  now_.mono += Milliseconds{200};
  orders = request(3);
  EXPECT_EQ(orders.at(0).kind, Kind::open);
  EXPECT_TRUE(request(4).empty()) << "one tries, the others wait for how it ends";
  auto failed = fail(orders[0].slot);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].kind, Kind::refuse);
  EXPECT_EQ(failed[0].ticket, 4U);
  now_.mono += Milliseconds{150};
  EXPECT_EQ(request(5).at(0).kind, Kind::refuse) << "the pause has doubled";
  now_.mono += Milliseconds{150};
  orders = request(6);
  ASSERT_EQ(orders.at(0).kind, Kind::open);
  EXPECT_TRUE(request(7).empty());
  BackendPool::Orders freed;
  pool_.opened(orders[0].slot, now_, freed);
  ASSERT_EQ(freed.size(), 1U);
  EXPECT_EQ(freed[0].kind, Kind::open);
  EXPECT_EQ(freed[0].ticket, 7U);
}

TEST_F(BackendPoolTest, AProbeThatEndsWithoutAVerdictIsFollowedByAnother) {
  settings_.connections_max = 10;
  fail(request(1).at(0).slot);
  now_.mono += Milliseconds{200};
  auto slot = request(2).at(0).slot;
  request(3);
  auto orders = close(slot);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].ticket, 3U);
  EXPECT_EQ(orders[0].kind, Kind::open);
}

TEST_F(BackendPoolTest, OldAndUnusedConnectionsAreClosed) {
  auto slot = open(1);
  give_back(slot);
  EXPECT_TRUE(pass(settings_.idle_timeout - Milliseconds{1}).empty());
  auto orders = pass(Milliseconds{1});
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::close);
  close(slot);
  slot = open(2);
  now_.mono += settings_.age_max + settings_.age_max / 9;
  EXPECT_FALSE(pool_.give_back(slot, now_));
}

TEST_F(BackendPoolTest, NoMoreAreKeptIdleThanConfigured) {
  settings_.idle_max = 1;
  auto first = open(1);
  auto second = open(2);
  give_back(first);
  EXPECT_FALSE(pool_.give_back(second, now_));
}

TEST_F(BackendPoolTest, TheMinimumIsKeptOpen) {
  settings_.connections_min = 2;
  auto slot = open(1);
  auto orders = pass(Milliseconds{1});
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::open_spare);
  EXPECT_EQ(orders[0].backend_kind, kind());
  EXPECT_TRUE(pass(Milliseconds{1}).empty()) << "it is under way";
  BackendPool::Orders none;
  pool_.ready(orders[0].slot, now_, none);
  give_back(slot);
  EXPECT_TRUE(pass(settings_.idle_timeout).empty()) << "the minimum stays";
  EXPECT_EQ(pool_.counts(kind()).idle, 2U);
}

TEST_F(BackendPoolTest, IdleConnectionsAreCheckedAndNotGivenMeanwhile) {
  settings_.check_interval = Milliseconds{1000};
  settings_.connections_max = 1;
  auto slot = open(1);
  give_back(slot);
  auto orders = pass(Milliseconds{1000});
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::check);
  EXPECT_TRUE(request(2).empty());
  BackendPool::Orders after;
  pool_.ready(slot, now_, after);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].kind, Kind::reuse);
}

TEST_F(BackendPoolTest, AReloadEndsWhatWasOpenedBefore) {
  auto idle = open(1);
  auto used = open(2);
  give_back(idle);
  BackendPool::Orders orders;
  pool_.start_generation(orders);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::close);
  EXPECT_EQ(orders[0].slot, idle);
  EXPECT_FALSE(pool_.give_back(used, now_));
}

}  // namespace
}  // namespace sallyport::session
