#include "net/channel.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <memory>
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

}  // namespace
}  // namespace sallyport::net
