// One client's session: both protocol legs as one state machine without I/O.
//
// The shell (src/net) raises events and, after each, does what the session asks for:
//   1. next_action() until there is none;
//   2. send what client_output() and backend_output() hold, as far as the peers take it, and report it;
//   3. receive, where wants_client_bytes() and wants_backend_bytes() say so, into *_space(), and report it.
// docs/life-of-a-query.md walks through it.
//
// COM_CHANGE_USER ends one session and begins the next on the same connection: close_backend, then a login as the
// first.
//
// Invariants: nothing is written to the backend's queue before a token was verified and the login is on record; no
// command is, before its record is committed; a refusal leaves the session usable. What the gateway asks of its own
// (StateQuery) is little work for the server, whatever the client wrote.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "audit/sink.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/result.h"
#include "identity/principal.h"
#include "identity/token.h"
#include "session/account_ledger.h"
#include "session/answer_relay.h"
#include "session/answer_trace.h"
#include "session/backend_login.h"
#include "session/catalogue_source.h"
#include "session/client_login.h"
#include "session/compressed_leg.h"
#include "session/environment.h"
#include "session/input_buffer.h"
#include "session/output_queue.h"
#include "session/prepared_statements.h"
#include "session/reason.h"
#include "session/records.h"
#include "session/server_choice.h"
#include "session/session_registry.h"
#include "session/side_kill.h"
#include "session/spare_backend.h"
#include "session/state_query.h"
#include "session/statement_reader.h"
#include "session/statement_series.h"
#include "sql/kill_statement.h"
#include "sql/reading.h"
#include "wire/local_infile.h"

namespace sallyport::session {

enum class Action : std::uint8_t {
  start_client_tls,   // the client's next bytes are TLS: client_tls_established or client_closed follows
  verify_token,       // of token(): token_verified follows
  commit_audit,       // audit_committed or audit_failed follows
  connect_backend,    // to one of server_candidates(): backend_chosen and then backend_resumed or _connected follow, or
                      // _failed. It may be asked for again, after close_backend, for another of them
  reconnect_backend,  // the connection that was resumed is dead: close it, open one; as above, without backend_resumed
  start_backend_tls,  // backend_tls_established or backend_failed follows
  // What is received from now on is compressed, and what is sent as client_compression() and backend_compression() say.
  start_client_compression,
  start_backend_compression,
  close_backend,
  abandon_backend,  // close it, once the server has been told to end what runs on it: kill_order()
  kill,             // as kill_order() says; kill_answered() follows
  release_backend,  // released_backend() stands between commands and may be reset for another session
  close_client      // once client_output() is sent, or at once when that takes longer than closing_timeout
};

// How long an ended session may go on sending its last packets.
inline constexpr Milliseconds closing_timeout{400};
// Bytes of an answer held at a time; a single packet that has to be read whole may take control_packet_bytes_max.
inline constexpr std::size_t answer_buffer_bytes = 64U << 10;
// Before TLS no more is read than the client's request for it, so that what follows goes to TLS.
inline constexpr std::size_t tls_request_bytes = wire::frame_header_bytes + wire::ssl_request_bytes;
// The payload of a handshake message is not longer than this (a token of token_bytes_max has to fit as well).
inline constexpr std::size_t handshake_bytes_max = 64U << 10;

class Session {
 public:
  // What the shell gives a session. References must outlive it; `counters`, `statements` and `catalogues` are those of
  // the session's loop, `ledger` and `registry` are those of the whole gateway.
  struct Setting {
    const ListenerProfile& listener;
    std::shared_ptr<const Environment> environment;
    audit::Sink& audit;
    LoopCounters& counters;
    AccountLedger& ledger;
    SessionRegistry& registry;
    StatementReader& statements;
    CatalogueSource& catalogues;
  };
  struct Opening {
    SessionOrigin origin;
    wire::Nonce nonce;  // random, no zero bytes
    Now now;
  };
  // Greets the client.
  Session(Setting setting, Opening opening);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Events.
  void client_received(std::size_t count, Now now);
  void client_sent(std::size_t count, Now now);
  // The client has taken some of what was sent earlier and stood in the kernel's buffer. So with backend_took().
  void client_took(Now now);
  void client_closed(Now now);
  void client_tls_established(TlsDetails details, Now now);
  void client_tls_failed(std::string detail, Now now);
  // The client's compressed frames are not what they have to be.
  void client_violated(std::string detail, Now now);
  void token_verified(Result<identity::Principal, identity::Refusal> result, Now now);
  void audit_committed(Now now);
  void audit_failed(Now now);
  // `server`: what it was connected to, in a form of the shell's own; a KILL's order has it again.
  void backend_connected(Now now, std::string server = {});
  // What connect_backend asked for begins now, after a wait, with this one of server_candidates().
  void backend_chosen(std::string_view server, Now now);
  // A connection that has logged in before and was reset since, of the kind backend_kind().
  void backend_resumed(BackendFacts facts, Now now, std::string server = {});
  // `reason`: backend_unavailable, backend_login_failed or backend_pool_exhausted.
  void backend_failed(std::string detail, Now now, Reason reason = Reason::backend_unavailable);
  void backend_tls_established(Now now);
  void backend_received(std::size_t count, Now now);
  void backend_sent(std::size_t count, Now now);
  void backend_took(Now now);
  void backend_closed(Now now);
  void backend_violated(std::string detail, Now now);
  // A side connection is ready for the KILL of that number. Whether it is still wanted; it is then on its way.
  bool kill_due(std::uint64_t number, Now now);
  void kill_answered(std::uint64_t number, const KillOutcome& outcome, Now now);
  void environment_changed(std::shared_ptr<const Environment> environment, Now now);
  // The gateway shuts down: ends when no command and no transaction is open, else at the end of it.
  void drain(Now now);
  // The gateway shuts down now.
  void stop(Now now);
  // At deadline(), or any time; client_took() and backend_took() come first, where there is cause.
  void time_passed(Now now);

