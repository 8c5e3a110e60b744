// A session whose client and server are written by the test, byte by byte.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "session/catalogue_source.h"
#include "session/session.h"
#include "wire/test_packets.h"

namespace sallyport::session::test {

using wire::test::answer_of;
using wire::test::Buffer;
using wire::test::from_text;
using wire::test::packet;

// Keeps records; can be full.
class ListSink final : public audit::Sink {
 public:
  bool append(std::string_view line) override {
    if (!full) {
      lines.emplace_back(line);
    }
    return !full;
  }
  bool append_answer(const audit::AnswerChunk& chunk) override {
    bool taken = has_key || !chunk.only_sealed;
    answers += taken ? text_of(chunk.bytes) : std::string_view{};
    return taken;
  }
  // What is sealed stands in `sealed`, with its place; in the record is its number.
  bool seal(std::string& out, const audit::RecordPlace& place, std::string_view members) override {
    if (has_key) {
      out += "seal " + std::to_string(sealed.size());
      sealed.push_back(std::string(place.session) + " " + std::to_string(place.seq) + " " + std::string(members));
    }
    return has_key;
  }
  // How many records contain all of these texts.
  template <typename... Texts>
  std::size_t count(const Texts&... texts) const {
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
      return ((line.find(texts) != std::string::npos) && ...);
    }));
  }
  std::vector<std::string> lines;
  std::vector<std::string> sealed;
  std::string answers;
  bool full = false;
  bool has_key = false;
};

inline constexpr std::string_view denied_table = "denied";

// Denies texts of denied_table, and executions while `denies_executions`.
class TestPolicy final : public policy::Policy {
 public:
  explicit TestPolicy(const bool& denies_executions) : denies_executions_(denies_executions) {}
  policy::Decision decide(const policy::Request& request) const override {
    bool executes = request.command == "stmt_execute" || request.command == "stmt_bulk_execute";
    bool denied = request.text.find(denied_table) != std::string_view::npos || (executes && denies_executions_);
    return {.verdict = denied ? policy::Verdict::deny : policy::Verdict::allow,
            .rule = "test",
            .explanation = "Not by this test."};
  }

 private:
  const bool& denies_executions_;
};

// That of every connection, where there is one.
class OneCatalogue final : public CatalogueSource {
 public:
  const std::shared_ptr<const catalog::Catalogue>& find(std::string_view) const override { return catalogue; }
  void changed(std::string_view, MonoTime until) override {
    ++changes;
    changed_until = until;
  }
  std::shared_ptr<const void> changing(std::string_view) override {
    ++changes_under_way;
    return {this, [this](const void*) { --changes_under_way; }};
  }
  bool in_doubt(std::string_view) const override { return doubted; }
  std::shared_ptr<const catalog::Catalogue> catalogue;
  int changes = 0;
  MonoTime changed_until{};
  int changes_under_way = 0;
  bool doubted = false;
};

// "[code]" of the error that a client gets.
inline std::string error_code_in(const Buffer& out) {
  std::string_view text = text_of(out);
  std::size_t at = text.rfind('[');
  return at == std::string_view::npos ? std::string(text) : std::string(text.substr(at));
}

inline const Buffer ok_payload{0, 0, 0, 2, 0, 0, 0};
inline constexpr std::string_view default_schema = "a schema whose name lies on the heap";

class SessionTest : public testing::Test {
 protected:
  explicit SessionTest(BackendMode mode = BackendMode::dedicated) : mode_(mode) { start(); }

