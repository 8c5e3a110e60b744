#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mariadb{.server = Server::mariadb, .version = 101119};
constexpr Dialect mysql{.server = Server::mysql, .version = 90704};

// The tree, or "!" and the error's code.
std::string read(std::string_view text, const Dialect& dialect) {
  Arena arena;
  auto root = parse(text, dialect, ParseFor::executing, arena);
  return root ? describe(**root, text) : "!" + std::string(name_of(root.error().code));
}

bool is_read(std::string_view text, const Dialect& dialect) {
  return !read(text, dialect).starts_with('!');
}

// Whether the trees are the same.
bool are_alike(std::string_view one, std::string_view other, const Dialect& dialect) {
  Arena arena;
  auto left = parse(one, dialect, ParseFor::executing, arena);
  auto right = parse(other, dialect, ParseFor::executing, arena);
  return left && right && says_the_same(**left, one, **right, other);
}

TEST(ParserPrograms, show_the_statements_of_a_body) {
  EXPECT_EQ(read("CREATE DEFINER = boss@'%' PROCEDURE d.p (OUT a INT) SQL SECURITY DEFINER "
                 "BEGIN IF 1 THEN SELECT ssn FROM t INTO a; END IF; CALL q(a); END",
                 mysql),
            R"(none: create
  definer: account
    name: name boss
    host: name '%'
  name: object_name
    qualifier: name d
    name: name p
  parameter: routine_parameter
    name: name a
    type: data_type INT
  option: option
    value: keyword DEFINER
  body: block
    statement: if
      condition: literal 1
      body: statements
        statement: query
          body: select
            item: select_item
              operand: column_reference
                name: name ssn
            from: table_references
              element: table
                name: object_name
                  name: name t
          into: into
            target: column_reference
              name: name a
    statement: call
      routine: object_name
        name: name q
      argument: column_reference
        name: name a
)");
}

TEST(ParserPrograms, name_the_table_of_a_trigger_and_its_rows) {
  EXPECT_EQ(
      read("CREATE TRIGGER d.t AFTER UPDATE ON e.u FOR EACH ROW PRECEDES w DELETE FROM log WHERE a = OLD.a", mysql),
      R"(none: create
  name: object_name
    qualifier: name d
    name: name t
  position: keyword AFTER
  event: keyword UPDATE
  table: object_name
    qualifier: name e
    name: name u
  option: option
    value: name w
  body: delete
    from: table_references
      element: table
        name: object_name
          name: name log
    where: binary
      operand: column_reference
        name: name a
      operand: column_reference
        qualifier: name OLD
        name: name a
)");
}

TEST(ParserPrograms, name_files_and_libraries_of_foreign_code) {
  EXPECT_EQ(read("CREATE AGGREGATE FUNCTION f RETURNS STRING SONAME 'udf.so'", mysql),
            "none: create\n"
            "  name: object_name\n"
            "    name: name f\n"
            "  type: keyword STRING\n"
            "  library: literal 'udf.so'\n");
  EXPECT_EQ(read("CREATE FUNCTION f () RETURNS INT LANGUAGE JAVASCRIPT USING (d.l AS m) AS $$ return 1 $$", mysql),
            "none: create\n"
            "  name: object_name\n"
            "    name: name f\n"
            "  type: data_type INT\n"
            "  option: option\n"
            "    value: name JAVASCRIPT\n"
            "  option: option\n"
            "    library: library\n"
            "      name: object_name\n"
            "        qualifier: name d\n"
            "        name: name l\n"
            "      alias: name m\n"
            "  body: literal $$ return 1 $$\n");
}

