#include "net/leg.h"

#include <utility>

#include "base/check.h"

namespace sallyport::net {

Leg::Leg(Loop& loop, Descriptor socket)
    : loop_(loop), channel_(loop.reactor(), std::move(socket), [this] { tell_owner(); }) {}

Leg::~Leg() {
  if (compression_) {
    loop_.own_counters().lower(compression_->peer() == session::CompressedLeg::Peer::client
                                   ? Level::client_connections_compressed
                                   : Level::backend_connections_compressed);
  }
}

void Leg::start_compression(session::CompressedLeg::Peer peer, session::CompressionStart start) {
  SALLYPORT_CHECK(!compression_);
  compression_ = std::make_unique<session::CompressedLeg>(peer, start, loop_.compression());
  loop_.own_counters().raise(peer == session::CompressedLeg::Peer::client ? Level::client_connections_compressed
                                                                          : Level::backend_connections_compressed);
}

std::size_t Leg::note_sent(std::size_t count) {
  bool client = compression_->peer() == session::CompressedLeg::Peer::client;
  bool as_frames = compression_->sends_frames();
  std::size_t plain = compression_->sent(count);
  if (as_frames) {
    loop_.own_counters().add(client ? Metric::client_frame_bytes_sent : Metric::backend_frame_bytes_sent, count);
    loop_.own_counters().add(client ? Metric::client_framed_bytes_sent : Metric::backend_framed_bytes_sent, plain);
  }
  return plain;
}

void Leg::note_received(std::size_t count) {
  bool client = compression_->peer() == session::CompressedLeg::Peer::client;
  compression_->received(count);
  loop_.own_counters().add(client ? Metric::client_frame_bytes_received : Metric::backend_frame_bytes_received, count);
}

void Leg::note_decoded(std::size_t count) {
  bool client = compression_->peer() == session::CompressedLeg::Peer::client;
  loop_.own_counters().add(client ? Metric::client_framed_bytes_received : Metric::backend_framed_bytes_received,
                           count);
}

// The owner may destroy the leg.
void Leg::tell_owner() {
  if (auto owner = owner_.lock()) {
    owner->leg_ready();
  }
}

bool Leg::peer_took_some() {
  std::int64_t before = std::exchange(taken_bytes_, channel_.taken_bytes());
  return taken_bytes_ > before;
}

Leg::Transfer Leg::transfer(IoStatus status) {
  switch (status) {
    case IoStatus::ok:
      return Transfer::moved;
    case IoStatus::would_block:
      return Transfer::none;
    case IoStatus::closed:
    case IoStatus::failed:
      return Transfer::closed;
  }
  return Transfer::closed;
}

}  // namespace sallyport::net
