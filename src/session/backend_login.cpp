#include "session/backend_login.h"

#include <algorithm>

#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/mariadb_ed25519.h"
#include "session/protocol.h"
#include "wire/response.h"

namespace sallyport::session {
namespace {

namespace capability = wire::capability;

constexpr std::uint32_t packet_bytes_max = 1U << 30;

std::vector<std::uint8_t> xor_bytes(Bytes left, Bytes right) {
  std::vector<std::uint8_t> out(left.begin(), left.end());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(out[i] ^ right[i % right.size()]);
  }
  return out;
}

// SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))).
std::vector<std::uint8_t> native_scramble(std::string_view password, Bytes nonce) {
  auto once = crypto::sha1({bytes_of(password)});
  auto twice = crypto::sha1({once});
  return xor_bytes(once, crypto::sha1({nonce, twice}));
}

// SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce).
std::vector<std::uint8_t> caching_sha2_scramble(std::string_view password, Bytes nonce) {
  auto once = crypto::sha256({bytes_of(password)});
  auto twice = crypto::sha256({once});
  return xor_bytes(once, crypto::sha256({twice, nonce}));
}

std::vector<std::uint8_t> with_nul(std::string_view password) {
  std::vector<std::uint8_t> out(password.begin(), password.end());
  out.push_back(0);
  return out;
}

// No server has a plugin of this name, so it answers with a request to switch to the account's own and a new nonce: no
// answer to an earlier nonce is ever sent again.
constexpr std::string_view plugin_to_switch_from = "sallyport_none";

}  // namespace

wire::Capabilities capabilities_for_backend(const BackendTarget& target) {
  wire::Capabilities by_grant = target.local_files ? wished_capabilities(BackendWish::by_grant) : 0;
  wire::Capabilities where_had =
      wished_capabilities(BackendWish::as_client) | wished_capabilities(BackendWish::optional);
  return target.client->capabilities & (wished_capabilities(BackendWish::same) | where_had | by_grant);
}

void write_own_query(wire::PacketWriter& writer, std::string_view text, wire::Capabilities negotiated) {
  writer.u8(static_cast<std::uint8_t>(wire::Command::query));
  if (wire::has(negotiated, capability::query_attributes)) {
    writer.lenenc(0);  // no query attributes
    writer.lenenc(1);
  }
  writer.text(text);
}

std::string quoted_identifier(std::string_view name) {
  std::string quoted = "`";
  for (char c : name) {
    quoted.append(c == '`' ? 2 : 1, c);
  }
  quoted.push_back('`');
  return quoted;
}

BackendSetup::BackendSetup(const BackendTarget& target, std::vector<std::uint8_t>& out) {
  wire::PacketWriter writer{out};
  auto query = [&](std::string_view text) {
    writer.begin(0);
    write_own_query(writer, text, target.client->capabilities);
    writer.end();
    ++answers_due_;
  };
  query("SET SESSION session_track_schema=1");
  if (!target.set_role.empty()) {
    query("SET ROLE " + quoted_identifier(target.set_role));
  }
  if (!target.schema.empty()) {
    writer.begin(0);
    writer.u8(static_cast<std::uint8_t>(wire::Command::init_db));
    writer.text(target.schema);
    writer.end();
    ++answers_due_;
    last_is_schema_ = true;
  }
}

BackendSetup::Step BackendSetup::on_packet(Bytes payload, wire::Capabilities negotiated, TrackedState& state) {
  --answers_due_;
  if (failed_) {
    return answers_due_ == 0 ? Step::failed : Step::more;
  }
  if (auto ok = wire::parse_ok(payload, negotiated)) {
    if (!follow(*ok, state)) {
      failed_ = true;
      failure_.message = "what the server tracks of the session was malformed";
    }
  } else if (auto err = wire::parse_err(payload)) {
    failed_ = true;
    failure_ = {.code = err->code,
                .sql_state = std::string(err->sql_state),
                .message = std::string(err->message),
                .on_schema = last_is_schema_ && answers_due_ == 0};
  } else {
    failed_ = true;
    failure_.message = "the answer to the session's set-up was malformed";
  }
  if (answers_due_ > 0) {
    return Step::more;
  }
  return failed_ ? Step::failed : Step::done;
}

BackendLogin::BackendLogin(const BackendTarget& target, BackendFacts facts, std::vector<std::uint8_t>& out)
    : target_(target),
      out_(&out),
      stage_(Stage::authentication),
      facts_(std::move(facts)),
      plugin_(plugin_to_switch_from),
      tls_(wire::has(facts_.negotiated, capability::ssl)) {
  wire::PacketWriter writer{out};
  writer.begin(0);
  wire::write_change_user(writer, response_with({}));
  sequence_id_ = writer.end();
}

BackendLogin::Step BackendLogin::fail(Reason reason, std::string detail) {
  failure_ = {.reason = reason, .detail = std::move(detail)};
  return Step::failed;
}

