// The server's side of the connection phase: the gateway logs in with credentials that only it holds, then sets the
// session up (session tracking, role, schema).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "session/client_login.h"
#include "session/settings.h"
#include "session/tracked_state.h"
#include "wire/handshake.h"
#include "wire/response_reader.h"

namespace sallyport::session {

// What a connection to a server is from its login to its end, whoever has it.
struct BackendFacts {
  wire::Capabilities negotiated = 0;
  std::string server_version;
  std::uint32_t connection_id = 0;  // the server's
};

// Where to log in, as whom, and what for. Borrowed; must outlive the login.
struct BackendTarget {
  const ConnectionSettings* connection = nullptr;
  const ServerSettings* server = nullptr;  // null until one is chosen
  const DatabaseLogin* login = nullptr;
  std::string_view set_role;  // empty: none
  std::string_view schema;    // empty: none
  const ClientHello* client = nullptr;
  bool local_files = false;                // by the grant
  std::string_view account;                // shown to the server as a connection attribute; empty: none
  std::string_view server_public_key_pem;  // pinned RSA key; empty: none
};

// Of the client's capabilities, those that the connection to the server is to have as well. They can't be changed
// later, so a connection is reused only for sessions that agree in them.
wire::Capabilities capabilities_for_backend(const BackendTarget& target);

// The statements that set a backend session up (schema tracking, role, schema), sent in one go; their answers are read
// one after the other. Used after the login and after COM_RESET_CONNECTION.
class BackendSetup {
 public:
  BackendSetup(const BackendTarget& target, std::vector<std::uint8_t>& out);

  enum class Step : std::uint8_t { more, done, failed };
  struct Failure {
    std::uint16_t code = 0;
    std::string sql_state;
    std::string message;
    bool on_schema = false;  // choosing the schema failed: the client's own choice
  };
  // A whole packet of the server, which says what state the session is in. The last answer shows whether one of them
  // was an error; the first is the failure.
  Step on_packet(Bytes payload, wire::Capabilities negotiated, TrackedState& state);
  // The sequence id that the server's next packet bears.
  static constexpr std::uint8_t next_sequence_id = 1;
  bool failed() const { return failed_; }
  const Failure& failure() const { return failure_; }
  // Of statements sent.
  std::uint32_t answers_due() const { return answers_due_; }

 private:
  std::uint32_t answers_due_ = 0;
  bool failed_ = false;
  bool last_is_schema_ = false;
  Failure failure_;
};

// Writes COM_QUERY without query attributes, as `negotiated` wants it.
void write_own_query(wire::PacketWriter& writer, std::string_view text, wire::Capabilities negotiated);

// A MySQL identifier in back quotes.
std::string quoted_identifier(std::string_view name);

class BackendLogin {
 public:
  BackendLogin(const BackendTarget& target, std::vector<std::uint8_t>& out) : target_(target), out_(&out) {}

  // Logs in anew, by COM_CHANGE_USER, on a connection that stands between commands: the server drops the session that
  // was there and begins a fresh one, with the same capabilities.
  BackendLogin(const BackendTarget& target, BackendFacts facts, std::vector<std::uint8_t>& out);

  enum class Step : std::uint8_t { more, start_tls, logged_in, failed };
  // A whole packet of the server.
  Step on_packet(Bytes payload);
  // TLS is there: writes the handshake response.
  void tls_established();

  std::uint8_t next_sequence_id() const { return sequence_id_; }
  void set_next_sequence_id(std::uint8_t sequence_id) { sequence_id_ = sequence_id; }
  bool in_tls_handshake() const { return stage_ == Stage::tls; }

  const BackendFacts& facts() const { return facts_; }

  struct Failure {
    Reason reason = Reason::backend_login_failed;
    std::string detail;  // for records: never a secret
  };
  const Failure& failure() const { return failure_; }

 private:
  enum class Stage : std::uint8_t { greeting, tls, authentication };

  Step on_greeting(Bytes payload);
  Step on_switch(Bytes payload);
  Step on_more_data(Bytes payload);
  void write_response();
  Step answer(const std::vector<std::uint8_t>& bytes);
  Step send_password_clear();
  Step send_password_encrypted(std::string_view public_key_pem);
  Step send_password_or_ask_for_key(std::uint8_t request);
  // The first answer of a plugin, empty for an empty password and for sha256_password; false, with failure_ set, when
  // the plugin is not one of ours.
  bool first_answer(std::vector<std::uint8_t>& bytes);
  bool channel_is_secure() const;
  wire::HandshakeResponse response_head() const;
  wire::HandshakeResponse response_with(Bytes auth_response) const;
  Step fail(Reason reason, std::string detail);

  BackendTarget target_;
  std::vector<std::uint8_t>* out_;
  Stage stage_ = Stage::greeting;
  BackendFacts facts_;
  std::string plugin_;
  std::vector<std::uint8_t> nonce_;
  std::uint8_t sequence_id_ = 0;
  std::uint8_t switches_ = 0;
  bool tls_ = false;
  bool awaits_key_ = false;
  Failure failure_;
};

}  // namespace sallyport::session
