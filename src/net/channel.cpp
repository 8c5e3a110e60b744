#include "net/channel.h"

#include <openssl/err.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sallyport::net {
namespace {

// Small pieces are joined so that they travel in one TLS record.
constexpr std::size_t tls_record_bytes = 16U << 10;
// The records of so much are sent with one call: each call costs more than to copy them.
constexpr std::size_t tls_write_bytes = 64U << 10;
// What a record has beside its bytes: with the smallest fragments that a client may ask for (512 bytes, RFC 6066) and
// CBC with SHA-384, 85 bytes each.
constexpr std::size_t tls_overhead_bytes = 16U << 10;
constexpr std::size_t pieces_max = 16;

// OpenSSL judges a failed call by its queue of errors, which other users of the library may have left something in. To
// look is much cheaper than to clear.
void clear_tls_errors() {
  if (ERR_peek_error() != 0) {
    ERR_clear_error();
  }
}

// One piece, the usual case, needs no vector that the kernel has to copy in.
ssize_t send_once(int socket, std::span<const Bytes> pieces) {
  if (pieces.size() == 1) {
    return ::send(socket, pieces[0].data(), pieces[0].size(), MSG_NOSIGNAL);
  }
  std::array<iovec, pieces_max> vectors{};
  std::size_t count = std::min(pieces.size(), pieces_max);
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {.iov_base = const_cast<std::uint8_t*>(pieces[i].data()), .iov_len = pieces[i].size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace

struct Channel::Records {
  std::size_t size = 0;
  std::array<std::uint8_t, tls_write_bytes + tls_overhead_bytes> bytes;
};

// OpenSSL's view of the channel.
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
    Channel& target = channel(bio);
    if (Channel::Records* records = target.gathered_) {
      if (piece.size() > records->bytes.size() - records->size) {
        return -1;
      }
      std::memcpy(records->bytes.data() + records->size, piece.data(), piece.size());
      records->size += piece.size();
      return size;
    }
    // Records of OpenSSL's own stand behind those that are not sent yet.
    IoResult result = target.unsent_.empty() ? target.send({&piece, 1}) : IoResult{.status = IoStatus::would_block};
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

Channel::Channel(Reactor& reactor, Descriptor socket, std::function<void()> ready)
    : socket_(std::move(socket)), watch_(reactor, socket_.number(), Reactor::Watch::Kind::stream, std::move(ready)) {}

std::string Channel::peer() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket_.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return {};
  }
  return {reinterpret_cast<const char*>(&address), std::min<std::size_t>(size, sizeof address)};
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
  clear_tls_errors();
  int result = SSL_do_handshake(tls_.get());
  if (result == 1) {
    in_handshake_ = false;
    ticket_due_ = SSL_is_server(tls_.get()) == 1 && SSL_version(tls_.get()) == TLS1_3_VERSION;
    tls_holds_bytes_ = SSL_has_pending(tls_.get()) == 1;
    handshake_wants_ = Handshake::done;
    return handshake_wants_;
  }
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      handshake_wants_ = Handshake::wants_read;
      break;
    case SSL_ERROR_WANT_WRITE:
      handshake_wants_ = Handshake::wants_write;
      break;
    default:
      handshake_wants_ = Handshake::failed;
  }
  return handshake_wants_;
}

bool Channel::handshake_due() const {
  if (!in_handshake_) {
    return false;
  }
  switch (handshake_wants_) {
    case Handshake::done:
      return true;
    case Handshake::wants_read:
      return watch_.readable();
    case Handshake::wants_write:
      return watch_.writable();
    case Handshake::failed:
      return false;
  }
  return false;
}

IoResult Channel::receive(MutableBytes space) {
  if (!watch_.readable()) {
    return {.status = failed_ ? IoStatus::failed : ended_ ? IoStatus::closed : IoStatus::would_block};
  }
  ssize_t count = 0;
  do {
    count = ::recv(socket_.number(), space.data(), space.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    if (static_cast<std::size_t>(count) < space.size()) {
      watch_.read_short();
    }
    return {.status = IoStatus::ok, .bytes = static_cast<std::size_t>(count)};
  }
  watch_.drained();
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    return {.status = IoStatus::would_block};
  }
  (count == 0 ? ended_ : failed_) = true;
  return {.status = count == 0 ? IoStatus::closed : IoStatus::failed};
}

IoResult Channel::read(MutableBytes space) {
  if (!tls_) {
    return receive(space);
  }
  clear_tls_errors();
  int result = SSL_read(tls_.get(), space.data(), static_cast<int>(std::min<std::size_t>(space.size(), 1U << 30)));
  // What OpenSSL has received beyond that may be a part of a record only, which the next read then finds out.
  tls_holds_bytes_ = result > 0 && SSL_has_pending(tls_.get()) == 1;
  return tls_result(result);
}

