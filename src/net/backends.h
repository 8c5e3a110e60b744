// The server connections that no session has, on one event loop, and the loop's way to the pool that all loops share.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "net/dial.h"
#include "net/leg.h"
#include "net/runtime.h"
#include "session/backend_pool.h"
#include "session/spare_backend.h"

namespace sallyport::net {

class Connection;
class Loop;

// The pool's decisions, under a lock, and their way to the loops. The lock is taken at a session's login and end, and
// once a tick.
class SharedPool {
 public:
  explicit SharedPool(std::uint64_t seed) : pool_(seed) {}

  // Before the loops run. Where an order for loop i goes.
  using Deliver = std::function<void(session::BackendPool::Order)>;
  void set_loops(std::vector<Deliver> loops) { loops_ = std::move(loops); }

  // Before the loops run. Called, from any thread, once for each change of a server.
  using Tell = std::function<void(const session::BackendPool::Change&)>;
  void set_tell(Tell tell) { tell_ = std::move(tell); }

  template <typename Use>
  auto use(Use use) {
    session::BackendPool::Orders orders;
    std::vector<session::BackendPool::Change> changes;
    auto result = [&] {
      std::lock_guard lock{mutex_};
      auto used = use(pool_, orders);
      changes = pool_.take_changes();
      return used;
    }();
    deliver(orders);
    for (const auto& change : changes) {
      tell_(change);
    }
    return result;
  }

 private:
  void deliver(session::BackendPool::Orders& orders);

  std::mutex mutex_;
  session::BackendPool pool_;
  std::vector<Deliver> loops_;
  Tell tell_;
};

// One spare connection: its socket and what is to be said on it.
class Spare final : public Leg::Owner, public std::enable_shared_from_this<Spare> {
 public:
  struct Place {
    class Backends& backends;
    session::BackendPool::Slot slot;
    std::shared_ptr<const Runtime> runtime;  // of the configuration that it was opened under
  };
  // After a session, to be reset.
  Spare(Place place, std::unique_ptr<Leg> leg, session::BackendKind kind, session::SpareBackend::Handover handover);
  // To be opened.
  Spare(Place place, session::BackendKind kind);

  void start();
  void leg_ready() override { pump(); }
  void time_passed(Now now);
  void check(Now now);
  // Says goodbye where it can.
  void close();

  const session::SpareBackend& state() const { return backend_; }
  const std::shared_ptr<const Runtime>& runtime() const { return place_.runtime; }
  // The socket, for a session; nothing of it stays here.
  std::unique_ptr<Leg> take_leg();

 private:
  void on_dialed(Result<Descriptor, std::string> socket);
  void pump();
  bool exchange();
  void settle();
  void note_taken();

  Place place_;
  session::SpareBackend backend_;
  std::unique_ptr<Leg> leg_;  // null before it is connected
  std::shared_ptr<Dial> dial_;
  bool was_idle_ = false;
  bool logging_in_ = false;
  bool checking_ = false;
};

class Backends {
 public:
  using Slot = session::BackendPool::Slot;
  using Ticket = session::BackendPool::Ticket;

  Backends(Loop& loop, SharedPool& pool) : loop_(loop), pool_(pool) {}
  ~Backends() { close_all(); }
  Backends(const Backends&) = delete;
  Backends& operator=(const Backends&) = delete;

  // What a session's connection asks for; Connection::take_backend() or refuse_backend() follows.
  Ticket request(const std::shared_ptr<Connection>& connection, const session::BackendKind& kind,
                 std::vector<session::ServerCandidate> servers, const session::PoolSettings& settings);
  void withdraw(Ticket ticket, const session::BackendKind& kind);
  // What was met under an older configuration than the loop's tells nothing of the servers of this one.
  void opened(Slot slot, const Runtime& under);
  void open_failed(Slot slot, const Runtime& under, session::Reason reason, const std::string& detail);
  // The server does not answer on a connection that had logged in.
  void unanswered(Slot slot, const Runtime& under, const std::string& detail);
  void closed(Slot slot);
  // False: it is to be closed, and closed() to be called.
  bool give_back(Slot slot, const std::shared_ptr<const Runtime>& runtime, std::unique_ptr<Leg>& leg,
                 session::BackendKind kind, session::SpareBackend::Handover handover);

  // On the loop's thread.
  void carry_out(const session::BackendPool::Order& order);
  void time_passed(Now now);
  void close_all();

  // From the spares.
  bool is_current(const Runtime& runtime) const;
  Loop& loop() { return loop_; }
  SharedPool& pool() { return pool_; }
  void remove(Slot slot);

 private:
  void give(const session::BackendPool::Order& order, const std::shared_ptr<Connection>& connection);
  void open_spare(const session::BackendPool::Order& order);

  Loop& loop_;
  SharedPool& pool_;
  std::map<Slot, std::shared_ptr<Spare>> spares_;
  std::map<Ticket, std::weak_ptr<Connection>> waiting_;
  std::uint64_t tickets_ = 0;
  bool closing_ = false;
};

}  // namespace sallyport::net
