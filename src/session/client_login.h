// The client's side of the connection phase, up to the token: packets in, packets out. Never asks for a secret
// before TLS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "session/reason.h"
#include "session/settings.h"
#include "wire/handshake.h"

namespace sallyport::session {

// Whether a client must use TLS before its token is asked for. Only what never leaves the machine may do without.
enum class ListenerTlsUse : std::uint8_t { required, optional };

// What a listener says of itself.
struct ListenerProfile {
  std::string name;
  Flavor flavor = Flavor::mysql;
  std::string server_version;
  AuthMethod auth_method = AuthMethod::caching_sha2_password;
  ListenerTlsUse tls = ListenerTlsUse::required;
  // Of the capabilities that mean compression, those that are offered, where the flavor has them.
  wire::Capabilities compression = compression_capabilities;
};

// The version that the greeting shows when none is configured.
std::string_view default_server_version(Flavor flavor);

// What the client said of itself, once the login has got as far as the token.
struct ClientHello {
  wire::Capabilities capabilities = 0;
  std::uint32_t max_packet_bytes = 0;
  std::uint8_t collation_id = 0;
  std::string user;
  std::string schema;
  std::string auth_plugin;  // that delivered the token
  std::vector<std::pair<std::string, std::string>> attributes;
};

class ClientLogin {
 public:
  // `out`: where packets to the client are written.
  ClientLogin(const ListenerProfile& profile, std::vector<std::uint8_t>& out) : profile_(&profile), out_(&out) {}

  struct Opening {
    std::uint32_t connection_id;
    wire::Nonce nonce;
  };
  void greet(const Opening& opening);

  // COM_CHANGE_USER, whose answer bears this sequence id: asks for a token anew. `previous` is what the client said of
  // itself before. Where a first login has been: in TLS, or on a Unix socket.
  struct Change {
    const wire::ChangeUser& request;
    const ClientHello& previous;
    wire::Nonce nonce;
    std::uint8_t sequence_id;
  };
  void change_user(const Change& change);

  enum class Step : std::uint8_t {
    more,       // wait for the next message
    start_tls,  // the bytes that follow are TLS
    token,      // take_token() has what the client gave
    refused     // refusal() says why
  };
  // A whole message of the client; `token_bytes_max` bounds what is taken as a token.
  Step on_message(Bytes payload, std::uint32_t token_bytes_max);
  void tls_established() { stage_ = Stage::response_readable; }

  // The sequence ids that the client's next message and ours bear.
  std::uint8_t next_sequence_id() const { return sequence_id_; }
  void set_next_sequence_id(std::uint8_t sequence_id) { sequence_id_ = sequence_id; }
  // Before TLS only a TLS request is of use, which is never longer than this; reading no more leaves the TLS
  // handshake's bytes to TLS.
  bool awaits_tls_request() const { return stage_ == Stage::response; }
  bool in_tls_handshake() const { return stage_ == Stage::tls; }

  Secret take_token() { return std::move(token_); }
  Reason refusal() const { return refusal_; }
  const ClientHello& hello() const { return hello_; }

 private:
  enum class Stage : std::uint8_t { response, tls, response_readable, token };

  Step on_first_message(Bytes payload, std::uint32_t token_bytes_max);
  Step on_response(Bytes payload, std::uint32_t token_bytes_max);
  Step on_token(Bytes payload, std::uint32_t token_bytes_max);
  Step accept_token(std::string_view text, std::uint32_t token_bytes_max);
  Step request_full_authentication();
  Step switch_to(AuthMethod method);
  Step refuse(Reason reason);
  wire::Capabilities offered() const;

  const ListenerProfile* profile_;
  std::vector<std::uint8_t>* out_;
  Stage stage_ = Stage::response;
  AuthMethod asked_ = AuthMethod::caching_sha2_password;
  bool awaits_scramble_ = false;  // the answer to a switch to caching_sha2_password, which carries no token
  wire::Nonce nonce_{};
  std::uint8_t sequence_id_ = 0;
  Secret token_;
  Reason refusal_ = Reason::handshake_malformed;
  ClientHello hello_;
};

}  // namespace sallyport::session
