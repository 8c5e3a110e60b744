// The side connections of one event loop, each for one KILL of the gateway's: see session/side_kill.h. Nothing but
// whoever asked waits for one. How many there may be at a time is decided by session::KillBudget, for all loops
// together.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_set>

#include "net/backends.h"
#include "net/dial.h"
#include "net/leg.h"
#include "net/runtime.h"
#include "session/account_ledger.h"
#include "session/side_kill.h"

namespace sallyport::net {

class Connection;
class Loop;

// One KILL, from its order to its end.
class Kill final : public Leg::Owner, public std::enable_shared_from_this<Kill> {
 public:
  struct Task {
    session::KillOrder order;
    std::shared_ptr<const Runtime> runtime;  // has what is needed to reach the order's connection
    std::weak_ptr<Connection> asker{};       // that is asked and told; or
    std::unique_ptr<Leg> held{};             // the target's connection, whose session has ended
    // What the held connection takes up until it is closed.
    session::AccountLedger::Place place{};
    std::optional<Backends::Slot> slot{};
  };
  Kill(Loop& loop, Task task);

  // A side connection may be opened.
  void begin();
  void not_tried(std::string why);
  void leg_ready() override { pump(); }
  void time_passed(Now now);
  MonoTime deadline() const { return state_.deadline(); }
  const session::KillOrder& order() const { return state_.order(); }
  bool over() const { return finished_; }

 private:
  void on_dialed(Result<Descriptor, std::string> socket);
  void pump();
  bool exchange();
  void ask_whether_wanted();
  void finish();
  void pause();
  void close_held();
  void count(const session::KillOutcome& outcome);
  void record(const session::KillOutcome& outcome);

  Loop& loop_;
  Task task_;
  session::SideKill state_;
  std::unique_ptr<Leg> leg_;  // null before it is connected
  std::shared_ptr<Dial> dial_;
  bool begun_ = false;
  bool pauses_ = false;
  bool finished_ = false;
};

class SideKills {
 public:
  explicit SideKills(Loop& loop) : loop_(loop) {}
  ~SideKills() { close_all(); }
  SideKills(const SideKills&) = delete;
  SideKills& operator=(const SideKills&) = delete;

  // Begins at the end of the events at hand. Where there is an asker, Connection::kill_due() and kill_answered()
  // follow.
  void start(Kill::Task task);
  bool empty() const { return kills_.empty(); }
  void time_passed(Now now);
  void close_all();

  // From a kill that is over.
  void remove(const std::shared_ptr<Kill>& kill);

 private:
  void admit(const std::shared_ptr<Kill>& kill);
  void serve_waiting();

  Loop& loop_;
  std::unordered_set<std::shared_ptr<Kill>> kills_;
  std::deque<std::shared_ptr<Kill>> waiting_;
  bool closing_ = false;
};

}  // namespace sallyport::net