  struct Changes {
    bool without_account = false;
    std::string user = "reader_user";
  };
  std::shared_ptr<const Environment> environment() const { return environment(Changes{}); }
  std::shared_ptr<const Environment> environment(const Changes& changes) const {
    identity::ServiceAccount account{.name = "reporter"};
    account.match = {{.issuer = "dev", .claims = {{.claim = "sub", .value = "agent"}}}};
    account.limits = account_limits_;
    account.answer_bytes_recorded = answer_bytes_recorded_;
    account.grants = {{.connection = "shop",
                       .role = "reporter",
                       .login = "reader",
                       .set_role = {},
                       .local_infile = local_infile_,
                       .servers = choice_}};
    ConnectionSettings connection;
    connection.name = "shop";
    connection.flavor = Flavor::mariadb;
    connection.servers = servers_;
    connection.tls.mode = BackendTlsMode::disabled;
    connection.pool.mode = mode_;
    connection.default_schema = default_schema;
    connection.protected_columns = protected_columns_;
    connection.seals_literals = seals_literals_;
    connection.logins.push_back({.name = "reader", .user = changes.user, .password = Secret{std::string("p4ssword")}});
    Limits limits;
    limits.prepared_statements_max = 3;
    limits.idle_timeout = idle_timeout_;
    limits.packet_bytes_max = packet_bytes_max_;
    limits.bulk_values_max = bulk_values_max_;
    limits.local_file_bytes_max = local_file_bytes_max_;
    return std::make_shared<Environment>(Environment{
        .limits = limits,
        .connections = {connection},
        .server_public_keys = {},
        .accounts =
            identity::AccountDirectory(changes.without_account ? std::vector<identity::ServiceAccount>{}
                                                               : std::vector<identity::ServiceAccount>{account}),
        .policy = std::make_unique<TestPolicy>(denies_executions_)});
  }

  void start() {
    environment_ = environment();
    wire::Nonce nonce;
    nonce.fill('n');
    session_ = std::make_unique<Session>(
        Session::Setting{.listener = listener_,
                         .environment = environment_,
                         .audit = sink_,
                         .counters = counters_,
                         .ledger = ledger_,
                         .registry = registry_,
                         .statements = statements_,
                         .catalogues = catalogues_},
        Session::Opening{.origin = {.session_id = "s", .connection_id = 1, .client_address = "127.0.0.1:5"},
                         .nonce = nonce,
                         .now = now_});
    environment_.reset();
  }

  // Gives the session what it takes; how much that was.
  std::size_t from_client(const Buffer& bytes) { return feed(bytes, Peer::client); }
  std::size_t from_backend(const Buffer& bytes) { return feed(bytes, Peer::backend); }
  Buffer to_client() { return take(session_->client_output(), Peer::client); }
  Buffer to_backend() { return take(session_->backend_output(), Peer::backend); }

  std::vector<Action> actions() {
    std::vector<Action> list;
    while (auto action = session_->next_action()) {
      list.push_back(*action);
    }
    return list;
  }
  bool asked(Action action) {
    std::vector<Action> list = actions();
    return std::find(list.begin(), list.end(), action) != list.end();
  }
  void commit() {
    EXPECT_TRUE(asked(Action::commit_audit));
    session_->audit_committed(now_);
  }
  void pass(Milliseconds time) {
    now_.mono += time;
    now_.wall += time;
  }

  Buffer tls_request(wire::Capabilities more = 0) const {
    Buffer payload;
    wire::PacketWriter writer{payload};
    wire::write_ssl_request(writer, {.capabilities = capabilities_ | more});
    return packet(1, payload);
  }
  Buffer response(std::uint8_t sequence_id) const {
    Buffer payload;
    wire::PacketWriter writer{payload};
    std::string scramble(32, 's');
    wire::write_handshake_response(writer, {.capabilities = capabilities_,
                                            .collation_id = 45,
                                            .user = "shop",
                                            .auth_response = bytes_of(scramble),
                                            .auth_plugin = wire::plugin::caching_sha2_password});
    return packet(sequence_id, payload);
  }
  identity::Principal principal() const {
    identity::Principal who;
    who.issuer_name = "dev";
    who.subject = "agent";
    who.claims = identity::parse_json(R"({"sub":"agent"})", {}).value();
    who.expires_at = expires_at_;
    return who;
  }

