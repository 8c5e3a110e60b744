// The pool with several servers of one connection: which is chosen, what happens to one that can't be reached.
#include <gtest/gtest.h>

#include <map>

#include "session/backend_pool.h"

namespace sallyport::session {
namespace {

using Kind = BackendPool::Order::Kind;
using Orders = BackendPool::Orders;

const std::vector<ServerCandidate> primaries{{.name = "p1", .tier = 1}, {.name = "p2", .tier = 2}};
const std::vector<ServerCandidate> replicas{{.name = "r1", .tier = 0}, {.name = "r2", .tier = 0}};
const std::vector<ServerCandidate> either{
    {.name = "r1", .tier = 0}, {.name = "r2", .tier = 0}, {.name = "p1", .tier = 1}};

class PoolOfServersTest : public testing::Test {
 protected:
  Orders request(const std::vector<ServerCandidate>& servers, std::string login = "reader", std::uint32_t loop = 0) {
    Orders orders;
    pool_.request({.kind = {.connection = "shop", .login = std::move(login)},
                   .servers = servers,
                   .loop = loop,
                   .ticket = ++tickets_},
                  settings_, now_, orders);
    return orders;
  }
  // Where a login goes that is served at once, and its slot.
  BackendPool::Order served(const std::vector<ServerCandidate>& servers, std::string login = "reader") {
    Orders orders = request(servers, std::move(login));
    EXPECT_EQ(orders.size(), 1U);
    return orders.empty() ? BackendPool::Order{} : orders[0];
  }
  BackendPool::Order opened(const std::vector<ServerCandidate>& servers, std::string login = "reader") {
    auto order = served(servers, std::move(login));
    EXPECT_EQ(order.kind, Kind::open);
    Orders orders;
    pool_.opened(order.slot, now_, orders);
    return order;
  }
  Orders fail(BackendPool::Slot slot, Reason reason = Reason::backend_unavailable) {
    Orders orders;
    pool_.open_failed(slot, reason, "refused", now_, orders);
    return orders;
  }
  Orders give_back(BackendPool::Slot slot) {
    EXPECT_TRUE(pool_.give_back(slot, now_));
    Orders orders;
    pool_.ready(slot, now_, orders);
    return orders;
  }
  Orders pass(Milliseconds time) {
    now_.mono += time;
    Orders orders;
    pool_.time_passed(now_, orders);
    return orders;
  }
  // A first failure, and what the pool says of it.
  void bring_down(const std::string& server) {
    auto order = served({{.name = server}}, "other");
    fail(order.slot);
  }

  PoolSettings settings_{.connections_max = 4, .check_interval = Milliseconds{10'000'000}};
  Now now_{wall_from_unix_seconds(1'800'000'000), MonoTime{Seconds{1000}}};
  BackendPool pool_{1};
  BackendPool::Ticket tickets_ = 0;
};

TEST_F(PoolOfServersTest, TheFirstPrimaryIsUsedAndNoOtherWhileItCanBeReached) {
  settings_.connections_max = 2;
  EXPECT_EQ(opened(primaries).server, "p1");
  auto second = opened(primaries);
  EXPECT_EQ(second.server, "p1");
  EXPECT_TRUE(request(primaries).empty()) << "a full primary is waited for: the next one may be a stand-by";
  auto orders = give_back(second.slot);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::reuse);
  EXPECT_EQ(orders[0].server, "p1");
}

TEST_F(PoolOfServersTest, APrimaryThatCannotBeReachedIsFollowedByTheNextUntilItIsThereAgain) {
  auto order = served(primaries);
  fail(order.slot);
  auto changes = pool_.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].server, "p1");
  EXPECT_EQ(changes[0].to, BackendPool::Change::To::down);
  EXPECT_EQ(changes[0].detail, "refused");
  EXPECT_FALSE(pool_.server_status("shop", "p1").up);
  EXPECT_EQ(opened(primaries).server, "p2");
  auto probe = pass(Milliseconds{200});
  ASSERT_EQ(probe.size(), 1U);
  EXPECT_EQ(probe[0].kind, Kind::open_spare);
  EXPECT_EQ(probe[0].backend_kind.server, "p1");
  EXPECT_EQ(opened(primaries).server, "p2") << "until the probe has logged in";
  EXPECT_TRUE(pass(Milliseconds{200}).empty()) << "one at a time";
  Orders orders;
  pool_.ready(probe[0].slot, now_, orders);
  EXPECT_TRUE(pool_.server_status("shop", "p1").up);
  changes = pool_.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].to, BackendPool::Change::To::up);
  EXPECT_EQ(served(primaries).server, "p1");
}

