#include "net/reactor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

namespace sallyport::net {
namespace {

using Watch = Reactor::Watch;

constexpr Milliseconds long_enough{5'000};

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    near = Descriptor(ends[0]);
    far = Descriptor(ends[1]);
  }
  Descriptor near;
  Descriptor far;
};

void put(const Descriptor& socket, std::size_t count) {
  std::vector<char> bytes(count);
  ASSERT_EQ(::send(socket.number(), bytes.data(), count, MSG_NOSIGNAL), static_cast<ssize_t>(count));
}

ssize_t take(const Descriptor& socket, std::size_t room) {
  std::vector<char> bytes(room);
  return ::recv(socket.number(), bytes.data(), room, 0);
}

// Counts how often it is told.
struct Watched {
  explicit Watched(Reactor& reactor) : watch(reactor, pair.near.number(), Watch::Kind::stream, [this] { ++told; }) {}
  Pair pair;
  int told = 0;
  Watch watch;
};

TEST(Reactor, TellsOnceOfWhatArrived) {
  Reactor reactor;
  Watched socket(reactor);
  EXPECT_FALSE(socket.watch.readable());
  EXPECT_TRUE(socket.watch.writable());
  put(socket.pair.far, 10);
  reactor.wait(long_enough);
  EXPECT_EQ(socket.told, 0);
  reactor.tell();
  EXPECT_EQ(socket.told, 1);
  EXPECT_TRUE(socket.watch.readable());
  reactor.wait(Milliseconds{0});
  reactor.tell();
  EXPECT_EQ(socket.told, 1);
}

TEST(Reactor, TellsOfBytesThatArriveAfterAShortRead) {
  Reactor reactor;
  Watched socket(reactor);
  for (int round = 1; round <= 3; ++round) {
    put(socket.pair.far, 10);
    reactor.wait(long_enough);
    reactor.tell();
    EXPECT_EQ(socket.told, round);
    EXPECT_EQ(take(socket.pair.near, 11), 10);
    socket.watch.drained();
    EXPECT_FALSE(socket.watch.readable());
  }
}

TEST(Reactor, StaysReadableWhenThePeerHasEndedBehindWhatItSent) {
  Reactor reactor;
  Watched socket(reactor);
  put(socket.pair.far, 10);
  socket.pair.far.close();
  reactor.wait(long_enough);
  reactor.tell();
  EXPECT_EQ(take(socket.pair.near, 11), 10);
  socket.watch.drained();
  EXPECT_TRUE(socket.watch.readable());
  EXPECT_EQ(take(socket.pair.near, 11), 0);
}

TEST(Reactor, TellsOnceOfAnEndThatNobodyReads) {
  Reactor reactor;
  Watched socket(reactor);
  put(socket.pair.far, 10);
  reactor.wait(long_enough);
  reactor.tell();
  socket.pair.far.close();
  reactor.wait(long_enough);
  reactor.tell();
  EXPECT_EQ(socket.told, 2);
  reactor.wait(Milliseconds{0});
  reactor.tell();
  EXPECT_EQ(socket.told, 2);
  EXPECT_TRUE(socket.watch.readable());
}

TEST(Reactor, TellsOfRoomOnlyWhereAWriteFoundNone) {
  Reactor reactor;
  Watched socket(reactor);
  put(socket.pair.near, 100);
  EXPECT_EQ(take(socket.pair.far, 1000), 100);
  reactor.wait(Milliseconds{0});
  reactor.tell();
  EXPECT_EQ(socket.told, 0);

  std::vector<char> bytes(64U << 10);
  ssize_t sent = 0;
  while ((sent = ::send(socket.pair.near.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL)) > 0) {
  }
  ASSERT_EQ(errno, EAGAIN);
  socket.watch.blocked();
  EXPECT_FALSE(socket.watch.writable());
  reactor.wait(Milliseconds{0});
  reactor.tell();
  EXPECT_FALSE(socket.watch.writable());
  while (take(socket.pair.far, bytes.size()) > 0) {
  }
  reactor.wait(long_enough);
  reactor.tell();
  EXPECT_TRUE(socket.watch.writable());
}

TEST(Reactor, FindsRoomThatCameUpBeforeItWasAskedFor) {
  Reactor reactor;
  Watched socket(reactor);
  socket.watch.blocked();
  reactor.wait(long_enough);
  reactor.tell();
  EXPECT_TRUE(socket.watch.writable());
}

TEST(Reactor, TellsEachOfManyBeforeAnyoneASecondTime) {
  Reactor reactor;
  std::vector<std::unique_ptr<Watched>> sockets;
  for (int i = 0; i < 200; ++i) {
    sockets.push_back(std::make_unique<Watched>(reactor));
    put(sockets.back()->pair.far, 1);
  }
  auto& busy = *sockets.front();
  int turns = 0;
  auto told = [&] { return std::count_if(sockets.begin(), sockets.end(), [](const auto& s) { return s->told > 0; }); };
  for (; turns < 10 && told() < 200; ++turns) {
    put(busy.pair.far, 1);  // always has something more
    reactor.wait(long_enough);
    reactor.tell();
  }
  EXPECT_EQ(told(), 200);
  EXPECT_LT(turns, 10);
}

struct Removal {
  void remove_all() {
    ++told;
    for (auto& watch : watches) {
      watch.reset();  // the one that tells this, and the others
    }
  }
  std::array<Pair, 3> pairs;
  std::array<std::optional<Watch>, 3> watches;
  int told = 0;
};

TEST(Reactor, TellsNothingOfWhatWasRemovedWhileOthersWereTold) {
  Reactor reactor;
  Removal removal;
  for (std::size_t i = 0; i < removal.watches.size(); ++i) {
    removal.watches[i].emplace(reactor, removal.pairs[i].near.number(), Watch::Kind::stream,
                               [&removal] { removal.remove_all(); });
    put(removal.pairs[i].far, 1);
  }
  reactor.wait(long_enough);
  reactor.tell();
  EXPECT_EQ(removal.told, 1);
  reactor.wait(Milliseconds{0});
  reactor.tell();
  EXPECT_EQ(removal.told, 1);
}

struct Renewal {
  void renew() {
    watch.reset();
    watch.emplace(reactor, pair.near.number(), Watch::Kind::stream, [this] { ++told; });
  }
  Reactor reactor;
  Pair pair;
  std::optional<Watch> watch;
  int told = 0;
};

TEST(Reactor, TakesADescriptorWhoseNumberWasWatchedBefore) {
  Renewal renewal;
  put(renewal.pair.far, 1);
  renewal.watch.emplace(renewal.reactor, renewal.pair.near.number(), Watch::Kind::stream,
                        [&renewal] { renewal.renew(); });
  renewal.reactor.wait(long_enough);
  renewal.reactor.tell();
  EXPECT_EQ(renewal.told, 0);
  renewal.reactor.wait(long_enough);
  renewal.reactor.tell();
  EXPECT_EQ(renewal.told, 1);
}

TEST(Reactor, EndsASocketThatTheKernelDoesNotWatch) {
  Reactor reactor;
  Watched socket(reactor);
  Watch second(reactor, socket.pair.near.number(), Watch::Kind::stream, [] {});
  EXPECT_TRUE(second.readable());
  EXPECT_EQ(take(socket.pair.near, 10), 0);
}

TEST(Reactor, TellsOfAListenerUntilAllAreAccepted) {
  Reactor reactor;
  Pair pair;
  int told = 0;
  Watch watch(reactor, pair.near.number(), Watch::Kind::listening, [&] { ++told; });
  put(pair.far, 1);
  for (int turn = 1; turn <= 3; ++turn) {
    reactor.wait(long_enough);
    reactor.tell();
    EXPECT_EQ(told, turn);
  }
}

}  // namespace
}  // namespace sallyport::net