bool Channel::discard() {
  std::array<std::uint8_t, 16384> nowhere;
  constexpr int rounds_max = 16;
  tls_holds_bytes_ = false;
  for (int round = 0; round < rounds_max && watch_.readable(); ++round) {
    IoStatus status = receive(nowhere).status;
    if (status == IoStatus::closed || status == IoStatus::failed) {
      return false;
    }
  }
  return true;
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
      clear_tls_errors();
      failed_ = !ended_;
      return {.status = ended_ ? IoStatus::closed : IoStatus::failed};
  }
}

IoResult Channel::write(std::span<const Bytes> pieces) {
  return tls_ ? write_tls(pieces) : send(pieces);
}

IoResult Channel::send(std::span<const Bytes> pieces) {
  if (!watch_.writable()) {
    return {.status = IoStatus::would_block};
  }
  ssize_t sent = 0;
  do {
    sent = send_once(socket_.number(), pieces);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) {
    sent_bytes_ += sent;
    return {.status = IoStatus::ok, .bytes = static_cast<std::size_t>(sent)};
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    watch_.blocked();
    return {.status = IoStatus::would_block};
  }
  return {.status = IoStatus::failed};
}

// TCP counts what is not acknowledged (tcp(7)), a Unix socket the memory of the pieces that the peer has not read to
// their end (Linux, net/unix/af_unix.c, unix_outq_len()).
std::int64_t Channel::taken_bytes() const {
  int held = 0;
  return ::ioctl(socket_.number(), TIOCOUTQ, &held) == 0 ? sent_bytes_ - held : sent_bytes_;
}

// OpenSSL makes the records in memory, so that it never has to wait with a record begun. What the socket has no room
// for is kept, and the pieces' bytes in it are told as written when it is gone: whoever waits for them sees them still
// to be sent, as without TLS.
IoResult Channel::write_tls(std::span<const Bytes> pieces) {
  if (!watch_.writable()) {
    return {.status = IoStatus::would_block};
  }
  if (!unsent_.empty()) {
    return send_unsent(pieces);
  }
  std::array<std::uint8_t, tls_record_bytes> record;
  std::size_t joined = 0;
  Bytes bytes = pieces[0].first(std::min(pieces[0].size(), tls_write_bytes));
  if (pieces[0].size() < record.size() && pieces.size() > 1) {
    for (Bytes piece : pieces) {
      std::size_t part = std::min(piece.size(), record.size() - joined);
      std::memcpy(record.data() + joined, piece.data(), part);
      joined += part;
    }
    bytes = Bytes{record}.first(joined);
  }
  Records records;
  gathered_ = &records;
  clear_tls_errors();
  if (std::exchange(ticket_due_, false)) {
    SSL_new_session_ticket(tls_.get());  // made by the SSL_write that follows, before its own record
  }
  IoResult made = encrypt(bytes);
  gathered_ = nullptr;
  if (records.size == 0 || made.status == IoStatus::closed || made.status == IoStatus::failed) {
    return made;
  }
  IoResult sent = send_records(Bytes{records.bytes}.first(records.size), made.bytes);
  return sent.status == IoStatus::ok && sent.bytes == 0 ? made : sent;  // only OpenSSL's own records
}

// Makes records of `bytes`, one after the other, as partial writes are allowed. Tells how many bytes they bear.
IoResult Channel::encrypt(Bytes bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    int result = SSL_write(tls_.get(), bytes.data() + done, static_cast<int>(bytes.size() - done));
    if (result <= 0) {
      return {.status = tls_result(result).status, .bytes = done};
    }
    done += static_cast<std::size_t>(result);
  }
  return {.status = IoStatus::ok, .bytes = done};
}

// `bytes`: of the pieces, that the records bear.
IoResult Channel::send_records(Bytes records, std::size_t bytes) {
  IoResult sent = send({&records, 1});
  if (sent.status == IoStatus::ok && sent.bytes == records.size()) {
    return {.status = IoStatus::ok, .bytes = bytes};
  }
  if (sent.status == IoStatus::ok || sent.status == IoStatus::would_block) {
    Bytes rest = records.subspan(sent.bytes);
    unsent_.assign(rest.begin(), rest.end());
    bytes_in_unsent_ = bytes;
    return {.status = IoStatus::would_block};
  }
  return sent;
}

IoResult Channel::send_unsent(std::span<const Bytes> pieces) {
  std::size_t there = 0;
  for (Bytes piece : pieces) {
    there += piece.size();
  }
  if (there < bytes_in_unsent_) {
    return {.status = IoStatus::failed};
  }
  std::vector<std::uint8_t> records = std::exchange(unsent_, {});
  return send_records(records, std::exchange(bytes_in_unsent_, 0));
}

void Channel::shutdown_write() {
  if (tls_ && !in_handshake_ && !failed_ && unsent_.empty()) {
    clear_tls_errors();
    SSL_shutdown(tls_.get());
    clear_tls_errors();
  }
  ::shutdown(socket_.number(), SHUT_WR);
}

}  // namespace sallyport::net
