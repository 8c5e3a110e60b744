// The catalogues of the connections' servers: read on a connection of the gateway's own, each connection's on one loop,
// and handed to all loops, so that each has its own list and no statement takes a lock.
//
// A catalogue is read when a configuration begins, every `catalogue.refresh`, when asked for, and again soon after it
// was found changed, until it is found the same twice: see session/catalogue_reader.h. Where a reading fails on one
// server the next one is tried, in the order in which logins take primaries, replicas last.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/dial.h"
#include "net/leg.h"
#include "net/runtime.h"
#include "session/catalogue_reader.h"
#include "session/catalogue_source.h"

namespace sallyport::net {

class Loop;

// How often a catalogue is read at most, whoever asks; and how soon again after a failure, then twice as long each time
// up to `catalogue.refresh`.
inline constexpr Milliseconds catalogue_gap_min{1'000};

// What an operator may want to know of a connection's catalogue.
struct CatalogueStatus {
  std::uint64_t version = 0;  // 0: it was never read
  std::string server;         // that it was read from last
  MonoTime read_at{};         // when that reading began
  Milliseconds took{0};
  std::size_t schemas = 0;
  std::size_t tables = 0;
  std::size_t columns = 0;
  std::size_t routines = 0;
  bool complete = false;
  std::uint64_t failures = 0;
  std::string last_failure;
};

// What was read, on its way to the loops.
struct CataloguePublication {
  std::string connection;
  std::shared_ptr<const std::vector<session::ServerSettings>> servers;  // of the connection when it was read
  std::shared_ptr<const catalog::Catalogue> catalogue;
  MonoTime read_at{};  // when the last reading that found it began
};

// What the loops share of their catalogues. The lock is taken once a reading and a configuration.
class CatalogueBoard {
 public:
  // Before the loops run.
  using Post = std::function<void(std::function<void(Loop&)>)>;
  void set_loops(std::vector<Post> loops) { loops_ = std::move(loops); }

  std::size_t loop_of(std::string_view connection) const {
    return std::hash<std::string_view>{}(connection) % loops_.size();
  }
  // To all loops, and kept for those that are yet to be configured for these servers.
  void publish(const CataloguePublication& publication);
  std::optional<CataloguePublication> find_published(const std::string& connection) const;
  // To all loops: it may have changed by then.
  void doubt(std::string_view connection, MonoTime changed_at);
  std::uint64_t next_version() { return ++versions_; }
  // How many statements run that may change the connection's catalogue, of all loops.
  std::shared_ptr<std::atomic<std::uint32_t>> changes_under_way(const std::string& connection);

  template <typename Change>
  void change(const std::string& connection, Change change) {
    std::lock_guard lock{mutex_};
    change(statuses_[connection]);
  }
  void forget(const std::string& connection);
  std::map<std::string, CatalogueStatus> statuses() const;

 private:
  std::vector<Post> loops_;
  std::atomic<std::uint64_t> versions_{0};
  mutable std::mutex mutex_;
  std::map<std::string, CatalogueStatus> statuses_;
  std::map<std::string, CataloguePublication> published_;
  std::map<std::string, std::shared_ptr<std::atomic<std::uint32_t>>> changes_under_way_;
};

// One reading: of one server after the other, until one has answered.
class CatalogueReading final : public Leg::Owner, public std::enable_shared_from_this<CatalogueReading> {
 public:
  struct Outcome {
    std::optional<catalog::Catalogue::Content> content;  // nothing: of no server
    std::string server;                                  // that it is from
    std::string failure;                                 // of the last server
  };
  using Done = std::function<void(Outcome)>;
  // `connection` has settings for its catalogue.
  CatalogueReading(Loop& loop, std::shared_ptr<const Runtime> runtime, const session::ConnectionSettings& connection,
                   Done done);

  void begin() { try_next_server(); }
  void leg_ready() override { pump(); }
  void time_passed(Now now);
  void close();

 private:
  void try_next_server();
  void on_dialed(Result<Descriptor, std::string> socket);
  void pump();
  bool exchange();
  void settle();
  void finish(Outcome outcome);
  bool is_away(const session::BackendKind& kind) const;

  Loop& loop_;
  std::shared_ptr<const Runtime> runtime_;
  const session::ConnectionSettings& connection_;  // of the runtime
  Done done_;
  std::vector<const session::ServerSettings*> servers_;  // still to be tried, the next one last
  std::optional<session::CatalogueReader> reader_;
  std::unique_ptr<Leg> leg_;  // null before it is connected
  std::shared_ptr<Dial> dial_;
  std::string failure_;
  bool finished_ = false;
};

// Of one loop: the snapshots of all connections, and the reading of those that are its own.
class Catalogues final : public session::CatalogueSource {
 public:
  Catalogues(Loop& loop, CatalogueBoard& board) : loop_(loop), board_(board) {}
  ~Catalogues() override { close_all(); }
  Catalogues(const Catalogues&) = delete;
  Catalogues& operator=(const Catalogues&) = delete;

  const std::shared_ptr<const catalog::Catalogue>& find(std::string_view connection) const override;
  void changed(std::string_view connection, MonoTime until) override;
  std::shared_ptr<const void> changing(std::string_view connection) override;
  bool in_doubt(std::string_view connection) const override;

  // On the loop's thread. The loop's runtime is another.
  void configure();
  void accept(const CataloguePublication& publication);
  // Reads it anew if it is this loop's own.
  void doubt(const std::string& connection, MonoTime changed_at);
  void time_passed(Now now);
  void close_all();

 private:
  struct Own {
    std::shared_ptr<const std::vector<session::ServerSettings>> servers;
    std::shared_ptr<const catalog::Catalogue> catalogue;
    std::shared_ptr<CatalogueReading> under_way;
    MonoTime began{};
    MonoTime due{};
    MonoTime rests_until{};      // whatever is asked: as long as the last reading took
    std::uint32_t failures = 0;  // since the last success
    bool asked_meanwhile = false;
  };
  void configure_own();
  void start(const std::string& name, Own& own);
  static MonoTime soonest(const Own& own);
  void on_read(const std::string& name, CatalogueReading::Outcome outcome);
  void on_content(const std::string& name, Own& own, CatalogueReading::Outcome outcome);
  void warn_of_missing_columns(const std::string& name, const catalog::Catalogue& catalogue) const;
  void on_failure(const std::string& name, Own& own, const std::string& why);
  void read_soon(std::string_view connection);
  void publish(const std::string& name, const Own& own);

  Loop& loop_;
  CatalogueBoard& board_;
  std::map<std::string, CataloguePublication, std::less<>> known_;
  std::map<std::string, MonoTime, std::less<>> changed_at_;
  // Of each connection that has a catalogue.
  std::map<std::string, std::shared_ptr<std::atomic<std::uint32_t>>, std::less<>> changes_under_way_;
  std::map<std::string, Own, std::less<>> own_;
  bool closing_ = false;
};

}  // namespace sallyport::net
