// The dialogue by which a server's catalogue is read, with a fault at each step.
#include "session/catalogue_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "wire/response.h"
#include "wire/test_packets.h"

namespace sallyport::session {
namespace {

using State = CatalogueReader::State;
using testing::HasSubstr;
using wire::test::Buffer;
using wire::test::from_text;
using wire::test::packet;

using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;
using Rows = std::vector<Row>;

const Buffer ok_payload{0, 0, 0, 2, 0, 0, 0};
const std::string quit("\x01\0\0\0\x01", 5);

Buffer result(std::size_t columns, const Rows& rows) {
  std::vector<Buffer> payloads{{static_cast<std::uint8_t>(columns)}};
  for (std::size_t i = 0; i < columns; ++i) {
    Buffer framed;
    wire::PacketWriter writer{framed};
    writer.begin(0);
    wire::write_column_definition(writer, {}, 0);
    writer.end();
    payloads.emplace_back(framed.begin() + wire::frame_header_bytes, framed.end());
  }
  const Buffer eof{0xFE, 0, 0, 2, 0};
  payloads.push_back(eof);
  for (const Row& row : rows) {
    Buffer framed;
    wire::PacketWriter writer{framed};
    writer.begin(0);
    for (const Cell& cell : row) {
      if (cell) {
        writer.lenenc_text(*cell);
      } else {
        writer.u8(0xFB);
      }
    }
    writer.end();
    payloads.emplace_back(framed.begin() + wire::frame_header_bytes, framed.end());
  }
  payloads.push_back(eof);
  return wire::test::answer_of(payloads);
}

Buffer err(std::string_view text) {
  return packet(1, from_text("\xFF" + std::string(text)));
}

class CatalogueDialogue : public testing::Test {
 protected:
  CatalogueDialogue() { begin(); }

