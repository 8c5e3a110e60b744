// One connected socket, plain or with TLS, read and written without blocking, as its watch in the loop's reactor says.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "net/reactor.h"
#include "net/tls.h"

namespace sallyport::net {

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
  // `ready` is told when there is something to read, or room to write where a write found none.
  Channel(Reactor& reactor, Descriptor socket, std::function<void()> ready);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() = default;

  // From now on the bytes are those of TLS; handshake() follows.
  void start_tls(TlsStream stream);
  enum class Handshake : std::uint8_t { done, wants_read, wants_write, failed };
  Handshake handshake();
  bool in_handshake() const { return in_handshake_; }
  // Whether the handshake may get on now.
  bool handshake_due() const;
  SSL* tls() { return tls_.get(); }

  // Whether read() may yield something.
  bool readable() const { return watch_.readable() || tls_holds_bytes_; }
  // Reads at most space.size() bytes.
  IoResult read(MutableBytes space);
  // Whether the peer has closed its side, or failed: what it sent before may be still to be read.
  bool peer_ended() const { return watch_.hung_up(); }
  // Whether write() may get rid of something.
  bool writable() const { return watch_.writable(); }
  // Writes some of the pieces, in order, and tells how many of their bytes the socket has taken. With TLS more may be
  // under way than was told: the pieces of the next call begin with the same bytes, up to those, or the write fails.
  IoResult write(std::span<const Bytes> pieces);
  // How much of what was written the peer's kernel has taken over, by a measure that means something only when compared
  // with an earlier one: less the room that the rest takes here.
  std::int64_t taken_bytes() const;
  // Reads some of what the socket holds, below TLS, and drops it, as what TLS holds already. False once there is
  // nothing more to come. Nothing is to be read after it.
  bool discard();

  // The peer's address as the kernel writes it; empty where it has none any more.
  std::string peer() const;

  // Tells the peer that nothing more comes.
  void shutdown_write();

 private:
  friend struct ChannelBio;
  IoResult receive(MutableBytes space);
  IoResult send(std::span<const Bytes> pieces);
  IoResult write_tls(std::span<const Bytes> pieces);
  IoResult encrypt(Bytes bytes);
  IoResult send_records(Bytes records, std::size_t bytes);
  IoResult send_unsent(std::span<const Bytes> pieces);
  IoResult tls_result(int result);

  Descriptor socket_;
  Reactor::Watch watch_;
  TlsStream tls_{nullptr, SSL_free};
  std::int64_t sent_bytes_ = 0;
  struct Records;
  Records* gathered_ = nullptr;                  // while write_tls() has OpenSSL make records
  std::vector<std::uint8_t> unsent_;             // records, or a part of one, that the socket had no room for
  std::size_t bytes_in_unsent_ = 0;              // of the pieces, as they were written: told when unsent_ is sent
  Handshake handshake_wants_ = Handshake::done;  // what the last step lacked
  bool in_handshake_ = false;
  bool ticket_due_ = false;       // goes with the next write
  bool tls_holds_bytes_ = false;  // received and not read yet, perhaps less than a record
  bool ended_ = false;            // the peer closed its side
  bool failed_ = false;
};

}  // namespace sallyport::net
