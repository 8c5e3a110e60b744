#include "lineage/protected_columns.h"

#include <gtest/gtest.h>

#include "lineage/analyzer.h"
#include "lineage/definitions.h"
#include "sql/parse.h"

namespace sallyport::lineage {
namespace {

constexpr sql::Dialect mariadb{.server = sql::Server::mariadb, .version = 101119};
constexpr std::string_view schema =
    "CREATE DATABASE d; USE d;"
    "CREATE TABLE p (id INT PRIMARY KEY, name TEXT, ssn VARCHAR(11), card VARCHAR(19), last4 CHAR(4) AS (RIGHT(card, "
    "4)));"
    "CREATE TABLE q (id INT PRIMARY KEY, pid INT, note TEXT);"
    "CREATE VIEW v AS SELECT id, ssn AS code, name FROM p;"
    "CREATE PROCEDURE enter(a INT, b TEXT) INSERT INTO p (id, ssn) VALUES (a, b);"
    "CREATE FUNCTION plain(a INT) RETURNS INT RETURN a + 1;"
    "CREATE FUNCTION hides_it(a TEXT) RETURNS INT RETURN (SELECT COUNT(*) FROM (SELECT ssn = a AS h FROM p) t);"
    "CREATE PROCEDURE hits(a TEXT) BEGIN DECLARE n INT; SELECT ssn = a INTO n FROM p LIMIT 1; END;"
    "CREATE PROCEDURE sets(a TEXT) BEGIN DECLARE n INT; SET n = ((SELECT MAX(ssn) FROM p) = a); END;"
    "CREATE FUNCTION name_of(a INT) RETURNS TEXT RETURN (SELECT name FROM p WHERE id = a);"
    "CREATE FUNCTION is_it(a TEXT) RETURNS INT RETURN (SELECT COUNT(*) FROM p WHERE ssn = a)";

const catalog::Catalogue& catalogue() {
  static const catalog::Catalogue made(read_definitions(schema, mariadb, "").content, 1);
  return made;
}

ProtectedColumns columns_of(std::initializer_list<std::string_view> texts) {
  std::vector<ColumnPattern> patterns;
  for (std::string_view text : texts) {
    auto pattern = parse_column_pattern(text);
    EXPECT_TRUE(pattern) << text;
    patterns.push_back(pattern.value_or(ColumnPattern{}));
  }
  return ProtectedColumns(std::move(patterns));
}

bool meets(std::string_view text, const ProtectedColumns& columns) {
  sql::Arena arena;
  auto root = sql::parse(text, mariadb, sql::ParseFor::executing, arena);
  EXPECT_TRUE(root) << text;
  return root &&
         may_meet_literals(
             analyze({.root = **root, .text = text, .dialect = mariadb, .database = "d", .catalogue = catalogue()}),
             columns);
}

TEST(ProtectedColumns, literals_meet_them_where_they_are_compared_computed_with_or_written) {
  const ProtectedColumns columns = columns_of({"d.p.ssn", "d.p.card"});
  for (std::string_view text : {
           "SELECT id FROM p WHERE ssn = '1'",
           "SELECT id FROM p WHERE name = 'a' AND ssn LIKE '1%'",
           "SELECT id FROM v WHERE code IN ('1', '2')",
           "SELECT ssn = '1' FROM p",
           "SELECT NULLIF(ssn, '1') FROM p",
           "SELECT GREATEST(ssn, '1') FROM p",
           "LOAD DATA INFILE 'f' INTO TABLE p (id, ssn)",
           "LOAD DATA INFILE 'f' INTO TABLE p",
           "LOAD DATA INFILE 'f' INTO TABLE q (id, @a)",
           "SELECT id, ssn AS s FROM p HAVING s = '1'",
           "SELECT id FROM p ORDER BY ssn = '1'",
           "SELECT id FROM p GROUP BY id, ssn HAVING MAX(ssn) > '1'",
           "SELECT a.id FROM p a JOIN (SELECT '1' AS x) b ON a.ssn = b.x",
           "SELECT q.id FROM q WHERE EXISTS (SELECT 1 FROM p WHERE p.id = q.pid AND ssn = '1')",
           "SELECT id FROM p WHERE last4 = '1234'",
           "SELECT name FROM p WHERE (id, ssn) = (1, '1')",
           "WITH c AS (SELECT id, ssn x FROM p) SELECT id FROM c WHERE x = '1'",
           "SELECT id FROM p UNION SELECT id FROM q WHERE note = (SELECT MAX(ssn) FROM p)",
           "SELECT is_it('1')",
           "SELECT hides_it('1')",
           "SELECT 1 FROM (SELECT hides_it('1')) t",
           "CALL hits('1')",
           "CALL sets('1')",
           "INSERT INTO p VALUES (1, 'a', '1', '2', DEFAULT)",
           "INSERT INTO p (id, ssn) VALUES (1, '1')",
           "INSERT INTO p (id) VALUES (1) ON DUPLICATE KEY UPDATE ssn = '1'",
           "INSERT INTO p (id, ssn) SELECT 1, '1'",
           "REPLACE INTO p SET id = 1, ssn = '1'",
           "UPDATE p SET ssn = '1' WHERE id = 1",
           "UPDATE v SET code = '1'",
           "INSERT INTO v (id, code) VALUES (1, '1')",
           "REPLACE INTO v VALUES (1, '1', 'a')",
           "LOAD DATA INFILE 'f' INTO TABLE v (id, code)",
           "UPDATE p SET name = 'a' WHERE ssn = '1'",
           "DELETE FROM p WHERE ssn = '1'",
           "DELETE q FROM q JOIN p ON p.id = q.pid WHERE p.ssn = '1'",
           "DO (SELECT SLEEP(1) FROM p WHERE ssn = '1')",
           "CALL enter(1, '1')",
           "UPDATE p SET id = ssn WHERE name = 'a'",
           "INSERT INTO q (id) SELECT ssn FROM p",
           "CREATE TABLE z (a INT) SELECT ssn AS a FROM p",
           "SET @a = '1'",
           "SELECT @a := '1'",
           "SELECT '1' INTO @a",
           "PREPARE s FROM 'SELECT 1'",
           "CREATE VIEW w AS SELECT id FROM p WHERE ssn = '1'",
           "CREATE TABLE z AS SELECT id FROM p WHERE ssn = '1'",
           "ALTER TABLE p ALTER ssn SET DEFAULT '1'",
           "SELECT id FROM nowhere WHERE ssn = '1'",
           "SELECT name FROM (SELECT name, ssn = '1' AS hit FROM p) t",
           "SELECT COUNT(*) FROM (SELECT ssn LIKE '1%' AS hit FROM p) t",
           "WITH c AS (SELECT ssn = '1' AS hit FROM p) SELECT 1",
           "SELECT 1 FROM q WHERE EXISTS (SELECT ssn = '1' FROM p)",
           "CREATE VIEW w AS SELECT id FROM (SELECT id, ssn = '1' AS hit FROM p) t",
           "UPDATE q JOIN (SELECT id, ssn = '1' AS hit FROM p) t ON t.id = q.pid SET note = 'a'",
           "INSERT INTO q (id) SELECT id FROM (SELECT id, CONCAT(ssn, '1') AS hit FROM p) t",
           "SET STATEMENT max_statement_time = 5 FOR UPDATE p SET ssn = '1' WHERE id = 1",
           "SET STATEMENT max_statement_time = 5 FOR DELETE FROM p WHERE ssn = '1'",
           "SET STATEMENT max_statement_time = 5 FOR INSERT INTO p (id, ssn) VALUES (1, '1')",
           "SET STATEMENT max_statement_time = 5 FOR CALL enter(1, '1')",
           "SET STATEMENT max_statement_time = 5 FOR DO is_it('1')",
           "SET STATEMENT max_statement_time = 5 FOR ALTER TABLE p ALTER ssn SET DEFAULT '1'",
           "SET STATEMENT max_statement_time = 5 FOR SELECT id FROM p WHERE ssn = '1'",
           "SET STATEMENT max_statement_time = is_it('1') FOR SELECT 1",
           "SET sql_select_limit = 1000 + is_it('1')",
           "SET sql_select_limit = (SELECT COUNT(*) FROM p WHERE ssn = '1')",
           "SET sql_select_limit = IF(@a = '1', 1, 2)",
           "CREATE TABLE IF NOT EXISTS p (id INT, ssn VARCHAR(11) DEFAULT '1')",
           "CREATE TABLE IF NOT EXISTS p (id INT, CHECK (ssn <> '1'))",
           "CREATE TABLE IF NOT EXISTS p (id INT) PARTITION BY LIST COLUMNS (ssn) (PARTITION a VALUES IN ('1'))",
           "CREATE TABLE IF NOT EXISTS p AS SELECT '1' AS ssn",
           "SELECT ssn FROM p UNION ALL SELECT '1' ORDER BY 1",
           "SELECT ssn FROM p UNION ALL SELECT '1' ORDER BY 0000001",
           "SELECT ssn FROM p UNION ALL SELECT '1' ORDER BY (1)",
           "SELECT ssn FROM p UNION ALL SELECT '1' ORDER BY ((+(1)))",
           "SELECT ssn FROM p UNION ALL SELECT '1' ORDER BY -(-1)",
           "SELECT ssn FROM p UNION ALL SELECT '1' ORDER BY {x 1}",
           "SELECT ssn FROM p UNION ALL SELECT '1' ORDER BY TRUE",
           "SELECT IF(id = 8, ssn, '1') FROM p ORDER BY (1)",
           "SELECT IF(id = 8, ssn, '1') FROM p GROUP BY +1",
           "SELECT 1 FROM (SELECT ssn FROM p UNION SELECT '1' ORDER BY 01 LIMIT 1) t",
           "SELECT MAX(IF(id = 1, ssn, '1')) FROM p",
           "SELECT MAX(IF(id = 1, ssn, '1')) OVER () FROM p",
           "SELECT MIN(x) FROM (SELECT ssn x FROM p UNION ALL SELECT '1') t",
           "SELECT EXISTS(SELECT MAX(IF(id = 1, ssn, '1')) FROM p)",
           "ALTER EVENT e DO CALL enter(1, '1')",
           "ALTER EVENT e DO DELETE FROM q WHERE note = '1'",
       }) {
    EXPECT_TRUE(meets(text, columns)) << text;
  }
}

TEST(ProtectedColumns, values_that_are_no_more_than_copied_meet_none) {
  const ProtectedColumns columns = columns_of({"d.p.ssn"});
  for (std::string_view text : {"SELECT 1, '1'",
                                "SELECT ssn FROM p WHERE id = 1",
                                "SELECT code, name FROM v WHERE name = 'a'",
                                "SELECT id FROM p WHERE card = '1'",
                                "UPDATE p SET name = 'a' WHERE id = 1",
                                "INSERT INTO q VALUES (1, 2, '1')",
                                "DELETE FROM q WHERE note = '1'",
                                "SELECT plain(1)",
                                "SELECT name_of(1)",
                                "SET @@sort_buffer_size = 100000",
                                "SET sql_mode = ANSI",
                                "SET NAMES utf8mb4",
                                "SET sort_buffer_size = 1000 + plain(1)",
                                "SET STATEMENT max_statement_time = 5 FOR UPDATE q SET note = '1'",
                                "SELECT name FROM (SELECT name, card = '1' AS hit FROM p) t",
                                "SELECT id FROM v WHERE name = 'a'",
                                "CREATE TABLE z (ssn CHAR(9) DEFAULT '1')",
                                "TRUNCATE TABLE q",
                                "SELECT name, ssn FROM p WHERE id = 1 ORDER BY 1",
                                "SELECT ssn, MAX(name) FROM p WHERE id = 1 ORDER BY '1'",
                                "ALTER EVENT e COMMENT 'a'"}) {
    EXPECT_FALSE(meets(text, columns)) << text;
  }
}

TEST(ProtectedColumns, a_star_is_any_name_and_ascii_case_is_none) {
  constexpr std::string_view text = "SELECT 1 FROM p WHERE ssn = '1'";
  for (std::string_view pattern : {"*.*.ssn", "D.P.SSN", "d.*.*", "*.p.ssn"}) {
    EXPECT_TRUE(meets(text, columns_of({pattern}))) << pattern;
  }
  for (std::string_view pattern : {"*.*.name", "e.*.*", "d.q.ssn"}) {
    EXPECT_FALSE(meets(text, columns_of({pattern}))) << pattern;
  }
  for (std::string_view bad : {"", "ssn", "p.ssn", "d.p.", "d.p.s*", "a.b.c.d", "..", "*", "d.p.**"}) {
    EXPECT_FALSE(parse_column_pattern(bad)) << bad;
  }
}

TEST(ProtectedColumns, those_that_are_no_base_tables_are_missing) {
  EXPECT_EQ(columns_of({"d.p.ssn", "d.p.nss", "d.v.code", "*.*.note"}).missing_in(catalogue()),
            (std::vector<std::string>{"d.p.nss", "d.v.code"}));
}

}  // namespace
}  // namespace sallyport::lineage