TEST_F(PoolOfServersTest, ProbesComeLessAndLessOftenAndTellNothingNew) {
  fail(served(primaries).slot);
  EXPECT_EQ(pool_.take_changes().size(), 1U);
  int probes = 0;
  for (int tick = 0; tick < 5 * 300; ++tick) {  // five minutes
    for (const auto& order : pass(Milliseconds{200})) {
      ASSERT_EQ(order.kind, Kind::open_spare);
      ++probes;
      fail(order.slot);
    }
  }
  EXPECT_GE(probes, 30);
  EXPECT_LE(probes, 45);
  EXPECT_TRUE(pool_.take_changes().empty());
  EXPECT_EQ(pool_.server_status("shop", "p1").failures, static_cast<std::uint64_t>(probes) + 1);
}

TEST_F(PoolOfServersTest, TheOnlyServerIsNotProbedWhenNobodyWantsIt) {
  fail(served({{.name = "p1"}}).slot);
  EXPECT_TRUE(pass(Milliseconds{60'000}).empty());
  EXPECT_EQ(served({{.name = "p1"}}).kind, Kind::open);
}

TEST_F(PoolOfServersTest, SessionsAreSpreadOverReplicasByTheirNumberAndThenInTurn) {
  settings_.connections_max = 100;
  std::map<std::string, int> sessions;
  std::vector<BackendPool::Order> of_first;
  for (int i = 0; i < 10; ++i) {
    auto order = opened(replicas, i % 3 == 0 ? "other" : "reader");
    ++sessions[order.server];
    if (order.server == "r1") {
      of_first.push_back(order);
    }
  }
  EXPECT_EQ(sessions["r1"], 5);
  EXPECT_EQ(sessions["r2"], 5);
  Orders none;
  pool_.closed(of_first[0].slot, now_, none);
  pool_.closed(of_first[1].slot, now_, none);
  EXPECT_EQ(opened(replicas).server, "r1");
  EXPECT_EQ(opened(replicas).server, "r1");
}

TEST_F(PoolOfServersTest, OneSessionAfterTheOtherGoesRound) {
  std::map<std::string, int> sessions;
  for (int i = 0; i < 10; ++i) {
    auto order = served(replicas);
    ++sessions[order.server];
    Orders none;
    pool_.opened(order.slot, now_, none);
    give_back(order.slot);
  }
  EXPECT_EQ(sessions["r1"], 5);
  EXPECT_EQ(sessions["r2"], 5);
}

TEST_F(PoolOfServersTest, ADeadReplicaLeavesTheOthersAloneForAllLogins) {
  bring_down("r1");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(opened(replicas).server, "r2");
  }
}

TEST_F(PoolOfServersTest, WithoutReplicasThePrimaryServesOnlyWhomItMay) {
  bring_down("r1");
  bring_down("r2");
  EXPECT_EQ(opened(either).server, "p1");
  auto order = served(replicas);
  EXPECT_EQ(order.kind, Kind::refuse);
  EXPECT_EQ(order.reason, Reason::backend_unavailable);
  pass(Milliseconds{200});
  EXPECT_EQ(opened(either).server, "p1") << "no login tries what is down where another can be had";
}

TEST_F(PoolOfServersTest, AFullReplicaSendsNobodyToThePrimary) {
  settings_.connections_max = 1;
  opened(either);
  opened(either);
  EXPECT_TRUE(request(either).empty());
}

TEST_F(PoolOfServersTest, WhoWaitsForOneServerHoldsUpNobodyElsewhere) {
  settings_.connections_max = 1;
  auto primary = opened(primaries);
  EXPECT_TRUE(request(primaries).empty());
  BackendPool::Ticket first = tickets_;
  EXPECT_EQ(opened(replicas).kind, Kind::open);
  EXPECT_TRUE(request(primaries).empty());
  auto orders = give_back(primary.slot);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].ticket, first);
}