  // What to do.
  std::optional<Action> next_action();
  bool wants_client_bytes();
  MutableBytes client_space();
  bool wants_backend_bytes();
  MutableBytes backend_space();
  OutputQueue& client_output() { return to_client_; }
  OutputQueue& backend_output() { return to_backend_; }
  // What each peer's compressed leg has to know before it unfolds more (CompressedLeg::decode).
  std::optional<NextMessage> next_client_message() const;
  std::optional<NextMessage> next_backend_message() const;
  // With start_client_compression and start_backend_compression.
  const std::optional<CompressionStart>& client_compression() const { return client_compression_; }
  const std::optional<CompressionStart>& backend_compression() const { return backend_compression_; }
  const Secret& token() const { return token_; }
  // Valid between connect_backend and the end of the backend's login; names a server from backend_chosen on.
  const BackendTarget& backend_target() const { return target_; }
  BackendKind backend_kind() const;
  // At connect_backend: where the session may be, without what was tried in vain in this login.
  std::vector<ServerCandidate> server_candidates() const;
  // At release_backend. Leaves nothing.
  SpareBackend::Handover released_backend() { return std::move(released_); }
  // At kill and abandon_backend. Leaves nothing.
  KillOrder kill_order();
  // At abandon_backend: the session counts among its account's until the connection is closed. Leaves nothing.
  AccountLedger::Place released_place() { return std::exchange(who_->place, {}); }
  // Why the server chosen last could not be reached; nothing when another cause is possible, or before.
  struct BackendFault {
    Reason reason;
    std::string detail;
  };
  const std::optional<BackendFault>& backend_fault() const { return backend_fault_; }
  // Has logged in, now or earlier.
  bool backend_logged_in() const { return backend_.connection_id != 0 || backend_.negotiated != 0; }
  // When time_passed is due at the latest.
  MonoTime deadline() const;
  // Nothing is left to do; both sockets are closed or to be closed at once.
  bool ended() const;
  // No command is going on and the client has logged in.
  bool idle() const;

  const SessionOrigin& origin() const { return origin_; }
  // Memory that the session's buffers hold at the moment.
  std::size_t buffer_bytes() const;

 private:
  // A command between its reading and the end of its answer.
  struct PendingCommand {
    wire::Command command = wire::Command::unknown;
    wire::Message message;  // at the front of from_client_ until forwarded
    std::uint64_t seq = 0;  // of its record; 0: the audit log did not take it
    MonoTime began;
    std::optional<MonoTime> forwarded;
    std::optional<std::uint32_t> statement_id;  // never wire::last_prepared_statement_id
    std::uint16_t long_data_parameter = 0;
    StatementReader::Reading reading;     // of a query, a prepare, an execution
    StatementReader::Reading runs;        // of the text that PREPARE or EXECUTE IMMEDIATE has the server run
    std::optional<sql::Dialect> dialect;  // in which the text that is prepared was read, where there was but one
    std::size_t head_bytes = 0;           // what stands before the text in the payload
    std::string local_file;               // that the text certainly asks to be loaded; empty: none
    bool may_load = false;                // the text might ask for a file all the same
    bool chooses_schema = false;
    bool runs_unseen = false;  // `runs` or something else
    bool may_change_reading = false;
    // Which its record lacks, and the server's error may quote.
    bool has_secrets = false;
    bool has_protected_literals = false;
    // Of a statement that may change the catalogue, from its being sent to its end.
    std::shared_ptr<const void> change_under_way{};

