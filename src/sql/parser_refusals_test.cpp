// What looks like a statement, and is a syntax error to the server: each of these was asked of it.
#include <gtest/gtest.h>

#include <string_view>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mariadb{.server = Server::mariadb, .version = 101119};
constexpr Dialect mysql{.server = Server::mysql, .version = 90704};

enum class TakenBy : std::uint8_t { none, only_mariadb, only_mysql, both };

struct Case {
  std::string_view text;
  TakenBy taken_by;
};

class Refusals : public testing::TestWithParam<Case> {};

bool takes(const Dialect& dialect, std::string_view text) {
  Arena arena;
  return parse(text, dialect, ParseFor::preparing, arena).has_value();
}

TEST_P(Refusals, are_the_servers_own) {
  const auto& [text, taken_by] = GetParam();
  EXPECT_EQ(takes(mariadb, text), taken_by == TakenBy::only_mariadb || taken_by == TakenBy::both)
      << "MariaDB: " << text;
  EXPECT_EQ(takes(mysql, text), taken_by == TakenBy::only_mysql || taken_by == TakenBy::both) << "MySQL: " << text;
}

INSTANTIATE_TEST_SUITE_P(IntoAndProcedure, Refusals,
                         testing::Values(Case{"SELECT 1 UNION SELECT 1 INTO @a", TakenBy::both},
                                         Case{"SELECT 1 UNION SELECT 1 FROM t INTO @a", TakenBy::both},
                                         Case{"SELECT 1 UNION SELECT a INTO @a FROM t", TakenBy::only_mysql},
                                         Case{"SELECT 1 INTO @a UNION SELECT 1", TakenBy::none},
                                         Case{"(SELECT 1 INTO @a) UNION SELECT 1", TakenBy::none},
                                         Case{"SELECT 1 UNION (SELECT 1 INTO @a)", TakenBy::only_mysql},
                                         Case{"SELECT 1 UNION (SELECT 1 FROM t INTO @a)", TakenBy::none},
                                         Case{"(SELECT 1 INTO @a)", TakenBy::only_mysql},
                                         Case{"CREATE TABLE u SELECT 1 INTO @a", TakenBy::only_mysql},
                                         Case{"SELECT 1 FROM t PROCEDURE ANALYSE()", TakenBy::only_mariadb},
                                         Case{"(SELECT 1 FROM t PROCEDURE ANALYSE())", TakenBy::none},
                                         Case{"INSERT INTO t SELECT 1 FROM t PROCEDURE ANALYSE()", TakenBy::none},
                                         Case{"SELECT 1 INTO @a FROM t INTO @b", TakenBy::only_mysql}));

INSTANTIATE_TEST_SUITE_P(
    Functions, Refusals,
    testing::Values(
        Case{"SELECT f(a) OVER (ORDER BY a) FROM t", TakenBy::none},
        Case{"SELECT SUM(a) OVER (ORDER BY a) FROM t", TakenBy::both},
        Case{"SELECT ROW_NUMBER() FROM t", TakenBy::none},
        Case{"SELECT LEAD(a, -1) OVER () FROM t", TakenBy::only_mariadb},
        Case{"SELECT LEAD(a, 1, b) OVER () FROM t", TakenBy::only_mysql},
        Case{"SELECT NTILE(NULL) OVER () FROM t", TakenBy::only_mariadb},
        Case{"SELECT LAST_VALUE(a, b)", TakenBy::only_mariadb}, Case{"SELECT LAST_VALUE()", TakenBy::none},
        Case{"SELECT MAX(a, b) FROM t", TakenBy::none}, Case{"SELECT COUNT(DISTINCT a, b) FROM t", TakenBy::both},
        Case{"SELECT COUNT(a, b) FROM t", TakenBy::none}, Case{"SELECT JSON_OBJECTAGG(a) FROM t", TakenBy::none},
        Case{"SELECT NOW(6), CURRENT_TIMESTAMP(3), CURDATE()", TakenBy::both}, Case{"SELECT NOW(-1)", TakenBy::none},
        Case{"SELECT CURRENT_TIMESTAMP(1 + 1)", TakenBy::none}, Case{"SELECT CURDATE(1)", TakenBy::none},
        Case{"SELECT LEFT(a) FROM t", TakenBy::none},
        Case{"SELECT WEEK(a, 1), USER(), COALESCE(a) FROM t", TakenBy::both},
        Case{"SELECT POINT(1)", TakenBy::only_mariadb}, Case{"SELECT NTH_VALUE(a, -1) OVER () FROM t", TakenBy::both},
        Case{"SELECT JSON_VALUE(a, '$' NULL ON ERROR NULL ON EMPTY) FROM t", TakenBy::none},
        Case{"SELECT 1 FROM JSON_TABLE(a, _latin1'$' COLUMNS (b INT PATH '$' NULL ON ERROR NULL ON EMPTY)) c",
             TakenBy::both},
        Case{"SELECT WEIGHT_STRING('a' AS CHAR(0))", TakenBy::none},
        Case{"SELECT CAST(a AS JSON) FROM t", TakenBy::only_mysql},
        Case{"SELECT CAST(a AS VARCHAR(5)) FROM t", TakenBy::only_mariadb}));

