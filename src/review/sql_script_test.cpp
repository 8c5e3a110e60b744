#include "review/sql_script.h"

#include <gtest/gtest.h>

#include "review/csv.h"
#include "review/session_charset.h"

namespace sallyport::review {
namespace {

namespace json = boost::json;

TEST(SqlLiteral, MeansTheSameUnderAnySqlMode) {
  struct Case {
    const char* parameter;
    std::uint64_t type;
    const char* literal;
  };
  for (const Case& one : {Case{"5", 8, "5"},
                          {"-5", 3, "-5"},
                          {"\"18446744073709551615\"", 8, "18446744073709551615"},
                          {"1.5", 5, "1.5e0"},
                          {"1", 5, "1e0"},
                          {"1e-300", 5, "1.0000000000000000e-300"},
                          {"null", 253, "NULL"},
                          {"\"it's\"", 253, "'it''s'"},
                          {"\"a\\\\b\"", 253, "_utf8mb4 X'615C62'"},
                          {"\"nul \\u0000\"", 253, "_utf8mb4 X'6E756C2000'"},
                          {"\"blob\"", 252, "X'626C6F62'"},
                          {"{\"value_base64\":\"AP8=\"}", 253, "X'00FF'"},
                          {"{\"value\":\"x\",\"type\":253}", 253, "'x'"},
                          {"\"123.4567\"", 246, "123.4567"},
                          {"\"-123\"", 246, "-123"},
                          {"\"1; DROP TABLE x\"", 246, "'1; DROP TABLE x'"},
                          {"\"1--\"", 246, "'1--'"},
                          {"\"5-4\"", 246, "'5-4'"},
                          {"\"--5\"", 246, "'--5'"},
                          {"\"1.2.3\"", 246, "'1.2.3'"},
                          {"\"1.\"", 0, "'1.'"},
                          {"\".5\"", 246, "'.5'"},
                          {"\"-\"", 246, "'-'"},
                          {"\"1; DROP TABLE x\"", 8, "'1; DROP TABLE x'"},
                          {"\"2024-02-29 12:34:56.123456\"", 12, "TIMESTAMP'2024-02-29 12:34:56.123456'"},
                          {"\"2024-02-29 00:00:00.000000\"", 10, "DATE'2024-02-29'"},
                          {"\"0000-00-00 00:00:00.000000\"", 10, "'0000-00-00 00:00:00.000000'"},
                          {"\"-12:34:56.000000\"", 11, "TIME'-12:34:56.000000'"},
                          {"{\"default\":true}", 3, "DEFAULT"}}) {
    std::string literal = sql_literal(json::parse(one.parameter), one.type, "utf8mb4").value_or("nothing");
    if (one.type == 5 && literal.find("e-300") != std::string::npos) {
      EXPECT_EQ(std::stod(literal), 1e-300);
      continue;
    }
    EXPECT_EQ(literal, one.literal) << one.parameter;
  }
  EXPECT_FALSE(sql_literal(json::parse("\"nan\""), 5, "utf8mb4"));
}

TEST(SqlLiteral, StandsInThePlaceOfItsMark) {
  sql::Dialect dialect{.server = sql::Server::mariadb, .version = 101106};
  EXPECT_EQ(with_literals("SELECT ?, '?', `?`, \"?\" /* ? */ FROM t WHERE a=-? -- ?", dialect, {"1", "-2"}),
            "SELECT  1 , '?', `?`, \"?\" /* ? */ FROM t WHERE a=- -2  -- ?");
  EXPECT_FALSE(with_literals("SELECT ?, ?", dialect, {"1"}));
  EXPECT_EQ(with_literals("SELECT ?", dialect, {"1", "'an attribute'"}), "SELECT  1 ");
  EXPECT_FALSE(with_literals("SELECT 'open", dialect, {}));
}

class Session {
 public:
  Session() {
    add(R"({"account":"a","client":"c\u001b[2J","connection":"shop","principal":{"subject":"s"},"seq":1,"time":"2026-01-31T12:00:00Z","type":"login_accepted"})");
    add(R"({"schema":"shop","seq":2,"server_version":"10.11.6-MariaDB","time":"2026-01-31T12:00:00Z","type":"session_start"})");
  }
  void add(const std::string& record) { records_.push_back({.number = records_.size(), .text = record}); }
  void command(const std::string& members, const std::string& outcome) {
    std::uint64_t seq = records_.size() + 1;
    add("{" + members + R"(,"schema":"shop","seq":)" + std::to_string(seq) +
        R"(,"time":"2026-01-31T12:00:01Z","type":"command"})");
    add("{" + outcome + R"(,"of":)" + std::to_string(seq) + R"(,"seq":)" + std::to_string(seq + 1) +
        R"(,"time":"2026-01-31T12:00:02Z","type":"outcome"})");
  }
  std::vector<std::string> scripts() const {
    auto story = tell_story("s1", records_);
    EXPECT_TRUE(story);
    return sql_scripts(*story);
  }
  // Without the head of comments.
  std::string statements() const {
    std::string script = scripts().at(0);
    return script.substr(script.find("USE "));
  }

 private:
  std::vector<store::LogRecord> records_;
};

TEST(SqlScript, RepeatsWhatWasDoneAndSaysWhatWasNot) {
  Session session;
  session.command(R"x("command":"query","text":"INSERT /* c */ INTO t VALUES (1)","sent":"INSERT INTO t VALUES (1)")x",
                  R"x("status":"ok")x");
  session.command(R"x("command":"query","text":"DROP TABLE t\n;\nDROP DATABASE shop")x",
                  R"x("status":"denied","reason":"not_allowed")x");
  session.command(R"x("command":"query","text":"INSERT INTO t VALUES (1)")x",
                  R"x("status":"error","error_code":1062)x");
  session.command(R"x("command":"query","text":"SELECT 'open")x", R"x("status":"error","error_code":1064)x");
  session.command(R"x("command":"query","text":"DELETE FROM t")x", R"x("status":"aborted","reason":"token_expired")x");
  session.command(R"x("command":"query","text":"CREATE PROCEDURE p() BEGIN SELECT 1; SELECT '////'; END")x",
                  R"x("status":"ok")x");
  session.command(R"x("command":"init_db","text":"a`b")x", R"x("status":"ok")x");
  session.command(R"x("command":"ping")x", R"x("status":"ok")x");
  EXPECT_EQ(
      session.statements(),
      "USE `shop`\n;\n"
      "INSERT INTO t VALUES (1)\n;\n"
      "-- record 4, 2026-01-31 12:00:01.000: denied, not_allowed: DROP TABLE t\\n;\\nDROP DATABASE shop\n"
      "-- record 6, 2026-01-31 12:00:01.000: the server answered with error 1062\n"
      "INSERT INTO t VALUES (1)\n;\n"
      "-- record 8, 2026-01-31 12:00:01.000: not repeated, as it is no whole statement, error 1064: SELECT 'open\n"
      "-- record 10, 2026-01-31 12:00:01.000: it is not known whether this was done (aborted): DELETE FROM t\n"
      "DELIMITER //1//\n"
      "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT '////'; END\n//1//\n"
      "DELIMITER ;\n"
      "USE `a``b`\n;\n");
}

TEST(SqlScript, NothingRecordedLeavesItsComment) {
  Session session;
  session.command("\"command\":\"query\",\"text\":\"x\\r\\nDROP TABLE a;\\u2028DROP TABLE b;\\u000bDROP TABLE c\"",
                  R"("status":"denied","reason":"r\nDROP TABLE d;")");
  std::string script = session.scripts().at(0);
  for (std::size_t at = 0; at < script.size(); at = script.find('\n', at) + 1) {
    std::string line = script.substr(at, script.find('\n', at) - at);
    EXPECT_TRUE(line.starts_with("-- ") || line == "USE `shop`" || line == ";") << line;
  }
  EXPECT_EQ(script.find('\x1b'), std::string::npos);
}

TEST(SqlScript, PreparedStatementsAreRepeatedWithTheirParameters) {
  Session session;
  session.command(R"x("command":"stmt_prepare","text":"INSERT INTO t VALUES (?, ?, ?)")x",
                  R"x("status":"ok","statement_id":7)x");
  session.command(R"x("command":"stmt_send_long_data","statement_id":7,"parameter":1,"value":"long ")x",
                  R"x("status":"ok")x");
  session.command(R"x("command":"stmt_send_long_data","statement_id":7,"parameter":1,"value_base64":"/w==")x",
                  R"x("status":"ok")x");
  session.command(
      R"x("command":"stmt_execute","statement_id":7,"prepared_seq":3,"parameters":[{"type":8,"value":1},)x"
      R"x({"type":252,"long_data":true},{"type":253,"value":"it's"},{"name":"attribute","type":253,"value":"x"}])x",
      R"x("status":"ok")x");
  session.command(R"x("command":"stmt_execute","statement_id":7,"prepared_seq":3,"parameters":[{"type":8,"value":2},)x"
                  R"x({"type":6,"value":null},{"type":5,"value":2}])x",
                  R"x("status":"ok")x");
  session.command(R"x("command":"stmt_bulk_execute","statement_id":7,"prepared_seq":3,"parameter_types":[3,253,253],)x"
                  R"x("parameter_rows":[[1,"one",null],[2,{"default":true},{"ignore":true}]])x",
                  R"x("status":"ok")x");
  session.command(R"x("command":"query","text":"SELECT 1","redacted":true)x", R"x("status":"ok")x");
  EXPECT_EQ(
      session.statements(),
      "USE `shop`\n;\n"
      "INSERT INTO t VALUES ( 1 ,  X'6C6F6E6720FF' ,  'it''s' )\n;\n"
      "INSERT INTO t VALUES ( 2 ,  NULL ,  2e0 )\n;\n"
      "INSERT INTO t VALUES ( 1 ,  'one' ,  NULL )\n;\n"
      "INSERT INTO t VALUES ( 2 ,  DEFAULT ,  DEFAULT )\n;\n"
      "-- record 14, 2026-01-31 12:00:01.000: not repeated, as it held a secret that is not on record: SELECT 1\n");
}

TEST(SqlScript, ParametersAreOfTheSessionsCharacterSet) {
  Session session;
  session.command(R"x("command":"stmt_prepare","text":"INSERT INTO t VALUES (?)")x",
                  R"x("status":"ok","statement_id":7)x");
  auto execute = [&](const std::string& value) {
    session.command(
        R"x("command":"stmt_execute","statement_id":7,"prepared_seq":3,"parameters":[{"type":253,)x" + value + "}]",
        R"x("status":"ok")x");
  };
  auto query = [&](const std::string& text, const std::string& status = "ok") {
    session.command(R"x("command":"query","text":")x" + text + "\"", R"x("status":")x" + status + "\"");
  };
  const std::string byte = R"("value_base64":"6Q==")";  // E9
  const std::string with_backslash = R"("value":"é\\")";
  execute(with_backslash);
  execute(byte);
  query("SET @a = 1, NAMES 'Latin1' COLLATE latin1_bin");
  execute(byte);
  execute(with_backslash);
  execute(R"("value":"a\\")");
  execute(R"("value":"é")");
  query("SET NAMES DEFAULT");
  execute(with_backslash);
  execute(R"("value":"é")");
  query("/*!40101 SET NAMES gbk */");
  execute(with_backslash);
  query("SET NAMES latin1", "error");
  execute(byte);
  std::string text = session.statements();
  std::vector<std::string> inserts;
  for (std::size_t at = 0; (at = text.find("VALUES (", at)) != std::string::npos; ++at) {
    std::string line = text.substr(at + 8, text.find('\n', at) - at - 8);
    bool is_comment = text[text.rfind('\n', at) + 1] == '-';
    inserts.push_back(is_comment ? "-" : line);
  }
  EXPECT_EQ(inserts,
            (std::vector<std::string>{" _utf8mb4 X'C3A95C' )", " X'E9' )", " _latin1 X'E9' )", " _latin1 X'C3A95C' )",
                                      " _utf8mb4 X'615C' )", " 'é' )", "-", " 'é' )", " _gbk X'C3A95C' )", "-"}));
  EXPECT_NE(text.find("can't be written, as the session's character set is not known: INSERT"), std::string::npos);
}

TEST(SessionCharset, IsToldByStatements) {
  auto after = [](std::string_view text) {
    SessionCharset charset{"utf8mb4"};
    charset.note(text, {.server = sql::Server::mysql, .version = 80406}, SessionCharset::Done::yes);
    return charset.name().value_or("?");
  };
  for (const char* text :
       {"SET NAMES gbk", "set names 'GBK' collate 'gbk_bin'", "SELECT 1; SET NAMES gbk; SELECT 2",
        "SET sql_mode = '', NAMES gbk", "SET NAMES latin1, NAMES gbk",
        "SET NAMES gbk; SET collation_connection = gbk_bin, @@session.character_set_client := 'gbk'"}) {
    EXPECT_EQ(after(text), "gbk") << text;
  }
  for (const char* text :
       {"SELECT 'SET NAMES gbk'", "SET names_of = 'gbk'", "SET @names = 'gbk'", "SET @character_set_client = 'gbk'",
        "CALL p()", "CREATE TABLE t (a INT) CHARACTER SET gbk", "SET SESSION collation_connection = 'utf8mb4_bin'"}) {
    EXPECT_EQ(after(text), "utf8mb4") << text;
  }
  for (const char* text :
       {"SET NAMES DEFAULT", "SET character_set_client = @c", "SET character_set_client = CONCAT('g', 'bk')",
        "EXECUTE s", "SET character_set_client = gbk", "SET `character_set_client` = gbk", "SET CHARACTER SET gbk",
        "SET CHARSET utf8mb4", "SET @@collation_connection = utf8_bin", "SET NAMES gbk, character_set_client = @x"}) {
    EXPECT_EQ(after(text), "?") << text;
  }
}

TEST(SqlScript, AResetBeginsANewConnection) {
  Session session;
  session.command(R"("command":"query","text":"SET @a = 1")", R"("status":"ok")");
  session.command(R"("command":"reset_connection")", R"("status":"ok")");
  session.command(R"("command":"query","text":"SELECT @a")", R"("status":"ok")");
  auto scripts = session.scripts();
  ASSERT_EQ(scripts.size(), 2U);
  EXPECT_NE(scripts[0].find("SET @a"), std::string::npos);
  EXPECT_NE(scripts[1].find("SELECT @a"), std::string::npos);
}

TEST(Csv, AFieldIsNoFormulaAndMovesNoCursor) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
  EXPECT_EQ(csv_field("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
  EXPECT_EQ(csv_field("-1+1"), "'-1+1");
  EXPECT_EQ(csv_field("@x"), "'@x");
  EXPECT_EQ(csv_field("\x1b[2J"), "\\x1B[2J");
}

TEST(Csv, ARowHasAFieldForEachHeading) {
  store::LogHit hit{
      .record = {.number = 7,
                 .text = R"({"command":"query","text":"SELECT 1, 2","time":"2026-01-31T12:00:00Z","type":"command"})"},
      .outcome = store::LogRecord{.number = 8, .text = R"({"rows":1,"status":"ok"})"},
      .time = 0,
      .session = {.id = "s", .account = "a"}};
  std::string row = csv_row(hit);
  EXPECT_EQ(row, "7,2026-01-31T12:00:00Z,s,a,,,,,command,query,,,\"SELECT 1, 2\",ok,,,,1,,,,,,,\r\n");
  auto commas = [](const std::string& text) { return std::count(text.begin(), text.end(), ','); };
  EXPECT_EQ(commas(row) - 1, commas(csv_heading()));
}

}  // namespace
}  // namespace sallyport::review
