// One session between a fake client and a fake backend, driven event by event as the I/O shell would drive it, with
// every order, fragment and fault chosen by Choices. After each event the invariants of docs/architecture.md that
// concern a session are checked; failure() names the first that was broken.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "session/session.h"
#include "session/spare_backend.h"
#include "simulation/fake_backend.h"
#include "simulation/fake_client.h"
#include "simulation/framed_peer.h"
#include "simulation/recording_sink.h"

namespace sallyport::simulation {

enum class Fault : std::uint8_t {
  none,
  client_closes,
  client_stalls,
  client_sends_garbage,
  backend_closes,
  backend_stalls,
  backend_sends_error,
  backend_sends_garbage,
  commit_fails,
  sink_is_full,
  commit_hangs,
  token_expires,
  idle_time_passes,
  login_time_passes,
  environment_unchanged,
  account_removed,
  account_disabled,
  login_changed,
  drain,
  stop,
  client_tls_fails,
  token_is_refused,
  connect_fails,
  backend_tls_fails
};
inline constexpr std::uint32_t fault_count = 24;
std::string_view name_of(Fault fault);

// How a run is laid out.
struct Scenario {
  session::Flavor flavor = session::Flavor::mysql;
  session::AuthMethod auth_method = session::AuthMethod::caching_sha2_password;
  FakeClient::Plan client;
  FakeBackend::Plan backend;
  std::string database_password = "password-that-nobody-may-see";
  session::BackendTlsMode tls = session::BackendTlsMode::verify_full;
  bool by_socket = false;
  bool denies_executes = false;    // now and then
  std::uint32_t fragment_max = 0;  // 0: all that is there at once
  Fault fault = Fault::none;
  std::uint32_t fault_step = 0;
  session::Compression compression = session::Compression::none;  // with the backend; the client's: its capabilities
  bool pooled = false;
  bool resumes = false;  // on a connection that was used before
  bool two_servers = false;
  std::uint64_t answer_bytes_recorded = 0;
  bool is_impatient = false;  // statements that take more than two milliseconds are stopped
};

Scenario random_scenario(Choices& choices);
// A login and commands of each kind, without fragments: for a fault at every step.
Scenario plain_scenario();

class NoCatalogues final : public session::CatalogueSource {
 public:
  const std::shared_ptr<const catalog::Catalogue>& find(std::string_view) const override { return none_; }
  void changed(std::string_view, MonoTime) override {}
  std::shared_ptr<const void> changing(std::string_view) override { return nullptr; }
  bool in_doubt(std::string_view) const override { return false; }

 private:
  std::shared_ptr<const catalog::Catalogue> none_;
};

class World {
 public:
  World(const Scenario& scenario, Choices& choices);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // One event. False when nothing can happen any more without time passing.
  bool step();
  // Steps to the end, then lets time pass until the session has ended, and checks what has to hold then.
  void run();
  void inject(Fault fault);
  // Bytes that no script foresees.
  void inject_client_bytes(Bytes bytes);
  void inject_backend_bytes(Bytes bytes);
  void pass_time(Milliseconds time);
  void finish();
  // Steps until the client is logged in, or nothing happens any more.
  bool log_in();

  std::uint32_t steps() const { return steps_; }
  const std::string& failure() const { return failure_; }
  const RecordingSink& sink() const { return sink_; }
  const FakeClient& client() const { return client_; }
  const FakeBackend& backend() const { return backend_; }
  session::Session& session() { return *session_; }

 private:
  enum class Event : std::uint8_t {
    client_issues,
    client_sends,
    client_takes,
    client_closes,
    client_tls,
    token,
    commit,
    connect,
    backend_tls,
    backend_sends,
    backend_takes,
    deny_toggles,
    time_is_told,
    kill
  };

