// How many side connections for KILLs there may be, and when a server that could not be reached is tried again. Decides
// only. One serves all event loops, behind a lock of its own that is taken for such KILLs only.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "session/settings.h"

namespace sallyport::session {

class KillBudget {
 public:
  enum class Verdict : std::uint8_t {
    begin,     // end() follows
    wait,      // ask again later
    too_many,  // limits.kills_waiting_max wait already
    too_soon   // the server could not be reached just now
  };
  // A KILL that is to be done at `server`. After `wait` it counts as waiting.
  Verdict ask(const std::string& server, const Limits& limits, MonoTime now);
  // Again, for one that waits; never too_many.
  Verdict ask_again(const std::string& server, const Limits& limits, MonoTime now);
  // One that waited gives up.
  void withdraw();

  enum class Reached : std::uint8_t { yes, no, unknown };
  // Of one that had begun.
  void end(const std::string& server, Reached reached, MonoTime now);

  struct Counts {
    std::uint32_t open = 0;
    std::uint32_t waiting = 0;
  };
  Counts counts();

 private:
  struct Fault {
    std::uint32_t failures = 0;
    MonoTime until;
  };
  bool too_soon(const std::string& server, MonoTime now);

  std::mutex mutex_;
  Counts counts_;
  std::map<std::string, Fault> faults_;  // of servers that could not be reached last; servers_max at most
};

}  // namespace sallyport::session
