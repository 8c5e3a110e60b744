#include "sql/secrets.h"

#include <gtest/gtest.h>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mysql{.server = Server::mysql, .version = 90'704};
constexpr Dialect old_mysql{.server = Server::mysql, .version = 80'036};
constexpr Dialect mariadb{.server = Server::mariadb, .version = 110'800};

std::string redacted(std::string_view text, const Dialect& dialect) {
  Arena arena;
  auto root = parse(text, dialect, ParseFor::executing, arena);
  if (!root) {
    return "not read";
  }
  auto without = without_secrets(find_secrets(**root, text), **root, text, dialect);
  return without ? without->text : "none";
}

struct Case {
  Dialect dialect;
  std::string_view text;
  std::string_view expected;
};

TEST(Secrets, AreQuestionMarksInTheTextOfAStatement) {
  for (const Case& c : std::vector<Case>{
           {mysql, "create user u identified by 'hunter2' /* hunter2 */", "CREATE USER u IDENTIFIED BY ?"},
           {mysql, "CREATE USER u IDENTIFIED WITH caching_sha2_password AS 0x24 -- hunter2",
            "CREATE USER u IDENTIFIED WITH caching_sha2_password AS ?"},
           {mysql, "ALTER USER u@h IDENTIFIED BY 'hunter2' REPLACE 'hunter1', v IDENTIFIED BY 'hunter3'",
            "ALTER USER u@h IDENTIFIED BY ? REPLACE ?, v IDENTIFIED BY ?"},
           {mysql, "ALTER USER USER() IDENTIFIED BY 'hunter2'", "ALTER USER USER() IDENTIFIED BY ?"},
           {mysql, "SET PASSWORD = 'hunter2' REPLACE 'hunter1'", "SET PASSWORD = ? REPLACE ?"},
           {mysql, "SET PASSWORD FOR u = 'hunter2'", "SET PASSWORD FOR u = ?"},
           {mysql, "CREATE USER u IDENTIFIED BY /*!80000 'hunter2' */", "CREATE USER u IDENTIFIED BY ?"},
           {mysql, "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'h', SOURCE_PASSWORD = 'hunter2'",
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'h', SOURCE_PASSWORD = ?"},
           {mysql, "START REPLICA USER = 'u' PASSWORD = 'hunter2'", "START REPLICA USER = 'u' PASSWORD = ?"},
           {mysql, "START GROUP_REPLICATION USER = 'u', PASSWORD = 'hunter2'",
            "START GROUP_REPLICATION USER = 'u', PASSWORD = ?"},
           {mysql, "CLONE INSTANCE FROM u@h:3306 IDENTIFIED BY 'hunter2'",
            "CLONE INSTANCE FROM u@h:3306 IDENTIFIED BY ?"},
           {mysql, "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD 'hunter2')",
            "CREATE SERVER `s` FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD ?)"},
           {mysql, "ALTER SERVER s OPTIONS (PASSWORD 'hunter2')", "ALTER SERVER `s` OPTIONS (PASSWORD ?)"},
           {mysql, "CREATE TABLE t (a INT) ENGINE=FEDERATED CONNECTION='mysql://u:hunter2@h/d/t'",
            "CREATE TABLE `t` (`a` INT) ENGINE = FEDERATED CONNECTION = ?"},
           {mysql, "CREATE PROCEDURE p() BEGIN CREATE USER u IDENTIFIED BY 'hunter2'; END",
            "CREATE PROCEDURE `p`() BEGIN CREATE USER u IDENTIFIED BY ?; END"},
           {mysql, "PREPARE s FROM 'ALTER USER u IDENTIFIED BY ''hunter2'''", "PREPARE s FROM ?"},
           {mysql, "SET @s = 'CREATE USER u IDENTIFIED BY \"hunter2\"'", "SET @s = ?"},
           {mysql, "SELECT 'CREATE USER u IDENTIFIED BY \"hunter2\"' INTO @s", "SELECT ? INTO @s"},
           {old_mysql, "CHANGE MASTER TO MASTER_PASSWORD = 'hunter2'", "CHANGE MASTER TO MASTER_PASSWORD = ?"},
           {mariadb, "GRANT SELECT ON *.* TO u IDENTIFIED BY 'hunter2'", "GRANT SELECT ON *.* TO u IDENTIFIED BY ?"},
           {mariadb, "CREATE USER u IDENTIFIED BY PASSWORD '*54958E764CE10E50764C2EECBB71D01F08549980'",
            "CREATE USER u IDENTIFIED BY PASSWORD ?"},
           {mariadb, "CREATE USER u IDENTIFIED VIA ed25519 USING PASSWORD('hunter2') OR pam USING 'hunter3'",
            "CREATE USER u IDENTIFIED VIA ed25519 USING PASSWORD(?) OR pam USING ?"},
           {mariadb, "SET PASSWORD FOR u = PASSWORD('hunter2')", "SET PASSWORD FOR u = PASSWORD(?)"},
           {mariadb, "SET PASSWORD = OLD_PASSWORD('hunter2')", "SET PASSWORD = OLD_PASSWORD(?)"},
           {mariadb, "CHANGE MASTER 'c' TO MASTER_USER='u', MASTER_PASSWORD='hunter2'",
            "CHANGE MASTER 'c' TO MASTER_USER = 'u', MASTER_PASSWORD = ?"},
           {mariadb, "CREATE SERVER s FOREIGN DATA WRAPPER x OPTIONS (passwd 'hunter2', other 'o')",
            "CREATE SERVER `s` FOREIGN DATA WRAPPER x OPTIONS (passwd ?, other 'o')"},
           {mariadb, "SET GLOBAL wsrep_sst_auth = 'u:hunter2'", "SET GLOBAL wsrep_sst_auth = ?"},
           {mariadb, "EXECUTE IMMEDIATE CONCAT('CREATE USER u IDENTIFIED BY ''hunter2', '''')",
            "EXECUTE IMMEDIATE CONCAT(?, ?)"},
           {mariadb, "CREATE TABLE t (a INT) ENGINE=SPIDER COMMENT='user \"u\", password \"hunter2\"'",
            "CREATE TABLE `t` (`a` INT) ENGINE = SPIDER COMMENT = ?"},
           {mariadb, "CREATE TABLE t (a INT) ENGINE=CONNECT remote_password='hunter2'",
            "CREATE TABLE `t` (`a` INT) ENGINE = CONNECT remote_password = ?"},
           {mariadb, "CREATE TABLE t (a INT) ENGINE=CONNECT remote_password=hunter2",
            "CREATE TABLE `t` (`a` INT) ENGINE = CONNECT remote_password = ?"},
           {mariadb, "CREATE TABLE t (a INT) ENGINE=SPIDER COMMENT='user \"password_u\", password \"hunter2\"'",
            "CREATE TABLE `t` (`a` INT) ENGINE = SPIDER COMMENT = ?"},
           {mariadb, "CREATE TABLE t (a INT) ENGINE=CONNECT OPTION_LIST='user=u,password=hunter2'",
            "CREATE TABLE `t` (`a` INT) ENGINE = CONNECT OPTION_LIST = ?"},
           {mysql, "SET @s = CONCAT('ALTER USER u IDENTIFIED BY ''', 'hunter2', '''')", "SET @s = CONCAT(?, ?, ?)"},
           {mysql, "SET @s = CONCAT('ALTER USER u', ' IDENTIFIED BY ', QUOTE('hunter2'))",
            "SET @s = CONCAT(?, ?, QUOTE(?))"},
           {mysql, "SELECT REPLACE('ALTER USER u IDENTIFIED BY ''%''', '%', 'hunter2') INTO @s",
            "SELECT REPLACE(?, ?, ?) INTO @s"},
           {mysql, "CALL sys.execute_prepared_stmt(CONCAT('ALTER USER u IDENTIFIED BY ''', 'hunter2', ''''))",
            "CALL `sys`.`execute_prepared_stmt`(CONCAT(?, ?, ?))"},
           {mysql, "CALL p('ALTER USER u IDENTIFIED BY ''hunter2''')", "CALL `p`(?)"},
           {mysql, "SET @s = 'SET GLOBAL authentication_ldap_simple_bind_root_pwd = ''hunter2'''", "SET @s = ?"},
           {mysql, "SET @s = CONCAT(@s, ' IDENTIFIED BY ''', 'hunter2', '''')", "SET @s = CONCAT(@s, ?, ?, ?)"},
           {mysql, "SET @s = 'x;\\nALTER USER u PASSWORD hunter2'", "SET @s = ?"},
           {mysql, "SET @s = '/*!50000ALTER*/ USER u PASSWORD hunter2'", "SET @s = ?"},
           {mysql, "CREATE FUNCTION f() RETURNS TEXT RETURN CONCAT('ALTER USER u IDENTIFIED BY ', 'hunter2')",
            "CREATE FUNCTION f() RETURNS TEXT RETURN CONCAT(?, ?)"},
           {mariadb, "EXECUTE s USING 'ALTER USER u IDENTIFIED BY ''hunter2'''", "EXECUTE s USING ?"},
           {mysql, "VALUES ROW('ALTER USER u IDENTIFIED BY ''hunter2''') INTO @s", "VALUES ROW(?) INTO @s"},
           {mysql, "UPDATE t SET a = (@s := 'ALTER USER u IDENTIFIED BY ''hunter2''')",
            "UPDATE `t` SET `a` = (@s := ?)"},
           {mysql, "INSERT INTO t SELECT @s := 'ALTER USER u IDENTIFIED BY ''hunter2'''",
            "INSERT INTO `t` SELECT @s := ?"},
           {mysql,
            "CREATE PROCEDURE p() BEGIN DECLARE w TEXT DEFAULT 'hunter2'; SET @s = CONCAT('ALTER USER u IDENTIFIED BY "
            "''', w, ''''); END",
            "CREATE PROCEDURE `p`() BEGIN DECLARE w TEXT DEFAULT ?; SET @s = CONCAT(?, `w`, ?); END"}}) {
    EXPECT_EQ(redacted(c.text, c.dialect), c.expected) << c.text;
    EXPECT_EQ(redacted(c.text, c.dialect).find("hunter"), std::string::npos) << c.text;
  }
}

TEST(Secrets, AreNotSeenInOrdinaryStatements) {
  for (std::string_view text :
       {"SELECT 1",
        "INSERT INTO posts VALUES ('how to reset your password')",
        "SELECT password FROM users WHERE id = 'x'",
        "UPDATE users SET password = 'x' WHERE id = 1",
        "SET @a = 'a password'",
        "SET NAMES utf8mb4",
        "CREATE TABLE t (a INT COMMENT 'the password, hashed')",
        "CREATE USER u",
        "DROP USER u",
        "CREATE TABLE users (password VARCHAR(60) DEFAULT 'x')",
        "SELECT option_value FROM options WHERE option_name = '_transient_settings_token_timeout'",
        "SELECT 'reset_password_token', 'asset tokens', 'restart the connection'",
        "SELECT JSON_EXTRACT(data, '$.settings.access_token') FROM t",
        "DO GET_LOCK('reset_password', 0)",
        "CALL addopt('dataset', '{\"created_at\":1,\"token\":2}')",
        "SET GLOBAL default_password_lifetime = 0",
        "CREATE TABLE t (a INT COMMENT 'API token', b INT COMMENT 'hashed password')",
        "PREPARE s FROM 'SELECT 1'",
        "SET GLOBAL max_connections = 100",
        "CALL note('create', 'token 7')",
        "SELECT a FROM t WHERE kind = 'token' AND action = 'create'",
        "INSERT INTO posts SELECT 'reset', 'password'"}) {
    EXPECT_EQ(redacted(text, mysql), "none") << text;
    EXPECT_EQ(redacted(text, mariadb), "none") << text;
  }
}

TEST(Secrets, MayBeAmongTheParameters) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string_view, bool>>{
           {"EXECUTE IMMEDIATE ?", true},
           {"SELECT ?", false},
           {"INSERT INTO t VALUES (?)", false},
           {"SET @s = ?", false},
           {"SET @s = CONCAT('ALTER USER u IDENTIFIED BY ''', ?, '''')", true}}) {
    Arena arena;
    auto root = parse(text, mariadb, ParseFor::preparing, arena);
    ASSERT_TRUE(root) << text;
    auto without = without_secrets(find_secrets(**root, text), **root, text, mariadb);
    EXPECT_EQ(without && without->parameters_are_secret, expected) << text;
  }
}

TEST(Secrets, AreSoughtInTimeThatGrowsWithTheTextOnly) {
  std::string comment;
  for (int i = 0; i < 200'000; ++i) {
    comment += "token_";
  }
  EXPECT_EQ(redacted("CREATE TABLE t (a INT) COMMENT='" + comment + " x'", mysql), "none");
  EXPECT_EQ(redacted("SET @a = '" + comment + " x'", mysql), "none");
}

TEST(Secrets, MayBeMadeWithParametersWhereTheyBecomeATextForAVariable) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"SET @s = ?", "any"},
           {"SELECT ? INTO @s", "any"},
           {"SELECT @s := ?", "any"},
           {"CALL p(1, ?)", "any"},
           {"SET @s = CONCAT('ALTER USER u ', ?)", "begins"},
           {"SET @s = CONCAT(?, ' IDENTIFIED BY ''x''')", "speaks"},
           {"SELECT ?", "none"},
           {"INSERT INTO t VALUES (?)", "none"},
           {"SELECT a FROM t WHERE b = 'alter' AND c = ?", "none"}}) {
    Arena arena;
    auto root = parse(text, mariadb, ParseFor::preparing, arena);
    ASSERT_TRUE(root) << text;
    auto words = find_secrets(**root, text).around_parameters;
    std::string_view said = !words                    ? "none"
                            : words->speaks_of_secret ? "speaks"
                            : words->begins_statement ? "begins"
                                                      : "any";
    EXPECT_EQ(said, expected) << text;
  }
}