bool BackendLogin::channel_is_secure() const {
  return tls_ || !target_.server->socket_path.empty();
}

BackendLogin::Step BackendLogin::on_packet(Bytes payload) {
  if (auto err = wire::parse_err(payload)) {
    return fail(stage_ == Stage::greeting ? Reason::backend_unavailable : Reason::backend_login_failed,
                "the server refused the login: " + std::to_string(err->code) + " " + std::string(err->message));
  }
  if (stage_ == Stage::greeting) {
    return on_greeting(payload);
  }
  if (stage_ == Stage::tls || payload.empty()) {
    return fail(Reason::backend_login_failed, "the server sent a packet out of turn");
  }
  switch (payload[0]) {
    case wire::ok_header:
      if (!wire::parse_ok(payload, facts_.negotiated)) {
        return fail(Reason::backend_login_failed, "the server's OK packet was malformed");
      }
      return Step::logged_in;
    case wire::eof_header:
      return on_switch(payload);
    case 0x01:
      return on_more_data(payload);
    default:
      return fail(Reason::backend_login_failed, "the server sent an unknown authentication packet");
  }
}

BackendLogin::Step BackendLogin::on_greeting(Bytes payload) {
  auto greeting = wire::parse_greeting(payload);
  if (!greeting) {
    return fail(Reason::backend_login_failed, "the server's greeting was malformed");
  }
  facts_.server_version = greeting->server_version;
  facts_.connection_id = greeting->connection_id;
  plugin_ = greeting->auth_plugin;
  nonce_.assign(greeting->nonce.begin(), greeting->nonce.end());
  wire::Capabilities needed = target_.client->capabilities & wished_capabilities(BackendWish::same);
  facts_.negotiated =
      (wished_capabilities(BackendWish::always) | capabilities_for_backend(target_)) & greeting->capabilities;
  if ((facts_.negotiated & needed) != needed || !wire::has(facts_.negotiated, capability::plugin_auth)) {
    return fail(Reason::backend_incompatible,
                "the server (" + facts_.server_version +
                    ") lacks capabilities of the client: " + std::to_string(needed & ~facts_.negotiated));
  }
  wire::Capabilities compression = compression_capability(target_.connection->compression);
  if ((compression & ~greeting->capabilities) != 0) {
    return fail(Reason::backend_incompatible, "the server (" + facts_.server_version +
                                                  ") does not offer what connections." + target_.connection->name +
                                                  ".compression asks for");
  }
  facts_.negotiated |= compression;
  bool tls_due = target_.connection->tls.mode != BackendTlsMode::disabled;
  if (!tls_due) {
    write_response();
    return failure_.detail.empty() ? Step::more : Step::failed;
  }
  if (!wire::has(greeting->capabilities, capability::ssl)) {
    return fail(Reason::backend_login_failed,
                "the server offers no TLS, which connections." + target_.connection->name + ".tls.mode requires");
  }
  facts_.negotiated |= capability::ssl;
  stage_ = Stage::tls;
  wire::PacketWriter writer{*out_};
  writer.begin(sequence_id_);
  wire::write_ssl_request(writer, response_head());
  sequence_id_ = writer.end();
  return Step::start_tls;
}

void BackendLogin::tls_established() {
  tls_ = true;
  write_response();
}

wire::HandshakeResponse BackendLogin::response_head() const {
  wire::HandshakeResponse response;
  response.capabilities = facts_.negotiated;
  response.max_packet_bytes = packet_bytes_max;
  response.collation_id = target_.client->collation_id;
  return response;
}

wire::HandshakeResponse BackendLogin::response_with(Bytes auth_response) const {
  wire::HandshakeResponse response = response_head();
  response.user = target_.login->user;
  response.auth_response = auth_response;
  response.auth_plugin = plugin_;
  response.attributes = {{.key = "program_name", .value = "sallyport"}};
  if (!target_.account.empty()) {
    response.attributes.push_back({.key = "sallyport_account", .value = target_.account});
  }
  return response;
}

void BackendLogin::write_response() {
  stage_ = Stage::authentication;
  if (plugin_ != wire::plugin::mysql_native_password) {
    plugin_ = wire::plugin::caching_sha2_password;  // the server switches to what the account needs
  }
  std::vector<std::uint8_t> bytes;
  if (!first_answer(bytes)) {
    return;
  }
  wire::PacketWriter writer{*out_};
  writer.begin(sequence_id_);
  wire::write_handshake_response(writer, response_with(bytes));
  sequence_id_ = writer.end();
  wipe(bytes.data(), bytes.size());
}