TEST(ParserPrograms, show_the_queries_of_cursors_and_the_bodies_of_handlers) {
  EXPECT_EQ(read("BEGIN NOT ATOMIC DECLARE c CURSOR (a TYPE OF t.b) FOR SELECT ssn FROM t; "
                 "DECLARE EXIT HANDLER FOR NOT FOUND, SQLSTATE '23000' DO f(); FETCH c INTO x; END",
                 mariadb),
            R"(none: block
  declaration: declare_cursor
    name: name c
    parameter: routine_parameter
      name: name a
      type: data_type
        column: column_reference
          qualifier: name t
          name: name b
    query: query
      body: select
        item: select_item
          operand: column_reference
            name: name ssn
        from: table_references
          element: table
            name: object_name
              name: name t
  declaration: declare_handler
    condition: keyword NOT FOUND
    condition: sqlstate
      value: literal '23000'
    body: do
      item: select_item
        operand: function_call
          function: object_name
            name: name f
  statement: cursor_operation
    cursor: name c
    target: column_reference
      name: name x
)");
}

TEST(ParserPrograms, show_what_is_prepared_and_what_is_run_with_other_settings) {
  EXPECT_EQ(read("EXECUTE IMMEDIATE CONCAT('SELECT ', @a) USING b", mariadb),
            "none: execute_immediate\n"
            "  value: function_call\n"
            "    function: object_name\n"
            "      name: name CONCAT\n"
            "    argument: literal 'SELECT '\n"
            "    argument: user_variable\n"
            "      name: name a\n"
            "  argument: column_reference\n"
            "    name: name b\n");
  EXPECT_EQ(read("PREPARE s FROM @x", mysql),
            "none: prepare\n"
            "  name: name s\n"
            "  value: user_variable\n"
            "    name: name x\n");
  EXPECT_EQ(read("SET STATEMENT sql_mode = 'ANSI_QUOTES', wait_timeout = DEFAULT FOR DO 1", mariadb),
            "none: set_statement\n"
            "  assignment: variable_assignment\n"
            "    target: variable_name\n"
            "      name: name sql_mode\n"
            "    value: literal 'ANSI_QUOTES'\n"
            "  assignment: variable_assignment\n"
            "    target: variable_name\n"
            "      name: name wait_timeout\n"
            "    value: keyword DEFAULT\n"
            "  statement: do\n"
            "    item: select_item\n"
            "      operand: literal 1\n");
}

TEST(ParserPrograms, name_the_tables_that_are_locked) {
  EXPECT_EQ(read("LOCK TABLES d.t AS a READ LOCAL, u WRITE", mysql),
            "none: lock\n"
            "  table: table\n"
            "    name: object_name\n"
            "      qualifier: name d\n"
            "      name: name t\n"
            "    alias: name a\n"
            "    locking: keyword READ LOCAL\n"
            "  table: table\n"
            "    name: object_name\n"
            "      name: name u\n"
            "    locking: keyword WRITE\n");
}

TEST(ParserPrograms, tell_apart_what_differs_in_a_word_only) {
  EXPECT_TRUE(are_alike("BEGIN WORK", "START TRANSACTION", mysql));
  EXPECT_TRUE(are_alike("XA BEGIN 'a'", "xa start 'a'", mysql));
  EXPECT_TRUE(are_alike("DROP PREPARE s", "DEALLOCATE PREPARE s", mysql));
  EXPECT_TRUE(are_alike("ROLLBACK WORK TO SAVEPOINT a", "ROLLBACK TO a", mysql));
  for (auto [one, other] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"COMMIT", "ROLLBACK"},
           {"COMMIT", "COMMIT AND CHAIN"},
           {"COMMIT AND CHAIN", "COMMIT AND NO CHAIN"},
           {"COMMIT RELEASE", "COMMIT NO RELEASE"},
           {"START TRANSACTION READ ONLY", "START TRANSACTION READ WRITE"},
           {"SAVEPOINT a", "RELEASE SAVEPOINT a"},
           {"XA END 'a' SUSPEND", "XA END 'a' SUSPEND FOR MIGRATE"},
           {"LOCK TABLES t READ", "LOCK TABLES t WRITE"},
           {"LOCK TABLES t READ", "LOCK TABLES t READ LOCAL"},
           {"UNLOCK TABLES", "UNLOCK INSTANCE"},
           {"SIGNAL SQLSTATE '45000'", "RESIGNAL SQLSTATE '45000'"},
           {"GET STACKED DIAGNOSTICS @a = NUMBER", "GET CURRENT DIAGNOSTICS @a = NUMBER"},
           {"DROP PROCEDURE p", "DROP FUNCTION p"},
           {"CREATE FUNCTION f RETURNS INT SONAME 'a'", "CREATE AGGREGATE FUNCTION f RETURNS INT SONAME 'a'"},
           {"CREATE PROCEDURE p (a INT) DO 1", "CREATE PROCEDURE p (OUT a INT) DO 1"},
           {"CREATE PROCEDURE p () NO SQL DO 1", "CREATE PROCEDURE p () READS SQL DATA DO 1"},
           {"ALTER EVENT e ENABLE", "ALTER EVENT e DISABLE"},
           {"ALTER EVENT e DISABLE", "ALTER EVENT e DISABLE ON REPLICA"},
           {"ALTER EVENT e ON COMPLETION PRESERVE", "ALTER EVENT e ON COMPLETION NOT PRESERVE"},
       }) {
    EXPECT_TRUE(is_read(one, mysql) && is_read(other, mysql)) << one << " | " << other;
    EXPECT_FALSE(are_alike(one, other, mysql)) << one << " | " << other;
  }
}