  void give_token() {
    to_client();
    from_client(tls_request());
    ASSERT_TRUE(asked(Action::start_client_tls));
    session_->client_tls_established({.version = "TLSv1.3", .cipher = "AES", .server_name = {}}, now_);
    from_client(response(2));
    to_client();
    from_client(packet(4, from_text("the-token")));
    ASSERT_TRUE(asked(Action::verify_token));
    session_->token_verified(principal(), now_);
  }
  // The first server that the session may be on.
  void choose() { session_->backend_chosen(session_->server_candidates().front().name, now_); }
  void connect() {
    give_token();
    commit();
    ASSERT_TRUE(asked(Action::connect_backend));
    choose();
    session_->backend_connected(now_);
  }
  Buffer backend_greeting() const {
    Buffer greeting;
    wire::PacketWriter writer{greeting};
    writer.begin(0);
    wire::write_greeting(writer, {.server_version = "10.11.9-MariaDB",
                                  .connection_id = 3,
                                  .nonce = {},
                                  .capabilities = server_capabilities_,
                                  .auth_plugin = std::string(wire::plugin::mysql_native_password)});
    writer.end();
    return greeting;
  }
  // The server's answers to what sets the session up.
  void set_up() {
    from_backend(packet(1, ok_payload));
    from_backend(packet(1, ok_payload));
    from_backend(reading({.schema = default_schema}));
  }
  // From the backend's greeting to the client's OK.
  void finish_login() {
    from_backend(backend_greeting());
    to_backend();
    from_backend(packet(2, ok_payload));
    to_backend();
    set_up();
    commit();
    EXPECT_EQ(to_client(), packet(5, ok_payload));
    EXPECT_TRUE(session_->idle());
  }
  void log_in() {
    connect();
    finish_login();
  }
  // A command that is let through; what the server gets.
  Buffer forwarded(const Buffer& command) {
    from_client(command);
    commit();
    return to_backend();
  }
  // A statement of so many parameters, prepared under the id 1.
  void prepare(std::uint8_t parameters, std::string_view text = "INSERT INTO t VALUES (?)") {
    forwarded(packet(0, from_text("\x16" + std::string(text))));
    std::vector<Buffer> answer{{0, 1, 0, 0, 0, 0, 0, parameters, 0, 0, 0, 0}};
    for (int i = 0; i < parameters; ++i) {
      answer.push_back(definition());
    }
    if (parameters > 0) {
      answer.push_back({0xFE, 0, 0, 2, 0});
    }
    from_backend(answer_of(answer));
    to_client();
    EXPECT_TRUE(session_->idle());
  }
  static Buffer query(std::string_view text) { return packet(0, from_text("\x03" + std::string(text))); }
  // The payload of an OK that tells of session variables.
  struct Variable {
    std::string_view name;
    std::string_view value;
  };
  static Buffer tracking_ok(const std::vector<Variable>& variables) {
    Buffer track;
    for (const Variable& variable : variables) {
      track.push_back(0);
      track.push_back(static_cast<std::uint8_t>(variable.name.size() + variable.value.size() + 2));
      for (std::string_view text : {variable.name, variable.value}) {
        track.push_back(static_cast<std::uint8_t>(text.size()));
        track.insert(track.end(), text.begin(), text.end());
      }
    }
    Buffer payload{0, 0, 0, 2, 0x40, 0, 0, 0, static_cast<std::uint8_t>(track.size())};
    payload.insert(payload.end(), track.begin(), track.end());
    return payload;
  }
  // The server is asked how it reads, and says it.
  struct Reading {
    std::string_view mode{};
    std::string_view charset = "utf8mb4";
    std::string_view schema = "sales";
  };
  Buffer reading(const Reading& reading) const {
    Buffer row;
    for (std::string_view cell : {reading.mode, reading.charset, reading.schema}) {
      row.push_back(static_cast<std::uint8_t>(cell.size()));
      row.insert(row.end(), cell.begin(), cell.end());
    }
    if (wire::has(capabilities_, wire::capability::deprecate_eof)) {
      return answer_of({{3}, definition(), definition(), definition(), row, {0xFE, 0, 0, 2, 0, 0, 0}});
    }
    return answer_of({{3}, definition(), definition(), definition(), {0xFE, 0, 0, 2, 0}, row, {0xFE, 0, 0, 2, 0}});
  }
  void say_reading(const Reading& said) {
    ASSERT_EQ(to_backend(), query(state_query_text));
    EXPECT_FALSE(session_->idle());
    from_backend(reading(said));
  }
  // Something that may have changed how the server reads.
  void forget_reading() {
    forwarded(query("SET NAMES gbk"));
    from_backend(packet(1, ok_payload));
    to_client();
  }
  // Executes statement 1 with a text for its parameter; the server says OK.
  void execute_with(std::string_view value) {
    Buffer execute{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 253, 0, static_cast<std::uint8_t>(value.size())};
    wire::test::append(execute, from_text(value));
    forwarded(packet(0, execute));
    from_backend(packet(1, ok_payload));
    to_client();
  }
  // Prepares a text with one parameter as statement 1, and sends the value for it: as long data, which is reset, and
  // with an execution.
  void send_to(std::string_view text, std::string_view value) {
    prepare(1, text);
    Buffer long_data{0x18, 1, 0, 0, 0, 0, 0};
    wire::test::append(long_data, from_text(value));
    forwarded(packet(0, long_data));
    forwarded(packet(0, Buffer{0x1A, 1, 0, 0, 0}));
    from_backend(packet(1, ok_payload));
    to_client();
    execute_with(value);
  }
  static Buffer definition() { return wire::test::from_hex("03646566000000013100 0c3f0001000000038100000000"); }

