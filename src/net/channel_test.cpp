#include "net/channel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::net {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// Two ends of a connection with TLS, without certificates.
class ChannelTest : public testing::Test {
 protected:
  ChannelTest() : context_(SSL_CTX_new(TLS_method()), SSL_CTX_free) {
    SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
    EXPECT_EQ(SSL_CTX_set_cipher_list(context_.get(), "ADH-AES128-GCM-SHA256:@SECLEVEL=0"), 1);
    SSL_CTX_set_dh_auto(context_.get(), 1);
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    near_ = std::make_unique<Channel>(reactor_, Descriptor(ends[0]), [] {});
    far_ = std::make_unique<Channel>(reactor_, Descriptor(ends[1]), [] {});
    near_->start_tls(stream(SSL_set_accept_state));
    far_->start_tls(stream(SSL_set_connect_state));
    for (int turn = 0; turn < 20 && (near_->in_handshake() || far_->in_handshake()); ++turn) {
      for (Channel* channel : {near_.get(), far_.get()}) {
        if (channel->handshake_due()) {
          EXPECT_NE(channel->handshake(), Channel::Handshake::failed);
        }
      }
      this->turn();
    }
  }

  TlsStream stream(void (*set_state)(SSL*)) {
    TlsStream made(SSL_new(context_.get()), SSL_free);
    set_state(made.get());
    return made;
  }
  void turn() {
    reactor_.wait(Milliseconds{0});
    reactor_.tell();
  }

  Context context_;
  Reactor reactor_;
  std::unique_ptr<Channel> near_;
  std::unique_ptr<Channel> far_;
};

TEST_F(ChannelTest, OfWhatIsDroppedNothingIsLeftToBeRead) {
  ASSERT_FALSE(near_->in_handshake());
  std::vector<std::uint8_t> sent(1000);
  Bytes piece{sent};
  ASSERT_EQ(far_->write({&piece, 1}).status, IoStatus::ok);
  turn();
  std::array<std::uint8_t, 10> space{};
  ASSERT_EQ(near_->read(space).status, IoStatus::ok);
  EXPECT_TRUE(near_->readable());
  EXPECT_TRUE(near_->discard());
  EXPECT_FALSE(near_->readable());
}

TEST_F(ChannelTest, AnEndBehindTheLastBytesIsFoundWithoutAnotherEvent) {
  ASSERT_FALSE(near_->in_handshake());
  std::vector<std::uint8_t> sent(100);
  Bytes piece{sent};
  ASSERT_EQ(far_->write({&piece, 1}).status, IoStatus::ok);
  far_.reset();
  turn();
  std::array<std::uint8_t, 1000> space{};
  EXPECT_EQ(near_->read(space).bytes, sent.size());
  ASSERT_TRUE(near_->readable());
  EXPECT_NE(near_->read(space).status, IoStatus::would_block);
}

// What write() told of is what the far end can read, whatever room the socket has, and nothing is told twice.
TEST_F(ChannelTest, RecordsThatTheSocketHasNoRoomForAreSentLaterInOrder) {
  ASSERT_FALSE(near_->in_handshake());
  std::vector<std::uint8_t> sent(1U << 20);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    sent[i] = static_cast<std::uint8_t>(i * 31 + i / 257);
  }
  std::vector<std::uint8_t> received;
  std::vector<std::uint8_t> space(5000);
  std::size_t told = 0;
  std::size_t blocked = 0;
  for (std::size_t step = 0; received.size() < sent.size() && step < 100'000; ++step) {
    // A small piece before the rest, sometimes, as packets made here stand before forwarded ones.
    Bytes rest = Bytes{sent}.subspan(told);
    std::size_t first = std::min<std::size_t>(rest.size(), step % 3 == 0 ? 7 : 200'000);
    std::array<Bytes, 2> pieces{rest.first(first), rest.subspan(first)};
    if (!rest.empty()) {
      IoResult result = near_->write({pieces.data(), pieces[1].empty() ? 1U : 2U});
      ASSERT_TRUE(result.status == IoStatus::ok || result.status == IoStatus::would_block);
      told += result.bytes;
      blocked += result.status == IoStatus::would_block ? 1 : 0;
    }
    if (rest.empty() || !near_->writable()) {
      IoResult result = far_->read(space);
      received.insert(received.end(), space.begin(), space.begin() + static_cast<std::ptrdiff_t>(result.bytes));
      turn();
    }
  }
  EXPECT_GT(blocked, 0U);
  EXPECT_EQ(told, sent.size());
  EXPECT_EQ(received, sent);
}