TEST(ParserPrograms, are_read_as_their_server_does) {
  for (std::string_view text : {
           "BEGIN NOT ATOMIC END",
           "IF a THEN COMMIT; ELSEIF b THEN DO 1; ELSE DO 2; END IF",
           "CASE a WHEN 1 THEN DO 1; END CASE",
           "WHILE 1 DO DO 1; END WHILE",
           "FOR i IN REVERSE 1..10 DO DO i; END FOR",
           "FOR r IN (SELECT a FROM t) DO DO r.a; END FOR",
           "FOR r IN c (1) DO DO r.a; END FOR",
           "CREATE OR REPLACE PROCEDURE p (a ROW TYPE OF t, b ROW (c INT)) DO 1",
           "CREATE AGGREGATE FUNCTION f (a INT) RETURNS INT BEGIN LOOP FETCH GROUP NEXT ROW; END LOOP; END",
           "PREPARE s FROM CONCAT('a', @b)",
           "LOCK TABLES t WRITE CONCURRENT WAIT 5",
           "XA RECOVER FORMAT = 'SQL'",
           "CREATE PROCEDURE p () SET STATEMENT wait_timeout = 1 FOR DO 1",
       }) {
    EXPECT_TRUE(is_read(text, mariadb)) << text;
    EXPECT_EQ(read(text, mysql), "!syntax") << text;
  }
  for (std::string_view text : {
           "GET STACKED DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT",
           "LOCK INSTANCE FOR BACKUP",
           "XA RECOVER CONVERT XID",
           "CREATE LIBRARY d.l LANGUAGE JAVASCRIPT AS $$ x $$",
           "DROP LIBRARY IF EXISTS l",
           "ALTER FUNCTION f USING ()",
           "CREATE FUNCTION f () RETURNS INT DO 1",
       }) {
    EXPECT_TRUE(is_read(text, mysql)) << text;
    EXPECT_TRUE(read(text, mariadb).starts_with('!')) << text;
  }
}