  bool denies_executions_ = false;
  std::shared_ptr<const lineage::ProtectedColumns> protected_columns_;
  bool seals_literals_ = false;
  std::uint64_t answer_bytes_recorded_ = 0;
  wire::Capabilities server_capabilities_ = wire::understood_capabilities;
  std::uint32_t packet_bytes_max_ = 1U << 20;
  std::uint32_t bulk_values_max_ = 1000;
  bool local_infile_ = false;
  std::uint64_t local_file_bytes_max_ = 1U << 20;
  BackendMode mode_;
  std::vector<ServerSettings> servers_{{.name = "primary", .host = "127.0.0.1"}};
  identity::ServerChoice choice_ = identity::ServerChoice::primary;
  identity::AccountLimits account_limits_;
  Milliseconds idle_timeout_ = Limits{}.idle_timeout;
  wire::Capabilities capabilities_ = wire::capability::protocol_41 | wire::capability::ssl |
                                     wire::capability::secure_connection | wire::capability::plugin_auth |
                                     wire::capability::plugin_auth_lenenc_data;
  Now now_{wall_from_unix_seconds(1'800'000'000), MonoTime{Seconds{50}}};
  WallTime expires_at_ = now_.wall + Seconds{3600};
  ListSink sink_;
  LoopCounters counters_;
  StatementReader statements_{counters_};
  OneCatalogue catalogues_;
  AccountLedger ledger_;
  SessionRegistry registry_;
  ListenerProfile listener_{.name = "main", .flavor = Flavor::mariadb, .server_version = {}, .auth_method = {}};
  std::shared_ptr<const Environment> environment_;
  std::unique_ptr<Session> session_;

 private:
  enum class Peer : std::uint8_t { client, backend };

  std::size_t feed(const Buffer& bytes, Peer peer) {
    Bytes rest{bytes};
    while (!rest.empty() && (peer == Peer::client ? session_->wants_client_bytes() : session_->wants_backend_bytes())) {
      MutableBytes space = peer == Peer::client ? session_->client_space() : session_->backend_space();
      std::size_t count = std::min(space.size(), rest.size());
      EXPECT_GT(count, 0U);
      std::copy_n(rest.begin(), count, space.begin());
      rest = rest.subspan(count);
      if (peer == Peer::client) {
        session_->client_received(count, now_);
      } else {
        session_->backend_received(count, now_);
      }
    }
    return bytes.size() - rest.size();
  }
  Buffer take(OutputQueue& queue, Peer peer) {
    Buffer all;
    while (!queue.empty()) {
      std::array<Bytes, 4> pieces;
      std::size_t filled = queue.gather(pieces);
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < filled; ++i) {
        all.insert(all.end(), pieces[i].begin(), pieces[i].end());
        bytes += pieces[i].size();
      }
      if (peer == Peer::client) {
        session_->client_sent(bytes, now_);
      } else {
        session_->backend_sent(bytes, now_);
      }
    }
    return all;
  }
};

}  // namespace sallyport::session::test
