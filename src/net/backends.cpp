#include "net/backends.h"

#include <array>
#include <utility>

#include "base/hex.h"
#include "crypto/random.h"
#include "net/connection.h"
#include "net/loop.h"
#include "net/own_exchange.h"

namespace sallyport::net {
namespace {

using session::SpareBackend;
using Order = session::BackendPool::Order;

std::string random_proof() {
  std::array<std::uint8_t, 16> bytes{};
  crypto::random_bytes(bytes);
  return to_hex(bytes);
}

}  // namespace

void SharedPool::deliver(session::BackendPool::Orders& orders) {
  for (Order& order : orders) {
    loops_[order.loop](std::move(order));
  }
}

Spare::Spare(Place place, std::unique_ptr<Leg> leg, session::BackendKind kind, SpareBackend::Handover handover)
    : place_(std::move(place)),
      backend_({.environment = place_.runtime->environment, .kind = std::move(kind)}, std::move(handover),
               random_proof(), read_clocks()),
      leg_(std::move(leg)) {}

Spare::Spare(Place place, session::BackendKind kind)
    : place_(std::move(place)),
      backend_({.environment = place_.runtime->environment, .kind = std::move(kind)}, read_clocks()),
      logging_in_(true) {}

void Spare::start() {
  if (leg_) {
    leg_->set_owner(weak_from_this());
    pump();
    return;
  }
  const auto* connection = place_.runtime->environment->find_connection(backend_.kind().connection);
  const auto* server = session::Environment::find_server(*connection, backend_.kind().server);
  dial_ = Dial::start(place_.backends.loop(), *server,
                      [this](Result<Descriptor, std::string> socket) { on_dialed(std::move(socket)); });
}

void Spare::on_dialed(Result<Descriptor, std::string> socket) {
  auto self = shared_from_this();
  dial_.reset();
  if (socket) {
    Loop& loop = place_.backends.loop();
    leg_ = std::make_unique<Leg>(loop, std::move(socket).value());
    leg_->set_owner(weak_from_this());
    loop.own_counters().raise(Level::backend_connections_open);
    loop.own_counters().add(Metric::backend_connects);
  } else {
    backend_.failed(std::move(socket).error());
  }
  pump();
}

void Spare::pump() {
  while (exchange()) {
  }
  settle();
}

// Whether anything moved.
bool Spare::exchange() {
  if (!leg_ || backend_.state() == SpareBackend::State::failed) {
    return false;
  }
  return exchange_own(*leg_, backend_, backend_.kind(), *place_.runtime);
}

// Tells the pool what has become of it.
void Spare::settle() {
  Loop& loop = place_.backends.loop();
  LoopCounters& counters = loop.own_counters();
  bool idle = backend_.state() == SpareBackend::State::idle;
  if (idle && !was_idle_ && !place_.backends.is_current(*place_.runtime)) {
    auto self = shared_from_this();
    place_.backends.remove(place_.slot);
    close();
    place_.backends.closed(place_.slot);
    return;
  }
  if (idle && !was_idle_) {
    counters.raise(Level::backend_connections_idle);
    if (!logging_in_ && !checking_) {
      counters.add(Metric::backend_resets);
    }
    was_idle_ = true;
    logging_in_ = checking_ = false;
    place_.backends.pool().use([&](session::BackendPool& pool, auto& orders) {
      pool.ready(place_.slot, read_clocks(), orders);
      return Unit{};
    });
  }
  if (backend_.state() != SpareBackend::State::failed) {
    return;
  }
  bool at_login = logging_in_;
  bool was_checked = was_idle_ || checking_;
  if (!at_login) {
    counters.add(was_checked ? Metric::backend_check_failures : Metric::backend_reset_failures);
    loop.shared().log.write(was_checked ? Severity::info : Severity::warning,
                            was_checked ? "an idle server connection is gone" : "a server connection was not reset",
                            {{"connection", backend_.kind().connection},
                             {"server", backend_.kind().server},
                             {"cause", backend_.failure()}});
  }
  auto self = shared_from_this();
  place_.backends.remove(place_.slot);
  close();
  if (at_login) {
    place_.backends.open_failed(place_.slot, *place_.runtime, backend_.login_failure(), backend_.failure());
  } else if (was_checked) {
    place_.backends.unanswered(place_.slot, *place_.runtime, backend_.failure());
  } else {
    place_.backends.closed(place_.slot);
  }
}

void Spare::time_passed(Now now) {
  backend_.time_passed(now);
  if (backend_.state() == SpareBackend::State::failed) {
    settle();
  }
}

void Spare::check(Now now) {
  if (backend_.state() == SpareBackend::State::idle) {
    note_taken();
    checking_ = true;
    backend_.check(now);
    pump();
  }
}

void Spare::note_taken() {
  if (std::exchange(was_idle_, false)) {
    place_.backends.loop().own_counters().lower(Level::backend_connections_idle);
  }
}

std::unique_ptr<Leg> Spare::take_leg() {
  note_taken();
  return std::exchange(leg_, nullptr);
}

void Spare::close() {
  note_taken();
  dial_.reset();
  if (!leg_) {
    return;
  }
  if (backend_.state() == SpareBackend::State::idle) {
    backend_.quit();
    leg_->send(OwnSide<SpareBackend>{backend_});
    leg_->shutdown_write();
  }
  leg_.reset();
  place_.backends.loop().own_counters().lower(Level::backend_connections_open);
}

Backends::Ticket Backends::request(const std::shared_ptr<Connection>& connection, const session::BackendKind& kind,
                                   std::vector<session::ServerCandidate> servers,
                                   const session::PoolSettings& settings) {
  Ticket ticket = (Ticket{loop_.index()} << 48) | ++tickets_;
  waiting_.emplace(ticket, connection);
  loop_.own_counters().raise(Level::backend_logins_waiting);
  pool_.use([&](session::BackendPool& pool, auto& orders) {
    pool.request({.kind = kind, .servers = std::move(servers), .loop = loop_.index(), .ticket = ticket}, settings,
                 read_clocks(), orders);
    return Unit{};
  });
  return ticket;
}

void Backends::withdraw(Ticket ticket, const session::BackendKind& kind) {
  if (waiting_.erase(ticket) > 0) {
    loop_.own_counters().lower(Level::backend_logins_waiting);
  }
  pool_.use([&](session::BackendPool& pool, auto& /*orders*/) {
    pool.withdraw(ticket, kind);
    return Unit{};
  });
}

void Backends::opened(Slot slot, const Runtime& under) {
  using Under = session::BackendPool::Under;
  pool_.use([&](session::BackendPool& pool, auto& orders) {
    pool.opened(slot, read_clocks(), orders, is_current(under) ? Under::this_configuration : Under::an_older_one);
    return Unit{};
  });
}

bool Backends::is_current(const Runtime& runtime) const {
  return runtime.environment == loop_.runtime()->environment;
}

void Backends::open_failed(Slot slot, const Runtime& under, session::Reason reason, const std::string& detail) {
  if (!is_current(under)) {
    closed(slot);
    return;
  }
  pool_.use([&](session::BackendPool& pool, auto& orders) {
    pool.open_failed(slot, reason, detail, read_clocks(), orders);
    return Unit{};
  });
}

void Backends::unanswered(Slot slot, const Runtime& under, const std::string& detail) {
  if (!is_current(under)) {
    closed(slot);
    return;
  }
  pool_.use([&](session::BackendPool& pool, auto& orders) {
    pool.unanswered(slot, detail, read_clocks(), orders);
    return Unit{};
  });
}

void Backends::closed(Slot slot) {
  pool_.use([&](session::BackendPool& pool, auto& orders) {
    pool.closed(slot, read_clocks(), orders);
    return Unit{};
  });
}

bool Backends::give_back(Slot slot, const std::shared_ptr<const Runtime>& runtime, std::unique_ptr<Leg>& leg,
                         session::BackendKind kind, SpareBackend::Handover handover) {
  bool kept = !closing_ && runtime == loop_.runtime() && pool_.use([&](session::BackendPool& pool, auto& /*orders*/) {
    return pool.give_back(slot, read_clocks());
  });
  if (!kept) {
    return false;
  }
  auto spare = std::make_shared<Spare>(Spare::Place{.backends = *this, .slot = slot, .runtime = runtime},
                                       std::exchange(leg, nullptr), std::move(kind), std::move(handover));
  spares_.emplace(slot, spare);
  spare->start();
  return true;
}

void Backends::carry_out(const Order& order) {
  switch (order.kind) {
    case Order::Kind::reuse:
    case Order::Kind::open:
    case Order::Kind::refuse: {
      auto waiting = waiting_.find(order.ticket);
      auto connection = waiting == waiting_.end() ? nullptr : waiting->second.lock();
      if (waiting != waiting_.end()) {
        waiting_.erase(waiting);
        loop_.own_counters().lower(Level::backend_logins_waiting);
      }
      give(order, connection);
      break;
    }
    case Order::Kind::close:
      if (auto found = spares_.find(order.slot); found != spares_.end()) {
        loop_.own_counters().add(Metric::backend_evictions);
        auto spare = found->second;
        spares_.erase(found);
        spare->close();
      }
      closed(order.slot);
      break;
    case Order::Kind::check:
      if (auto found = spares_.find(order.slot); found != spares_.end()) {
        auto spare = found->second;
        spare->check(read_clocks());
      }
      break;
    case Order::Kind::open_spare:
      open_spare(order);
      break;
  }
}

void Backends::give(const Order& order, const std::shared_ptr<Connection>& connection) {
  if (order.waited > Milliseconds{0}) {
    loop_.own_counters().add(Metric::backend_pool_waits);
    loop_.own_counters().observe(Duration::backend_wait, order.waited);
  }
  if (order.kind == Order::Kind::refuse) {
    if (connection) {
      connection->refuse_backend(order.reason, order.detail);
    }
    return;
  }
  auto found = spares_.find(order.slot);
  auto spare = found == spares_.end() ? nullptr : found->second;
  if (!connection) {  // the login ended meanwhile
    if (spare) {
      pool_.use([&](session::BackendPool& pool, auto& orders) {
        pool.ready(order.slot, read_clocks(), orders);
        return Unit{};
      });
    } else {
      closed(order.slot);
    }
    return;
  }
  if (!spare && order.kind == Order::Kind::reuse) {  // it was lost meanwhile
    connection->request_backend();
    return;
  }
  std::unique_ptr<Leg> leg;
  if (spare) {
    spares_.erase(found);
    // Of an older configuration, or found dead meanwhile: then another is opened in its place.
    if (spare->state().state() == SpareBackend::State::idle && spare->runtime() == loop_.runtime()) {
      leg = spare->take_leg();
    } else {
      spare->close();
    }
  }
  connection->take_backend({.slot = order.slot, .server = order.server}, std::move(leg),
                           spare ? spare->state().facts() : session::BackendFacts{});
}

void Backends::open_spare(const Order& order) {
  const auto& runtime = loop_.runtime();
  const auto* connection = runtime->environment->find_connection(order.backend_kind.connection);
  if (closing_ || connection == nullptr ||
      session::Environment::find_login(*connection, order.backend_kind.login) == nullptr ||
      session::Environment::find_server(*connection, order.backend_kind.server) == nullptr) {
    closed(order.slot);
    return;
  }
  auto spare = std::make_shared<Spare>(Spare::Place{.backends = *this, .slot = order.slot, .runtime = runtime},
                                       order.backend_kind);
  spares_.emplace(order.slot, spare);
  spare->start();
}

void Backends::time_passed(Now now) {
  std::vector<std::shared_ptr<Spare>> due;
  for (const auto& [slot, spare] : spares_) {
    if (now.mono >= spare->state().deadline()) {
      due.push_back(spare);
    }
  }
  for (const auto& spare : due) {
    spare->time_passed(now);
  }
  if (loop_.index() == 0) {
    pool_.use([&](session::BackendPool& pool, auto& orders) {
      pool.time_passed(now, orders);
      return Unit{};
    });
  }
}

void Backends::remove(Slot slot) {
  spares_.erase(slot);
}

void Backends::close_all() {
  closing_ = true;
  auto spares = std::exchange(spares_, {});
  for (const auto& [slot, spare] : spares) {
    spare->close();
  }
}

}  // namespace sallyport::net