TEST_F(PoolOfServersTest, WhoComesLaterDoesNotOvertakeAtAServerThatIsWaitedFor) {
  settings_.connections_max = 1;
  auto one = opened({{.name = "r1"}});
  auto two = opened({{.name = "r2"}});
  EXPECT_TRUE(request(replicas).empty());
  BackendPool::Ticket first = tickets_;
  EXPECT_TRUE(request({{.name = "r2"}}).empty());
  auto orders = give_back(two.slot);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].ticket, first);
  orders = give_back(one.slot);
  EXPECT_TRUE(orders.empty()) << "that is not the server that the other waits for";
}

TEST_F(PoolOfServersTest, WhenAllAreDownLoginsAreRefusedUntilOneMayBeTried) {
  bring_down("p1");
  bring_down("p2");
  auto order = served(primaries);
  EXPECT_EQ(order.kind, Kind::refuse);
  EXPECT_NE(order.detail.find("refused"), std::string::npos);
  now_.mono += Milliseconds{200};
  auto trial = served(primaries);
  ASSERT_EQ(trial.kind, Kind::open);
  EXPECT_EQ(trial.server, "p1");
  EXPECT_EQ(served(primaries).server, "p2") << "each may be tried by one";
  EXPECT_TRUE(request(primaries).empty()) << "and the rest wait for how that ends";
  Orders orders;
  pool_.opened(trial.slot, now_, orders);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].server, "p1");
}

TEST_F(PoolOfServersTest, WhatWasOpenedUnderAnOlderConfigurationSaysNothingOfTheServer) {
  auto before = served(primaries);
  bring_down("p1");
  bring_down("p2");
  Orders orders;
  pool_.opened(before.slot, now_, orders, BackendPool::Under::an_older_one);
  EXPECT_TRUE(orders.empty());
  EXPECT_EQ(served(primaries).kind, Kind::refuse);
  pool_.closed(before.slot, now_, orders);
  EXPECT_EQ(served(primaries).kind, Kind::refuse);
}

TEST_F(PoolOfServersTest, AWaitForAServerThatDoesNotAnswerEndsWithThatReason) {
  fail(served({{.name = "p1"}}).slot);
  now_.mono += Milliseconds{200};
  EXPECT_EQ(served({{.name = "p1"}}).kind, Kind::open);
  EXPECT_TRUE(request({{.name = "p1"}}).empty());
  auto orders = pass(settings_.wait_timeout);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::refuse);
  EXPECT_EQ(orders[0].reason, Reason::backend_unavailable);
}

TEST_F(PoolOfServersTest, AServerThatRefusesALoginIsThere) {
  auto order = served(primaries);
  fail(order.slot, Reason::backend_login_failed);
  EXPECT_TRUE(pool_.server_status("shop", "p1").up);
  EXPECT_EQ(served(primaries, "other").server, "p1");
}

TEST_F(PoolOfServersTest, SpareConnectionsThatAreRefusedAreNotOpenedAtEveryTick) {
  settings_.connections_min = 3;
  opened(primaries);
  int tries = 0;
  for (int tick = 0; tick < 300; ++tick) {  // a minute
    for (const auto& order : pass(Milliseconds{200})) {
      ++tries;
      fail(order.slot, Reason::backend_login_failed);
    }
  }
  EXPECT_LE(tries, 15);
  EXPECT_EQ(opened(primaries).server, "p1");
}