TEST(Secrets, AreInTheAnswerWhereTheServerMakesThem) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string_view, bool>>{
           {"CREATE USER u IDENTIFIED BY RANDOM PASSWORD", true},
           {"ALTER USER u IDENTIFIED WITH caching_sha2_password BY RANDOM PASSWORD", true},
           {"SET PASSWORD FOR u TO RANDOM", true},
           {"CREATE USER u IDENTIFIED BY 'x'", false},
           {"SELECT RAND()", false}}) {
    Arena arena;
    auto root = parse(text, mysql, ParseFor::executing, arena);
    ASSERT_TRUE(root) << text;
    EXPECT_EQ(find_secrets(**root, text).in_answer, expected) << text;
  }
}

TEST(Secrets, AreCutOffWithAllThatFollowsWhereATextIsNotUnderstood) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"SELECT a FROM WHERE 'x'", "SELECT a FROM WHERE 'x'"},
           {"  (SELECT 'x') )", "  (SELECT 'x') )"},
           {"CREATE USER u IDENTIFIED BY 'hunter2' nonsense", "CREATE USER u"},
           {"CREATE USER 'u' IDENTIFIED BY hunter2", "CREATE USER "},
           {"CREATE USER u IDENTIFED BY hunter2", "CREATE USER u"},
           {"SET PASSWORD = hunter2", "SET PASSWORD"},
           {"SET PASSWORD=hunter2", "SET PASSWORD"},
           {"SET/**/PASSWORD='hunter2'", "SET"},
           {"SELECT 1; CREATE USER u IDENTIFIED BY 'hunter2' x", "SELECT "},
           {"select a; set password = hunter2 x", "select a; set password"},
           {"sEt GLOBAL wsrep_sst_auth = hunter2", "sEt GLOBAL wsrep_sst_auth"},
           {"SELECT 1; SET GLOBAL authentication_ldap_simple_bind_root_pwd = hunter2", "SELECT "},
           {"hunter two", "hunter two"},
           {"", ""}}) {
    EXPECT_EQ(unread_text_without_secrets(text), expected) << text;
  }
}

}  // namespace
}  // namespace sallyport::sql
