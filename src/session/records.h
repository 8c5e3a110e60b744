// The audit records of a session. docs/audit-records.md describes them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "audit/record.h"
#include "audit/sink.h"
#include "base/clock.h"
#include "identity/principal.h"
#include "lineage/facts.h"
#include "session/answer_trace.h"
#include "session/client_login.h"
#include "wire/command.h"
#include "wire/compressed.h"
#include "wire/parameters.h"
#include "wire/response.h"

namespace sallyport::session {

// Where a session comes from. Fixed from its start to its end.
struct SessionOrigin {
  std::string session_id;
  std::uint32_t connection_id = 0;
  std::string client_address;       // "127.0.0.1:50123"
  std::string previous_session_id;  // that this one took the place of by COM_CHANGE_USER; empty: none
};

struct TlsDetails {
  std::string version;  // "TLSv1.3"
  std::string cipher;
  std::string server_name;  // SNI; empty: none
};

struct CommandRecord {
  wire::Command command = wire::Command::unknown;
  std::uint8_t opcode = 0;
  std::string_view schema;                    // default schema, as far as known
  std::optional<std::string_view> text;       // statement text
  std::uint32_t part = 0;                     // number of the statement in a text of several; 0: it is the only one
  std::optional<std::uint32_t> statement_id;  // of a prepared statement
  std::optional<std::uint64_t> prepared_seq;  // seq of the record that prepared it
  const std::vector<wire::Parameter>* parameters = nullptr;
  const std::vector<wire::Parameter>* attributes = nullptr;
  struct BulkParameters {
    Bytes rows;  // well-formed: wire::read_bulk_row()
    const std::vector<wire::ParameterType>* types = nullptr;
  };
  std::optional<BulkParameters> bulk;
  std::optional<std::uint16_t> parameter_index;  // COM_STMT_SEND_LONG_DATA
  std::optional<Bytes> long_data;
  crypto::Sha256Digest configuration{};                   // of the environment in which it is decided
  std::string_view digest;                                // of a statement: StatementReading::digest
  std::string_view kind;                                  // of a statement: lineage::kind_of()
  std::optional<std::string_view> sent;                   // what the server gets in place of the text
  std::optional<std::string_view> runs;                   // text that the statement has the server run
  const std::vector<lineage::Object>* objects = nullptr;  // of a statement, where there is a catalogue
  bool objects_certain = true;                            // they are these, and no more
  std::string_view target_session;                        // of a KILL
  std::string_view rule;                                  // that decided
  bool is_redacted = false;                               // texts given here lack something, or values are hidden
  bool hides_values = false;                              // of the parameters
  // What of it only the holders of a key may read, in place of the texts and values above.
  struct Sealed {
    std::optional<std::string_view> text, sent, runs;
    bool is_redacted = false;
    bool hides_values = false;
  };
  std::optional<Sealed> sealed;
};

struct OutcomeRecord {
  std::uint64_t of = 0;     // seq of the command's record
  std::string_view status;  // "ok", "error", "denied", "aborted"
  std::string_view reason;  // code, when denied or aborted
  const wire::ErrPacket* error = nullptr;
  std::string_view sealed_error;  // the text of it, where only the holders of a key may read it
  std::uint64_t rows = 0;
  std::uint64_t affected_rows = 0;
  std::uint64_t uploaded_bytes = 0;  // of a file, to the server
  std::uint32_t results = 0;
  std::uint32_t warnings = 0;
  std::optional<std::uint32_t> statement_id;  // that a prepare yielded
  const AnswerTrace* answer = nullptr;
  // From the command's last byte on.
  std::optional<Nanoseconds> forwarded_after;
  std::optional<Nanoseconds> first_byte_after;
  Nanoseconds duration{0};
};

struct LoginRecord {
  const ListenerProfile* listener = nullptr;
  const ClientHello* hello = nullptr;
  const std::optional<TlsDetails>* tls = nullptr;
  const identity::Principal* principal = nullptr;  // null before the token is verified
  std::string_view account;
  std::string_view connection;
  std::string_view role;
  crypto::Sha256Digest configuration{};            // Environment::configuration
  std::span<const std::string> recorded_claims{};  // Environment::recorded_claims
};

// Writes the records of one session; numbers them from 1.
class SessionRecords {
 public:
  SessionRecords(const SessionOrigin& origin, audit::Sink& sink) : origin_(&origin), sink_(&sink) {}

  // Each returns false when the sink did not take the record.
  bool login_accepted(const LoginRecord& login, WallTime now);
  bool login_refused(const LoginRecord& login, std::string_view reason, std::string_view detail, WallTime now);
  struct Start {
    std::string_view server;  // which of the connection's
    std::string_view server_version;
    std::uint32_t server_connection_id;
    std::string_view server_connection;  // "fresh" or "reused"
    std::string_view login;              // name of the database login, never its secret
    std::string_view set_role;
    std::string_view schema;
    wire::Capabilities client_capabilities = 0;  // negotiated with the client
    std::optional<wire::CompressionAlgorithm> client_compression;
    std::optional<wire::CompressionAlgorithm> server_compression;
  };
  bool session_start(const LoginRecord& login, const Start& start, WallTime now);
  bool command(const CommandRecord& command, WallTime now);
  bool outcome(const OutcomeRecord& outcome, WallTime now);
  // A KILL of the gateway's own that is to be sent by a side connection, and what became of it. `of`: of the record of
  // what is to be stopped; of the kill's record.
  struct Kill {
    std::uint64_t of = 0;
    std::string_view reason;
    std::string_view text;
  };
  bool kill(const Kill& kill, WallTime now);
  struct KillResult {
    std::uint64_t of = 0;
    std::string_view status;
    std::string_view detail;
  };
  bool kill_outcome(const KillResult& result, WallTime now);
  bool session_end(std::string_view account, std::string_view reason, std::string_view detail, WallTime now);

  // The records that follow are those of another session: origin has changed.
  void begin_session();

  audit::Sink& sink() const { return *sink_; }
  // Of the record written last.
  std::uint64_t last_seq() const { return seq_; }
  std::uint64_t bytes_written() const { return bytes_; }
  std::uint64_t records_lost() const { return lost_; }

 private:
  struct Head;
  struct LoginRefusal;
  Head begin(audit::RecordWriter& record, WallTime now);
  bool write_login(std::string_view type, const LoginRecord& login, const LoginRefusal* refusal, WallTime now);
  void count(const OutcomeRecord& outcome);
  // The member "sealed", where the sink has a key.
  void write_sealed(audit::RecordWriter& record, std::string_view members);
  bool finish();

  const SessionOrigin* origin_;
  audit::Sink* sink_;
  std::uint64_t seq_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t configuration_ = 0;  // that is on record
  struct Totals {
    std::uint64_t commands = 0;
    std::uint64_t denied = 0;
    std::uint64_t failed = 0;
    std::uint64_t rows = 0;
    std::uint64_t affected_rows = 0;
    std::uint64_t bytes = 0;
    std::uint64_t uploaded_bytes = 0;
    WallTime began{};
  };
  Totals totals_;
};

// The last record of a session that had ended before: the KILL of what it had left running.
struct KillOutcomeRecord {
  std::string_view session;
  std::uint64_t seq;
  SessionRecords::KillResult result;
};
void append_kill_outcome(std::string& line, const KillOutcomeRecord& outcome, WallTime now);

}  // namespace sallyport::session