    bool prepares() const {  // PREPARE s FROM ...
      return reading != nullptr && reading->prepared && reading->prepared->use == sql::PreparedNameUse::Use::prepares;
    }
  };

  struct LoggingIn {
    ClientLogin login;
  };
  struct VerifyingToken {};
  struct RecordingLogin {};  // login_accepted is being committed
  struct ConnectingBackend {};
  struct BackendLoggingIn {
    BackendLogin login;
  };
  // After the backend's login: the answers to the set-up, and then to the question how the server reads.
  struct SettingUp {
    BackendSetup setup;
    StateQuery query;
  };
  struct RecordingStart {};  // session_start is being committed
  struct Ready {};
  struct RecordingCommand {
    PendingCommand pending;
  };
  struct Answering {
    PendingCommand pending;
    AnswerRelay relay;
    std::optional<wire::UploadReader> upload;  // while the client sends a file
  };
  struct Interrupted {      // the statement has ended; the KILL that was to stop it has no answer yet
    std::uint64_t seq = 0;  // of its record
  };
  struct Killing {  // a KILL of the client's, by a side connection
    PendingCommand pending;
  };
  struct Asking {  // a StateQuery, before a command is read or behind one
    StateQuery query;
    std::uint8_t error_sequence_id;  // of an error to the client
    bool in_series;
  };
  struct Resetting {  // COM_RESET_CONNECTION: its OK is held back until the session is set up again
    PendingCommand pending;
    std::optional<SettingUp> setup;
  };
  struct Closing {
    MonoTime since;
  };
  struct Ended {};
  using Phase = std::variant<LoggingIn, VerifyingToken, RecordingLogin, ConnectingBackend, BackendLoggingIn, SettingUp,
                             RecordingStart, Ready, Asking, RecordingCommand, Answering, Interrupted, Killing,
                             Resetting, Closing, Ended>;

  // Who is there, from the verified token on.
  struct Identified {
    identity::Principal principal;
    std::shared_ptr<const Environment> environment;  // that the pointers point into
    const identity::ServiceAccount* account = nullptr;
    const identity::Grant* grant = nullptr;
    const ConnectionSettings* connection = nullptr;
    AccountLedger::Place place;
  };

  // The login (session_login.cpp).
  void process_login();
  void resolve_account();
  void refuse_login(Reason reason, std::string detail);
  void refuse_login(const ClientError& error, std::string_view code, std::string detail);
  void refuse_login_by_backend(Reason reason, std::string detail);
  void ask_for_backend();
  void drop_backend_login();
  // Asks for another of the connection's servers. False: there is none, or no time.
  bool try_next_server(std::string_view failure);
  Nanoseconds attempt_time() const;
  void process_backend_login();
  SettingUp begin_setting_up(const BackendTarget& target);
  // What there is of the answers. Nothing: more is due. A failure has a message; one of the set-up is the server's own.
  struct SetupEnd {
    std::optional<BackendSetup::Failure> failure;
    bool violation = false;
  };
  std::optional<SetupEnd> take_setup(SettingUp& setting_up);
  void process_setup();
  void begin_setup(BackendFacts facts);
  std::string_view account_shown_to_server() const;
  void setup_failed(const BackendSetup::Failure& failure);
  // Where a resumed connection turns out dead, before the client was told anything. False: it was no resumed one.
  bool retry_backend();
  void finish_login();
  void start_client_compression();
  LoginRecord login_record() const;

