#include "sql/reading.h"

#include <gtest/gtest.h>

#include <string>

#include "sql/parse.h"
#include "sql/statement_splitter.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mysql{.server = Server::mysql, .version = 90'700};
constexpr Dialect mariadb{.server = Server::mariadb, .version = 101'100};

TEST(Reading, DialectsAreThoseThatATextWithoutDoubtfulBytesCanBeReadBy) {
  Dialects of_mysql = possible_dialects(mysql, "SELECT 'a', `c`; -- d");
  EXPECT_EQ(of_mysql.size(), 2U);
  EXPECT_EQ(of_mysql.begin()->mode, 0) << "that of a server as it is installed";
  EXPECT_EQ(of_mysql.begin()->version, 90'700U);
  EXPECT_EQ(possible_dialects(mariadb, "SELECT 1").size(), 3U) << "ORACLE, too";
  for (std::string_view text : {"SELECT \"b\"", "SELECT 'caf\xC3\xA9'", R"(SELECT 'it\'s')", "SELECT [a]",
                                "SELECT 1 || 2", "SELECT NOT 1", "SELECT nOt 1", "SELECT 'knot'"}) {
    EXPECT_TRUE(possible_dialects(mariadb, text).empty()) << text;
  }
}

TEST(Reading, AgreesWhereAllDialectsDo) {
  auto first = [](std::string_view text) {
    return read_alike(possible_dialects(mysql, text),
                      [&](const Dialect& dialect) { return first_statement(text, dialect); });
  };
  EXPECT_EQ(first("DO 1; DO 2").value()->text, "DO 1");
  EXPECT_FALSE(first("DO '\\'; DO 2'"));
  EXPECT_FALSE(first("/*!50000 DO 1; */ DO 2").value()) << "refused in all";
  EXPECT_FALSE(read_alike(Dialects{}, [](const Dialect& dialect) { return first_statement("DO 1", dialect); }));
}

// Whatever sql_mode and character set are in force: if the possible dialects agree, theirs is the reading.
TEST(Reading, TheDialectInForceIsAmongThePossible) {
  const std::string pieces[]{"'", "\"", "`",  "\\",  ";", "a", " ", "\xE3",  "--", "\n", "/*",    "*/", "#",
                             "[", "|",  "no", "NOT", "t", "(", ")", "count", ",",  "1",  "BEGIN", "END"};
  std::uint64_t random = 7;
  auto below = [&](std::size_t count) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(random >> 33) % count;
  };
  constexpr SqlMode oracle =
      sql_mode::oracle | sql_mode::pipes_as_concat | sql_mode::ansi_quotes | sql_mode::ignore_space;
  int agreements = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string text = "DO ";
    for (std::size_t length = 1 + below(14); length > 0; --length) {
      text += pieces[below(std::size(pieces))];
    }
    std::string_view statements = statement_text(text);
    auto read = [&](const Dialect& dialect) { return first_statement(statements, dialect); };
    auto agreed = read_alike(possible_dialects(mariadb, statements), read);
    if (!agreed) {
      continue;
    }
    ++agreements;
    for (SqlMode mode : {sql_mode::ansi_quotes, sql_mode::no_backslash_escapes, sql_mode::high_not_precedence,
                         sql_mode::ignore_space, sql_mode::pipes_as_concat, sql_mode::mssql, oracle}) {
      for (Charset charset :
           {Charset::utf8, Charset::transparent, Charset::transparent_a0_blank, Charset::transparent_ff_blank,
            Charset::sjis, Charset::gbk, Charset::gb18030, Charset::big5}) {
        auto actual = read({.server = Server::mariadb, .version = 101'100, .mode = mode, .charset = charset});
        ASSERT_EQ(agreed->has_value(), actual.has_value()) << text;
        ASSERT_TRUE(!actual || *actual == **agreed) << text;
      }
    }
  }
  EXPECT_GT(agreements, 3'000);
}

TEST(Reading, ATextDependsOnTheStateUpToItsLastByteThatDoes) {
  for (std::string_view text : {"", "SELECT 1; DO 2", "SELECT 'a'; SELECT \"b\"; DO 1", "a || b; DO 1", "no",
                                "x not; n", "\xC3\xA9; DO 1", "[; DO 1; \\"}) {
    std::size_t end = end_of_dependence_on_state(text);
    for (std::size_t from = 0; from <= text.size(); ++from) {
      EXPECT_EQ(possible_dialects(mariadb, text.substr(from)).empty(), from < end) << text << ", from " << from;
    }
  }
}

bool changes(std::string_view text) {
  Arena arena;
  auto root = parse(text, mariadb, ParseFor::executing, arena);
  EXPECT_TRUE(root) << text;
  return root && may_change_reading(**root, text);
}

TEST(Reading, OnlyWhatMaySetModeOrCharacterSetMakesWhatIsKnownOld) {
  for (std::string_view text : {"SELECT 1", " insert INTO t VALUES (1)", "WITH a AS (SELECT 1) SELECT 2",
                                "START TRANSACTION", "COMMIT", "USE shop", "CREATE TABLE t(a INT)", "CALL p()", "BEGIN",
                                "SET autocommit=0, @sql_mode='ANSI', SESSION time_zone='UTC'", "SET PASSWORD = 'x'",
                                "SET ROLE r", "PREPARE s FROM 'SET NAMES gbk'"}) {
    EXPECT_FALSE(changes(text)) << text;
  }
  for (std::string_view text :
       {"SET NAMES gbk", "SET autocommit=0, NAMES gbk", "SET CHARACTER SET utf8", "SET sql_mode=''",
        "SET @a=1, @@Sql_Mode=''", "SET LOCAL `character_set_client`=gbk", "SET @@session.`SQL_MODE`=DEFAULT",
        "/*!50000 SET*/ sql_mode=1", "SET STATEMENT max_statement_time=1 FOR SELECT 1", "EXECUTE s",
        "EXECUTE IMMEDIATE 'SET a'", "BEGIN NOT ATOMIC SET NAMES gbk; END", "IF 1 THEN SET NAMES gbk; END IF"}) {
    EXPECT_TRUE(changes(text)) << text;
  }
}

}  // namespace
}  // namespace sallyport::sql