INSTANTIATE_TEST_SUITE_P(
    Clauses, Refusals,
    testing::Values(
        Case{"INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a) + 1", TakenBy::both},
        Case{"INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = (SELECT VALUES(a))", TakenBy::only_mysql},
        Case{"SELECT VALUES(a) FROM t", TakenBy::only_mysql}, Case{"SELECT VALUE(a) FROM t", TakenBy::only_mariadb},
        Case{"CREATE TABLE t (a INT COLLATE utf8mb4_bin AS (1))", TakenBy::only_mysql},
        Case{"CREATE TABLE t (a CHAR(1) COLLATE utf8mb4_bin AS ('a'))", TakenBy::both},
        Case{"WITH u AS (SELECT 1) DELETE FROM t", TakenBy::only_mysql},
        Case{"WITH u AS (SELECT 1) CYCLE a RESTRICT SELECT * FROM u", TakenBy::none},
        Case{"WITH RECURSIVE u AS (SELECT 1 AS a) CYCLE a RESTRICT SELECT * FROM u", TakenBy::only_mariadb},
        Case{"SELECT FIRST_VALUE(a) RESPECT NULLS OVER () FROM t", TakenBy::only_mysql},
        Case{"SELECT SUM(a) RESPECT NULLS OVER () FROM t", TakenBy::none},
        Case{"SELECT JSON_ARRAYAGG(a ORDER BY a) FROM t", TakenBy::only_mariadb},
        Case{"SELECT 1 FROM t NATURAL CROSS JOIN u", TakenBy::none},
        Case{"SELECT 1 FROM t NATURAL STRAIGHT_JOIN u", TakenBy::only_mariadb},
        Case{"SELECT @@default.key_buffer_size", TakenBy::none}, Case{"SELECT * FROM t FOR SHARE", TakenBy::only_mysql},
        Case{"SELECT * FROM t LOCK IN SHARE MODE", TakenBy::both},
        Case{"SELECT a FROM t GROUP BY a WITH CUBE", TakenBy::only_mariadb},
        Case{"UPDATE t SET a = 1 LIMIT 1", TakenBy::both}, Case{"UPDATE t SET a = 1 LIMIT 1, 2", TakenBy::none},
        Case{"DELETE FROM t LIMIT 1 OFFSET 2", TakenBy::none},
        Case{"DELETE FROM t LIMIT ROWS EXAMINED 5", TakenBy::none},
        Case{"SELECT a FROM t LIMIT 1 ROWS EXAMINED 5", TakenBy::only_mariadb},
        Case{"SELECT a FROM t OFFSET 2 ROWS", TakenBy::only_mariadb},
        Case{"SELECT a FROM t ORDER BY a OFFSET 2", TakenBy::none}, Case{"SELECT a FROM t USE INDEX ()", TakenBy::both},
        Case{"SELECT a FROM t IGNORE INDEX ()", TakenBy::none},
        Case{"SELECT a FROM t GROUP BY a DESC", TakenBy::only_mariadb},
        Case{"SELECT @@global.sort_buffer_size", TakenBy::both},
        Case{"SELECT @@global.session.sort_buffer_size", TakenBy::none}, Case{"SELECT @@global", TakenBy::none},
        Case{"SELECT 1 FROM t GROUP BY GROUPING SETS ((), (a, b))", TakenBy::only_mysql},
        Case{"CREATE TABLE t (a DOUBLE(2147483648, 0))", TakenBy::none},
        Case{"SELECT CONVERT(_filename 'a' USING cp932)", TakenBy::only_mariadb},
        Case{"CREATE TABLE t (a JSON COMPRESSED)", TakenBy::only_mariadb},
        Case{"LOAD DATA INFILE 'x' COUNT 3 IN PRIMARY KEY ORDER INTO TABLE t", TakenBy::only_mysql},
        Case{"CREATE TABLE t (a INT SIGNED UNSIGNED)", TakenBy::only_mysql},
        Case{"CREATE TABLE t (a INT ZEROFILL UNSIGNED)", TakenBy::both},
        Case{"CREATE TABLE t (a INT) PARTITION BY HASH (a + YEAR(b))", TakenBy::both},
        Case{"CREATE TABLE t (a INT) PARTITION BY HASH (RAND(a))", TakenBy::none},
        Case{"CREATE TABLE t (a INT) PARTITION BY HASH (d.f(a))", TakenBy::none},
        Case{"SELECT $$a$$", TakenBy::only_mariadb}, Case{"XA START 'a', 0x62, 1", TakenBy::both},
        Case{"XA START 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", TakenBy::none},
        Case{"XA START 'a', 'b', 2147483648", TakenBy::only_mysql},
        Case{"SELECT 2 LIKE 1 ESCAPE 3 | 4", TakenBy::only_mariadb}, Case{"SELECT * FROM (SELECT 1)", TakenBy::none},
        Case{"SELECT * FROM ((SELECT 1)) a", TakenBy::both},
        Case{"SELECT * FROM (SELECT 1) a (b)", TakenBy::only_mysql},
        Case{"SELECT * FROM ((SELECT 1) a)", TakenBy::only_mariadb},
        Case{"SELECT a.x FROM t = a", TakenBy::only_mariadb},
        Case{"SELECT 1 FROM (SELECT 1) = a", TakenBy::only_mariadb},
        Case{"EXPLAIN EXTENDED ALL SELECT 1", TakenBy::only_mariadb}, Case{"SELECT * FROM t AS window", TakenBy::none},
        Case{"SELECT * FROM {x t LEFT JOIN u ON 1}", TakenBy::only_mariadb},
        Case{"SELECT .t.a FROM t", TakenBy::only_mariadb}));

}  // namespace
}  // namespace sallyport::sql