  // Commands (session_commands.cpp).
  void process_commands();
  void process_command(const wire::Message& message);
  // Has `record` written; answers the command where it is refused, and waits for the record's commit otherwise.
  void decide_command(PendingCommand& pending, CommandRecord& record, std::optional<Reason> refusal);
  void read_names_anew(PreparedText& prepared);
  // Takes what may be secret out of a record.
  static void hide_secrets(PendingCommand& pending, CommandRecord& record);
  static const StatementReading& decisive_of(const PendingCommand& pending);
  static bool may_define(const PendingCommand& pending);
  bool names_in_doubt() const;
  // By XA PREPARE: it outlives the session, with its locks.
  static bool prepares_transaction(const PendingCommand& pending);
  // Then the literals that may tell of protected columns.
  bool may_meet_literals(const PendingCommand& pending, const CommandRecord& record) const;
  void hide_literals(PendingCommand& pending, CommandRecord& record) const;
  std::optional<Reason> read_command(Bytes payload, PendingCommand& pending, CommandRecord& record);
  std::optional<Reason> read_statement_use(Bytes payload, PendingCommand& pending, CommandRecord& record);
  // Answers ERR where the command is one that is answered.
  void refuse_command(const PendingCommand& pending, Reason reason, std::string_view explanation = {});
  void forward_command(PendingCommand pending);
  void note_calls(const PendingCommand& pending);
  // Returns the sequence id that the server's answer begins with, as all that forward.
  std::uint8_t forward_message(const PendingCommand& pending);
  void begin_answer(const PendingCommand& pending, std::uint8_t first_sequence_id);
  static bool is_answered(wire::Command command);
  // Executions of prepared statements (session_executions.cpp).
  static bool is_execution(wire::Command command);
  std::optional<Reason> read_execute(Bytes payload, PreparedStatement& statement, CommandRecord& record);
  std::optional<Reason> read_bulk_execute(Bytes payload, PreparedStatement& statement, CommandRecord& record);
  std::uint8_t forward_execute(const PendingCommand& pending, PreparedStatement& statement);
  std::uint8_t forward_with_types(const PendingCommand& pending, const PreparedStatement& statement);
  std::uint8_t forward_bulk(const PendingCommand& pending, PreparedStatement& statement);
  // What becomes of long data: it is held at the server until an execution or a reset.
  void note_long_data(const PendingCommand& pending, PreparedStatement& statement);
  // Has the server forget the long data of an execution that was refused, as it does after each that it gets.
  void reset_statement(std::uint32_t statement_id);
  // Has the server forget a statement that it has prepared, and the client was told it has not.
  void close_unknown_statement(std::uint32_t statement_id);
  // Takes the answers to reset_statement() and COM_PING. False while one is not there.
  bool take_own_answers();
  void process_answer();
  void process_reset();
  // LOAD DATA LOCAL (session_local_file.cpp).
  void read_local_file(std::string_view text, PendingCommand& pending) const;
  // Whether a text that was prepared, and is empty where it was too long to be kept, might ask for a file.
  static bool may_load_file(std::string_view prepared_text);
  void process_file_request();
  void process_upload();
  void process_unasked();
  void finish_answer();
  void enter_ready();
  // COM_CHANGE_USER (session_change_user.cpp).
  std::optional<Reason> read_change_user(Bytes payload, CommandRecord& record) const;
  void change_user(const PendingCommand& pending, Bytes payload);
  void forget_session();

  void trace_answer(const PendingCommand& pending);
  void record_outcome(const PendingCommand& pending, std::string_view status, std::string_view reason,
                      const AnswerRelay* relay, const wire::ErrPacket* refusal = nullptr);

  // How the server reads (session_reading.cpp).
  // The dialect in which the server reads, where it was asked; else sql::possible_dialects().
  sql::Dialects dialects_for(std::string_view text) const;
  sql::Dialects dialects_for_rest(const StatementSeries& series) const;
  std::optional<sql::Dialect> dialect_of_server() const;
  // A text can't be read, as its dialects differ: the server is to be asked, if it was not.
  void note_doubt() { server_is_to_be_asked_ = !state_.reading_is_current; }
  // Parses a statement. Nothing is forwarded that was not.
  std::optional<Reason> read_statement(std::string_view text, sql::ParseFor purpose, PendingCommand& pending,
                                       CommandRecord& record);
  std::optional<Result<StatementReader::Reading, StatementRefusal>> read_text(std::string_view statement,
                                                                              sql::ParseFor purpose,
                                                                              std::string_view schema);
  std::optional<Reason> refuse_login_change(const StatementReading& reading) const;
  std::optional<Reason> read_dynamic_text(PendingCommand& pending, CommandRecord& record);
  std::optional<Reason> check_reads_as_before(PreparedText& prepared);
  std::optional<Reason> read_named_use(PendingCommand& pending, CommandRecord& record);
  // `text`: empty where it is longer than prepared_text_bytes_max.
  PreparedText prepared_text(std::string text, const StatementReader::Reading& reading,
                             const PendingCommand& pending) const;
  // When the server has answered.
  enum class Answered : std::uint8_t { ok, error };
  void note_prepared_name(const PendingCommand& pending, Answered answered);
  std::optional<Reason> read_inner_statement(std::string_view statement, PendingCommand& pending,
                                             CommandRecord& record);
  void note_reading(const StatementReading& reading, CommandRecord& record) const;
  void note_objects(const StatementReading& reading, CommandRecord& record) const;
  // Sends `text` behind `head` in place of the client's message.
  std::uint8_t forward_text(const PendingCommand& pending, Bytes head, std::string_view text);
  std::uint8_t forward_emitted(const PendingCommand& pending);
  void ask_server(std::uint8_t error_sequence_id);
  void process_state_answer();

