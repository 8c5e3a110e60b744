// A connection to a server that no session has: it is reset after one, kept for the next, checked now and then, or
// logged in ahead of need. Its traffic is the gateway's own and carries nothing of any client's. Without I/O, like
// Session.
//
// The shell sends output(), receives into space(), and does what state() says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "session/backend_login.h"
#include "session/backend_reset.h"
#include "session/compressed_leg.h"
#include "session/environment.h"
#include "session/input_buffer.h"
#include "session/output_queue.h"
#include "wire/command.h"

namespace sallyport::session {

// Which connections can stand in for each other. What COM_CHANGE_USER can't change is part of it, and so is the
// collation, which is simplest kept.
struct BackendKind {
  std::string connection{};  // names
  std::string server{};
  std::string login{};
  wire::Capabilities capabilities = 0;  // capabilities_for_backend()
  std::uint8_t collation_id = 0;
  bool operator==(const BackendKind&) const = default;
};

class SpareBackend {
 public:
  struct Setting {
    std::shared_ptr<const Environment> environment;  // has the kind's connection, server and login
    BackendKind kind;
  };
  struct Handover {
    BackendFacts facts;
    std::vector<std::uint8_t> unsent;  // the end of what the session sent, in whole packets but for the first
  };
  // Resets what a session has left. `proof`: letters and digits that nobody could foresee.
  SpareBackend(Setting setting, Handover handover, std::string proof, Now now);
  // Logs in over a connection that has just been opened.
  SpareBackend(Setting setting, Now now);
  SpareBackend(const SpareBackend&) = delete;
  SpareBackend& operator=(const SpareBackend&) = delete;

  enum class State : std::uint8_t {
    busy,       // at its login, reset or check
    wants_tls,  // once output() is sent; then tls_established()
    idle,       // as new: may be given to a session
    failed      // to be closed; failure() says why
  };
  State state() const { return state_; }
  const std::string& failure() const { return failure_; }
  // What failed was the login: the server is not to be asked again at once.
  bool failed_at_login() const { return state_ == State::failed && task_ == Task::login; }
  Reason login_failure() const { return login_failure_; }
  const BackendKind& kind() const { return setting_.kind; }
  const BackendFacts& facts() const { return facts_; }

  void tls_established() {
    state_ = State::busy;
    login_.tls_established();
    output_.queue_made();
  }
  bool wants_bytes() const { return state_ == State::busy || state_ == State::idle; }
  MutableBytes space();
  void received(std::size_t count);
  void closed();
  // As of a session: see CompressedLeg::decode().
  std::optional<NextMessage> next_message() const;
  // Where it has logged in: how its traffic goes on from there.
  std::optional<CompressionStart> compression_due() const;
  // It could not be connected, or TLS failed; its compressed frames are not what they have to be. Either text is for
  // logs and records.
  void failed(std::string why);
  void violated(std::string how) { failed(std::move(how)); }
  // Where it is idle: asks the server whether it is there.
  void check(Now now);
  // Where it is idle: has the server end the statement, or the connection, that `text` names: "KILL QUERY 7". It is
  // idle again behind the answer, and kill_refusal() says whether that was an error.
  void kill(std::string_view text, Now now);
  struct KillRefusal {
    std::uint16_t code = 0;
    std::string sql_state;
    std::string message;
  };
  const std::optional<KillRefusal>& kill_refusal() const { return kill_refusal_; }
  void time_passed(Now now);
  MonoTime deadline() const { return state_ == State::idle ? MonoTime::max() : deadline_; }

  OutputQueue& output() { return output_; }
  // Where it is idle: tells the server that the connection will be closed.
  void quit() { write_command(wire::Command::quit); }

 private:
  enum class Task : std::uint8_t { login, reset, check, kill, nothing };

  BackendTarget target() const;
  void read();
  void on_login_packet(Bytes payload);
  void on_reset_packet(Bytes payload, std::uint8_t next_sequence_id);
  void on_kill_packet(Bytes payload);
  void fail(std::string what);
  void become_idle();
  void write_command(wire::Command command);
  std::uint8_t expected_sequence_id() const;

  Setting setting_;
  ClientHello hello_;  // what the kind says of the clients that it is for
  BackendFacts facts_;
  State state_ = State::busy;
  Task task_;
  MonoTime deadline_;
  InputBuffer input_;
  std::vector<std::uint8_t> scratch_;
  InputBuffer nothing_;  // that is passed on
  OutputQueue output_{nothing_};
  BackendLogin login_;
  std::unique_ptr<BackendReset> reset_;
  std::optional<KillRefusal> kill_refusal_;
  std::string failure_;
  Reason login_failure_ = Reason::backend_unavailable;
};

}  // namespace sallyport::session
