#include "net/leg.h"

#include <utility>

namespace sallyport::net {

Leg::Leg(Loop& loop, Descriptor socket)
    : loop_(loop), channel_(loop.reactor(), std::move(socket), [this] { tell_owner(); }) {}

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