  // Texts of several statements (session_statements.cpp).
  std::optional<sql::FirstStatement> read_first_statement(std::string_view statements, const sql::Dialects& dialects);
  // Begins a series where `text`, in the COM_QUERY `payload`, has more than one statement.
  std::optional<Reason> begin_series(Bytes payload, std::string_view text, PendingCommand& pending,
                                     CommandRecord& record);
  std::optional<Reason> take_statement(PendingCommand& pending, CommandRecord& record);
  // `sequence_id`: that the client's next packet bears.
  void process_next_statement(std::uint8_t sequence_id);
  std::uint8_t forward_statement(const PendingCommand& pending);
  static std::optional<Reason> read_set_option(Bytes payload);
  void answer_set_option(const PendingCommand& pending);

  // KILL (session_kill.cpp).
  Result<std::optional<sql::KillStatement>, sql::KillRefusal> read_kill(std::string_view text);
  // Refuses a text with a KILL that is not of this account's; sets kill_text_ where it is.
  std::optional<Reason> check_kill(std::string_view text, CommandRecord& record);
  std::optional<Reason> check_process_kill(Bytes payload, CommandRecord& record);
  std::optional<Reason> aim_kill(const sql::KillStatement& kill, CommandRecord& record);
  std::optional<Reason> refuse_kill_in(std::string_view prepared_text);
  std::uint8_t forward_kill(const PendingCommand& pending);

  // KILLs by side connection (session_side_kill.cpp).
  enum class KillPurpose : std::uint8_t { stop_statement, leave_nothing };
  void order_kill(KillPurpose purpose, Reason reason);
  // limits.statement_timeout has passed, or that of what was done about it.
  void statement_overdue();
  // What is still to be done about a KILL when the answer that it was to stop has ended. True: the session waits.
  bool settle_interrupt();
  void go_on_after_kill();
  void ask_for_transaction();
  void take_transaction_state(const std::optional<wire::OkPacket>& ok);
  // Whether the server may be at work on what this session sent last.
  bool statement_runs() const;
  void kill_elsewhere(const PendingCommand& pending);
  void answer_kill(const KillOutcome& outcome);

  // Follows transactions by the server's status flags, unless an answer that has them is awaited.
  void watch_transaction();
  MonoTime transaction_deadline() const;
  bool transaction_is_overdue() const;

  // Begins an event.
  void at(Now now);
  void follow_environment();
  // When the peer that `queue` is for is to be asked again whether it takes anything.
  MonoTime write_deadline(const OutputQueue& queue, MonoTime progress) const;
  // Of a command a part has come, and the rest has not.
  bool awaits_rest_of_command() const;
  // Whether the token has expired; the session then ends.
  bool end_if_expired();

  // The end (session_end.cpp).
  void end_session(Reason reason, std::string detail = {});
  void close(Reason reason, std::string detail);
  void send_error(std::uint8_t sequence_id, const ClientError& error);
  // Queues what was appended to to_client_.made() from `before` on, as part of an answer.
  void queue_answer(std::size_t before);
  void request(Action action) { actions_.push_back(action); }
  void end_records(Reason reason, std::string_view detail);
  void close_legs();
  void leave_backend();
  bool backend_stands_between_commands();
  void check_answered_command();
  // Gives back the memory of what is empty.
  void trim();
  void count_audit();
  bool closing() const { return std::holds_alternative<Closing>(phase_) || std::holds_alternative<Ended>(phase_); }
  std::size_t client_buffer_max() const;
  std::size_t backend_buffer_max() const;

  template <typename P>
  P* phase() {
    return std::get_if<P>(&phase_);
  }