  void begin(catalog::CatalogueLimits limits = {}, BackendTlsMode tls = BackendTlsMode::disabled) {
    ConnectionSettings connection;
    connection.name = "shop";
    connection.servers = {{.name = "primary", .host = "127.0.0.1"}};
    connection.tls.mode = tls;
    connection.logins.push_back({.name = "reader", .user = "reader_user", .password = Secret{std::string("p4ssword")}});
    auto environment = std::make_shared<Environment>(Environment{.limits = {},
                                                                 .connections = {connection},
                                                                 .server_public_keys = {},
                                                                 .accounts = identity::AccountDirectory({}),
                                                                 .policy = {}});
    reader_.emplace(CatalogueReader::Order{.environment = environment,
                                           .kind = {.connection = "shop", .server = "primary", .login = "reader"},
                                           .timeout = Milliseconds{700},
                                           .limits = limits},
                    now_);
  }
  // As much at a time as the reader has room for, `torn_` at most.
  void receive(const Buffer& bytes) {
    Bytes rest{bytes};
    while (!rest.empty()) {
      ASSERT_TRUE(reader_->wants_bytes());
      MutableBytes space = reader_->space();
      std::size_t count = std::min({space.size(), rest.size(), torn_});
      ASSERT_GT(count, 0U);
      std::copy_n(rest.begin(), count, space.begin());
      reader_->received(count);
      rest = rest.subspan(count);
    }
  }
  std::string sent() {
    std::string text;
    std::array<Bytes, 4> pieces;
    while (!reader_->output().empty()) {
      std::size_t before = text.size();
      for (Bytes piece : std::span{pieces}.first(reader_->output().gather(pieces))) {
        text += text_of(piece);
      }
      reader_->output().sent(text.size() - before);
    }
    return text;
  }
  // The texts of the queries that were sent.
  std::vector<std::string> asked() {
    std::string bytes = sent();
    std::vector<std::string> texts;
    while (bytes.size() > wire::frame_header_bytes) {
      auto header = wire::read_frame_header(bytes_of(std::string_view(bytes)));
      texts.push_back(bytes.substr(wire::frame_header_bytes + 1, header->payload_bytes - 1));
      bytes.erase(0, wire::frame_header_bytes + header->payload_bytes);
    }
    return texts;
  }
  void log_in(const std::string& version = "8.4.6") {
    reader_->connected();
    Buffer greeting;
    wire::PacketWriter writer{greeting};
    writer.begin(0);
    wire::write_greeting(writer, {.server_version = version,
                                  .connection_id = 3,
                                  .nonce = {},
                                  .capabilities = wire::understood_capabilities,
                                  .auth_plugin = std::string(wire::plugin::mysql_native_password)});
    writer.end();
    receive(greeting);
    EXPECT_THAT(sent(), HasSubstr("reader_user"));
    receive(packet(2, ok_payload));
    ASSERT_EQ(reader_->state(), State::wants_to_begin);
    EXPECT_FALSE(reader_->wants_bytes());
    reader_->begin();
  }
  // What the server knows, by a word of the query; what is not here has no rows.
  std::map<std::string, Rows> shop() const {
    return {{"lower_case_table_names", {{"0"}}},
            {"SHOW GRANTS", {{"GRANT SELECT, SHOW VIEW, TRIGGER ON *.* TO `u`@`%`"}}},
            {".SCHEMATA", {{"shop"}}},
            {".TABLES", {{"shop", "orders", "BASE TABLE"}}},
            {".COLUMNS", {{"shop", "orders", "1", "id", "int", std::nullopt, "NO", "", std::nullopt}}},
            {".ROUTINES",
             {{"shop", "f", "FUNCTION", "SQL", "ANSI_QUOTES"}, {"shop", "p", "PROCEDURE", "SQL", "ANSI_QUOTES"}}},
            {".TRIGGERS", {{"shop", "orders", "shop", "watch", "INSERT", ""}}},
            {"CREATE FUNCTION", {{"f", "ANSI_QUOTES", "CREATE FUNCTION \"f\"() RETURNS int\nRETURN \"id\" + 1"}}},
            {"CREATE PROCEDURE", {{"p", "ANSI_QUOTES", std::nullopt}}},
            {"CREATE TRIGGER",
             {{"watch", "", "CREATE TRIGGER `watch` BEFORE INSERT ON `orders` FOR EACH ROW SET NEW.id = 'it''s'"}}}};
  }
  // Answers all that is asked until nothing more is, or `stop_at` is.
  void serve(const std::map<std::string, Rows>& known, std::string_view stop_at = "nothing") {
    for (int round = 0; round < 1000 && reader_->state() == State::busy; ++round) {
      for (const std::string& text : asked()) {
        if (text.find(stop_at) != std::string::npos) {
          return;
        }
        answer(known, text);
      }
    }
  }
  void answer(const std::map<std::string, Rows>& known, const std::string& text) {
    std::size_t columns = 6;  // of definitions
    for (const auto& query : catalog::catalogue_queries(catalog::ServerKind::mysql)) {
      columns = text.starts_with(query.text.substr(0, query.text.find(" FROM"))) ? query.columns : columns;
    }
    if (columns == 0) {
      receive(packet(1, ok_payload));
      return;
    }
    Rows rows;
    for (const auto& [word, those] : known) {
      if (text.find(word) != std::string::npos) {
        rows = those;
      }
    }
    for (Row& row : rows) {
      row.resize(columns);
    }
    receive(result(columns, rows));
  }

