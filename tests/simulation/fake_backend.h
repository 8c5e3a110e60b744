// A server that a session logs in to: greets, authenticates, answers commands with random answers, and reads
// executions as servers do, remembering types.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "session/settings.h"
#include "simulation/answer.h"
#include "simulation/client_decoder.h"

namespace sallyport::simulation {

enum class BackendManners : std::uint8_t {
  sha2_fast,
  sha2_full,
  native,
  switch_native,
  switch_ed25519,
  switch_sha256,
  switch_clear,    // malicious
  endless_switch,  // malicious
  refuses_greeting,
  refuses_login,
  refuses_setup
};
inline constexpr std::uint32_t backend_manners_count = 11;

// What the client meant with each execution, by the serial number in its first parameter.
using Executions = std::map<std::uint64_t, std::vector<std::string>>;

class FakeBackend {
 public:
  struct Plan {
    BackendManners manners = BackendManners::sha2_fast;
    wire::Capabilities capabilities = 0;
    bool has_role = false;
    bool has_schema = false;
    bool reads_strictly = true;    // off where the client sends garbage
    bool answers_commands = true;  // off where a test writes the answers
  };
  struct Received {
    std::uint8_t opcode = 0;
    std::string text;
    std::vector<std::string> values;  // of an execution
  };

  FakeBackend(Plan plan, Choices& choices, const Executions& executions)
      : plan_(plan), choices_(choices), executions_(executions) {}

  // Whether a command of this kind that arrives now is one of the gateway's own. `statement_id`: of those that have
  // one.
  void ask_about_own(std::function<bool(std::uint8_t opcode, std::uint32_t statement_id)> is_own) {
    is_own_ = std::move(is_own);
  }

  void connected();
  // The gateway has closed the connection, and may connect again.
  void disconnected();
  // What a pooled connection is: logged in before, with these capabilities.
  void resumed(wire::Capabilities negotiated);
  // No session has the connection any more: what comes now resets it.
  void handed_back() { handed_back_ = true; }
  // Reset since then, with nothing left to be read.
  bool is_as_new() const { return changed_user_ && proofs_ == 1 && statements_.empty() && outgoing_.empty(); }
  void receive(Bytes bytes);

  Buffer& outgoing() { return outgoing_; }
  // The client's commands, the gateway's own not counted.
  const std::vector<Received>& received() const { return received_; }
  // Answers not yet compared with what the client read.
  std::deque<Answer>& answers() { return answers_; }
  wire::Capabilities negotiated() const { return negotiated_; }
  bool logged_in() const { return stage_ == Stage::commands || stage_ == Stage::upload; }
  // The last file that a client sent.
  const std::string& uploaded() const { return uploaded_; }
  const std::string& error() const { return error_; }

 private:
  enum class Stage : std::uint8_t { response, authentication, commands, upload, changing_user };
  struct Statement {
    std::size_t parameters = 0;
    std::vector<std::uint16_t> types;
    std::map<std::size_t, std::string> long_data;
    std::vector<std::string> columns;
  };

  void packet(const ClientPacket& packet);
  void on_response(const ClientPacket& packet);
  void on_authentication(const ClientPacket& packet);
  void log_in();
  void on_command(const ClientPacket& packet);
  // What the gateway asks of its own accord.
  Answer say_state();
  void ask_for_file(const std::string& text, std::uint8_t sequence_id);
  void on_upload(const ClientPacket& packet);
  bool on_reset_command(const ClientPacket& packet);
  Answer answer_to(const Received& command, const std::string& payload);
  Answer prepare(const std::string& text);
  Answer execution(const std::string& payload);
  std::vector<std::string> execute(const std::string& payload, Statement& statement);
  std::vector<std::string> execute_bulk(const std::string& payload, Statement& statement);
  void check_execution(const std::vector<std::string>& values);
  std::string statement_text(const std::string& payload) const;
  template <typename Write>
  void send(Write write);
  void switch_to(std::string_view plugin);
  void refuse();
  void fail(std::string what) {
    if (error_.empty()) {
      error_ = std::move(what);
    }
  }

  std::function<bool(std::uint8_t, std::uint32_t)> is_own_;
  Plan plan_;
  Choices& choices_;
  const Executions& executions_;
  PacketCutter cutter_;
  Buffer outgoing_;
  Stage stage_ = Stage::response;
  std::uint8_t sequence_id_ = 0;
  wire::Capabilities negotiated_ = 0;
  std::uint32_t setup_left_ = 0;
  bool handed_back_ = false;
  bool changed_user_ = false;
  std::uint32_t proofs_ = 0;
  std::uint32_t next_statement_ = 1;
  std::map<std::uint32_t, Statement> statements_;
  std::string uploaded_;
  std::vector<Received> received_;
  std::deque<Answer> answers_;
  std::string error_;
};

}  // namespace sallyport::simulation
