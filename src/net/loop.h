// An event loop: one thread, the connections that live on it, their journal and counters.
#pragma once

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/rate_limit.h"
#include "base/result.h"
#include "identity/verified_signatures.h"
#include "net/commits_awaited.h"
#include "net/log.h"
#include "net/reactor.h"
#include "net/runtime.h"
#include "session/account_ledger.h"
#include "session/compressed_leg.h"
#include "session/kill_budget.h"
#include "session/session_registry.h"
#include "session/statement_reader.h"
#include "store/loop_journal.h"

namespace sallyport::net {

class Backends;
class CatalogueBoard;
class Catalogues;
class Connection;
class SideKills;
class SharedPool;

using Endpoint = boost::asio::generic::stream_protocol::endpoint;

Now read_clocks();

// What loops share; everything in it may be used from any thread.
struct LoopShared {
  Log& log;
  std::uint32_t connections_max = 0;
  std::uint32_t connections_per_second_max = 0;  // 0: no bound
  std::atomic<std::uint32_t> connections_open{0};
  session::AccountLedger ledger;
  SharedPool& backends;
  CatalogueBoard& catalogues;
  session::SessionRegistry registry;
  session::KillBudget kills;
  std::mutex connection_rate_mutex;
  RateLimit connection_rate;

  // Whether a connection that was accepted now is within connections_per_second_max.
  bool admit_connection(MonoTime now) {
    if (connections_per_second_max == 0) {
      return true;
    }
    std::lock_guard lock(connection_rate_mutex);
    return connection_rate.take(connections_per_second_max, now);
  }
  // Asks for newer keys of an issuer; `done` is called on the calling loop.
  std::function<void(const std::string& issuer, class Loop& loop, std::function<void()> done)> wait_for_keys;
  // Looks up a host's addresses, at least one; `done` is called on the calling loop. The error is the resolver's.
  using Lookup = Result<std::vector<Endpoint>, std::string>;
  using Resolved = std::function<void(const Lookup&)>;
  std::function<void(const std::string& host, std::uint16_t port, class Loop& loop, Resolved done)> resolve;
};

class Loop {
 public:
  // `audit` outlives the loop.
  Loop(std::uint32_t index, store::LoopJournal& audit, LoopShared& shared);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  const LoopCounters& counters() const { return counters_; }
  // Until stop_when_empty() has been called and no connection is left, nor a KILL under way.
  void run();

  // From any thread; carried out on the loop's, never before this returns.
  void post(std::function<void()> task);
  void set_runtime(std::shared_ptr<const Runtime> runtime);
  void set_keys(KeySnapshot keys);
  // Writes a record that belongs to no session.
  void record(std::string line);
  void drain();
  void stop_when_empty();  // ends all sessions now
  std::uint32_t connection_count() const { return connection_count_.load(std::memory_order_relaxed); }

  // On the loop's thread.
  Reactor& reactor() { return reactor_; }
  // When the events at hand were found, or records were committed last. All that happens in a turn of the loop
  // happens at one of these times.
  Now now() const { return now_; }
  // Calls `task` after the events at hand, `delay` from now at the earliest.
  void after(Milliseconds delay, std::function<void()> task);
  // Calls leg_ready() of the connection in the next turn.
  void again(std::shared_ptr<Connection> connection) { again_.push_back(std::move(connection)); }
  LoopCounters& own_counters() { return counters_; }
  LoopShared& shared() { return shared_; }
  audit::Sink& audit() { return audit_; }
  const std::shared_ptr<const Runtime>& runtime() const { return runtime_; }
  const KeySnapshot& keys() const { return keys_; }
  identity::VerifiedSignatures& verified_signatures() { return verified_signatures_; }
  Backends& backends() { return *backends_; }
  SideKills& side_kills() { return *side_kills_; }
  Catalogues& catalogues() { return *catalogues_; }
  // Ends run() where nothing is left that it was to wait for.
  void stop_if_done();
  session::CompressionWorkspace& compression() { return compression_; }
  session::StatementReader& statements() { return statements_; }
  std::uint32_t index() const { return index_; }
  bool draining() const { return draining_; }
  std::uint32_t next_connection_id(std::uint32_t loop_count);
  void add(const std::shared_ptr<Connection>& connection);
  void remove(const std::shared_ptr<Connection>& connection);
  // Commits the records once the events at hand are handled, for all connections that asked, and tells them: then, or
  // when the disk has them.
  void request_commit(std::shared_ptr<Connection> connection);

 private:
  void turn();
  Milliseconds time_to_wait() const;
  void run_again();
  void run_posted();
  void run_tasks();
  void run_timers();
  void tick();
  void commit();
  void settle_commits();
  void tell(const std::vector<std::shared_ptr<Connection>>& connections, CommitResult result);

  std::uint32_t index_;
  Reactor reactor_;
  Descriptor wake_;  // an eventfd: something was posted
  Reactor::Watch wake_watch_;
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::atomic<std::thread::id> thread_;  // that run() is on
  bool posted_here_ = false;             // something was, by this thread
  LoopShared& shared_;
  LoopCounters counters_;
  session::StatementReader statements_{counters_};
  session::CompressionWorkspace compression_;
  store::LoopJournal& audit_;
  Now now_;
  MonoTime next_tick_;
  std::multimap<MonoTime, std::function<void()>> timers_;
  std::vector<std::shared_ptr<Connection>> again_;
  std::shared_ptr<const Runtime> runtime_;
  KeySnapshot keys_;
  identity::VerifiedSignatures verified_signatures_;
  std::unique_ptr<Backends> backends_;
  std::unique_ptr<SideKills> side_kills_;
  std::unique_ptr<Catalogues> catalogues_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::atomic<std::uint32_t> connection_count_{0};
  std::vector<std::shared_ptr<Connection>> awaiting_commit_;
  struct CommitUnderWay {
    std::uint64_t number;
    MonoTime began;
    std::vector<std::shared_ptr<Connection>> connections;
  };
  std::deque<CommitUnderWay> commits_under_way_;
  bool draining_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  std::uint32_t connections_made_ = 0;
};

}  // namespace sallyport::net