  const ListenerProfile& listener_;
  std::shared_ptr<const Environment> environment_;
  LoopCounters& counters_;
  AccountLedger& ledger_;
  SessionRegistry& registry_;
  StatementReader& statements_;
  CatalogueSource& catalogues_;
  SessionOrigin origin_;
  wire::Nonce nonce_;
  std::string first_session_id_;  // before any COM_CHANGE_USER; empty without
  std::uint32_t sessions_before_ = 0;
  SessionRecords records_;
  InputBuffer from_client_;
  InputBuffer from_backend_{answer_buffer_bytes};
  OutputQueue to_client_{from_backend_};
  OutputQueue to_backend_{from_client_};
  std::vector<Action> actions_;
  std::size_t next_action_ = 0;

  Phase phase_;
  Now now_;
  MonoTime opened_;
  MonoTime phase_deadline_;
  MonoTime transaction_since_ = MonoTime::max();  // none
  MonoTime client_heard_;                         // when the client last sent something, or a command may have begun
  MonoTime client_progress_;                      // when the client last took something, or nothing was due to it
  MonoTime backend_progress_;                     // the same of the backend
  MonoTime peers_asked_;                          // when time_passed was last called
  std::optional<Reason> ending_;  // the session ends as soon as the client's stream stands between packets
  std::string ending_detail_;
  MonoTime ending_since_;
  bool start_recorded_ = false;  // session_start is on record, so session_end is due
  bool draining_ = false;
  bool backend_open_ = false;

  ClientHello hello_;
  // Of our next packet during the login, which stands behind the client's next message where that is due.
  std::uint8_t client_sequence_id_ = 0;
  std::optional<TlsDetails> tls_;
  Secret token_;
  std::optional<Identified> who_;
  BackendTarget target_;
  ServerSet tried_servers_ = 0;  // in this login
  std::string server_failures_;  // what was the matter with them, where there are several
  Nanoseconds login_time_left_{0};
  MonoTime attempt_began_;
  Legs legs_;
  TrackedState state_;
  BackendFacts backend_;
  sql::Dialect dialect_;  // of the server, without what of the session's state matters
  std::string backend_server_;
  std::optional<CompressionStart> client_compression_;   // from the first login on
  std::optional<CompressionStart> backend_compression_;  // of the connection that was opened last
  bool resumed_ = false;                                 // the backend's connection has served others before
  bool backend_broken_ = false;
  std::optional<BackendFault> backend_fault_;
  SpareBackend::Handover released_;

  bool hides_tables_ = false;                // by temporary ones, which no catalogue has
  std::unique_ptr<StatementSeries> series_;  // the text under way, when it does
  bool server_is_to_be_asked_ = false;       // before the command at hand can be read
  AskedText asked_text_;                     // what it is asked for besides
  std::optional<std::string> dynamic_text_;  // that the statement at hand has the server run
  SessionRegistry::Place registered_;
  std::string explanation_;       // of the refusal at hand; empty: its reason says all
  std::string kill_text_;         // what goes to the server in place of the KILL under way
  std::string kill_target_;       // the session that it is for
  bool kills_elsewhere_ = false;  // by a side connection, as kill_order_ says
  PreparedStatements prepared_;
  NamedStatements named_;
  std::uint64_t reading_epoch_ = 0;    // how often it may have changed how the server reads
  std::uint32_t own_answers_due_ = 0;  // to reset_statement() and COM_PING, before any other answer
  int pings_in_vain_ = 0;
  bool ping_due_ = false;  // its answer is the first of these, and may be the error of a KILL come too late
  // How far the gateway has got with stopping the statement under way.
  enum class Interrupt : std::uint8_t { none, asked, sent, answered, asked_again };
  Interrupt interrupt_ = Interrupt::none;
  MonoTime interrupt_until_;               // when the statement has to have ended, once a KILL is answered
  bool was_interrupted_ = false;           // ever, on this server connection
  std::unique_ptr<KillOrder> kill_order_;  // until the shell takes it
  std::uint64_t kills_ordered_ = 0;
  std::uint64_t kill_seq_ = 0;         // of the record of the last
  std::string prepare_text_;           // of the COM_STMT_PREPARE under way
  std::vector<std::uint8_t> scratch_;  // joined payload of a command of several frames
  AnswerTrace answer_;                 // to the command at hand
  std::vector<wire::Parameter> attributes_;
  std::optional<wire::ExecuteCommand> execute_;
  std::optional<wire::BulkExecuteCommand> bulk_;
  std::uint64_t audit_bytes_counted_ = 0;
  std::uint64_t audit_records_counted_ = 0;
};

}  // namespace sallyport::session
