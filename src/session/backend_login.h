// The server's side of the connection phase: the gateway logs in with credentials that only it holds, then sets the
// session up (session tracking, role, schema).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "session/client_login.h"
#include "session/settings.h"
#include "wire/handshake.h"
#include "wire/response_reader.h"

namespace sallyport::session {

// Where to log in, as whom, and what for. Borrowed; must outlive the login.
struct BackendTarget {
  const ConnectionSettings* connection = nullptr;
  const DatabaseLogin* login = nullptr;
  std::string_view set_role;  // empty: none
  std::string_view schema;    // empty: none
  const ClientHello* client = nullptr;
  bool local_files = false;                // by the grant
  std::string_view account;                // service account, shown to the server as a connection attribute
  std::string_view server_public_key_pem;  // pinned RSA key; empty: none
};

// The statements that set a backend session up, sent in one go; their answers are read one after the other.
// Used after the login and after COM_RESET_CONNECTION.
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
  // A whole packet of the server.
  Step on_packet(Bytes payload, wire::Capabilities negotiated);
  // The sequence id that the server's next packet bears.
  static constexpr std::uint8_t next_sequence_id = 1;
  const Failure& failure() const { return failure_; }
  std::uint16_t status_flags() const { return status_flags_; }

 private:
  std::uint32_t answers_due_ = 0;
  bool failed_ = false;
  bool last_is_schema_ = false;
  std::uint16_t status_flags_ = 0;
  Failure failure_;
};

// A MySQL identifier in back quotes.
std::string quoted_identifier(std::string_view name);

class BackendLogin {
 public:
  BackendLogin(const BackendTarget& target, std::vector<std::uint8_t>& out) : target_(target), out_(&out) {}

  enum class Step : std::uint8_t { more, start_tls, logged_in, failed };
  // A whole packet of the server.
  Step on_packet(Bytes payload);
  // TLS is there: writes the handshake response.
  void tls_established();

  std::uint8_t next_sequence_id() const { return sequence_id_; }
  void set_next_sequence_id(std::uint8_t sequence_id) { sequence_id_ = sequence_id; }
  bool in_tls_handshake() const { return stage_ == Stage::tls; }

  wire::Capabilities negotiated() const { return capabilities_; }
  const std::string& server_version() const { return server_version_; }
  std::uint32_t server_connection_id() const { return server_connection_id_; }

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
  Step fail(Reason reason, std::string detail);

  BackendTarget target_;
  std::vector<std::uint8_t>* out_;
  Stage stage_ = Stage::greeting;
  wire::Capabilities capabilities_ = 0;
  std::string server_version_;
  std::uint32_t server_connection_id_ = 0;
  std::string plugin_;
  std::vector<std::uint8_t> nonce_;
  std::uint8_t sequence_id_ = 0;
  std::uint8_t switches_ = 0;
  bool tls_ = false;
  bool awaits_key_ = false;
  Failure failure_;
};

}  // namespace sallyport::session
