#include "simulation/fake_backend.h"

#include <array>
#include <cstdio>

#include "session/state_query.h"
#include "wire/handshake.h"
#include "wire/response.h"

namespace sallyport::simulation {
namespace {

namespace capability = wire::capability;
using Shape = OneResult::Shape;

constexpr std::uint8_t com_init_db = 2;
constexpr std::uint8_t com_query = 3;
constexpr std::uint8_t com_field_list = 4;
constexpr std::uint8_t com_statistics = 9;
constexpr std::uint8_t com_change_user = 0x11;
constexpr std::uint8_t com_stmt_prepare = 0x16;
constexpr std::uint8_t com_stmt_execute = 0x17;
constexpr std::uint8_t com_stmt_send_long_data = 0x18;
constexpr std::uint8_t com_ping = 0x0E;
constexpr std::uint8_t com_stmt_close = 0x19;
constexpr std::uint8_t com_stmt_reset = 0x1A;
constexpr std::uint8_t com_set_option = 0x1B;
constexpr std::uint8_t com_stmt_fetch = 0x1C;
constexpr std::uint8_t com_reset_connection = 0x1F;
constexpr std::uint8_t com_stmt_bulk_execute = 0xFA;

// As after SET resultset_metadata=NONE.
void leave_out_definitions(Answer& answer) {
  for (OneResult& result : answer) {
    if (result.shape == Shape::rows || result.shape == Shape::cursor || result.shape == Shape::prepared) {
      result.definitions_left_out = true;
      result.columns.assign(result.columns.size(), {});
      result.parameters.assign(result.parameters.size(), {});
    }
  }
}

std::uint32_t id_of(const std::string& payload) {
  ByteReader reader{bytes_of(payload)};
  reader.u8();
  return reader.u32();
}

}  // namespace

template <typename Write>
void FakeBackend::send(Write write) {
  wire::PacketWriter writer{outgoing_};
  writer.begin(sequence_id_);
  write(writer);
  sequence_id_ = writer.end();
}

void FakeBackend::disconnected() {
  cutter_ = {};
  outgoing_.clear();
  stage_ = Stage::response;
  sequence_id_ = 0;
  setup_left_ = 0;
  statements_.clear();
  answers_.clear();
  handed_back_ = changed_user_ = false;
  proofs_ = 0;
}

void FakeBackend::connected() {
  if (plan_.manners == BackendManners::refuses_greeting) {
    send([](wire::PacketWriter& writer) {
      wire::write_err(writer, {.code = 1040, .sql_state = {}, .message = "Too many connections"});
    });
    return;
  }
  std::string_view plugin = plan_.manners == BackendManners::native ? wire::plugin::mysql_native_password
                                                                    : wire::plugin::caching_sha2_password;
  wire::Nonce nonce;
  nonce.fill('n');
  send([&](wire::PacketWriter& writer) {
    wire::write_greeting(writer, {.server_version = "8.4.0-fake",
                                  .connection_id = 77,
                                  .nonce = nonce,
                                  .capabilities = plan_.capabilities,
                                  .collation_id = 45,
                                  .status_flags = wire::status::autocommit,
                                  .auth_plugin = std::string(plugin)});
  });
}

void FakeBackend::resumed(wire::Capabilities negotiated) {
  negotiated_ = negotiated;
  stage_ = Stage::commands;
  setup_left_ = 2U + (plan_.has_role ? 1U : 0U) + (plan_.has_schema ? 1U : 0U);
}

void FakeBackend::receive(Bytes bytes) {
  cutter_.add(bytes);
  while (auto next = cutter_.next()) {
    packet(*next);
  }
  if (cutter_.is_broken()) {
    fail("the gateway's packets to the backend are numbered wrongly");
  }
}

void FakeBackend::packet(const ClientPacket& packet) {
  switch (stage_) {
    case Stage::response:
      sequence_id_ = packet.next_sequence_id;
      on_response(packet);
      break;
    case Stage::authentication:
      sequence_id_ = packet.next_sequence_id;
      on_authentication(packet);
      break;
    case Stage::commands:
      if (!handed_back_ || !on_reset_command(packet)) {
        on_command(packet);
      }
      break;
    case Stage::upload:
      on_upload(packet);
      break;
    case Stage::changing_user: {
      statements_.clear();
      changed_user_ = true;
      stage_ = Stage::commands;
      Buffer ok = write_answer({OneResult{}}, negotiated_, packet.next_sequence_id);
      outgoing_.insert(outgoing_.end(), ok.begin(), ok.end());
      break;
    }
  }
}

// False: it is a late command of the session's, one without an answer.
bool FakeBackend::on_reset_command(const ClientPacket& packet) {
  const std::string& payload = packet.payload;
  std::uint8_t opcode = payload.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(payload[0]);
  if (!changed_user_ && (opcode == com_stmt_close || opcode == com_stmt_send_long_data)) {
    return false;
  }
  std::string text = statement_text(payload);
  constexpr std::string_view proof = "SELECT CONCAT('proof', LENGTH(";
  Answer answer{OneResult{}};
  if (opcode == com_change_user) {
    stage_ = Stage::changing_user;
    sequence_id_ = packet.next_sequence_id;
    switch_to(wire::plugin::mysql_native_password);
    return true;
  }
  if (opcode == com_set_option && changed_user_) {
    answer = {{.shape = Shape::bare_end}};
  } else if (changed_user_ && text.starts_with(proof)) {
    ++proofs_;
    answer = {{.shape = Shape::rows, .columns = {random_definition(choices_)}, .rows = {"\x06proof0"}}};
  } else if (opcode != com_query || !(changed_user_ ? text.starts_with("SET ") : text == "SET ROLE NONE" || text.starts_with("ROLLBACK "))) {
    fail("a command on a connection that no session has: " + text);
  }
  Buffer bytes = write_answer(answer, negotiated_, packet.next_sequence_id);
  outgoing_.insert(outgoing_.end(), bytes.begin(), bytes.end());
  return true;
}

void FakeBackend::on_response(const ClientPacket& packet) {
  Bytes payload = bytes_of(packet.payload);
  if (wire::is_ssl_request(payload)) {
    return;
  }
  auto response = wire::parse_handshake_response(payload, plan_.capabilities);
  if (!response || response->user != "reader_user") {
    fail("the gateway's handshake response is malformed");
    return;
  }
  negotiated_ = response->capabilities;
  stage_ = Stage::authentication;
  switch (plan_.manners) {
    case BackendManners::sha2_full:
      send([](wire::PacketWriter& writer) { wire::write_auth_more_data(writer, bytes_of("\x04")); });
      break;
    case BackendManners::sha2_fast:
    case BackendManners::refuses_setup:
      send([](wire::PacketWriter& writer) { wire::write_auth_more_data(writer, bytes_of("\x03")); });
      log_in();
      break;
    case BackendManners::native:
      log_in();
      break;
    case BackendManners::switch_native:
      switch_to(wire::plugin::mysql_native_password);
      break;
    case BackendManners::switch_ed25519:
      switch_to(wire::plugin::client_ed25519);
      break;
    case BackendManners::switch_sha256:
      switch_to(wire::plugin::sha256_password);
      break;
    case BackendManners::switch_clear:
      switch_to(wire::plugin::mysql_clear_password);
      break;
    case BackendManners::endless_switch:
      switch_to(wire::plugin::mysql_native_password);
      break;
    case BackendManners::refuses_greeting:
    case BackendManners::refuses_login:
      refuse();
      break;
  }
}

void FakeBackend::switch_to(std::string_view plugin) {
  std::string nonce(plugin == wire::plugin::client_ed25519 ? 32 : 20, 'm');
  nonce.push_back('\0');
  send([&](wire::PacketWriter& writer) { wire::write_auth_switch_request(writer, plugin, bytes_of(nonce)); });
}

void FakeBackend::refuse() {
  send([](wire::PacketWriter& writer) {
    wire::write_err(writer, {.code = 1045, .sql_state = "28000", .message = "Access denied"});
  });
}

void FakeBackend::on_authentication(const ClientPacket& /*packet*/) {
  if (plan_.manners == BackendManners::switch_clear) {
    fail("the gateway answered a request for the clear password");
  } else if (plan_.manners == BackendManners::endless_switch) {
    switch_to(wire::plugin::mysql_native_password);
  } else {
    log_in();
  }
}

void FakeBackend::log_in() {
  stage_ = Stage::commands;
  setup_left_ = 2U + (plan_.has_role ? 1U : 0U) + (plan_.has_schema ? 1U : 0U);
  Buffer ok = write_answer({random_ok(choices_)}, negotiated_, sequence_id_);
  outgoing_.insert(outgoing_.end(), ok.begin(), ok.end());
}

void FakeBackend::on_command(const ClientPacket& packet) {
  const std::string& payload = packet.payload;
  if (payload.empty() || packet.first_sequence_id != 0) {
    fail("the gateway sent an empty or misnumbered command");
    return;
  }
  Received command{.opcode = static_cast<std::uint8_t>(payload[0]), .text = statement_text(payload), .values = {}};
  if (setup_left_ == 0 && command.opcode == com_query && plan_.answers_commands &&
      wire::has(negotiated_, capability::local_files) && command.text.find("LOAD DATA") != std::string::npos) {
    received_.push_back(command);
    ask_for_file(command.text, packet.next_sequence_id);
    return;
  }
  Answer answer;
  bool sets_up = setup_left_ > 0;
  bool asks = command.text == session::state_query_text;
  bool own = sets_up || asks || is_own_(command.opcode, payload.size() >= 5 ? id_of(payload) : 0);
  if (sets_up) {
    --setup_left_;
    bool due = setup_left_ == 0 ? asks : command.text.starts_with("SET ") || command.opcode == com_init_db;
    if (!due) {
      fail("the gateway's set-up is not done, but a command came: " + command.text);
    }
    bool refuses = plan_.manners == BackendManners::refuses_setup;
    answer = asks ? say_state() : Answer{refuses ? random_error(choices_) : random_ok(choices_)};
  } else if (asks) {
    answer = say_state();
  } else if (own && command.opcode == com_ping) {  // a KILL that came late may meet it
    answer = {choices_.one_in(4) ? OneResult{.shape = Shape::error,
                                             .error = {.code = 1317, .sql_state = "70100", .message = "interrupted"}}
                                 : random_ok(choices_)};
  } else {
    answer = answer_to(command, payload);
    if (command.opcode == com_stmt_execute && statements_.contains(id_of(payload))) {
      command.values = execute(payload, statements_[id_of(payload)]);
    } else if (command.opcode == com_stmt_bulk_execute && statements_.contains(id_of(payload))) {
      command.values = execute_bulk(payload, statements_[id_of(payload)]);
    }
    if (!own) {
      received_.push_back(command);
    }
  }
  if (answer.empty() || (!own && !plan_.answers_commands)) {
    return;
  }
  if (!own && wire::has(negotiated_, wire::capability::optional_resultset_metadata) && choices_.one_in(3)) {
    leave_out_definitions(answer);
  }
  Buffer bytes = write_answer(answer, negotiated_, packet.next_sequence_id);
  outgoing_.insert(outgoing_.end(), bytes.begin(), bytes.end());
  if (!own && command.opcode != com_reset_connection) {
    answers_.push_back(std::move(answer));
  }
}

Answer FakeBackend::say_state() {
  if (choices_.one_in(8)) {
    return {random_error(choices_)};
  }
  constexpr std::array<std::string_view, 4> modes{"", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,STRICT_TRANS_TABLES",
                                                  "ORACLE"};
  constexpr std::array<std::string_view, 4> charsets{"utf8mb4", "sjis", "gbk", "unheard"};
  OneResult said{.shape = Shape::rows};
  std::string row;
  for (std::string_view cell : {modes[choices_.below(modes.size())], charsets[choices_.below(charsets.size())]}) {
    row.push_back(static_cast<char>(cell.size()));
    row += cell;
  }
  row += choices_.one_in(2) ? "\xFB" : "\x05sales";
  for (int i = 0; i < 3; ++i) {
    said.columns.push_back(random_definition(choices_));
  }
  said.rows.push_back(row);
  return {said};
}

// The file's name stands in the text's first quotes.
void FakeBackend::ask_for_file(const std::string& text, std::uint8_t sequence_id) {
  std::size_t begin = text.find('\'') + 1;
  std::size_t end = text.find('\'', begin);
  sequence_id_ = sequence_id;
  send([&](wire::PacketWriter& writer) {
    writer.u8(0xFB);
    writer.text(text.substr(begin, end - begin));
  });
  uploaded_.clear();
  stage_ = Stage::upload;
}

void FakeBackend::on_upload(const ClientPacket& packet) {
  if (packet.first_sequence_id != sequence_id_) {
    fail("a part of a file is numbered wrongly");
  }
  sequence_id_ = packet.next_sequence_id;
  uploaded_ += packet.payload;
  if (!packet.payload.empty()) {
    return;
  }
  Answer answer{choices_.one_in(4) ? random_error(choices_) : random_ok(choices_)};
  Buffer bytes = write_answer(answer, negotiated_, sequence_id_);
  outgoing_.insert(outgoing_.end(), bytes.begin(), bytes.end());
  answers_.push_back(std::move(answer));
  stage_ = Stage::commands;
}

std::string FakeBackend::statement_text(const std::string& payload) const {
  std::size_t skip = 1;
  if (payload[0] == com_query && wire::has(negotiated_, capability::query_attributes)) {
    skip = payload.starts_with(std::string("\x03\x00\x01", 3)) ? 3 : payload.size();
  }
  return payload.substr(skip);
}

Answer FakeBackend::answer_to(const Received& command, const std::string& payload) {
  switch (command.opcode) {
    case com_query:
      return random_query_answer(choices_, false);
    case com_stmt_prepare:
      return prepare(command.text);
    case com_stmt_execute:
    case com_stmt_bulk_execute:
      return execution(payload);
    case com_stmt_fetch: {
      OneResult rows{.shape = Shape::fetched};
      for (std::uint32_t i = choices_.below(4); i > 0; --i) {
        rows.rows.push_back(random_row(choices_, true));
      }
      rows.status |= choices_.one_in(2) ? wire::status::last_row_sent : wire::status::cursor_exists;
      return {rows};
    }
    case com_field_list: {
      OneResult fields{.shape = Shape::fields};
      for (std::uint32_t i = choices_.below(3); i > 0; --i) {
        fields.columns.push_back(random_definition(choices_));
      }
      return {fields};
    }
    case com_statistics:
      return {{.shape = Shape::text, .text = "Uptime: 1 " + choices_.letters(4)}};
    case com_set_option:
      return {{.shape = Shape::bare_end}};
    case com_stmt_send_long_data: {
      ByteReader reader{bytes_of(payload)};
      reader.u8();
      std::uint32_t id = reader.u32();
      std::uint16_t parameter = reader.u16();
      statements_[id].long_data[parameter].append(text_of(reader.rest()));
      return {};
    }
    case com_stmt_close:
      statements_.erase(id_of(payload));
      return {};
    case com_stmt_reset:
      statements_[id_of(payload)].long_data.clear();
      return {random_ok(choices_)};
    case com_reset_connection:
      statements_.clear();
      setup_left_ = plan_.has_role ? 3 : 2;
      return {random_ok(choices_)};
    default:
      return {choices_.one_in(4) ? random_error(choices_) : random_ok(choices_)};
  }
}

// Often with the columns that were sent last for this statement.
Answer FakeBackend::execution(const std::string& payload) {
  bool asks_for_cursor = payload[0] == com_stmt_execute && payload.size() > 5 && (payload[5] & 1) != 0;
  Answer answer = random_query_answer(choices_, true);
  if (asks_for_cursor && !choices_.one_in(3)) {
    answer = {{.shape = Shape::cursor, .columns = {random_definition(choices_)}}};
    answer[0].status |= wire::status::cursor_exists;
  } else if (choices_.one_in(3)) {
    // A cursor of a routine's own is open, or was.
    for (OneResult& result : answer) {
      bool is_last = &result == &answer.back();
      bool has_rows = result.shape == Shape::rows && !result.ends_with_error;
      result.status |= has_rows && !(is_last && asks_for_cursor) ? wire::status::cursor_exists : std::uint16_t{0};
    }
  }
  std::vector<std::string>& last = statements_[id_of(payload)].columns;
  bool has_columns = answer[0].shape == Shape::rows || answer[0].shape == Shape::cursor;
  if (has_columns && !last.empty() && choices_.one_in(2)) {
    answer[0].columns = last;
  }
  for (const OneResult& result : answer) {
    last = result.columns.empty() ? last : result.columns;
  }
  return answer;
}

// "SELECT 'p c'": a statement of p parameters and c columns.
Answer FakeBackend::prepare(const std::string& text) {
  int parameters = 0;
  int columns = 0;
  if (std::sscanf(text.c_str(), "SELECT '%d %d'", &parameters, &columns) != 2 || parameters > 99 || columns > 99) {
    return {random_error(choices_)};
  }
  OneResult result{.shape = Shape::prepared, .statement_id = next_statement_++};
  for (int i = 0; i < parameters; ++i) {
    result.parameters.push_back(random_definition(choices_));
  }
  for (int i = 0; i < columns; ++i) {
    result.columns.push_back(random_definition(choices_));
  }
  statements_[result.statement_id].parameters = result.parameters.size();
  statements_[result.statement_id].columns = result.columns;
  return {result};
}

// Reads an execution as servers do: types of this one if it brings any, else those remembered.
std::vector<std::string> FakeBackend::execute(const std::string& payload, Statement& statement) {
  bool named = wire::has(negotiated_, capability::query_attributes);
  ByteReader reader{bytes_of(payload)};
  reader.take(5);
  std::uint8_t flags = reader.u8();
  reader.u32();
  bool counted = named && (statement.parameters > 0 || (flags & 8) != 0);
  std::size_t count = counted ? static_cast<std::size_t>(wire::read_lenenc(reader)) : statement.parameters;
  std::vector<std::string> values;
  auto long_data = std::exchange(statement.long_data, {});
  if (!plan_.reads_strictly || count == 0) {
    return values;
  }
  Bytes nulls = reader.take((count + 7) / 8);
  if (reader.u8() != 0) {
    statement.types.clear();
    for (std::size_t i = 0; i < count; ++i) {
      statement.types.push_back(reader.u16());
      if (named) {
        wire::read_lenenc_bytes(reader);
      }
    }
  }
  if (!reader.ok() || statement.types.size() < count) {
    fail("an execution without types that the server has never seen");
    return values;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (long_data.contains(i)) {
      values.push_back("long " + long_data[i]);
    } else if ((nulls[i / 8] >> (i % 8) & 1) != 0) {
      values.push_back("null");
    } else if (statement.types[i] == 8) {
      values.push_back(std::to_string(reader.u64()));
    } else {
      values.emplace_back(text_of(wire::read_lenenc_bytes(reader)));
    }
  }
  if (!reader.exhausted()) {
    fail("an execution that the server reads differently");
    return values;
  }
  if (statement.parameters > 0) {
    check_execution(values);
  }
  return values;
}

void FakeBackend::check_execution(const std::vector<std::string>& values) {
  std::uint64_t serial = values.empty() ? 0 : std::strtoull(values[0].c_str(), nullptr, 10);
  auto meant = executions_.find(serial);
  if (meant != executions_.end() && meant->second != values) {
    fail("execution " + std::to_string(serial) + " reached the server with other values");
  }
}

// The values of all rows, one row behind the other.
std::vector<std::string> FakeBackend::execute_bulk(const std::string& payload, Statement& statement) {
  ByteReader reader{bytes_of(payload)};
  reader.take(5);
  std::uint16_t flags = reader.u16();
  std::vector<std::string> values;
  if (!plan_.reads_strictly) {
    return values;
  }
  if ((flags & 128) != 0) {
    statement.types.clear();
    for (std::size_t i = 0; i < statement.parameters; ++i) {
      statement.types.push_back(reader.u16());
    }
  }
  if (!reader.ok() || statement.types.size() < statement.parameters || statement.parameters == 0 ||
      !statement.long_data.empty()) {
    fail("a bulk execution that the server can't read");
    return values;
  }
  while (reader.ok() && !reader.at_end()) {
    std::uint8_t indicator = reader.u8();
    std::uint16_t type = statement.types[values.size() % statement.parameters];
    if (indicator != 0) {
      values.emplace_back(indicator == 1 ? "null" : indicator == 2 ? "default" : "ignore");
    } else if (type == 8) {
      values.push_back(std::to_string(reader.u64()));
    } else {
      values.emplace_back(text_of(wire::read_lenenc_bytes(reader)));
    }
  }
  if (!reader.exhausted() || values.size() % statement.parameters != 0) {
    fail("a bulk execution that the server reads differently");
    return values;
  }
  check_execution(values);
  return values;
}

}  // namespace sallyport::simulation
