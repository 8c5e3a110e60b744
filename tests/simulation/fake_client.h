// A driver: logs in one of the ways that drivers have, sends commands, and checks every answer against what the
// server sent.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "simulation/client_decoder.h"
#include "simulation/fake_backend.h"

namespace sallyport::simulation {

enum class ClientManners : std::uint8_t {
  sha2,
  native,  // is switched
  clear_in_response,
  openid_in_response,
  empty_password,
  no_tls,
  bytes_behind_tls_request,
  too_old,  // no plugins
  garbage
};
inline constexpr std::uint32_t client_manners_count = 9;

class FakeClient {
 public:
  struct Plan {
    ClientManners manners = ClientManners::sha2;
    wire::Capabilities capabilities = 0;
    std::string user = "shop";
    std::string schema;
    std::string token;
    std::uint32_t commands = 0;
    bool pipelines = false;
    bool quits = true;
  };
  // Whether the gateway's own errors have a cause outside of the client's commands: set by the world.
  struct Circumstances {
    bool executes_denied = false;  // now
    bool executes_may_be_denied = false;
    bool audit_fails = false;
    bool statements_are_stopped = false;  // a KILL of the gateway's was on its way
  };

  FakeClient(Plan plan, Choices& choices, FakeBackend& backend, Executions& executions, Circumstances& circumstances)
      : plan_(std::move(plan)),
        choices_(choices),
        backend_(backend),
        executions_(executions),
        circumstances_(circumstances) {}

  void receive(Bytes bytes);
  void tls_established();
  // Whether the next command may be sent.
  bool may_issue() const;
  // Prepares the next command.
  void issue();

  Buffer& outgoing() { return outgoing_; }
  bool ready() const { return stage_ == Stage::ready; }
  bool finished() const { return finished_; }
  bool closes() const { return closes_; }
  bool has_outstanding() const { return !outstanding_.empty(); }
  std::uint32_t answered() const { return answered_; }
  // The last error of the gateway's own.
  const std::string& gateway_error() const { return gateway_error_; }
  std::size_t bytes_left() const { return cutter_.left(); }
  const std::string& error() const { return error_; }

 private:
  // changing: COM_CHANGE_USER is sent, and may be refused as any command.
  enum class Stage : std::uint8_t { greeting, tls, authentication, ready, changing, refused };
  enum class Refusal : std::uint8_t { never, due, possible };
  struct Statement {
    std::uint32_t id = 0;
    std::uint32_t parameters = 0;
    bool types_sent = false;
    bool has_cursor = false;
  };
  struct Outstanding {
    AnswerDecoder decoder;
    Expected expected;
    Refusal refusal = Refusal::never;
    std::uint32_t parameters = 0;  // of a prepare
    bool resets_connection = false;
    bool loads = false;  // sends a file where it is asked to
    std::string file;    // as it was sent
    bool answered_by_gateway = false;
    std::uint32_t statements = 1;  // of its text
  };

  void packet(const ClientPacket& packet);
  void on_greeting(const ClientPacket& packet);
  void on_authentication(const ClientPacket& packet);
  void on_answer(const ClientPacket& packet);
  void answer_done(Outstanding& outstanding);
  void respond(std::uint8_t sequence_id);
  void send(std::uint8_t sequence_id, std::string_view payload);
  void command(std::string payload, Expected expected, Refusal refusal = Refusal::never, std::uint32_t executed = 0);
  void issue_statement_use();
  void execute_bulk(Statement& statement);
  void execute(Statement& statement, const std::map<std::size_t, std::string>& long_data);
  void send_long_data(Statement& statement);
  void issue_unusual();
  void change_user();
  void issue_series();
  void issue_kill();
  enum class Followed : std::uint8_t { by_nothing, by_refusal };
  Answer sent_for(std::size_t results, Followed followed);
  void check_refusal_in(const Outstanding& outstanding);
  void drop_stopped_answers();
  void statement_stopped(std::size_t results);
  void load_file();
  void send_file(Outstanding& outstanding, std::uint8_t sequence_id);
  void on_change_refused(const ClientPacket& packet);
  std::string query_head() const;
  void prepare(std::uint32_t parameters, std::uint32_t columns);
  std::string names(std::uint32_t letters);
  void fail(std::string what) {
    if (error_.empty()) {
      error_ = std::move(what);
    }
  }

  Plan plan_;
  Choices& choices_;
  FakeBackend& backend_;
  Executions& executions_;
  Circumstances& circumstances_;
  PacketCutter cutter_;
  Buffer outgoing_;
  Stage stage_ = Stage::greeting;
  std::uint8_t due_sequence_id_ = 0;
  std::deque<Outstanding> outstanding_;
  std::vector<Statement> statements_;
  // By statement: what a client with MARIADB CACHE_METADATA keeps. A server's numbers are not used twice.
  std::map<std::uint32_t, std::vector<std::string>> columns_;
  std::uint64_t next_serial_ = 1;
  std::uint32_t issued_ = 0;
  std::uint32_t answered_ = 0;
  std::uint32_t answers_stopped_ = 0;  // of the server, that the client did not get, not to their end
  bool finished_ = false;
  bool closes_ = false;
  std::string gateway_error_;
  std::string error_;
};

}  // namespace sallyport::simulation
