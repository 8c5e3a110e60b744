// One connected socket, plain or with TLS, read and written without blocking.
//
// Between events one asynchronous read into a small buffer is pending; when it completes, that buffer's bytes and what
// else the socket holds are read straight to where they are wanted. So a wake-up costs one receive, an idle channel
// holds little memory, and the reactor is armed once for the socket's life.
#pragma once

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <span>

#include "base/bytes.h"
#include "net/tls.h"

namespace sallyport::net {

using Socket = boost::asio::generic::stream_protocol::socket;

enum class IoStatus : std::uint8_t {
  ok,
  would_block,
  closed,  // by the peer, in order
  failed
};

struct IoResult {
  IoStatus status;
  std::size_t bytes = 0;
};

class Channel {
 public:
  explicit Channel(Socket socket);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  // From now on the bytes are those of TLS; handshake() follows.
  void start_tls(TlsStream stream);
  enum class Handshake : std::uint8_t { done, wants_read, wants_write, failed };
  Handshake handshake();
  bool in_handshake() const { return in_handshake_; }
  SSL* tls() { return tls_.get(); }

  // Reads at most space.size() bytes.
  IoResult read(MutableBytes space);
  // Whether read() may yield something without waiting for the socket.
  bool readable() const;
  // Writes as much of the pieces, in order, as the socket takes.
  IoResult write(std::span<const Bytes> pieces);

  // Waits until there is something to read, then calls `done`. Not while a wait is pending, nor while readable().
  template <typename Handler>
  void async_wait_readable(Handler done) {
    waiting_ = true;
    socket_.async_read_some(boost::asio::buffer(prefetch_),
                            [this, done = std::move(done)](const boost::system::error_code& error, std::size_t count) {
                              waiting_ = false;
                              if (error != boost::asio::error::operation_aborted) {
                                prefetched(error, count);
                              }
                              done(error);
                            });
  }
  bool waiting_readable() const { return waiting_; }
  template <typename Handler>
  void async_wait_writable(Handler done) {
    socket_.async_wait(Socket::wait_write, std::move(done));
  }

  // Tells the peer that nothing more comes.
  void shutdown_write();
  void close();
  bool is_open() const { return socket_.is_open(); }
  Socket& socket() { return socket_; }

 private:
  friend struct ChannelBio;
  void prefetched(const boost::system::error_code& error, std::size_t count);
  IoResult receive(MutableBytes space);
  IoResult send(std::span<const Bytes> pieces);
  IoResult write_tls(std::span<const Bytes> pieces);
  IoResult tls_result(int result);

  Socket socket_;
  TlsStream tls_{nullptr, SSL_free};
  bool in_handshake_ = false;
  bool waiting_ = false;
  bool more_ = false;   // the last receive filled all the space it had
  bool ended_ = false;  // the peer closed its side
  bool failed_ = false;
  std::uint16_t prefetch_begin_ = 0;
  std::uint16_t prefetch_end_ = 0;
  std::array<std::uint8_t, 2048> prefetch_;
};

}  // namespace sallyport::net
