// What happens on a connection of the gateway's own, a spare one or a side one, whatever is said on it: bytes, TLS and
// compression.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "net/backend_tls.h"
#include "net/leg.h"
#include "net/runtime.h"
#include "session/environment.h"
#include "session/spare_backend.h"

namespace sallyport::net {

// SpareBackend, SideKill or CatalogueReader as Leg::receive() and Leg::send() take it.
template <typename Own>
struct OwnSide {
  Own& own;

  bool wants_bytes() { return own.wants_bytes(); }
  MutableBytes space() { return own.space(); }
  void received(std::size_t count, Now /*now*/) { own.received(count); }
  session::OutputQueue& output() { return own.output(); }
  void sent(std::size_t count, Now /*now*/) { own.output().sent(count); }
  std::optional<session::NextMessage> next_message() { return own.next_message(); }
  void violated(std::string_view how, Now /*now*/) { own.violated(std::string(how)); }
  static constexpr bool reads_to_the_end = true;
};

// Where TLS is wanted. Whether anything moved.
template <typename Own>
bool continue_own_tls(Leg& leg, Own& own, const session::BackendKind& kind, const Runtime& runtime) {
  if (leg.tls() == nullptr) {
    const auto* connection = runtime.environment->find_connection(kind.connection);
    const auto* server = connection == nullptr ? nullptr : session::Environment::find_server(*connection, kind.server);
    auto begun = server == nullptr
                     ? Result<Unit, std::string>(Unexpected(std::string("the server is not configured any more")))
                     : begin_backend_tls(leg, runtime, *connection, *server);
    if (!begun) {
      own.failed(begun.error());
      return true;
    }
  }
  if (!leg.handshake_due()) {
    return false;
  }
  auto done = continue_backend_tls(leg);
  if (!done) {
    own.failed(std::move(done).error());
    return true;
  }
  if (*done) {
    own.tls_established();
  }
  return *done;
}

// Sends and receives what can be. Whether anything moved.
template <typename Own>
bool exchange_own(Leg& leg, Own& own, const session::BackendKind& kind, const Runtime& runtime) {
  bool progress = leg.send(OwnSide<Own>{own}) == Leg::Transfer::moved;
  if (own.state() == Own::State::wants_tls) {
    return continue_own_tls(leg, own, kind, runtime) || progress;
  }
  Leg::Transfer received = leg.receive(OwnSide<Own>{own});
  if (received == Leg::Transfer::closed) {
    own.closed();
  }
  if (auto start = own.compression_due(); start && !leg.is_compressed()) {
    leg.start_compression(session::CompressedLeg::Peer::server, *start);
  }
  return progress || received == Leg::Transfer::moved;
}

}  // namespace sallyport::net