TEST_F(ChannelTest, WhatIsUnderWayCantBeTakenBack) {
  ASSERT_FALSE(near_->in_handshake());
  std::vector<std::uint8_t> sent(64U << 10);
  Bytes piece{sent};
  while (near_->write({&piece, 1}).status == IoStatus::ok) {
  }
  std::vector<std::uint8_t> space(64U << 10);
  for (int turns = 0; turns < 100 && !near_->writable(); ++turns) {
    far_->read(space);
    turn();
  }
  ASSERT_TRUE(near_->writable());
  Bytes less = piece.first(10);
  EXPECT_EQ(near_->write({&less, 1}).status, IoStatus::failed);
}

// The two ends of a TCP connection over loopback, neither of which blocks.
std::array<Descriptor, 2> tcp_pair() {
  Descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listening.number(), generic, size), 0);
  EXPECT_EQ(::listen(listening.number(), 1), 0);
  EXPECT_EQ(::getsockname(listening.number(), generic, &size), 0);
  Descriptor far(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(far.number(), generic, size), 0);
  EXPECT_EQ(::fcntl(far.number(), F_SETFL, O_NONBLOCK), 0);
  Descriptor near(::accept4(listening.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return {std::move(near), std::move(far)};
}

class TakenBytes : public testing::TestWithParam<int> {
 protected:
  // Two connected ends.
  static std::array<Descriptor, 2> ends() {
    std::array<int, 2> made{};
    if (GetParam() == AF_UNIX) {
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, made.data()), 0);
      return {Descriptor(made[0]), Descriptor(made[1])};
    }
    return tcp_pair();
  }
};

TEST_P(TakenBytes, GrowWhenThePeerReadsThoughTheSocketHasNoRoomYet) {
  Reactor reactor;
  std::array<Descriptor, 2> both = ends();
  Channel near(reactor, std::move(both[0]), [] {});
  std::vector<std::uint8_t> much(1U << 20);
  Bytes piece{much};
  while (near.write({&piece, 1}).status == IoStatus::ok) {
  }
  ASSERT_FALSE(near.writable());
  std::int64_t before = near.taken_bytes();
  EXPECT_EQ(near.taken_bytes(), before) << "while the peer reads nothing";
  // A peer reads until that is noticed: by pieces, as kernels count. Long before the socket has room.
  std::vector<std::uint8_t> space(16U << 10);
  int reads = 0;
  while (near.taken_bytes() == before && reads < 1000) {
    if (::read(both[1].number(), space.data(), space.size()) > 0) {
      ++reads;
    }
  }
  EXPECT_GT(near.taken_bytes(), before);
}

INSTANTIATE_TEST_SUITE_P(Sockets, TakenBytes, testing::Values(AF_INET, AF_UNIX),
                         [](const auto& tested) { return tested.param == AF_UNIX ? "Unix" : "Tcp"; });

TEST(Channel, WhatStandsBehindUrgentDataIsRead) {
  auto [near, far] = tcp_pair();
  Reactor reactor;
  Channel channel(reactor, std::move(near), [] {});
  ASSERT_EQ(::send(far.number(), "abc", 3, 0), 3);
  ASSERT_EQ(::send(far.number(), "!", 1, MSG_OOB), 1);
  ASSERT_EQ(::send(far.number(), "def", 3, 0), 3);
  reactor.wait(Milliseconds{5'000});
  reactor.tell();
  std::string received;
  std::array<std::uint8_t, 100> space{};
  while (channel.readable()) {
    IoResult result = channel.read(space);
    received += text_of(Bytes{space}.first(result.bytes));
  }
  EXPECT_EQ(received, "abcdef") << "one event told of all of it";
}

}  // namespace
}  // namespace sallyport::net
