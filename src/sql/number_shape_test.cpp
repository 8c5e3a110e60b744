#include "sql/number_shape.h"

#include <gtest/gtest.h>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect dialects[] = {{.server = Server::mysql, .version = 90'704},
                                {.server = Server::mariadb, .version = 101'119}};

// With a hash for each number; empty where it has no shape.
std::string shape_of(std::string_view text) {
  std::string shape;
  if (number_shape(text, shape) == 0) {
    return {};
  }
  for (char& byte : shape) {
    byte = byte == number_mark ? '#' : byte;
  }
  return shape;
}

bool any_do(std::string_view text, const Dialect& dialect) {
  std::string shape;
  std::size_t numbers = number_shape(text, shape);
  Arena arena;
  auto root = parse(text, dialect, ParseFor::executing, arena);
  EXPECT_TRUE(root) << text;
  return root && numbers != 0 && any_numbers_do(**root, numbers);
}

TEST(NumberShape, HasAMarkForEachNumber) {
  const std::pair<std::string_view, std::string_view> shapes[] = {
      {"SELECT c FROM sbtest1 WHERE id=17", "SELECT c FROM sbtest1 WHERE id=#"},
      {"SELECT c FROM t WHERE id = 0017\n", "SELECT c FROM t WHERE id = #\n"},
      {"SELECT `c 5 'x` FROM `1` WHERE a IN (1,22 ,3) LIMIT 5", "SELECT `c 5 'x` FROM `1` WHERE a IN (#,# ,#) LIMIT #"},
      {"SELECT a FROM t WHERE b<5 AND c >=6 AND d!=7 AND e<>999999999999999999",
       "SELECT a FROM t WHERE b<# AND c >=# AND d!=# AND e<>#"},
      {"SELECT t1.c2, _4 FROM t1 WHERE a = 1", "SELECT t1.c2, _4 FROM t1 WHERE a = #"},
      {"(1,2)", "(#,#)"},
  };
  for (const auto& [text, shape] : shapes) {
    EXPECT_EQ(shape_of(text), shape);
  }
}

TEST(NumberShape, ThereIsNoneWhereOnlyALexerCouldTell) {
  for (std::string_view text : {"SELECT c FROM t",
                                "SELECT c FROM t WHERE id = 1.5",
                                "SELECT c FROM t WHERE id = .5",
                                "SELECT c FROM t WHERE id = 1.",
                                "SELECT c FROM t WHERE id = 1e5",
                                "SELECT c FROM t WHERE id = 0x10",
                                "SELECT c FROM t WHERE id = -1",
                                "SELECT c FROM t WHERE id = +1",
                                "SELECT c FROM t WHERE id = 1000000000000000000",
                                "SELECT c FROM t WHERE id = 1a",
                                "SELECT c FROM t WHERE id = 1 AND d = 'x'",
                                "SELECT c FROM t WHERE id = 1 AND d = \"x\"",
                                "SELECT c FROM t WHERE id = 1 -- 2",
                                "SELECT c FROM t WHERE id = 1 # 2",
                                "SELECT /* 2 */ c FROM t WHERE id = 1",
                                "SELECT c FROM t WHERE id = 1;",
                                "SELECT @a FROM t WHERE id = 1",
                                "SELECT c FROM t WHERE id = ? AND d = 1",
                                "SELECT c FROM [t] WHERE id = 1",
                                "SELECT c FROM t WHERE \xc3\xbc = 1",
                                "SELECT `\xc3\xbc` FROM t WHERE id = 1",
                                "SELECT `c FROM t WHERE id = 1",
                                "SELECT c FROM t WHERE id = \x01",
                                "SELECT `\x01` FROM t WHERE id = 1",
                                "SELECT c FROM t WHERE id = 1|2",
                                "SELECT c FROM t WHERE id = 1\x0b",
                                "SELECT 1.2.3",
                                "SELECT $a$ 5 $a$",
                                "SELECT a$ FROM t WHERE b = 1",
                                "SELECT c FROM t WHERE id = 1..2"}) {
    EXPECT_EQ(shape_of(text), "") << text;
  }
}

TEST(NumberShape, AnyNumbersDoWhereColumnsAreComparedWithThem) {
  for (std::string_view text :
       {"SELECT c FROM t WHERE id = 1", "SELECT c FROM t WHERE 1 < id", "SELECT c FROM t WHERE id BETWEEN 1 AND 2",
        "SELECT c FROM t WHERE id IN (1, 2)", "SELECT c FROM t WHERE id NOT IN (1, 2) AND (a = 3 AND b <=> 4)",
        "SELECT c FROM t WHERE a = 1 ORDER BY c LIMIT 2", "SELECT c FROM t LIMIT 1, 2",
        "SELECT c FROM t LIMIT 1 OFFSET 2", "SELECT SUM(c) FROM t WHERE t.id = 1 GROUP BY d",
        "UPDATE t SET a = b WHERE id = 1 LIMIT 2", "DELETE FROM t WHERE id = 1",

        "SELECT a FROM t WHERE b = 1 UNION SELECT a FROM t WHERE c = 2", "SELECT c FROM t WHERE id IN (1, a)"}) {
    for (const Dialect& dialect : dialects) {
      EXPECT_TRUE(any_do(text, dialect)) << text;
    }
  }
}

TEST(NumberShape, AndNotWhereTheySaySomethingElse) {
  for (std::string_view text : {"SELECT 1",
                                "SELECT c FROM t WHERE 1",
                                "SELECT c FROM t WHERE 1 = 1",
                                "SELECT c FROM t WHERE 1 = 2 AND id = 3",
                                "SELECT c, 1 FROM t WHERE id = 2",
                                "SELECT c FROM t WHERE id = 1 OR id = 2",
                                "SELECT c FROM t WHERE id = 1 XOR id = 2",
                                "SELECT c FROM t WHERE a = 1 AND (b = 2 OR c)",
                                "SELECT c FROM t WHERE NOT (id = 1)",
                                "SELECT c FROM t WHERE id = 1 + 2",
                                "SELECT c FROM t WHERE id + 1 = 2",
                                "SELECT c FROM t WHERE f(1) = 2",
                                "SELECT c FROM t WHERE (id = 1) = 2",
                                "SELECT c FROM t WHERE id = (1)",
                                "SELECT c FROM t ORDER BY 1",
                                "SELECT c FROM t GROUP BY 1",
                                "SELECT c FROM t HAVING c = 1",
                                "SELECT c FROM t WHERE 1 BETWEEN a AND b",
                                "SELECT c FROM t WHERE 1 IN (a, 1)",
                                "SELECT c FROM t WHERE (a, 1) = (b, 2)",
                                "SELECT c FROM t WHERE CASE WHEN a = 1 THEN b END",
                                "SELECT CAST(c AS DECIMAL(1)) FROM t WHERE a = 2",
                                "SELECT c FROM t JOIN u ON t.a = 1",
                                "UPDATE t SET a = 1",
                                "UPDATE t SET a = 1 WHERE b = 2",
                                "INSERT INTO t VALUES (1)",
                                "SET autocommit = 1",
                                "KILL 1",
                                "DO 1",
                                "CALL p (1)",
                                "EXPLAIN SELECT c FROM t WHERE id = 1",
                                "SELECT c FROM t WHERE a IN (SELECT b FROM u WHERE d = 1) AND e = 2",
                                "SELECT c FROM t WHERE (SELECT b FROM u WHERE a = 1) = (SELECT b FROM u WHERE a = 2)",
                                "SELECT c FROM (SELECT a FROM t WHERE b = 1) x",
                                "WITH x AS (SELECT a FROM t WHERE b = 1) SELECT a FROM x",
                                "SELECT (SELECT a FROM t LIMIT 1)",
                                "SELECT c FROM t WHERE a = 1 AND b IN (SELECT d FROM u LIMIT 1)",
                                "CREATE TABLE t AS SELECT c FROM u WHERE id = 1"}) {
    for (const Dialect& dialect : dialects) {
      EXPECT_FALSE(any_do(text, dialect)) << text;
    }
  }
}

}  // namespace
}  // namespace sallyport::sql
