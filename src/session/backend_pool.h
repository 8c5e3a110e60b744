// Who gets which server connection: the bounds, the queue, the ages. Decides only; sockets are the shell's.
//
// One pool serves all event loops; the shell guards it with a lock, which is taken at a session's login and end and
// once a tick, never for a command. A connection lives on the loop that opened it. What has to be done comes as orders,
// each for one loop; an order may have been overtaken by the time it arrives there, and the shell then says so.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "session/reason.h"
#include "session/settings.h"
#include "session/spare_backend.h"

namespace sallyport::session {

class BackendPool {
 public:
  using Slot = std::uint64_t;    // a connection, from the decision to open it to its end; never reused
  using Ticket = std::uint64_t;  // a login that wants one

  struct Order {
    enum class Kind : std::uint8_t {
      reuse,       // give the idle connection `slot` to `ticket`
      open,        // open a connection for `ticket`; it is `slot`
      refuse,      // tell `ticket` that there is none, for `reason`
      close,       // close the idle connection `slot`
      check,       // have the idle connection `slot` checked
      open_spare,  // open `slot` as a spare connection of `kind_of_backend`
    };
    Kind kind;
    std::uint32_t loop = 0;
    Slot slot = 0;
    Ticket ticket = 0;
    Reason reason = Reason::backend_unavailable;
    std::string detail{};        // of a refusal, for records
    Milliseconds waited{0};      // the ticket did
    BackendKind backend_kind{};  // open_spare
  };
  using Orders = std::vector<Order>;

  // `seed`: of the jitter, so that gateways started together don't act together.
  explicit BackendPool(std::uint64_t seed) : random_(seed) {}

  struct Request {
    BackendKind kind;
    std::uint32_t loop;
    Ticket ticket;
  };
  // One of reuse, open and refuse follows, now or later.
  void request(const Request& request, const PoolSettings& settings, Now now, Orders& orders);
  // The login ended before its order came, or when it came.
  void withdraw(Ticket ticket, const BackendKind& kind);

  // What became of a slot. Unknown slots are ignored.
  void opened(Slot slot, Now now, Orders& orders);  // a session's connection has logged in
  void open_failed(Slot slot, Reason reason, const std::string& detail, Now now, Orders& orders);
  // A session gives its connection back, to be reset. False: it is to be closed instead.
  bool give_back(Slot slot, Now now);
  void ready(Slot slot, Now now, Orders& orders);  // reset, checked or logged in: idle now
  void closed(Slot slot, Now now, Orders& orders);

  void time_passed(Now now, Orders& orders);
  // A new configuration: connections opened before are not reused.
  void start_generation(Orders& orders);

  struct Counts {
    std::uint32_t open = 0;
    std::uint32_t idle = 0;
    std::uint32_t waiting = 0;
  };
  Counts counts(const BackendKind& kind) const;
  // The server could not be reached, and is not to be tried yet.
  bool is_away(const BackendKind& kind, MonoTime now) const;

 private:
  enum class State : std::uint8_t { opening, opening_spare, in_use, resetting, idle, checking, closing };
  struct Connection {
    State state;
    BackendKind kind;
    std::uint32_t loop;
    std::uint64_t generation;
    MonoTime expires;
    MonoTime idle_since{};
    MonoTime checked{};
  };
  struct Waiter {
    Request request;
    MonoTime since;
  };
  // All of one database login.
  struct Group {
    PoolSettings settings;
    std::map<Slot, Connection> connections;
    std::deque<Waiter> waiters;
    // Whom spare connections are opened for: the last login.
    std::optional<Request> last;
    // The server can't be reached: until it answers, one connection at a time is tried.
    std::uint32_t failures = 0;
    MonoTime blocked_until{};
    Reason failure = Reason::backend_unavailable;
    std::string failure_detail;
  };

  static std::string group_name(const BackendKind& kind) { return kind.connection + '\n' + kind.login; }
  Group* group_of(Slot slot);
  static std::uint32_t count(const Group& group, State state);
  static Slot idle_for(const Group& group, const Request& request);
  static Slot longest_idle(const Group& group);
  Slot add(Group& group, State state, const Request& request, MonoTime now);
  void serve(Group& group, Now now, Orders& orders);
  bool serve_first(Group& group, Now now, Orders& orders);
  static void refuse_first(Group& group, Reason reason, std::string detail, Now now, Orders& orders);
  static void refuse_all(Group& group, Now now, Orders& orders);
  static void order_close(Group& group, Slot slot, Orders& orders);
  void tend(Group& group, Now now, Orders& orders);
  void tend_idle(Group& group, Now now, Orders& orders);
  // A tenth more or less.
  Nanoseconds jittered(Nanoseconds time);

  std::map<std::string, Group> groups_;
  std::map<Slot, Group*> slots_;
  Slot last_slot_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t random_;
};

}  // namespace sallyport::session