  Now now_{wall_from_unix_seconds(1'800'000'000), MonoTime{Seconds{50}}};
  std::optional<CatalogueReader> reader_;
  std::size_t torn_ = std::size_t(-1);
};

TEST_F(CatalogueDialogue, LogsInAsksForEverythingAndGoes) {
  for (std::size_t torn : {std::size_t(-1), std::size_t{1}, std::size_t{7}}) {
    torn_ = torn;
    begin();
    log_in();
    serve(shop());
    ASSERT_EQ(reader_->state(), State::over) << reader_->failure();
    EXPECT_EQ(reader_->failure(), "");
    EXPECT_EQ(sent(), quit);
    auto content = reader_->take_content();
    ASSERT_TRUE(content);
    EXPECT_TRUE(content->complete);
    ASSERT_EQ(content->tables.size(), 1U);
    EXPECT_EQ(content->tables[0].columns.size(), 1U);
    EXPECT_EQ(content->tables[0].triggers[0].body, "SET NEW.id = 'it''s'");
    ASSERT_EQ(content->routines.size(), 2U);
    EXPECT_EQ(content->routines[0].body, "RETURN \"id\" + 1");
    EXPECT_EQ(content->routines[1].body, std::nullopt) << "it is not for this login to see";
  }
}

TEST_F(CatalogueDialogue, ManyDefinitionsAreAskedForAhead) {
  auto known = shop();
  known[".ROUTINES"].clear();
  for (int i = 0; i < 200; ++i) {
    known[".ROUTINES"].push_back({"shop", "f" + std::to_string(i), "FUNCTION", "SQL", ""});
  }
  known["CREATE FUNCTION"] = {{"f", "", "CREATE FUNCTION `f`() RETURNS int RETURN 1"}};
  log_in();
  serve(known, ".TRIGGERS");
  receive(result(6, {}));
  auto ahead = asked();
  EXPECT_EQ(ahead.size(), 32U);
  EXPECT_EQ(ahead[0], "SHOW CREATE FUNCTION `shop`.`f0`");
  for (const std::string& text : ahead) {
    answer(known, text);
  }
  serve(known);
  ASSERT_EQ(reader_->state(), State::over) << reader_->failure();
  auto content = reader_->take_content();
  ASSERT_TRUE(content);
  EXPECT_EQ(content->routines.size(), 200U);
  for (const auto& routine : content->routines) {
    EXPECT_EQ(routine.body, "RETURN 1");
  }
}

TEST_F(CatalogueDialogue, ADefinitionThatIsRefusedOrNotUnderstoodStaysUnknown) {
  log_in();
  auto known = shop();
  known["CREATE TRIGGER"] = {{"watch", "", "CREATE TRIGGER but of another kind"}};
  serve(known, "CREATE FUNCTION");
  receive(err("\x19\x05#42000FUNCTION f does not exist"));  // of the function
  receive(result(6, {{"p", "", "CREATE PROCEDURE `p`() SELECT 1", "", "", ""}}));
  receive(result(6, {}));  // of the trigger
  ASSERT_EQ(reader_->state(), State::over) << reader_->failure();
  auto content = reader_->take_content();
  ASSERT_TRUE(content);
  EXPECT_EQ(content->routines[0].body, std::nullopt);
  EXPECT_EQ(content->routines[1].body, "SELECT 1");
  EXPECT_EQ(content->tables[0].triggers[0].body, "");
}

TEST_F(CatalogueDialogue, WhatWasMadeMeanwhileIsReadFromTheBeginning) {
  auto between = shop();
  between[".COLUMNS"].push_back({"shop", "newer", "1", "id", "int", std::nullopt, "NO", "", std::nullopt});
  log_in();
  std::size_t rounds = 0;
  auto known = between;
  for (int i = 0; i < 100 && reader_->state() == State::busy; ++i) {
    for (const std::string& text : asked()) {
      rounds += text.starts_with("SET NAMES") ? 1U : 0U;
      if (rounds == 2) {
        known = shop();
      }
      answer(known, text);
    }
  }
  EXPECT_EQ(rounds, 2U);
  ASSERT_EQ(reader_->state(), State::over);
  EXPECT_TRUE(reader_->take_content());
}

TEST_F(CatalogueDialogue, SchemasThatNeverComeToRestAreAFailure) {
  auto between = shop();
  between[".COLUMNS"].push_back({"shop", "newer", "1", "id", "int", std::nullopt, "NO", "", std::nullopt});
  log_in();
  serve(between);
  ASSERT_EQ(reader_->state(), State::over);
  EXPECT_FALSE(reader_->take_content());
  EXPECT_THAT(reader_->failure(), HasSubstr("the schemas change while they are read: COLUMNS has shop.newer"));
}

TEST_F(CatalogueDialogue, TheServersErrorIsTheFailure) {
  log_in();
  serve(shop(), ".TABLES");
  receive(err("\x76\x04#42000SELECT command denied"));
  ASSERT_EQ(reader_->state(), State::over);
  EXPECT_FALSE(reader_->take_content());
  EXPECT_EQ(reader_->failure(), "the server refused: 1142 SELECT command denied");
}

TEST_F(CatalogueDialogue, AnswersThatAreNoneAreViolations) {
  const std::vector<Buffer> answers{packet(1, ok_payload),
                                    packet(2, from_text("\x03")),                       // another sequence id
                                    packet(1, Buffer{}),                                // empty
                                    packet(1, from_text("\xFBpath")),                   // LOAD DATA LOCAL
                                    packet(1, from_text("\xFF")),                       // half an error
                                    packet(1, from_text("\xFC\x03\x01")),               // very many columns
                                    result(2, {}),                                      // others than were asked for
                                    result(3, {{"shop", "t", "BASE TABLE", "more"}}),   // a cell too many
                                    result(3, {{"shop", "t"}}),                         // one too few
                                    result(3, {{"shop", std::nullopt, "BASE TABLE"}}),  // a name that is NULL
                                    [] {
                                      Buffer twice = result(3, {});
                                      Buffer ok = packet(7, ok_payload);
                                      twice.insert(twice.end(), ok.begin(),
                                                   ok.end());  // and what nothing had asked for
                                      return twice;
                                    }()};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    SCOPED_TRACE(i);
    begin();
    log_in();
    serve(shop(), ".TABLES");
    receive(answers[i]);
    ASSERT_EQ(reader_->state(), State::over);
    EXPECT_FALSE(reader_->take_content());
    EXPECT_THAT(reader_->failure(), HasSubstr("is not what it has to be"));
  }
}

TEST_F(CatalogueDialogue, LimitsAreKept) {
  begin({.tables_max = 1});
  log_in();
  auto known = shop();
  known[".TABLES"].push_back({"shop", "second", "BASE TABLE"});
  serve(known);
  EXPECT_EQ(reader_->failure(), "more than 1 tables");
  begin({.row_bytes_max = 100});
  log_in();
  known = shop();
  known["SHOW GRANTS"].push_back({std::string(200, 'x')});
  serve(known);
  EXPECT_EQ(reader_->failure(), "a row has more than 100 bytes");
  begin({.answer_bytes_max = 2000});
  log_in();
  known = shop();
  known["SHOW GRANTS"] = Rows(100, {std::string(90, 'x')});
  serve(known);
  EXPECT_EQ(reader_->failure(), "the server's answers have more than 2000 bytes");
}

TEST_F(CatalogueDialogue, FailuresOfTheConnectionAreTold) {
  reader_->failed("connection refused");
  EXPECT_EQ(reader_->failure(), "connection refused");
  reader_->closed();
  EXPECT_EQ(reader_->failure(), "connection refused") << "the first counts";
  begin();
  reader_->connected();
  receive(packet(0, from_text("\xFF\x10\x04Too many connections")));
  EXPECT_THAT(reader_->failure(), HasSubstr("Too many connections"));
  begin();
  log_in();
  reader_->closed();
  EXPECT_EQ(reader_->failure(), "the server closed the connection");
  begin();
  log_in();
  EXPECT_EQ(reader_->deadline(), now_.mono + Milliseconds{700});
  now_.mono += Milliseconds{700};
  reader_->time_passed(now_);
  EXPECT_EQ(reader_->failure(), "the catalogue was not read in time");
}

TEST_F(CatalogueDialogue, TlsComesFirstWhereItIsWanted) {
  begin({}, BackendTlsMode::required);
  reader_->connected();
  Buffer greeting;
  wire::PacketWriter writer{greeting};
  writer.begin(0);
  wire::write_greeting(writer, {.server_version = "8.4.6",
                                .connection_id = 3,
                                .nonce = {},
                                .capabilities = wire::understood_capabilities,
                                .auth_plugin = std::string(wire::plugin::mysql_native_password)});
  writer.end();
  receive(greeting);
  ASSERT_EQ(reader_->state(), State::wants_tls);
  EXPECT_THAT(sent(), testing::Not(HasSubstr("reader_user")));
  reader_->tls_established();
  EXPECT_THAT(sent(), HasSubstr("reader_user"));
  receive(packet(3, ok_payload));
  EXPECT_EQ(reader_->state(), State::wants_to_begin);
}

}  // namespace
}  // namespace sallyport::session
