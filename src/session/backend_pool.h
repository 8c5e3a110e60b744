// Who gets which server connection, and of which server: the bounds, the queue, the ages, which servers can be reached.
// Decides only; sockets are the shell's.
//
// Whether a server can be reached is known of the server, whatever the login; connections and their bounds are of one
// login at one server; logins wait in one queue for all servers of a connection. docs/adr/0023-servers.md says how a
// server is chosen.
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
#include <utility>
#include <vector>

#include "base/clock.h"
#include "session/reason.h"
#include "session/server_choice.h"
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
      open_spare,  // open `slot` as a spare connection of `backend_kind`
    };
    Kind kind;
    std::uint32_t loop = 0;
    Slot slot = 0;
    Ticket ticket = 0;
    Reason reason = Reason::backend_unavailable;
    std::string detail{};        // of a refusal, for records
    Milliseconds waited{0};      // the ticket did
    BackendKind backend_kind{};  // open_spare
    std::string server{};        // reuse, open
  };
  using Orders = std::vector<Order>;
  // A server can't be reached any more, or again.
  struct Change {
    std::string connection;
    std::string server;
    enum class To : std::uint8_t { down, up } to;
    std::string detail;  // why, where it is down
  };

  // `seed`: of the jitter, so that gateways started together don't act together.
  explicit BackendPool(std::uint64_t seed) : random_(seed) {}

  struct Request {
    BackendKind kind;  // of no server yet
    std::vector<ServerCandidate> servers;
    std::uint32_t loop;
    Ticket ticket;
  };
  // One of reuse, open and refuse follows, now or later.
  void request(const Request& request, const PoolSettings& settings, Now now, Orders& orders);
  // The login ended before its order came, or when it came.
  void withdraw(Ticket ticket, const BackendKind& kind);

  // What became of a slot. Unknown slots are ignored.
  // A session's connection has logged in. `under`: what was configured then; an older server may be another.
  enum class Under : std::uint8_t { this_configuration, an_older_one };
  void opened(Slot slot, Now now, Orders& orders, Under under = Under::this_configuration);
  void open_failed(Slot slot, Reason reason, const std::string& detail, Now now, Orders& orders);
  // A connection that had logged in is given up because its server does not answer: the server is to be looked at.
  void unanswered(Slot slot, const std::string& detail, Now now, Orders& orders);
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
  Counts counts(const BackendKind& kind) const;  // `waiting`: for any server of the connection
  // The kind's server could not be reached, and is not to be tried yet.
  bool is_away(const BackendKind& kind, MonoTime now) const;
  struct ServerStatus {
    bool up = true;  // as far as known
    std::uint64_t failures = 0;
    std::uint32_t in_use = 0;  // connections that sessions have, or that are being opened for them
  };
  ServerStatus server_status(std::string_view connection, std::string_view server) const;
  // Since the last call.
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }

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
  // Whether it can be reached, whatever the login.
  struct Server {
    std::string connection;
    std::string name;
    std::uint32_t failures = 0;  // one after the other; where there are any it is not to be had like others
    MonoTime blocked_until{};
    Reason failure = Reason::backend_unavailable;
    std::string failure_detail;
    bool told_down = false;
    std::uint64_t failures_total = 0;
    std::uint32_t opening = 0;
    std::uint32_t in_use = 0;
    std::uint64_t chosen = 0;  // when last: turns_ then
  };
  // All of one database login at one server.
  struct Group {
    Server* server;
    const PoolSettings* settings;
    std::map<Slot, Connection> connections{};
    std::optional<Request> last{};  // whom spare connections are opened for: the last login
    // Logins are refused there: spare connections are not opened meanwhile.
    std::uint32_t refusals = 0;
    MonoTime refused_until{};
  };
  // All of one database login.
  struct Queue {
    PoolSettings settings;
    std::map<std::string, Group, std::less<>> groups;  // by server
    std::deque<Waiter> waiters;
  };
  struct Place {
    Queue* queue;
    Group* group;
  };
  // Servers that an earlier login waits for: a later one must not overtake it there.
  using Awaited = std::vector<const Server*>;

  static std::string queue_name(const BackendKind& kind) { return kind.connection + '\n' + kind.login; }
  Server& server_of(const std::string& connection, const std::string& name);
  Group& group_of(Queue& queue, const BackendKind& kind, const std::string& server);
  Place place_of(Slot slot) const;
  static std::uint32_t count(const Group& group, State state);
  static Slot idle_for(const Group& group, const Request& request);
  static Slot longest_idle(const Group& group);
  static bool is_dedicated(const Group& group) { return group.settings->mode == BackendMode::dedicated; }
  static bool has_room(const Group& group);
  Slot add(Place place, State state, const Request& request, MonoTime now);
  static void enter(Group& group, Connection& connection, State state);
  void erase(Place place, Slot slot);

  void serve(Queue& queue, Now now, Orders& orders);
  bool serve_waiter(Queue& queue, const Waiter& waiter, Awaited& awaited, Now now, Orders& orders);
  bool serve_from_server_that_is_up(Queue& queue, const Waiter& waiter, Awaited& awaited, Now now, Orders& orders);
  bool try_server_that_is_down(Queue& queue, const Waiter& waiter, Awaited& awaited, Now now, Orders& orders);
  std::vector<Group*> candidates(Queue& queue, const Request& request);
  void give(Queue& queue, Group& group, const Waiter& waiter, Now now, Orders& orders);
  static void make_room(Group& group, std::size_t waiters, Orders& orders);
  static void refuse(const Waiter& waiter, Reason reason, std::string detail, Now now, Orders& orders);
  void refuse_overdue(Queue& queue, Now now, Orders& orders);
  static void order_close(Group& group, Slot slot, Orders& orders);
  static void tend_idle(Group& group, Now now, Orders& orders);
  void tend(Place place, Now now, Orders& orders);
  static bool spare_is_due(Place place, Now now);

  void reached(Server& server);
  void failed(Server& server, Reason reason, const std::string& detail, Now now);
  // Has the idle connections to a server that is in doubt show that they are alive, before a login gets one.
  void check_idle(const Server& server, Orders& orders);
  static void order_check(Group& group, Slot slot, Orders& orders);
  // How long to wait after so many failures in a row, give or take a tenth.
  Nanoseconds pause_after(std::uint32_t failures);
  // A tenth more or less.
  Nanoseconds jittered(Nanoseconds time);

  std::map<std::string, Queue> queues_;
  std::map<std::string, Server> servers_;
  std::map<Slot, Place> slots_;
  std::vector<Change> changes_;
  std::uint64_t turns_ = 0;
  Slot last_slot_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t random_;
};

}  // namespace sallyport::session
