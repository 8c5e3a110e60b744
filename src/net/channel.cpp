#include "net/channel.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sallyport::net {
namespace {

// Small pieces are joined so that they travel in one TLS record.
constexpr std::size_t tls_record_bytes = 16U << 10;
constexpr std::size_t pieces_max = 16;

}  // namespace

// OpenSSL's view of the channel: bytes come from the prefetched ones first, then from the socket.
struct ChannelBio {
  static Channel& channel(BIO* bio) { return *static_cast<Channel*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    IoResult result = channel(bio).receive({reinterpret_cast<std::uint8_t*>(out), static_cast<std::size_t>(size)});
    if (result.status == IoStatus::would_block) {
      BIO_set_retry_read(bio);
      return -1;
    }
    return result.status == IoStatus::ok ? static_cast<int>(result.bytes) : 0;
  }

  static int write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    Bytes piece{reinterpret_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(size)};
    IoResult result = channel(bio).send({&piece, 1});
    if (result.status == IoStatus::would_block) {
      BIO_set_retry_write(bio);
      return -1;
    }
    return result.status == IoStatus::ok ? static_cast<int>(result.bytes) : -1;
  }

  static long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
  }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const instance = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport channel");
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return instance;
  }
};

Channel::Channel(Socket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

Channel::~Channel() {
  close();
}

void Channel::start_tls(TlsStream stream) {
  tls_ = std::move(stream);
  BIO* bio = BIO_new(ChannelBio::method());
  SALLYPORT_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(tls_.get(), bio, bio);
  in_handshake_ = true;
}

Channel::Handshake Channel::handshake() {
  ERR_clear_error();
  int result = SSL_do_handshake(tls_.get());
  if (result == 1) {
    in_handshake_ = false;
    return Handshake::done;
  }
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Handshake::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return Handshake::wants_write;
    default:
      return Handshake::failed;
  }
}

void Channel::prefetched(const boost::system::error_code& error, std::size_t count) {
  prefetch_begin_ = 0;
  prefetch_end_ = static_cast<std::uint16_t>(count);
  more_ = count == prefetch_.size();
  ended_ = error == boost::asio::error::eof;
  failed_ = error && !ended_;
}

bool Channel::readable() const {
  return prefetch_begin_ < prefetch_end_ || more_ || ended_ || failed_ ||
         (tls_ && !in_handshake_ && SSL_pending(tls_.get()) > 0);
}

IoResult Channel::receive(MutableBytes space) {
  std::size_t part = std::min<std::size_t>(space.size(), static_cast<std::size_t>(prefetch_end_ - prefetch_begin_));
  if (part > 0) {
    std::memcpy(space.data(), prefetch_.data() + prefetch_begin_, part);
    prefetch_begin_ = static_cast<std::uint16_t>(prefetch_begin_ + part);
    space = space.subspan(part);
  }
  if (!more_ || space.empty() || waiting_) {
    if (part > 0) {
      return {.status = IoStatus::ok, .bytes = part};
    }
    return {.status = failed_ ? IoStatus::failed : ended_ ? IoStatus::closed : IoStatus::would_block};
  }
  ssize_t count = 0;
  do {
    count = ::recv(socket_.native_handle(), space.data(), space.size(), 0);
  } while (count < 0 && errno == EINTR);
  more_ = count == static_cast<ssize_t>(space.size());
  ended_ = ended_ || count == 0;
  failed_ = failed_ || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  std::size_t bytes = part + (count > 0 ? static_cast<std::size_t>(count) : 0);
  if (bytes > 0) {
    return {.status = IoStatus::ok, .bytes = bytes};
  }
  return {.status = failed_ ? IoStatus::failed : ended_ ? IoStatus::closed : IoStatus::would_block};
}

IoResult Channel::read(MutableBytes space) {
  if (!tls_) {
    return receive(space);
  }
  ERR_clear_error();
  int result = SSL_read(tls_.get(), space.data(), static_cast<int>(std::min<std::size_t>(space.size(), 1U << 30)));
  return tls_result(result);
}

IoResult Channel::tls_result(int result) {
  if (result > 0) {
    return {.status = IoStatus::ok, .bytes = static_cast<std::size_t>(result)};
  }
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {.status = IoStatus::would_block};
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      return {.status = IoStatus::closed};
    default:
      ERR_clear_error();
      failed_ = !ended_;
      return {.status = ended_ ? IoStatus::closed : IoStatus::failed};
  }
}

IoResult Channel::write(std::span<const Bytes> pieces) {
  return tls_ ? write_tls(pieces) : send(pieces);
}

IoResult Channel::send(std::span<const Bytes> pieces) {
  std::array<iovec, pieces_max> vectors{};
  std::size_t count = std::min(pieces.size(), pieces_max);
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {.iov_base = const_cast<std::uint8_t*>(pieces[i].data()), .iov_len = pieces[i].size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) {
    return {.status = IoStatus::ok, .bytes = static_cast<std::size_t>(sent)};
  }
  bool blocked = errno == EAGAIN || errno == EWOULDBLOCK;
  return {.status = blocked ? IoStatus::would_block : IoStatus::failed};
}

// A write that OpenSSL could not finish is repeated with the same bytes at the front and no fewer: the pieces come from
// a queue that only grows at its end.
IoResult Channel::write_tls(std::span<const Bytes> pieces) {
  std::array<std::uint8_t, tls_record_bytes> record;
  std::size_t joined = 0;
  Bytes bytes = pieces[0];
  if (pieces[0].size() < record.size() && pieces.size() > 1) {
    for (Bytes piece : pieces) {
      std::size_t part = std::min(piece.size(), record.size() - joined);
      std::memcpy(record.data() + joined, piece.data(), part);
      joined += part;
    }
    bytes = Bytes{record}.first(joined);
  }
  ERR_clear_error();
  return tls_result(
      SSL_write(tls_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1U << 30))));
}

void Channel::shutdown_write() {
  if (!socket_.is_open()) {
    return;
  }
  if (tls_ && !in_handshake_ && !failed_) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Channel::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace sallyport::net
