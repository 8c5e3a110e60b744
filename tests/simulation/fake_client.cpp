#include "simulation/fake_client.h"

#include <array>
#include <utility>

#include "wire/handshake.h"

namespace sallyport::simulation {
namespace {

namespace capability = wire::capability;
using Shape = OneResult::Shape;

constexpr std::uint32_t unknown_statement = 0x00FFFFFF;

std::string with_id(std::uint8_t opcode, std::uint32_t id) {
  Buffer bytes;
  wire::PacketWriter writer{bytes};
  writer.u8(opcode);
  writer.u32(id);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

void FakeClient::send(std::uint8_t sequence_id, std::string_view payload) {
  wire::PacketWriter writer{outgoing_};
  writer.begin(sequence_id);
  writer.text(payload);
  due_sequence_id_ = writer.end();
}

void FakeClient::receive(Bytes bytes) {
  if (!plan_.token.empty() && text_of(bytes).find(plan_.token) != std::string_view::npos) {
    fail("the token came back to the client");
  }
  cutter_.add(bytes);
  while (auto next = cutter_.next()) {
    packet(*next);
  }
  if (cutter_.is_broken()) {
    fail("frames of one packet are numbered wrongly");
  }
}

void FakeClient::packet(const ClientPacket& packet) {
  bool connecting = stage_ != Stage::ready && stage_ != Stage::refused;
  bool numbered = plan_.manners != ClientManners::garbage && plan_.manners != ClientManners::bytes_behind_tls_request;
  if (connecting && numbered && packet.first_sequence_id != due_sequence_id_) {
    fail("sequence id " + std::to_string(packet.first_sequence_id) + " where " + std::to_string(due_sequence_id_) +
         " is due, in the login");
  }
  if (stage_ == Stage::changing && !packet.payload.empty() && packet.payload[0] == '\xFF') {
    on_change_refused(packet);
    return;
  }
  if (connecting && !packet.payload.empty() && packet.payload[0] == '\xFF') {
    gateway_error_ = packet.payload.substr(9);
    stage_ = Stage::refused;
    finished_ = true;
    return;
  }
  switch (stage_) {
    case Stage::greeting:
      on_greeting(packet);
      break;
    case Stage::tls:
      fail("a packet in the clear where TLS is due");
      break;
    case Stage::changing:
      stage_ = Stage::authentication;
      statements_.clear();
      on_authentication(packet);
      break;
    case Stage::authentication:
      on_authentication(packet);
      break;
    case Stage::ready:
      on_answer(packet);
      break;
    case Stage::refused:
      fail("a packet behind the refusal of the login");
      break;
  }
}

void FakeClient::on_greeting(const ClientPacket& packet) {
  if (packet.payload.empty() || packet.payload[0] != 10) {
    fail("no greeting");
    return;
  }
  if (plan_.manners == ClientManners::garbage) {
    std::string payload = choices_.letters(choices_.below(60));
    send(static_cast<std::uint8_t>(choices_.one_in(2) ? 1 : choices_.byte()), payload);
    stage_ = Stage::authentication;
    return;
  }
  if (plan_.manners == ClientManners::no_tls) {
    stage_ = Stage::authentication;
    respond(1);
    return;
  }
  Buffer request;
  wire::PacketWriter writer{request};
  wire::write_ssl_request(writer, {.capabilities = plan_.capabilities | capability::ssl, .max_packet_bytes = 1U << 24});
  send(1, text_of(request));
  if (plan_.manners == ClientManners::bytes_behind_tls_request) {
    respond(2);
  }
  stage_ = Stage::tls;
}

void FakeClient::tls_established() {
  stage_ = Stage::authentication;
  respond(2);
}

void FakeClient::respond(std::uint8_t sequence_id) {
  wire::HandshakeResponse response;
  response.capabilities = plan_.capabilities;
  if (plan_.manners != ClientManners::no_tls) {
    response.capabilities |= capability::ssl;
  }
  std::string secret = choices_.letters(32);
  response.auth_plugin = wire::plugin::caching_sha2_password;
  if (plan_.manners == ClientManners::native) {
    secret = choices_.letters(20);
    response.auth_plugin = wire::plugin::mysql_native_password;
  } else if (plan_.manners == ClientManners::clear_in_response) {
    secret = plan_.token + std::string(choices_.below(2), '\0');
    response.auth_plugin = wire::plugin::mysql_clear_password;
  } else if (plan_.manners == ClientManners::openid_in_response) {
    Buffer answer;
    wire::PacketWriter writer{answer};
    writer.u8(1);
    writer.lenenc_text(plan_.token);
    secret.assign(answer.begin(), answer.end());
    response.auth_plugin = wire::plugin::openid_connect;
  } else if (plan_.manners == ClientManners::empty_password) {
    secret.clear();
  } else if (plan_.manners == ClientManners::too_old) {
    response.capabilities &= ~(capability::plugin_auth | capability::plugin_auth_lenenc_data);
  }
  response.user = plan_.user;
  response.schema = plan_.schema;
  response.capabilities |= plan_.schema.empty() ? 0 : capability::connect_with_db;
  response.auth_response = bytes_of(secret);
  response.attributes = {{.key = "_client_name", .value = "fake"}, {.key = "odd", .value = "\xFF"}};
  response.max_packet_bytes = 1U << 24;
  response.collation_id = 45;
  Buffer payload;
  wire::PacketWriter writer{payload};
  wire::write_handshake_response(writer, response);
  send(sequence_id, text_of(payload));
}

void FakeClient::on_authentication(const ClientPacket& packet) {
  const std::string& payload = packet.payload;
  if (payload.empty()) {
    fail("an empty packet in the login");
    return;
  }
  if (payload[0] == 0) {
    answers_stopped_ = 0;  // another server connection
    stage_ = Stage::ready;
    return;
  }
  std::string answer = plan_.token + std::string(choices_.below(2), '\0');
  if (payload[0] == '\xFE') {
    std::string plugin = payload.substr(1, payload.find('\0', 1) - 1);
    if (plugin == wire::plugin::caching_sha2_password) {
      answer = plan_.manners == ClientManners::empty_password ? std::string(1, '\0') : choices_.letters(32);
    } else if (plugin == wire::plugin::openid_connect) {
      Buffer bytes;
      wire::PacketWriter writer{bytes};
      writer.u8(1);
      writer.lenenc_text(plan_.token);
      answer.assign(bytes.begin(), bytes.end());
    } else if (plugin != wire::plugin::mysql_clear_password && plugin != wire::plugin::dialog) {
      fail("a switch to " + plugin);
    }
  } else if (payload != std::string("\x01\x04")) {
    fail("an unknown packet in the login");
  }
  send(packet.next_sequence_id, answer);
}

void FakeClient::on_answer(const ClientPacket& packet) {
  if (outstanding_.empty()) {
    // The gateway may say why it closes, as the answer to the command that the client would send next.
    bool says_why = packet.payload.size() > 9 && packet.payload[0] == '\xFF' && packet.first_sequence_id == 1 &&
                    packet.payload.substr(9).starts_with("Sallyport: ");
    if (!says_why || finished_) {
      fail("a packet that nothing asked for");
      return;
    }
    gateway_error_ = packet.payload.substr(9);
    finished_ = true;
    return;
  }
  Outstanding& outstanding = outstanding_.front();
  bool may_ask = std::exchange(outstanding.loads, false);  // in the answer's first packet, as a row can begin so too
  if (packet.payload.starts_with('\xFB') && may_ask) {
    if (packet.payload !=
        "\xFB"
        "f.csv") {
      fail("the client was asked for another file");
    }
    send_file(outstanding, packet.next_sequence_id);
    return;
  }
  outstanding.decoder.packet(packet);
  if (!outstanding.decoder.error().empty()) {
    fail("the client can't read an answer: " + outstanding.decoder.error());
    return;
  }
  if (outstanding.decoder.done()) {
    answer_done(outstanding);
    outstanding_.pop_front();
  }
}

void FakeClient::answer_done(Outstanding& outstanding) {
  const Answer& answer = outstanding.decoder.answer();
  ++answered_;
  if (answer.back().ends_with_error && answer.back().error.message.starts_with("Sallyport: ")) {
    gateway_error_ = answer.back().error.message;
    if (gateway_error_.find("[statement_timeout]") != std::string::npos) {
      if (!circumstances_.statements_are_stopped) {
        fail("a statement was stopped without a cause");
      }
      gateway_error_.clear();
      statement_stopped(answer.size() - 1);
      return;
    }
    bool closing = gateway_error_.find("denied_by_policy") == std::string::npos &&
                   gateway_error_.find("command_") == std::string::npos &&
                   gateway_error_.find("kill_") == std::string::npos &&
                   gateway_error_.find("parameter_incomplete") == std::string::npos &&
                   gateway_error_.find("statement_unknown") == std::string::npos &&
                   gateway_error_.find("statement_not_understood") == std::string::npos &&
                   gateway_error_.find("reading_unknown") == std::string::npos &&
                   gateway_error_.find("statements_not_separable") == std::string::npos &&
                   gateway_error_.find("local_file_refused") == std::string::npos &&
                   gateway_error_.find("audit_unavailable") == std::string::npos;
    if (answer.size() > 1 && !closing) {
      check_refusal_in(outstanding);
    }
    if (!closing && outstanding.refusal == Refusal::never && !circumstances_.audit_fails) {
      fail("the gateway refused a command without a cause: " + gateway_error_);
    }
    finished_ = finished_ || closing;
    return;
  }
  if (outstanding.refusal == Refusal::due) {
    fail("the gateway let a command pass that it has to refuse");
  }
  if (outstanding.resets_connection) {
    statements_.clear();
    return;
  }
  if (outstanding.answered_by_gateway) {
    if (answer.size() != 1 || answer.back().shape != Shape::bare_end) {
      fail("the gateway answered set_option with " + describe(answer));
    }
    return;
  }
  Answer sent = sent_for(outstanding.statements == 1 ? 1 : answer.size(), Followed::by_nothing);
  if (sent.empty()) {
    fail("an answer that the server did not send: " + describe(answer));
    return;
  }
  if (sent != answer) {
    fail("the client read " + describe(answer) + " where the server sent " + describe(sent));
  }
  if (!outstanding.file.empty() && backend_.uploaded() != outstanding.file) {
    fail("the server got another file than the client sent");
  }
  if (answer.back().shape == Shape::prepared) {
    columns_[answer.back().statement_id] = answer.back().columns;
    statements_.push_back(
        {.id = answer.back().statement_id, .parameters = static_cast<std::uint32_t>(answer.back().parameters.size())});
  }
}

// Those that the client got an error in place of.
void FakeClient::drop_stopped_answers() {
  for (; answers_stopped_ > 0 && !backend_.answers().empty(); --answers_stopped_) {
    backend_.answers().pop_front();
  }
}

// `results`: what the client got whole before the statement was stopped.
void FakeClient::statement_stopped(std::size_t results) {
  drop_stopped_answers();
  while (!backend_.answers().empty() && backend_.answers().front().size() <= results) {
    results -= backend_.answers().front().size();
    backend_.answers().pop_front();
  }
  ++answers_stopped_;
}

// The server's answers to the statements of a text, as one of so many results. `followed`: something came behind them.
Answer FakeClient::sent_for(std::size_t results, Followed followed) {
  drop_stopped_answers();
  Answer all;
  while (all.size() < results && !backend_.answers().empty()) {
    Answer one = as_seen_by_client(std::move(backend_.answers().front()), plan_.capabilities, backend_.negotiated());
    backend_.answers().pop_front();
    bool is_last = all.size() + one.size() >= results;
    for (OneResult& result : one) {
      bool more = !result.ends_with_error && (!is_last || followed == Followed::by_refusal);
      result.status |= more ? wire::status::more_results_exist : std::uint16_t{0};
      all.push_back(std::move(result));
    }
  }
  return all;
}

// Statements before it were answered as the server did.
void FakeClient::check_refusal_in(const Outstanding& outstanding) {
  Answer answer = outstanding.decoder.answer();
  answer.pop_back();
  Answer sent = sent_for(answer.size(), Followed::by_refusal);
  if (outstanding.statements == 1) {
    fail("a refusal in the middle of an answer");
  } else if (sent != answer) {
    fail("before a refusal the client read " + describe(answer) + " where the server sent " + describe(sent));
  }
}

void FakeClient::command(std::string payload, Expected expected, Refusal refusal, std::uint32_t executed) {
  send(0, payload);
  std::vector<std::string>* known = executed == 0 ? nullptr : &columns_[executed];
  outstanding_.push_back({.decoder = AnswerDecoder{expected, plan_.capabilities, due_sequence_id_, known},
                          .expected = expected,
                          .refusal = refusal});
}

// The server learns from the text how many there are.
void FakeClient::prepare(std::uint32_t parameters, std::uint32_t columns) {
  command("\x16SELECT '" + std::to_string(parameters) + " " + std::to_string(columns) + "'", Expected::prepare);
}

// A name that is no keyword, nor holds one.
std::string FakeClient::names(std::uint32_t letters) {
  std::string text = "z";
  for (std::uint32_t i = 0; i < letters; ++i) {
    text.push_back(static_cast<char>('a' + choices_.below(6)));
  }
  return text;
}

std::string FakeClient::query_head() const {
  return wire::has(plan_.capabilities, capability::query_attributes) ? std::string("\x03\x00\x01", 3) : "\x03";
}

bool FakeClient::may_issue() const {
  bool waits = !outstanding_.empty() && (!plan_.pipelines || outstanding_.back().resets_connection);
  return stage_ == Stage::ready && !finished_ && !waits && !closes_;
}

void FakeClient::issue() {
  if (issued_++ == plan_.commands) {
    closes_ = true;
    if (plan_.quits) {
      send(0, "\x01");
    }
    return;
  }
  switch (choices_.below(11)) {
    case 10:
      issue_series();
      break;
    case 0:
    case 1:
      command(query_head() + "SELECT " + names(choices_.below(9)), Expected::query);
      break;
    case 2:
      command(query_head() + "DELETE FROM denied WHERE a = " + names(3), Expected::query, Refusal::due);
      break;
    case 3:
      prepare(choices_.below(4), choices_.below(4));
      break;
    case 4:
      issue_unusual();
      break;
    default:
      issue_statement_use();
  }
}

void FakeClient::issue_unusual() {
  switch (choices_.below(12)) {
    case 11:
      issue_kill();
      break;
    case 0:
      command("\x0E", Expected::simple);  // ping
      break;
    case 1:
      command("\x02" + choices_.letters(5), Expected::simple);  // init_db
      break;
    case 2:
      command(std::string("\x04t\0%", 4), Expected::fields);
      break;
    case 3:
      command("\x09", Expected::statistics);
      break;
    case 4:
      command(std::string("\x1B", 1) + static_cast<char>(choices_.below(2)) + '\0', Expected::simple);  // set_option
      outstanding_.back().answered_by_gateway = true;
      break;
    case 5:
      if (outstanding_.empty()) {
        command("\x1F", Expected::simple);  // reset_connection
        outstanding_.back().resets_connection = true;
      }
      break;
    case 6: {
      constexpr std::array<char, 8> refused{'\x00', '\x05', '\x07', '\x08', '\x0C', '\x12', '\xFA', '\xF0'};
      command(refused[choices_.below(refused.size())] + choices_.letters(4), Expected::simple, Refusal::due);
      break;
    }
    case 8:
      if (outstanding_.empty()) {
        change_user();
      }
      break;
    case 9:
      if (outstanding_.empty() && !plan_.pipelines) {
        load_file();
      }
      break;
    case 7:
      command(std::string("\x17\0", 2), Expected::simple, Refusal::due);
      break;
    default:
      command(with_id(0x1C, unknown_statement) + std::string(4, '\0'), Expected::simple, Refusal::due);
  }
}

// Several statements, some of which may change how the rest is read, or be read in more than one way.
void FakeClient::issue_series() {
  constexpr std::array<std::string_view, 7> kinds{
      "SELECT ",        "SET sql_mode = ", "DELETE FROM denied WHERE a = ", "SELECT '\\' ",
      "SELECT \"\\\" ", "SELECT /*a*/ ",   "SELECT '\xE3\x81\x82\\' "};
  std::string text;
  std::uint32_t count = 2 + choices_.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t kind = choices_.one_in(2) ? 0 : choices_.below(kinds.size());
    text += (i > 0 ? "; " : "") + std::string(kinds[kind]) + names(3);
  }
  // Also of the plainest, once the server has said that it is in mode ORACLE.
  command(query_head() + text, Expected::query, Refusal::possible);
  outstanding_.back().statements = count;
}

// Its own number, by which it knows itself, or one that is nobody's.
void FakeClient::issue_kill() {
  bool own = choices_.one_in(2);
  command(query_head() + (own ? "KILL QUERY 2147483653" : "KILL QUERY 6"), Expected::query,
          own ? Refusal::never : Refusal::due);
}

void FakeClient::load_file() {
  command(query_head() + "LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE t", Expected::query);
  outstanding_.back().loads = true;
}

void FakeClient::send_file(Outstanding& outstanding, std::uint8_t sequence_id) {
  for (std::uint32_t i = choices_.below(4); i > 0; --i) {
    std::string part = choices_.letters(1 + choices_.below(40));
    outstanding.file += part;
    send(sequence_id, part);
    sequence_id = due_sequence_id_;
  }
  send(sequence_id, "");
  outstanding.decoder = AnswerDecoder{outstanding.expected, plan_.capabilities, due_sequence_id_};
}

// Whoever logs in again is the same client, by the same token.
void FakeClient::change_user() {
  Buffer payload;
  wire::PacketWriter writer{payload};
  writer.u8(0x11);
  writer.text_nul(plan_.user);
  std::string secret = choices_.letters(choices_.below(2) * 20);
  writer.u8(static_cast<std::uint8_t>(secret.size()));
  writer.text(secret);
  writer.text_nul(plan_.schema);
  writer.u16(45);
  writer.text_nul(wire::plugin::caching_sha2_password);
  send(0, text_of(payload));
  stage_ = Stage::changing;
}

// The command alone was refused, or the session has ended.
void FakeClient::on_change_refused(const ClientPacket& packet) {
  gateway_error_ = packet.payload.substr(9);
  stage_ = Stage::ready;
  bool stays = gateway_error_.find("audit_unavailable") != std::string::npos;
  if (stays && !circumstances_.audit_fails) {
    fail("the gateway refused a change of user without a cause: " + gateway_error_);
  }
  finished_ = !stays;
}

void FakeClient::issue_statement_use() {
  if (statements_.empty()) {
    prepare(choices_.below(3), 1);
    return;
  }
  std::uint32_t index = choices_.below(static_cast<std::uint32_t>(statements_.size()));
  Statement& statement = statements_[index];
  switch (choices_.below(8)) {
    case 0:
      send(0, with_id(0x19, statement.id));
      statements_.erase(statements_.begin() + index);
      break;
    case 1:
      command(with_id(0x1A, statement.id), Expected::simple);
      break;
    case 2:
      if (statement.has_cursor) {
        command(with_id(0x1C, statement.id) + std::string("\x02\0\0\0", 4), Expected::fetch);
      }
      break;
    case 3:
      if (statement.parameters > 1) {
        send_long_data(statement);
      }
      break;
    case 4:
      if (statement.parameters > 0 && wire::has(plan_.capabilities, capability::mariadb_bulk_operations)) {
        execute_bulk(statement);
        break;
      }
      [[fallthrough]];
    default:
      execute(statement, {});
  }
}

void FakeClient::send_long_data(Statement& statement) {
  std::string value = choices_.letters(3);
  std::string more = choices_.letters(2);
  for (const std::string& part : {value, more}) {
    send(0, with_id(0x18, statement.id) + std::string("\x01\0", 2) + part);
  }
  execute(statement, {{1, value + more}});
}

void FakeClient::execute(Statement& statement, const std::map<std::size_t, std::string>& long_data) {
  bool named = wire::has(plan_.capabilities, capability::query_attributes);
  bool attribute = named && choices_.one_in(3);
  bool counted = named && (statement.parameters > 0 || attribute);
  std::size_t count = statement.parameters + (attribute ? 1U : 0U);
  bool types = attribute || !statement.types_sent || choices_.one_in(3);
  bool cursor = choices_.one_in(6);
  Buffer bytes;
  wire::PacketWriter writer{bytes};
  writer.u8(0x17);
  writer.u32(statement.id);
  writer.u8(static_cast<std::uint8_t>((cursor ? 1U : 0U) | (counted ? 8U : 0U)));
  writer.u32(1);
  if (counted) {
    writer.lenenc(count);
  }
  std::uint64_t serial = next_serial_++;
  std::vector<std::string>& meant = executions_[serial];
  if (count > 0) {
    std::uint8_t nulls = count > 2 && choices_.one_in(3) ? 4 : 0;
    writer.u8(nulls);
    writer.u8(types ? 1 : 0);
    for (std::size_t i = 0; types && i < count; ++i) {
      writer.u16(i == 0 ? 8 : 253);
      if (named) {
        writer.lenenc_text(i < statement.parameters ? "" : "attribute");
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (auto found = long_data.find(i); found != long_data.end()) {
        meant.push_back("long " + found->second);
      } else if ((nulls >> i & 1) != 0) {
        meant.emplace_back("null");
      } else if (i == 0) {
        writer.u64(serial);
        meant.push_back(std::to_string(serial));
      } else {
        meant.push_back(choices_.letters(choices_.below(6)));
        writer.lenenc_text(meant.back());
      }
    }
  }
  statement.types_sent = statement.types_sent || (types && count > 0);
  statement.has_cursor = cursor;
  Refusal refusal = circumstances_.executes_may_be_denied ? Refusal::possible : Refusal::never;
  command({bytes.begin(), bytes.end()}, cursor ? Expected::cursor : Expected::execute, refusal, statement.id);
}

void FakeClient::execute_bulk(Statement& statement) {
  bool types = !statement.types_sent || choices_.one_in(3);
  Buffer bytes;
  wire::PacketWriter writer{bytes};
  writer.u8(0xFA);
  writer.u32(statement.id);
  writer.u16(types ? 128 : 0);
  for (std::size_t i = 0; types && i < statement.parameters; ++i) {
    writer.u16(i == 0 ? 8 : 253);
  }
  std::uint64_t serial = next_serial_++;
  std::vector<std::string>& meant = executions_[serial];
  constexpr std::array<std::string_view, 4> indicators{"", "null", "default", "ignore"};
  for (std::uint32_t row = 1 + choices_.below(4); row > 0; --row) {
    for (std::size_t i = 0; i < statement.parameters; ++i) {
      std::uint32_t indicator = i == 0 ? 0 : choices_.below(4);
      writer.u8(static_cast<std::uint8_t>(indicator));
      if (indicator != 0) {
        meant.emplace_back(indicators[indicator]);
      } else if (i == 0) {
        writer.u64(serial);
        meant.push_back(std::to_string(serial));
      } else {
        meant.push_back(choices_.letters(choices_.below(6)));
        writer.lenenc_text(meant.back());
      }
    }
  }
  statement.types_sent = true;
  statement.has_cursor = false;
  Refusal refusal = circumstances_.executes_may_be_denied ? Refusal::possible : Refusal::never;
  command({bytes.begin(), bytes.end()}, Expected::execute, refusal, statement.id);
}

}  // namespace sallyport::simulation
