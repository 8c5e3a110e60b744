#include "session/client_login.h"

#include <array>

#include "base/check.h"
#include "session/protocol.h"

namespace sallyport::session {
namespace {

constexpr std::uint8_t collation_utf8mb4_general_ci = 45;
constexpr std::uint8_t collation_utf8mb4_0900_ai_ci = 255;
// MariaDB plugin/auth_dialog: 0x04 asks without echo; PyMySQL answers no other prompt than this without a handler.
constexpr std::string_view dialog_question = "\x04Password: ";

std::string_view plugin_of(AuthMethod method) {
  switch (method) {
    case AuthMethod::caching_sha2_password:
      return wire::plugin::caching_sha2_password;
    case AuthMethod::mysql_clear_password:
      return wire::plugin::mysql_clear_password;
    case AuthMethod::openid_connect:
      return wire::plugin::openid_connect;
    case AuthMethod::dialog:
      return wire::plugin::dialog;
  }
  return {};
}

std::string_view without_trailing_nul(Bytes payload) {
  std::string_view text = text_of(payload);
  if (text.ends_with('\0')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

std::string_view default_server_version(Flavor flavor) {
  switch (flavor) {
    case Flavor::mysql:
      return "8.4.0-sallyport";
    case Flavor::mariadb:
      return "10.11.0-MariaDB-sallyport";
  }
  return {};
}

wire::Capabilities ClientLogin::offered() const {
  return offered_capabilities(profile_->flavor, profile_->server_version) &
         (~compression_capabilities | profile_->compression);
}

void ClientLogin::greet(const Opening& opening) {
  nonce_ = opening.nonce;
  bool mariadb = profile_->flavor == Flavor::mariadb;
  std::string version = profile_->server_version.empty() ? std::string(default_server_version(profile_->flavor))
                                                         : profile_->server_version;
  if (mariadb && !version.starts_with(mariadb_version_prefix)) {
    version.insert(0, mariadb_version_prefix);
  }
  wire::PacketWriter writer{*out_};
  writer.begin(sequence_id_);
  wire::write_greeting(writer, {.server_version = version,
                                .connection_id = opening.connection_id,
                                .nonce = nonce_,
                                .capabilities = offered(),
                                .collation_id = mariadb ? collation_utf8mb4_general_ci : collation_utf8mb4_0900_ai_ci,
                                .status_flags = wire::status::autocommit,
                                .auth_plugin = std::string(wire::plugin::caching_sha2_password)});
  sequence_id_ = writer.end();
}

ClientLogin::Step ClientLogin::refuse(Reason reason) {
  refusal_ = reason;
  return Step::refused;
}

ClientLogin::Step ClientLogin::on_message(Bytes payload, std::uint32_t token_bytes_max) {
  switch (stage_) {
    case Stage::response:
      return on_first_message(payload, token_bytes_max);
    case Stage::response_readable:
      return on_response(payload, token_bytes_max);
    case Stage::token:
      return on_token(payload, token_bytes_max);
    case Stage::tls:
      break;
  }
  return refuse(Reason::handshake_malformed);
}

ClientLogin::Step ClientLogin::on_first_message(Bytes payload, std::uint32_t token_bytes_max) {
  if (wire::is_ssl_request(payload)) {
    stage_ = Stage::tls;
    return Step::start_tls;
  }
  if (profile_->tls == ListenerTlsUse::optional) {
    stage_ = Stage::response_readable;
    return on_response(payload, token_bytes_max);
  }
  // Whatever else it says, it says it in the clear.
  ByteReader reader{payload};
  bool speaks_4_1 = wire::has(reader.u32(), wire::capability::protocol_41) && reader.ok();
  return refuse(speaks_4_1 ? Reason::tls_required : Reason::handshake_malformed);
}

ClientLogin::Step ClientLogin::on_response(Bytes payload, std::uint32_t token_bytes_max) {
  auto response = wire::parse_handshake_response(payload, offered());
  bool in_tls = response && wire::has(response->capabilities, wire::capability::ssl);
  if (!response || (!in_tls && profile_->tls == ListenerTlsUse::required)) {
    return refuse(Reason::handshake_malformed);
  }
  hello_ = {.capabilities = response->capabilities,
            .max_packet_bytes = response->max_packet_bytes,
            .collation_id = response->collation_id,
            .user = std::string(response->user),
            .schema = std::string(response->schema),
            .auth_plugin = std::string(response->auth_plugin),
            .attributes = {}};
  for (const auto& attribute : response->attributes) {
    hello_.attributes.emplace_back(attribute.key, attribute.value);
  }
  if (!wire::has(response->capabilities, wire::capability::plugin_auth)) {
    return refuse(Reason::driver_too_old);
  }
  if (response->auth_plugin == wire::plugin::mysql_clear_password && !response->auth_response.empty()) {
    return accept_token(without_trailing_nul(response->auth_response), token_bytes_max);
  }
  if (response->auth_plugin == wire::plugin::openid_connect && !response->auth_response.empty()) {
    auto token = wire::parse_openid_connect_answer(response->auth_response);
    return token ? accept_token(*token, token_bytes_max) : refuse(Reason::handshake_malformed);
  }
  if (profile_->auth_method == AuthMethod::caching_sha2_password &&
      response->auth_plugin == wire::plugin::caching_sha2_password) {
    // An empty answer is an empty password, and the client then waits for no further question.
    return response->auth_response.empty() ? refuse(Reason::token_missing) : request_full_authentication();
  }
  return switch_to(profile_->auth_method);
}

// What the command itself brings as an answer is left unread: its one byte of length holds no token.
void ClientLogin::change_user(const Change& change) {
  nonce_ = change.nonce;
  sequence_id_ = change.sequence_id;
  hello_ = change.previous;
  hello_.user = change.request.user;
  hello_.schema = change.request.schema;
  if (change.request.collation_id != 0) {
    hello_.collation_id = static_cast<std::uint8_t>(change.request.collation_id);
  }
  if (!change.request.attributes.empty()) {
    hello_.attributes.clear();
  }
  for (const wire::ConnectAttribute& attribute : change.request.attributes) {
    hello_.attributes.emplace_back(attribute.key, attribute.value);
  }
  switch_to(profile_->auth_method);
}

ClientLogin::Step ClientLogin::switch_to(AuthMethod method) {
  asked_ = method;
  stage_ = Stage::token;
  hello_.auth_plugin = plugin_of(method);
  std::vector<std::uint8_t> plugin_bytes;
  if (method == AuthMethod::caching_sha2_password) {
    plugin_bytes.assign(nonce_.begin(), nonce_.end());
    plugin_bytes.push_back(0);  // libmysqlclient takes exactly 21 bytes
    awaits_scramble_ = true;
  } else if (method == AuthMethod::dialog) {
    plugin_bytes.assign(dialog_question.begin(), dialog_question.end());
  }
  wire::PacketWriter writer{*out_};
  writer.begin(sequence_id_);
  wire::write_auth_switch_request(writer, plugin_of(method), plugin_bytes);
  sequence_id_ = writer.end();
  return Step::more;
}

ClientLogin::Step ClientLogin::request_full_authentication() {
  SALLYPORT_CHECK(stage_ == Stage::response_readable || stage_ == Stage::token);
  stage_ = Stage::token;
  asked_ = AuthMethod::caching_sha2_password;
  wire::PacketWriter writer{*out_};
  writer.begin(sequence_id_);
  constexpr std::array<std::uint8_t, 1> full{wire::perform_full_authentication};
  wire::write_auth_more_data(writer, full);
  sequence_id_ = writer.end();
  return Step::more;
}

ClientLogin::Step ClientLogin::on_token(Bytes payload, std::uint32_t token_bytes_max) {
  if (awaits_scramble_) {
    awaits_scramble_ = false;
    bool empty = payload.empty() || (payload.size() == 1 && payload[0] == 0);
    return empty ? refuse(Reason::token_missing) : request_full_authentication();
  }
  if (asked_ == AuthMethod::openid_connect) {
    auto token = wire::parse_openid_connect_answer(payload);
    return token ? accept_token(*token, token_bytes_max) : refuse(Reason::handshake_malformed);
  }
  return accept_token(without_trailing_nul(payload), token_bytes_max);
}

// A token beyond the limit is passed on cut to one byte above it, so that the verifier's refusal is the same for all.
ClientLogin::Step ClientLogin::accept_token(std::string_view text, std::uint32_t token_bytes_max) {
  if (text.empty()) {
    return refuse(Reason::token_missing);
  }
  token_ = Secret{std::string(text.substr(0, std::size_t{token_bytes_max} + 1))};
  return Step::token;
}

}  // namespace sallyport::session