TEST(ParserPrograms, that_no_server_takes_are_refused) {
  for (std::string_view text : {
           "CREATE PROCEDURE p () BEGIN SELECT 1 END",
           "CREATE PROCEDURE p () BEGIN ; END",
           "CREATE PROCEDURE p () BEGIN DO 1; DECLARE a INT; END",
           "CREATE PROCEDURE p () BEGIN DO 1; END; DROP TABLE t",
           "CREATE PROCEDURE p () BEGIN END a",
           "CREATE PROCEDURE p () BEGIN DELETE FROM ) t; DO 1; END",
           "CREATE PROCEDURE p () a: DO 1",
           "CREATE PROCEDURE p () IF 1 THEN END IF",
           "CREATE PROCEDURE p () CASE ELSE DO 1; END CASE",
           "CREATE PROCEDURE p () BEGIN DECLARE UNDO HANDLER FOR 1 DO 1; END",
           "CREATE PROCEDURE p () BEGIN FETCH c INTO @a; END",
           "CREATE PROCEDURE .p () DO 1",
           "CREATE FUNCTION d.f RETURNS INT SONAME 'a'",
           "CREATE DEFINER = u FUNCTION f RETURNS INT SONAME 'a'",
           "CREATE TRIGGER t BEFORE INSERT ON t FOR EACH STATEMENT DO 1",
           "CREATE EVENT e ON SCHEDULE EVERY 1 DAY ENDS 2 STARTS 1 DO DO 1",
           "ALTER EVENT e",
           "RETURN 1",
           "LEAVE a",
           "a: BEGIN END",
           "DECLARE a INT",
           "START TRANSACTION READ ONLY, READ WRITE",
           "COMMIT AND CHAIN RELEASE",
           "XA START 'a' 'b'",
           "XA ROLLBACK 'a' ONE PHASE",
           "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = -1",
           "SIGNAL",
           "GET DIAGNOSTICS CONDITION 1 @a = NUMBER",
           "EXECUTE s USING ?",
           "LOCK TABLES t",
           "UNLOCK",
       }) {
    EXPECT_TRUE(read(text, mysql).starts_with('!')) << text;
    EXPECT_TRUE(read(text, mariadb).starts_with('!')) << text;
  }
}

TEST(ParserPrograms, of_oracle_mode_are_refused_by_a_code_of_their_own_and_other_statements_are_read) {
  Dialect oracle = mariadb;
  oracle.mode = parse_sql_mode("ORACLE,ANSI_QUOTES,PIPES_AS_CONCAT,IGNORE_SPACE");
  for (std::string_view text : {
           "CREATE PROCEDURE p (a INT) AS BEGIN NULL; END",
           "CREATE PACKAGE BODY p AS FUNCTION f RETURN INT AS BEGIN RETURN 1; END; END",
           "DECLARE a INT := 1; BEGIN NULL; END",
           "BEGIN DELETE FROM t; END",
           "BEGIN NOT ATOMIC DELETE FROM t; END",
           "IF 1 THEN DELETE FROM t; END IF",
       }) {
    EXPECT_EQ(read(text, oracle), "!not_supported") << text;
  }
  for (std::string_view text : {"BEGIN", "BEGIN WORK", "DROP PACKAGE BODY IF EXISTS d.p", "DROP PROCEDURE p",
                                "CALL p(1)", "EXECUTE IMMEDIATE 'DO 1'"}) {
    EXPECT_TRUE(is_read(text, oracle)) << text;
  }
  EXPECT_EQ(read("DROP PACKAGE p", mariadb), "!syntax");
}

TEST(ParserPrograms, of_packages_are_read_since_mariadb_11_4) {
  Dialect mariadb_11_8 = mariadb;
  mariadb_11_8.version = 110802;
  std::string_view package = "CREATE PACKAGE p PROCEDURE a (b INT); FUNCTION c () RETURNS INT; END";
  std::string_view body =
      "CREATE PACKAGE BODY p DECLARE v INT; PROCEDURE a (b INT) DO b; FUNCTION c () RETURNS INT RETURN v; DO 1; END";
  EXPECT_TRUE(is_read(package, mariadb_11_8));
  EXPECT_TRUE(is_read(body, mariadb_11_8));
  EXPECT_FALSE(is_read(package, mariadb));
  EXPECT_FALSE(is_read(body, mariadb));
}

TEST(ParserPrograms, nest_to_a_bound) {
  std::string deep;
  std::string end;
  for (int level = 0; level < 100'000; ++level) {
    deep += "BEGIN ";
    end += "END; ";
  }
  EXPECT_EQ(read("CREATE PROCEDURE p () " + deep + end, mysql), "!nesting_too_deep");
  std::string settings;
  for (int level = 0; level < 100'000; ++level) {
    settings += "SET STATEMENT a = 1 FOR ";
  }
  EXPECT_EQ(read(settings + "DO 1", mariadb), "!nesting_too_deep");
}

}  // namespace
}  // namespace sallyport::sql
