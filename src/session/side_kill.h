// A KILL of the gateway's own, on a side connection: a short connection to the server that the target is connected to,
// with the target's database login, on which nothing is said but KILL. Without I/O, like Session; the shell is
// net::SideKills.
//
// A server numbers its connections, and a number is free for another as soon as its connection has ended. So whoever
// asks for a KILL keeps the target's connection open until it was answered or given up, or State::pausing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "session/environment.h"
#include "session/spare_backend.h"

namespace sallyport::session {

struct KillOrder {
  std::uint64_t number = 0;                        // of the session's, to tell one from another
  std::shared_ptr<const Environment> environment;  // has the connection, server and login that `kind` names
  BackendKind kind;                                // the target's login; no capabilities
  std::string server;                              // where the target is connected to, as the shell has written it
  std::string text;                                // "KILL QUERY 7"
  // What is asked besides, once the target's connection is closed: "KILL CONNECTION 7". Empty: nothing.
  std::string last_text{};
  // Of the record that says that it was asked for; its outcome is the record behind `outcome_seq` - 1.
  std::string session_id;
  std::uint64_t of = 0;
  std::uint64_t outcome_seq = 0;  // 0: the session itself records the outcome
};

struct KillOutcome {
  enum class Status : std::uint8_t {
    done,        // the server's answer was OK
    refused,     // the server's answer was an error
    not_wanted,  // the statement had ended before
    not_tried,   // no side connection was to be had
    failed       // the side connection was not answered, or failed
  };
  Status status = Status::failed;
  std::optional<SpareBackend::KillRefusal> refusal;  // of the server, where it refused
  std::string detail;                                // for records and logs: never a secret
};

std::string_view name_of(KillOutcome::Status status);

class SideKill {
 public:
  // `since`: when it was asked for, which limits.kill_timeout counts from.
  SideKill(KillOrder order, Now since);

  enum class State : std::uint8_t {
    connecting,  // connected() or failed() follows
    busy,
    wants_tls,      // once output() is sent; then tls_established()
    wants_to_know,  // whether the KILL is still wanted: go_ahead() or call_off()
    pausing,        // the target's connection is to be closed; time_passed() goes on
    over            // outcome() says how; the connection is to be closed, after output() was sent
  };
  State state() const { return state_; }
  const KillOrder& order() const { return order_; }
  const KillOutcome& outcome() const { return outcome_; }
  // The server did not even let the gateway in.
  bool found_server_unreachable() const { return unreachable_; }

  void connected();
  void failed(std::string why);  // no connection came about
  // It could not be tried: too many of them, or the server is known to be away.
  void not_tried(std::string why);
  void tls_established();
  void go_ahead(Now now);
  void call_off();
  bool wants_bytes() const { return state_ == State::busy && spare_.wants_bytes(); }
  MutableBytes space() { return spare_.space(); }
  void received(std::size_t count);
  void closed();
  // As of SpareBackend.
  void violated(std::string how);
  std::optional<NextMessage> next_message() const { return spare_.next_message(); }
  std::optional<CompressionStart> compression_due() const { return spare_.compression_due(); }
  void time_passed(Now now);
  MonoTime deadline() const { return state_ == State::pausing ? std::min(pause_until_, deadline_) : deadline_; }
  OutputQueue& output() { return spare_.output(); }

 private:
  void follow();
  void end(KillOutcome::Status status, std::string detail = {});

  KillOrder order_;
  SpareBackend spare_;
  State state_ = State::connecting;
  bool asked_ = false;  // the KILL is on its way
  bool last_asked_ = false;
  MonoTime pause_until_{};
  bool unreachable_ = false;
  MonoTime deadline_;
  KillOutcome outcome_;
};

}  // namespace sallyport::session
