#include "sql/statement_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::sql {
namespace {

constexpr Dialect mariadb{.server = Server::mariadb, .version = 101119};
constexpr Dialect mysql{.server = Server::mysql, .version = 90704};

// The statements of a text; the last entry says why it goes no further, if it does not.
std::vector<std::string> split(std::string_view text, const Dialect& dialect) {
  std::vector<std::string> statements;
  std::string_view rest = statement_text(text);
  while (true) {
    auto first = first_statement(rest, dialect);
    if (!first) {
      statements.emplace_back(first.error() == SplitRefusal::not_separable ? "!not_separable" : "!not_understood");
      return statements;
    }
    statements.emplace_back(first->text);
    if (!first->has_more) {
      return statements;
    }
    rest = first->rest;
  }
}

using Statements = std::vector<std::string>;

TEST(StatementSplitter, takes_off_what_the_servers_take_off) {
  EXPECT_EQ(statement_text(" \t\n SELECT 1 ; ;\r\n;"), "SELECT 1");
  EXPECT_EQ(statement_text(";"), "");
  EXPECT_EQ(statement_text(""), "");
  using namespace std::string_view_literals;
  EXPECT_EQ(statement_text("SELECT 1; \0 ;"sv), "SELECT 1") << "to the servers one NUL is the end of a text";
  EXPECT_EQ(statement_text("SELECT 1\0\0"sv), "SELECT 1\0"sv);
  EXPECT_EQ(statement_text("SELECT 1 --;"), "SELECT 1 --") << "which makes a comment of the dashes";
}

TEST(StatementSplitter, splits_at_semicolons_that_are_tokens) {
  for (const Dialect& dialect : {mariadb, mysql}) {
    EXPECT_EQ(split("SELECT 1", dialect), (Statements{"SELECT 1"}));
    EXPECT_EQ(split("SELECT 1;", dialect), (Statements{"SELECT 1"}));
    EXPECT_EQ(split("SELECT 1; SELECT 2 ;SELECT 3", dialect), (Statements{"SELECT 1", "SELECT 2 ", "SELECT 3"}));
    EXPECT_EQ(split("SELECT ';', \";\", `;` /* ; */ -- ;\n # ;\n; SELECT 2", dialect),
              (Statements{"SELECT ';', \";\", `;` /* ; */ -- ;\n # ;\n", "SELECT 2"}));
    EXPECT_EQ(split("SELECT 1; -- the end", dialect), (Statements{"SELECT 1", "-- the end"}));
    EXPECT_EQ(split("BEGIN; SELECT 1; COMMIT", dialect), (Statements{"BEGIN", "SELECT 1", "COMMIT"}));
    EXPECT_EQ(split("BEGIN WORK; XA BEGIN 'x'; XA END 'x'; SELECT end FROM t", dialect),
              (Statements{"BEGIN WORK", "XA BEGIN 'x'", "XA END 'x'", "SELECT end FROM t"}));
    EXPECT_EQ(split("SELECT CASE WHEN 1 THEN 2 END; SELECT IF(1,2,3); SELECT REPEAT('a',3); SELECT 1 FOR UPDATE; DO 1",
                    dialect),
              (Statements{"SELECT CASE WHEN 1 THEN 2 END", "SELECT IF(1,2,3)", "SELECT REPEAT('a',3)",
                          "SELECT 1 FOR UPDATE", "DO 1"}));
    EXPECT_EQ(split("CREATE TABLE IF NOT EXISTS begin (end INT); DROP TABLE IF EXISTS begin", dialect),
              (Statements{"CREATE TABLE IF NOT EXISTS begin (end INT)", "DROP TABLE IF EXISTS begin"}));
  }
}

TEST(StatementSplitter, gives_the_rest_whole_where_the_server_finds_a_mistake) {
  for (const Dialect& dialect : {mariadb, mysql}) {
    EXPECT_EQ(split("SELECT 1;; SELECT 2", dialect), (Statements{"SELECT 1", "; SELECT 2"}));
    EXPECT_EQ(split("/* a */; SELECT 2", dialect), (Statements{"/* a */; SELECT 2"}));
    EXPECT_EQ(split("SELECT 1; SELECT 'a; SELECT 2", dialect), (Statements{"SELECT 1", "SELECT 'a; SELECT 2"}));
    EXPECT_EQ(split("SELECT /* 1; SELECT 2", dialect), (Statements{"SELECT /* 1; SELECT 2"}));
  }
}

TEST(StatementSplitter, keeps_stored_programs_whole) {
  for (const Dialect& dialect : {mariadb, mysql}) {
    for (std::string_view program : {
             "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
             "CREATE PROCEDURE p(IN a INT, OUT b SET('x')) COMMENT 'x' SQL SECURITY INVOKER a: BEGIN SELECT 1; END a",
             "CREATE DEFINER=`u`@`%` FUNCTION f() RETURNS CHAR(3) CHARACTER SET utf8mb4 DETERMINISTIC BEGIN RETURN 1; "
             "END",
             "CREATE DEFINER = CURRENT_USER() PROCEDURE p() IF a THEN SELECT 1; ELSEIF b THEN SELECT 2; ELSE SELECT 3; "
             "END IF",
             "CREATE PROCEDURE p() BEGIN IF EXISTS (SELECT 1) THEN SELECT IF(1,2,3); END IF; DROP TABLE IF EXISTS t; "
             "END",
             "CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE; SELECT CASE WHEN 1 THEN "
             "2 END; END",
             "CREATE PROCEDURE p() BEGIN IF CASE WHEN 1 THEN 2 END THEN SELECT 1; END IF; END",
             "CREATE PROCEDURE p() BEGIN l: LOOP LEAVE l; END LOOP l; WHILE 1 DO SELECT 1; END WHILE; REPEAT SELECT 1; "
             "UNTIL CASE WHEN 1 THEN 1 END END REPEAT; END",
             "CREATE PROCEDURE p() BEGIN DECLARE c CURSOR FOR SELECT 1; DECLARE EXIT HANDLER FOR SQLSTATE '23000', NOT "
             "FOUND BEGIN SELECT 1; END; OPEN c; END",
             "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW FOLLOWS u BEGIN SET NEW.a = 1; END",
             "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN SELECT 1; END",
             "ALTER DEFINER=u@localhost EVENT e DO BEGIN SELECT 1; END",
             "CREATE PROCEDURE p() BEGIN ALTER EVENT e DISABLE; SELECT end FROM t; END",
             "/*!50003 CREATE PROCEDURE p() BEGIN SELECT 1; END */",
         }) {
      EXPECT_EQ(split(program, dialect), (Statements{std::string(program)}));
      EXPECT_EQ(split(std::string(program) + ";DO 1", dialect), (Statements{std::string(program), "DO 1"}));
    }
    EXPECT_EQ(split("CREATE PROCEDURE p() SELECT IF(1,2,3); SELECT 1", dialect),
              (Statements{"CREATE PROCEDURE p() SELECT IF(1,2,3)", "SELECT 1"}));
    EXPECT_EQ(split("CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = 1; SELECT 1", dialect),
              (Statements{"CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = 1", "SELECT 1"}));
  }
}

TEST(StatementSplitter, keeps_compound_statements_whole_where_the_server_has_them) {
  for (std::string_view compound :
       {"BEGIN NOT ATOMIC SELECT 1; SELECT 2; END", "IF 1 THEN SELECT 1; END IF",
        "CASE 1 WHEN 1 THEN SELECT 1; END CASE", "LOOP SELECT 1; END LOOP", "WHILE 0 DO SELECT 1; END WHILE",
        "REPEAT SELECT 1; UNTIL 1 END REPEAT", "FOR i IN 1..3 DO SELECT i; END FOR",
        "SET STATEMENT max_statement_time=1 FOR BEGIN NOT ATOMIC SELECT 1; END",
        "CREATE OR REPLACE PROCEDURE p() FOR i IN (SELECT 1) DO SELECT 1; END FOR"}) {
    EXPECT_EQ(split(std::string(compound) + "; DO 1", mariadb), (Statements{std::string(compound), "DO 1"}));
  }
  EXPECT_EQ(split("IF 1 THEN SELECT 1; END IF", mysql), (Statements{"IF 1 THEN SELECT 1", "END IF"}));
}

TEST(StatementSplitter, refuses_what_it_can_not_tell) {
  Dialect oracle = mariadb;
  oracle.mode = sql_mode::oracle;
  EXPECT_EQ(split("SELECT 1; SELECT 2", oracle), (Statements{"!not_separable"}));
  EXPECT_EQ(split("SELECT ';'", oracle), (Statements{"SELECT ';'"}));
  for (const Dialect& dialect : {mariadb, mysql}) {
    EXPECT_EQ(split("/*!50000 SELECT 1; */ SELECT 2", dialect), (Statements{"!not_separable"}));
    EXPECT_EQ(split("SELECT 1 --; SELECT 2", dialect), (Statements{"!not_separable"}));
    EXPECT_EQ(split(std::string("SELECT 1\0; SELECT 2", 19), dialect), (Statements{"!not_understood"}));
  }
  EXPECT_EQ(split("CREATE TABLE t (function INT); SELECT 2", oracle), (Statements{"!not_separable"}));
}

TEST(StatementSplitter, leaves_what_only_another_mode_could_read_to_the_server) {
  for (std::string_view program :
       {"DECLARE a INT; BEGIN SELECT 1; END", "CREATE OR REPLACE PROCEDURE p(a INT) AS b INT; BEGIN SELECT 1; END",
        "CREATE FUNCTION f RETURN INT IS BEGIN RETURN 1; END"}) {
    EXPECT_EQ(split(program, mariadb), (Statements{std::string(program)}));
  }
  EXPECT_EQ(split("DECLARE a INT; SELECT 1", mysql), (Statements{"DECLARE a INT", "SELECT 1"}));
}

TEST(StatementSplitter, leaves_a_program_whose_end_it_can_not_tell_to_the_server) {
  std::string deep = "CREATE PROCEDURE p() ";
  for (int i = 0; i < 300; ++i) {
    deep += "BEGIN ";
  }
  for (const Dialect& dialect : {mariadb, mysql}) {
    for (const std::string& program : {
             std::string("CREATE PROCEDURE p() BEGIN SELECT 1; END IF; SELECT 2"),
             std::string("CREATE PROCEDURE p() BEGIN CREATE PROCEDURE q() BEGIN SELECT 1; END; END"),
             std::string("CREATE PACKAGE p AS FUNCTION f() RETURN INT; END; SELECT 1"),
             std::string("CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW IF 1 THEN SET NEW.a = 1; END; SELECT 1"),
             deep + "; SELECT 1",
         }) {
      EXPECT_EQ(split(program, dialect), (Statements{program}));
    }
  }
  Dialect oracle = mariadb;
  oracle.mode = sql_mode::oracle;
  for (std::string_view program :
       {"DECLARE a INT; BEGIN SELECT 1; END", "BEGIN SELECT 1; SELECT 2; END",
        "CREATE OR REPLACE DEFINER=u@h FUNCTION f RETURN INT AS BEGIN RETURN 1; END; SELECT 1"}) {
    EXPECT_EQ(split(program, oracle), (Statements{std::string(program)}));
  }
}

}  // namespace
}  // namespace sallyport::sql