bool BackendLogin::first_answer(std::vector<std::uint8_t>& bytes) {
  std::string_view password = target_.login->password.reveal();
  if (plugin_ == wire::plugin::client_ed25519) {
    if (nonce_.size() < crypto::mariadb_ed25519_nonce_bytes) {
      fail(Reason::backend_login_failed, "the server's nonce for client_ed25519 is too short");
      return false;
    }
    auto signature = crypto::mariadb_ed25519_sign(password, Bytes{nonce_}.first(crypto::mariadb_ed25519_nonce_bytes));
    bytes.assign(signature.begin(), signature.end());
    return true;
  }
  bool scrambles = plugin_ == wire::plugin::mysql_native_password || plugin_ == wire::plugin::caching_sha2_password;
  if (!scrambles && plugin_ != wire::plugin::sha256_password) {
    fail(Reason::backend_login_failed, "the server asks for the authentication plugin " + plugin_.substr(0, 64) +
                                           ", which is not supported for database logins");
    return false;
  }
  if (nonce_.size() < wire::nonce_bytes) {
    fail(Reason::backend_login_failed, "the server's nonce is too short");
    return false;
  }
  nonce_.resize(wire::nonce_bytes);
  if (password.empty()) {
    return true;
  }
  if (plugin_ == wire::plugin::mysql_native_password) {
    bytes = native_scramble(password, nonce_);
  } else if (plugin_ == wire::plugin::caching_sha2_password) {
    bytes = caching_sha2_scramble(password, nonce_);
  }
  return true;
}

BackendLogin::Step BackendLogin::answer(const std::vector<std::uint8_t>& bytes) {
  wire::PacketWriter writer{*out_};
  writer.begin(sequence_id_);
  writer.bytes(bytes);
  sequence_id_ = writer.end();
  return Step::more;
}

BackendLogin::Step BackendLogin::on_switch(Bytes payload) {
  auto request = wire::parse_auth_switch_request(payload);
  if (!request || ++switches_ > 2) {
    return fail(Reason::backend_login_failed, "the server's request to switch authentication was malformed");
  }
  plugin_ = request->auth_plugin;
  nonce_.assign(request->plugin_bytes.begin(), request->plugin_bytes.end());
  std::vector<std::uint8_t> bytes;
  if (!first_answer(bytes)) {
    return Step::failed;
  }
  if (plugin_ == wire::plugin::sha256_password && !target_.login->password.empty()) {
    return channel_is_secure() ? send_password_clear() : send_password_or_ask_for_key(wire::request_public_key_sha256);
  }
  // An empty password is an empty packet to mysql_native_password, and one NUL to the others.
  bool one_nul = bytes.empty() && plugin_ != wire::plugin::mysql_native_password;
  return answer(one_nul ? std::vector<std::uint8_t>{0} : bytes);
}

BackendLogin::Step BackendLogin::on_more_data(Bytes payload) {
  Bytes body = payload.subspan(1);
  if (awaits_key_) {
    awaits_key_ = false;
    return send_password_encrypted(text_of(body));
  }
  if (plugin_ != wire::plugin::caching_sha2_password || body.size() != 1) {
    return fail(Reason::backend_login_failed, "the server sent unexpected authentication data");
  }
  if (body[0] == wire::fast_auth_success) {
    return Step::more;
  }
  if (body[0] != wire::perform_full_authentication) {
    return fail(Reason::backend_login_failed, "the server sent an unknown state of caching_sha2_password");
  }
  return channel_is_secure() ? send_password_clear()
                             : send_password_or_ask_for_key(wire::request_public_key_caching_sha2);
}

BackendLogin::Step BackendLogin::send_password_clear() {
  std::vector<std::uint8_t> bytes = with_nul(target_.login->password.reveal());
  Step step = answer(bytes);
  wipe(bytes.data(), bytes.size());
  return step;
}

BackendLogin::Step BackendLogin::send_password_or_ask_for_key(std::uint8_t request) {
  if (!target_.server_public_key_pem.empty()) {
    return send_password_encrypted(target_.server_public_key_pem);
  }
  if (!target_.connection->trust_server_public_key) {
    return fail(Reason::backend_login_failed,
                "the password can't be sent without TLS: switch TLS on, or set server_public_key or "
                "trust_server_public_key of connection " +
                    target_.connection->name);
  }
  awaits_key_ = true;
  return answer({request});
}

BackendLogin::Step BackendLogin::send_password_encrypted(std::string_view public_key_pem) {
  auto key = crypto::PublicKey::from_pem(public_key_pem);
  if (!key) {
    return fail(Reason::backend_login_failed, "the server's public key is not usable");
  }
  std::vector<std::uint8_t> clear = xor_bytes(with_nul(target_.login->password.reveal()), nonce_);
  auto encrypted = key->rsa_oaep_encrypt(clear);
  wipe(clear.data(), clear.size());
  if (!encrypted) {
    return fail(Reason::backend_login_failed, "the password could not be encrypted with the server's public key");
  }
  return answer(*encrypted);
}

}  // namespace sallyport::session
