// The shell around one session: a client's socket, a backend's socket, and the session that says what passes.
#pragma once

#include <memory>
#include <optional>

#include "net/backends.h"
#include "net/commits_awaited.h"
#include "net/dial.h"
#include "net/leg.h"
#include "net/loop.h"
#include "session/session.h"

namespace sallyport::net {

class Connection final : public Leg::Owner, public std::enable_shared_from_this<Connection> {
 public:
  struct Client {
    Descriptor socket;                         // does not block
    const session::ListenerProfile& listener;  // lives as long as the process
    std::size_t listener_index;
    session::Session::Opening opening;
  };
  Connection(Loop& loop, Client client);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Greets; the connection lives on in the loop's set.
  void start();

  // From the loop.
  void audit_done(CommitResult result, Now now);
  void environment_changed(std::shared_ptr<const session::Environment> environment, Now now);
  void drain(Now now);
  void stop(Now now);
  void time_passed(Now now);
  MonoTime deadline() const;

  void leg_ready() override { pump(); }

  // From the loop's backends. Asks for a server connection; one of the other two follows.
  void request_backend();
  struct Given {
    Backends::Slot slot;
    std::string server;
  };
  // `leg`: a connection that is as new; null: one is to be opened.
  void take_backend(const Given& given, std::unique_ptr<Leg> leg, session::BackendFacts facts);
  void refuse_backend(session::Reason reason, const std::string& detail);

  // From the loop's side kills, of the order of that number.
  bool kill_due(std::uint64_t number);
  void kill_answered(std::uint64_t number, const session::KillOutcome& outcome);

 private:
  void pump();
  void perform(session::Action action);
  bool exchange();
  bool receive_from_backend();
  void note_slow_peers(Now now);

  void start_client_tls();
  bool continue_client_tls();
  void verify_token();

  void dial_backend();
  void on_dialed(Result<Descriptor, std::string> socket);
  void start_backend_tls();
  bool continue_backend_tls();
  void start_kill();
  void abandon_backend();
  std::shared_ptr<const Runtime> runtime_of(const session::KillOrder& order) const;
  void close_backend();
  void drop_backend();
  void release_backend();
  void end_lease();
  void note_backend_login();

  void begin_linger();
  void discard_client();
  void finish();

  Loop& loop_;
  std::size_t listener_index_;
  std::unique_ptr<Leg> client_;   // null when finished
  std::unique_ptr<Leg> backend_;  // null unless connected
  CommitsAwaited commits_awaited_;
  bool waited_for_keys_ = false;
  bool lingering_ = false;
  bool finished_ = false;
  MonoTime linger_until_;
  session::Session session_;

  // Of a server connection; none while the session has none and asks for none.
  struct Lease {
    session::BackendKind kind;
    Backends::Ticket ticket = 0;  // while it is asked for
    Backends::Slot slot = 0;
    bool in_use = false;  // logged in; until then the pool takes it for one being opened
  };
  std::optional<Lease> lease_;
  std::shared_ptr<Dial> dial_;                    // while the backend is being connected
  std::shared_ptr<const Runtime> login_runtime_;  // that the session's login, and with it its target, is of
  std::shared_ptr<const Runtime> runtime_;        // that the backend's connection was opened under
};

}  // namespace sallyport::net