TEST_F(PoolOfServersTest, AConnectionThatIsNotAnsweredHasItsServerLookedAtBeforeItIsUsedAgain) {
  auto order = opened(primaries);
  Orders orders;
  pool_.unanswered(order.slot, "no answer", now_, orders);
  EXPECT_TRUE(orders.empty());
  EXPECT_TRUE(pool_.take_changes().empty()) << "that may have been the connection's fault";
  EXPECT_EQ(opened(primaries).server, "p2");
  EXPECT_FALSE(pool_.server_status("shop", "p1").up) << "no login is sent there";
  auto probe = pass(Milliseconds{1});
  ASSERT_EQ(probe.size(), 1U);
  EXPECT_EQ(probe[0].backend_kind.server, "p1");
  pool_.ready(probe[0].slot, now_, orders);
  EXPECT_TRUE(pool_.server_status("shop", "p1").up);
  EXPECT_EQ(served(primaries).server, "p1");
}

TEST_F(PoolOfServersTest, AServerThatTakesNoMoreConnectionsServesThoseThatItHas) {
  auto kept = opened({{.name = "p1"}});
  bring_down("p1");
  give_back(kept.slot);
  EXPECT_EQ(served({{.name = "p1"}}).kind, Kind::reuse);
}

TEST_F(PoolOfServersTest, IdleConnectionsToAServerInDoubtHaveToAnswerBeforeTheyAreGiven) {
  auto first = opened({{.name = "p1"}});
  auto second = opened({{.name = "p1"}}, "other");
  auto third = opened({{.name = "p1"}});
  give_back(first.slot);
  give_back(second.slot);
  Orders orders;
  pool_.unanswered(third.slot, "no answer", now_, orders);
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0].kind, Kind::check);
  EXPECT_EQ(orders[1].kind, Kind::check);
  EXPECT_EQ(served({{.name = "p1"}}).kind, Kind::open) << "and a login tries the server meanwhile";
  orders.clear();
  pool_.unanswered(first.slot, "no answer", now_, orders);
  EXPECT_TRUE(orders.empty()) << "once is enough";
}

TEST_F(PoolOfServersTest, BoundsAreOfEachServer) {
  settings_.connections_max = 1;
  settings_.idle_max = 1;
  auto one = opened(replicas);
  auto two = opened(replicas);
  EXPECT_NE(one.server, two.server);
  give_back(one.slot);
  give_back(two.slot);
  for (const char* server : {"r1", "r2"}) {
    auto counts = pool_.counts({.connection = "shop", .server = server, .login = "reader"});
    EXPECT_EQ(counts.open, 1U);
    EXPECT_EQ(counts.idle, 1U);
  }
}

TEST_F(PoolOfServersTest, DedicatedConnectionsAreNeverQueuedRefusedOrKept) {
  settings_.mode = BackendMode::dedicated;
  settings_.connections_max = 1;
  auto first = opened(primaries);
  auto second = opened(primaries);
  EXPECT_EQ(second.server, "p1");
  EXPECT_FALSE(pool_.give_back(first.slot, now_));
  fail(served(primaries).slot);
  auto on_other = served(primaries);
  EXPECT_EQ(on_other.server, "p2");
  fail(on_other.slot);
  EXPECT_EQ(served(primaries).kind, Kind::open) << "both are down, and one is tried all the same";
  auto probes = pass(Milliseconds{300});
  ASSERT_FALSE(probes.empty());
  Orders orders;
  pool_.ready(probes[0].slot, now_, orders);
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].kind, Kind::close) << "a probe is not kept";
}

TEST_F(PoolOfServersTest, AReloadForgetsWhatWasDownAndProbesNothing) {
  bring_down("p1");
  Orders orders;
  pool_.start_generation(orders);
  EXPECT_TRUE(pass(Milliseconds{1000}).empty());
  EXPECT_EQ(opened(primaries).server, "p1");
  EXPECT_TRUE(pool_.server_status("shop", "p1").up);
}

TEST_F(PoolOfServersTest, ALoginWithoutServersIsRefused) {
  auto order = served({});
  EXPECT_EQ(order.kind, Kind::refuse);
  EXPECT_EQ(order.reason, Reason::backend_unavailable);
}

}  // namespace
}  // namespace sallyport::session
