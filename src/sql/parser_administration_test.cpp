#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mysql{.server = Server::mysql, .version = 90'704};
constexpr Dialect mysql_of_old{.server = Server::mysql, .version = 80'036};
constexpr Dialect mariadb{.server = Server::mariadb, .version = 101'119};

class Tree {
 public:
  Tree(std::string_view text, const Dialect& dialect)
      : text_(text), root_(parse(text, dialect, ParseFor::executing, arena_)) {}

  bool is_read() const { return root_.has_value(); }
  const Node& root() const { return **root_; }
  std::string_view text() const { return text_; }
  std::string described() const { return is_read() ? describe(root(), text_) : "refused"; }

 private:
  Arena arena_;
  std::string_view text_;
  Result<const Node*, ParseError> root_;
};

void secrets_of(const Node& node, std::string_view text, std::vector<std::string>& into) {
  if (node.role == Role::secret) {
    into.emplace_back(node.in(text));
  }
  for (const Node& child : children(node)) {
    secrets_of(child, text, into);
  }
}

bool say_the_same(std::string_view one, std::string_view other, const Dialect& dialect) {
  Tree left{one, dialect};
  Tree right{other, dialect};
  return left.is_read() && right.is_read() && says_the_same(left.root(), one, right.root(), other);
}

TEST(Administration, WhoIsGrantedWhatOnWhichObject) {
  struct {
    Dialect dialect;
    std::string_view text;
    std::string_view tree;
  } const cases[]{
      {mysql,
       "GRANT SELECT (ssn), BACKUP_ADMIN ON `hr`.staff TO 'u'@'%', v WITH GRANT OPTION AS w WITH ROLE ALL EXCEPT r",
       "none: grant\n"
       "  privilege: privilege\n"
       "    column: name ssn\n"
       "  privilege: privilege\n"
       "    name: name BACKUP_ADMIN\n"
       "  object: object_name\n"
       "    qualifier: name `hr`\n"
       "    name: name staff\n"
       "  user: user_specification\n"
       "    user: account\n"
       "      name: name 'u'\n"
       "      host: name '%'\n"
       "  user: user_specification\n"
       "    user: account\n"
       "      name: name v\n"
       "  option: option GRANT OPTION\n"
       "  with: grant_context\n"
       "    user: account\n"
       "      name: name w\n"
       "    role: keyword ALL\n"
       "    exclude: account\n"
       "      name: name r\n"},
      {mysql, "GRANT reader, 'writer'@'h' TO u WITH ADMIN OPTION",
       "none: grant\n"
       "  role: account\n"
       "    name: name reader\n"
       "  role: account\n"
       "    name: name 'writer'\n"
       "    host: name 'h'\n"
       "  user: user_specification\n"
       "    user: account\n"
       "      name: name u\n"
       "  option: option ADMIN OPTION\n"},
      {mariadb, "GRANT ALL ON *.* TO u IDENTIFIED BY 'x'",
       "none: grant\n"
       "  privilege: privilege ALL\n"
       "  object: object_name\n"
       "    qualifier: star *\n"
       "    name: star *\n"
       "  user: user_specification\n"
       "    user: account\n"
       "      name: name u\n"
       "    authentication: authentication\n"
       "      secret: literal 'x'\n"},
      {mysql, "REVOKE PROXY ON a@h FROM b",
       "none: revoke\n"
       "  object: account\n"
       "    name: name a\n"
       "    host: name h\n"
       "  user: account\n"
       "    name: name b\n"},
      {mariadb, "KILL SOFT QUERY USER u@h",
       "none: kill\n"
       "  option: keyword SOFT\n"
       "  user: account\n"
       "    name: name u\n"
       "    host: name h\n"},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(Tree(row.text, row.dialect).described(), row.tree) << row.text;
  }
}

TEST(Administration, AVariableHasItsScopeAndItsValue) {
  EXPECT_EQ(Tree("SET GLOBAL c.key_buffer_size = DEFAULT, @@persist.x = ON, @u := 1, NAMES utf8mb4", mysql).described(),
            "none: set\n"
            "  item: variable_assignment\n"
            "    scope: keyword GLOBAL\n"
            "    target: variable_name\n"
            "      qualifier: name c\n"
            "      name: name key_buffer_size\n"
            "    value: keyword DEFAULT\n"
            "  item: variable_assignment\n"
            "    target: system_variable\n"
            "      scope: keyword persist\n"
            "      name: name x\n"
            "    value: keyword ON\n"
            "  item: variable_assignment\n"
            "    target: user_variable\n"
            "      name: name u\n"
            "    value: literal 1\n"
            "  item: set_names\n"
            "    charset: name utf8mb4\n");
}

TEST(Administration, FilesAndTablesAreNamed) {
  struct {
    Dialect dialect;
    std::string_view text;
    std::string_view tree;
  } const cases[]{
      {mysql, "SHOW FULL COLUMNS FROM t FROM hr LIKE 's%'",
       "none: show\n"
       "  option: keyword FULL\n"
       "  table: object_name\n"
       "    name: name t\n"
       "  schema: name hr\n"
       "  pattern: literal 's%'\n"},
      {mysql, "CLONE LOCAL DATA DIRECTORY = '/srv/copy'",
       "none: clone\n"
       "  file: literal '/srv/copy'\n"},
      {mariadb, "INSTALL SONAME 'x.so'",
       "none: install\n"
       "  file: literal 'x.so'\n"},
      {mysql, "CHECKSUM TABLE a, hr.b QUICK",
       "none: table_maintenance\n"
       "  table: object_name\n"
       "    name: name a\n"
       "  table: object_name\n"
       "    qualifier: name hr\n"
       "    name: name b\n"
       "  option: keyword QUICK\n"},
      {mysql, "CHANGE REPLICATION FILTER REPLICATE_REWRITE_DB = ((a, b)), REPLICATE_DO_TABLE = (a.t)",
       "none: change_source\n"
       "  option: option\n"
       "    element: row\n"
       "      schema: name a\n"
       "      target: name b\n"
       "  option: option\n"
       "    element: object_name\n"
       "      qualifier: name a\n"
       "      name: name t\n"},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(Tree(row.text, row.dialect).described(), row.tree) << row.text;
  }
}

TEST(Administration, APasswordIsASecretAndNothingElseIs) {
  struct {
    Dialect dialect;
    std::string_view text;
  } const cases[]{
      {mysql, "CREATE USER u IDENTIFIED WITH 'p' BY 's1' AND IDENTIFIED WITH q AS 's2' COMMENT 'c'"},
      {mysql, "CREATE USER u IDENTIFIED WITH p INITIAL AUTHENTICATION IDENTIFIED BY 's1' ATTRIBUTE '{}'"},
      {mysql, "CREATE USER u IDENTIFIED WITH p AS 's1', v IDENTIFIED BY 's2' REQUIRE SUBJECT 'c'"},
      {mysql, "ALTER USER u IDENTIFIED BY 's1' REPLACE 's2'"},
      {mysql, "ALTER USER USER() IDENTIFIED BY 's1'"},
      {mysql, "ALTER USER u MODIFY 2 FACTOR IDENTIFIED WITH p BY 's1'"},
      {mysql, "ALTER USER u 2 FACTOR FINISH REGISTRATION SET CHALLENGE_RESPONSE AS 's1'"},
      {mysql, "SET PASSWORD FOR u@'h' = 's1' REPLACE 's2'"},
      {mysql, "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'h', SOURCE_PASSWORD = 's1'"},
      {mysql, "START REPLICA USER = 'u' PASSWORD = 's1' DEFAULT_AUTH = 'p'"},
      {mysql, "START GROUP_REPLICATION USER = 'u', PASSWORD = 's1'"},
      {mysql, "CLONE INSTANCE FROM 'u'@'h':3306 IDENTIFIED BY 's1' DATA DIRECTORY '/srv'"},
      {mysql_of_old, "CHANGE MASTER TO MASTER_PASSWORD = 's1', MASTER_USER = 'u'"},
      {mariadb, "CHANGE MASTER 'c' TO MASTER_PASSWORD = 's1'"},
      {mariadb, "SET PASSWORD = PASSWORD('s1'), @a = 'a'"},
      {mariadb, "CREATE USER u IDENTIFIED BY PASSWORD 's1', v IDENTIFIED VIA p USING 's2' OR q AS PASSWORD('s3')"},
      {mariadb, "GRANT USAGE ON *.* TO u IDENTIFIED BY 's1' REQUIRE ISSUER 'c'"},
  };
  for (const auto& row : cases) {
    Tree tree{row.text, row.dialect};
    ASSERT_TRUE(tree.is_read()) << row.text;
    std::vector<std::string> expected;
    for (std::size_t at = row.text.find("'s"); at != std::string_view::npos; at = row.text.find("'s", at + 1)) {
      expected.emplace_back(row.text.substr(at, 4));
    }
    std::vector<std::string> found;
    secrets_of(tree.root(), row.text, found);
    EXPECT_EQ(found, expected) << row.text;
  }
}

TEST(Administration, StatementsThatDifferInAWordDiffer) {
  struct {
    Dialect dialect;
    std::string_view one;
    std::string_view other;
  } const cases[]{
      {mysql, "KILL 5", "KILL QUERY 5"},
      {mariadb, "KILL QUERY 5", "KILL QUERY ID 5"},
      {mysql, "SET GLOBAL x = 1", "SET x = 1"},
      {mysql, "SET PERSIST x = 1", "SET PERSIST_ONLY x = 1"},
      {mysql, "SET TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ ONLY"},
      {mysql, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"},
      {mysql, "CREATE USER u IDENTIFIED WITH p BY 'x'", "CREATE USER u IDENTIFIED WITH p AS 'x'"},
      {mysql, "ALTER USER u ACCOUNT LOCK", "ALTER USER u ACCOUNT UNLOCK"},
      {mysql, "ALTER USER u ADD 2 FACTOR IDENTIFIED BY 'x'", "ALTER USER u MODIFY 2 FACTOR IDENTIFIED BY 'x'"},
      {mysql, "DROP USER u", "DROP ROLE u"},
      {mysql, "DROP USER u", "DROP USER u@"},
      {mysql, "GRANT CREATE ON *.* TO u", "GRANT CREATE USER ON *.* TO u"},
      {mysql, "GRANT EXECUTE ON d.f TO u", "GRANT EXECUTE ON FUNCTION d.f TO u"},
      {mysql, "REVOKE ALL, GRANT OPTION FROM u", "REVOKE ALL ON *.* FROM u"},
      {mysql, "REVOKE r FROM u", "REVOKE r FROM u IGNORE UNKNOWN USER"},
      {mariadb, "REVOKE r FROM u", "REVOKE ADMIN OPTION FOR r FROM u"},
      {mysql, "FLUSH TABLES", "FLUSH TABLES WITH READ LOCK"},
      {mysql, "FLUSH LOGS", "FLUSH BINARY LOGS"},
      {mysql, "RESET REPLICA", "RESET REPLICA ALL"},
      {mysql, "START REPLICA SQL_THREAD", "START REPLICA IO_THREAD"},
      {mariadb, "STOP SLAVE", "STOP ALL SLAVES"},
      {mysql, "SHOW GLOBAL STATUS", "SHOW STATUS"},
      {mysql, "SHOW TABLE STATUS", "SHOW TABLES"},
      {mysql, "SHOW PROCEDURE STATUS", "SHOW FUNCTION STATUS"},
      {mysql, "SHOW CREATE TABLE t", "SHOW CREATE VIEW t"},
      {mysql, "ANALYZE TABLE t", "OPTIMIZE TABLE t"},
      {mysql, "ANALYZE TABLE t UPDATE HISTOGRAM ON a", "ANALYZE TABLE t DROP HISTOGRAM ON a"},
      {mysql, "ALTER INSTANCE ROTATE INNODB MASTER KEY", "ALTER INSTANCE ROTATE BINLOG MASTER KEY"},
  };
  for (const auto& row : cases) {
    EXPECT_TRUE(Tree(row.one, row.dialect).is_read()) << row.one;
    EXPECT_TRUE(Tree(row.other, row.dialect).is_read()) << row.other;
    EXPECT_FALSE(say_the_same(row.one, row.other, row.dialect)) << row.one << " | " << row.other;
  }
}

TEST(Administration, SynonymsSayTheSame) {
  EXPECT_TRUE(say_the_same("SHOW COLUMNS FROM t", "show fields in t", mysql));
  EXPECT_TRUE(say_the_same("SHOW MASTER STATUS", "SHOW BINLOG STATUS", mariadb));
  EXPECT_TRUE(say_the_same("KILL HARD CONNECTION 5", "KILL 5", mariadb));
  EXPECT_TRUE(say_the_same("SET SESSION x = 1", "SET SESSION x := 1", mysql));
  EXPECT_TRUE(say_the_same("GRANT ALL PRIVILEGES ON TABLE t TO u", "GRANT ALL ON t TO 'u'", mysql));
  EXPECT_TRUE(say_the_same("FLUSH LOCAL STATUS", "FLUSH NO_WRITE_TO_BINLOG STATUS", mysql));
}

TEST(Administration, WhatTheServerRefusesIsRefused) {
  const std::string_view by_both[]{
      "SET @a = ON",
      "SET GLOBAL @@x = 1",
      "SET a.b.c = 1",
      "SET TRANSACTION READ ONLY, READ WRITE",
      "SET NAMES utf8 COLLATE utf8_bin COLLATE x",
      "SHOW TABLES FROM a.b",
      "SHOW INDEX FROM t LIKE 'x'",
      "SHOW STATUS LIKE CONCAT('a')",
      "SHOW PROCESSLIST WHERE 1",
      "CREATE USER u@ h",
      "CREATE USER u IDENTIFIED BY 'a' 'b'",
      "ALTER USER u, v DEFAULT ROLE r",
      "GRANT ALL, SELECT ON t TO u",
      "GRANT SELECT TO u",
      "GRANT SELECT, r TO u",
      "GRANT EXECUTE ON FUNCTION TO u",
      "GRANT SELECT ON *.t TO u",
      "GRANT r TO u WITH GRANT OPTION",
      "REVOKE ALL FROM u",
      "FLUSH TABLES FOR EXPORT",
      "FLUSH STATUS, TABLES",
      "USE a.b",
      "BINLOG 'a', 'b'",
      "CHECKSUM TABLE t QUICK EXTENDED",
      "CACHE INDEX t PARTITION (p), u IN c",
      "RESET PERSIST x, REPLICA",
  };
  for (std::string_view text : by_both) {
    EXPECT_FALSE(Tree(text, mysql).is_read()) << text;
    EXPECT_FALSE(Tree(text, mariadb).is_read()) << text;
  }
  const std::string_view by_mysql[]{"SHOW MASTER STATUS",
                                    "START SLAVE",
                                    "CHANGE MASTER TO MASTER_PORT = 1",
                                    "RESET QUERY CACHE",
                                    "KILL USER u",
                                    "GRANT ALL ON t TO u IDENTIFIED BY 'x'",
                                    "BACKUP STAGE START",
                                    "SET PASSWORD = 'x', @a = 1",
                                    "SET PASSWORD = PASSWORD('x')",
                                    "CHECK VIEW v",
                                    "SET global = 1",
                                    "CREATE OR REPLACE USER u",
                                    "FLUSH QUERY CACHE"};
  for (std::string_view text : by_mysql) {
    EXPECT_FALSE(Tree(text, mysql).is_read()) << text;
    EXPECT_TRUE(Tree(text, mariadb).is_read()) << text;
  }
  const std::string_view by_mariadb[]{"RESTART",
                                      "CLONE LOCAL DATA DIRECTORY 'x'",
                                      "SET PERSIST x = 1",
                                      "SET ROLE r, s",
                                      "GRANT r, s TO u",
                                      "SET RESOURCE GROUP g",
                                      "ALTER USER u DISCARD OLD PASSWORD",
                                      "CREATE ROLE r@h",
                                      "GRANT BACKUP_ADMIN ON *.* TO u",
                                      "INSTALL COMPONENT 'x'",
                                      "ANALYZE TABLE t UPDATE HISTOGRAM ON a"};
  for (std::string_view text : by_mariadb) {
    EXPECT_FALSE(Tree(text, mariadb).is_read()) << text;
    EXPECT_TRUE(Tree(text, mysql).is_read()) << text;
  }
}

TEST(Administration, OldWordsAreOfOldVersions) {
  for (std::string_view text : {"SHOW MASTER STATUS", "SHOW SLAVE STATUS", "RESET MASTER", "PURGE MASTER LOGS TO 'x'",
                                "START SLAVE", "CHANGE MASTER TO MASTER_PORT = 1", "FLUSH HOSTS"}) {
    EXPECT_TRUE(Tree(text, mysql_of_old).is_read()) << text;
    EXPECT_FALSE(Tree(text, mysql).is_read()) << text;
  }
}

// "SELECT @ a" reads the variable without a name, and calls it a.
TEST(Administration, AVariablesNameStandsDirectlyBehindItsSign) {
  EXPECT_TRUE(Tree("SET @a = 1", mysql).is_read());
  EXPECT_FALSE(Tree("SET @ a = 1", mysql).is_read());
  EXPECT_FALSE(Tree("SELECT @ a", mysql).is_read());
  EXPECT_FALSE(Tree("SELECT @ 'a'", mysql).is_read());
}

}  // namespace
}  // namespace sallyport::sql