  std::shared_ptr<const session::Environment> environment(Fault variant) const;
  std::vector<Event> enabled();
  void perform(Event event);
  void perform_waiting(Event event);
  void after_event();
  void take_actions();
  void leave_backend();
  // What becomes of a KILL that the session has asked for: two events, or one where it is not tried.
  void follow_kill();
  bool is_own_command(std::uint8_t opcode, std::uint32_t statement_id);
  void check_order(const session::KillOrder& order, std::string_view verb);
  // A compressed leg, the peer at its other end, and what is on its way from there.
  struct Framed {
    session::CompressedLeg leg;
    FramedPeer peer;
    Buffer stream;
  };
  std::unique_ptr<Framed> framed(session::CompressedLeg::Peer peer, session::CompressionStart start);
  bool has_bytes(Event event);
  void deliver_to_session(Buffer& from, Event event);
  template <typename Side>
  void deliver(Side side, Buffer& from, std::unique_ptr<Framed>& framed);
  void take_from_session(Event event);
  // Part of what is queued, as the peer reads it.
  template <typename Side>
  Buffer take(Side side, std::unique_ptr<Framed>& framed);
  void check();
  bool says_goodbye();
  bool asks_server();
  void check_forwarded();
  // The record of the command that the server gets behind those that it got; null when there is none.
  const RecordingSink::Command* next_forwarded() const;
  void check_end();
  // What the outcomes say of the answers is what the client got.
  void check_answers();
  void release_backend();
  // Lets the connection that the session left be reset, and checks what the next session would get.
  void reset_backend();
  std::optional<session::BackendFacts> facts_to_resume() const;
  std::size_t portion(std::size_t available);
  void fail(const std::string& what) {
    if (failure_.empty() && !what.empty()) {
      failure_ = what + " (at step " + std::to_string(steps_) + ")";
    }
  }

  Scenario scenario_;
  Choices& choices_;
  Now now_;
  WallTime token_expires_;
  bool executes_denied_ = false;
  FakeClient::Circumstances circumstances_;
  Executions executions_;
  RecordingSink sink_;
  LoopCounters counters_;
  session::StatementReader statements_{counters_};
  NoCatalogues catalogues_;
  session::AccountLedger ledger_;
  session::SessionRegistry registry_;
  session::ListenerProfile listener_;
  FakeBackend backend_;
  FakeClient client_;
  std::shared_ptr<const session::Environment> environment_;
  std::unique_ptr<session::Session> session_;
  session::CompressionWorkspace workspace_;
  std::unique_ptr<Framed> framed_client_;
  std::unique_ptr<Framed> framed_backend_;
  std::unique_ptr<session::SpareBackend> spare_;  // what the session left
  session::BackendKind kind_;                     // of its connection

  std::uint32_t steps_ = 0;
  bool tls_waits_ = false;
  bool token_waits_ = false;
  std::uint32_t commits_wait_ = 0;
  bool connect_waits_ = false;
  bool backend_tls_waits_ = false;
  bool close_backend_requested_ = false;
  std::optional<session::KillOrder> kill_;
  bool kill_sent_ = false;
  bool own_ping_due_ = false;
  std::string session_id_ = "s-1";  // of the session under way
  bool connected_ = false;
  bool backend_gone_ = false;
  bool client_gone_ = false;
  bool client_silent_ = false;
  bool backend_silent_ = false;
  bool commit_hangs_ = false;
  bool commit_fails_ = false;
  bool raw_ = false;                // bytes were injected: scripts are not followed any more
  bool raw_backend_login_ = false;  // so that the fake backend does not know what a packet is for
  std::array<bool, fault_count> happened_{};
  bool token_verified_ = false;
  std::string client_stream_;        // all that the client was sent, as it reads it
  std::uint64_t backend_bytes_ = 0;  // taken so far
  std::uint64_t backend_bytes_queued_before_ = 0;
  bool command_phase_before_ = false;
  Event last_event_ = Event::client_issues;
  std::size_t received_checked_ = 0;
  std::size_t records_checked_ = 0;
  std::string failure_;
};

}  // namespace sallyport::simulation
