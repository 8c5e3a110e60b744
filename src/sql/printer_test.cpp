#include "sql/printer.h"

#include <gtest/gtest.h>

#include <string>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mariadb{.server = Server::mariadb, .version = 101119};
constexpr Dialect mysql{.server = Server::mysql, .version = 90704};

template <typename Print>
std::string print(std::string_view text, const Dialect& dialect, Print how) {
  Arena arena;
  auto root = parse(text, dialect, ParseFor::preparing, arena);
  return root ? how(**root) : "no syntax";
}
std::string canonical(std::string_view text, const Dialect& dialect = mysql) {
  return print(text, dialect, [&](const Node& root) { return canonical_text(root, text, dialect); });
}
std::string normalised(std::string_view text, const Dialect& dialect = mysql) {
  return print(text, dialect, [&](const Node& root) { return normalised_text(root, text, dialect); });
}
std::string bare(std::string_view text, const Dialect& dialect = mysql) {
  auto made = without_comments(text, dialect);
  return made ? made->value_or("the same") : "other tokens";
}

TEST(CanonicalText, is_one_for_what_says_the_same) {
  for (std::string_view text : {"select a,b from t where c=1", "SELECT  `a` , b\nFROM t -- x\nWHERE c = 1",
                                "SELECT /*!50000 a */,b FROM t WHERE c=/* */1"}) {
    EXPECT_EQ(canonical(text), "SELECT `a`, `b` FROM `t` WHERE `c` = 1") << text;
  }
}

TEST(CanonicalText, leaves_apart_what_a_blank_tells_apart) {
  EXPECT_EQ(canonical("SELECT count(*), count (*)"), "no syntax");
  EXPECT_EQ(canonical("SELECT now(), now (1)"), "SELECT now(), now (1)") << "the second is a function of the user's";
  EXPECT_EQ(canonical("SELECT @a, @@sql_mode, t.*, d.t.a FROM d.t"),
            "SELECT @a, @@sql_mode, `t`.*, `d`.`t`.`a` FROM `d`.`t`");
  EXPECT_EQ(canonical("SELECT 1--1, - -1"), "SELECT 1 - - 1, - - 1");
  EXPECT_EQ(canonical("SELECT 'a' 'b', _latin1'c', N'd', x'41'"), "SELECT 'a' 'b', _latin1 'c', N'd', x'41'");
}

TEST(NormalisedText, is_one_for_statements_of_one_shape) {
  EXPECT_EQ(normalised("SELECT a FROM t WHERE b = 'x' AND c IN (1, 2, 3) LIMIT 5"),
            "SELECT `a` FROM `t` WHERE `b` = ? AND `c` IN (?, ...) LIMIT ?");
  EXPECT_EQ(normalised("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL)"),
            normalised("INSERT INTO t VALUES (4, 'c'), (5, 'd')"));
  EXPECT_EQ(normalised("SELECT c IN (1, d)"), "SELECT `c` IN (?, `d`)");
  EXPECT_EQ(normalised("SELECT a IS NULL, b = NULL, TRUE"), "SELECT `a` IS NULL, `b` = NULL, TRUE");
}

TEST(RedactedText, hides_the_literals_that_it_is_told_to) {
  std::string_view text = "SELECT 'secret', 'open'";
  Arena arena;
  auto root = parse(text, mysql, ParseFor::executing, arena);
  ASSERT_TRUE(root);
  EXPECT_EQ(redacted_text(**root, text, mysql, [&](const Node& literal) { return literal.in(text) == "'secret'"; }),
            "SELECT ?, 'open'");
}

TEST(WithoutComments, keeps_tokens_apart_and_blanks_as_they_were) {
  EXPECT_EQ(bare("SELECT  1 ,\n 2"), "the same");
  EXPECT_EQ(bare("SELECT '--', \"#\", `/*`"), "the same");
  EXPECT_EQ(bare("SELECT/* a */1"), "SELECT 1");
  EXPECT_EQ(bare("SELECT 'a'/**/'b'"), "SELECT 'a' 'b'");
  EXPECT_EQ(bare("SELECT 1-/**/-1"), "SELECT 1- -1");
  EXPECT_EQ(bare("SELECT 5 --/**/ 1, ssn"), "SELECT 5 - - 1, ssn") << "no comment comes about";
  EXPECT_EQ(bare("SELECT 5 --/**/"), "SELECT 5 - -");
  EXPECT_EQ(bare("SELECT 5 /*!50000 - */-/**/ 1"), "SELECT 5  - - 1");
  EXPECT_EQ(bare("SELECT 5 //**/* 1"), "SELECT 5 / * 1");
  EXPECT_EQ(bare("SELECT N/**/'a', x/**/'41', @/**/a, a./**/b"), "SELECT N 'a', x '41', @ a, a. b");
  EXPECT_EQ(bare("SELECT 1 # a\n+1"), "SELECT 1 \n+1");
  EXPECT_EQ(bare("SELECT 1/**/+/**/1"), "SELECT 1+1");
  EXPECT_EQ(bare("SELECT a/**/*/**/(b)/**/<=/**/f(/**/c/**/)"), "SELECT a*(b)<=f(c)");
  EXPECT_EQ(bare("SELECT/*!50000 1,*/ 2", mariadb), "SELECT 1, 2");
  EXPECT_EQ(bare("SELECT/*!99999 1,*/ 2"), "SELECT 2");
  EXPECT_EQ(bare("SELECT/*M! 1,*/ 2", mariadb), "SELECT 1, 2");
  EXPECT_EQ(bare("SELECT /*+ MAX_EXECUTION_TIME(1) */ 1 /*+ x */"), "SELECT /*+ MAX_EXECUTION_TIME(1) */ 1 ");
  EXPECT_EQ(bare("SELECT now/**/()"), "SELECT now ()") << "with a blank it is another function, as with a comment";
}

TEST(WithoutComments, names_columns_as_the_servers_do_where_a_comment_is_code) {
  // Asked of both: the column of the text with the comment has the name of what is behind SELECT here.
  EXPECT_EQ(bare("SELECT 2/*!50000+2*/+3", mariadb), "SELECT 2+2+3");
  EXPECT_EQ(bare("SELECT 2/*!50000+2*/+3", mysql), "SELECT 2+2 +3");
  EXPECT_EQ(bare("SELECT 2+/*! 2 */ +3", mysql), "SELECT 2+ 2  +3");
  EXPECT_EQ(bare("SELECT 2+/*!99999 2*/+3", mariadb), "SELECT 2++3");
  EXPECT_EQ(bare("SELECT 2+/*!99999 2*/+3", mysql), "SELECT 2++3");
}

TEST(ExpressionName, is_the_servers) {
  auto name = [](std::string_view text, const Dialect& dialect) {
    return print(text, dialect, [&](const Node& root) {
      return expression_name(nullptr, *root.child(Role::body)->child(Role::item)->child(Role::operand), text, dialect);
    });
  };
  for (const Dialect& dialect : {mariadb, mysql}) {
    EXPECT_EQ(name("SELECT 2 = /* c */ 2 /* d */", dialect), "2 = /* c */ 2");
    EXPECT_EQ(name("SELECT 2 /*!50000 + 2 */", dialect), "2  + 2");
    EXPECT_EQ(name("SELECT 2 -- c\n+ 3", dialect), "2 -- c\n+ 3");
    EXPECT_EQ(name("SELECT /*!50000 1 */ + 1", dialect), "1  + 1");
    EXPECT_EQ(name("SELECT 2+/*!99999 2*/+3", dialect), "2++3");
  }
  EXPECT_EQ(name("SELECT 2/*!50000 +2*/+3", mariadb), "2 +2+3");
  EXPECT_EQ(name("SELECT 2/*!50000 +2*/+3", mysql), "2 +2 +3");
  EXPECT_EQ(name("SELECT 1+/*M! 2*/+3", mariadb), "1+ 2+3");
  EXPECT_EQ(name("SELECT 1+/*M! 2*/+3", mysql), "1+/*M! 2*/+3");
}

TEST(TextToSend, keeps_the_names_of_columns_that_have_comments_in_them) {
  auto sent = [](std::string_view text, const Dialect& dialect) {
    return print(text, dialect,
                 [&](const Node& root) { return text_to_send(root, text, dialect)->value_or("as it is"); });
  };
  for (const Dialect& dialect : {mariadb, mysql}) {
    EXPECT_EQ(sent("SELECT 1 /* a */ + 1, 2", dialect), "SELECT 1  + 1 AS `1 /* a */ + 1`, 2");
    EXPECT_EQ(sent("SELECT (-1/* ` */)FROM t", dialect), "SELECT (-1) AS `(-1/* `` */)`FROM t");
    EXPECT_EQ(sent("(SELECT a -- x\n+ 1 UNION SELECT 2 /* b */ + 3)", dialect),
              "(SELECT a \n+ 1 AS `a -- x\n+ 1` UNION SELECT 2  + 3)");
    EXPECT_EQ(sent("WITH c AS (SELECT 1/**/+1) SELECT 2/**/*3 FROM c", dialect),
              "WITH c AS (SELECT 1+1 AS `1/**/+1`) SELECT 2*3 AS `2/**/*3` FROM c");
    EXPECT_EQ(sent("SELECT t./* a */b, 'x' /* b */ 'y', 1 /* c */ AS z, 2 /* d */", dialect),
              "SELECT t. b, 'x'  'y', 1  AS z, 2 ");
    EXPECT_EQ(sent("SELECT 1 /*!50000 + 1 */", dialect), "SELECT 1  + 1 ");
    EXPECT_EQ(sent("SELECT /* a */ 1 + 1, -- b\n 5, /* c */ a, 'x'", dialect), "SELECT  1 + 1, \n 5,  a, 'x'");
    EXPECT_EQ(sent("SELECT 1, -- b\n /* c */ @a, #d\n2 + 2 AS e", dialect),
              dialect.server == Server::mariadb ? "SELECT 1, \n  @a AS `-- b\n /* c */ @a`, \n2 + 2 AS e"
                                                : "SELECT 1, \n  @a, \n2 + 2 AS e");
    EXPECT_EQ(sent("SELECT `1 /* a */ + 1` FROM (SELECT 1 /* a */ + 1, (SELECT 2/**/+3)) AS t", dialect),
              "SELECT `1 /* a */ + 1` FROM (SELECT 1  + 1 AS `1 /* a */ + 1`, (SELECT 2+3) AS `(SELECT "
              "2/**/+3)`) AS t");
    EXPECT_EQ(sent("CREATE VIEW v AS SELECT (SELECT 1 /* a */ + 1) AS x", dialect),
              "CREATE VIEW v AS SELECT (SELECT 1  + 1) AS x");
    EXPECT_EQ(sent("INSERT INTO t SELECT 1 /* a */ + 1", dialect), "INSERT INTO t SELECT 1  + 1");
    EXPECT_EQ(sent("SELECT '" + std::string(300, 'x') + "' /* a */ || 'y'", dialect).find("AS"), std::string::npos)
        << "a name is cut before the comment";
    EXPECT_EQ(sent("SELECT 1 + 1 -- a", dialect), "SELECT 1 + 1 ");
    EXPECT_EQ(sent("VALUES ROW(1 /* a */, -1) /* b */", mysql), "VALUES ROW(1 , -1) ");
    EXPECT_EQ(sent("SELECT 1 + 1", dialect), "as it is");
  }
}

TEST(TextToSend, refuses_what_has_no_place_for_such_a_name) {
  auto is_sent = [](std::string_view text, const Dialect& dialect) {
    return print(text, dialect, [&](const Node& root) {
      auto sent = text_to_send(root, text, dialect);
      return sent ? "sent" : sent.error() == EmissionError::name_differs ? "name differs" : "tokens differ";
    });
  };
  for (std::string_view text : {"VALUES (1 /* a */ + 1)", "VALUES (1, /* a */ -1)", "(VALUES (1/**/+1)) UNION SELECT 1",
                                "SELECT * FROM (VALUES (1 /* a */ + 1)) AS t"}) {
    EXPECT_EQ(is_sent(text, mariadb), "name differs") << text;
  }
  for (std::string_view text :
       {"VALUES (1 + 1 /* a */, /* b */ (/* c */ 2)), (3 /* d */ + 4, 5)", "SELECT 1 IN (VALUES (1 /* a */ + 1))"}) {
    EXPECT_EQ(is_sent(text, mariadb), "sent") << text;
  }
  EXPECT_EQ(is_sent("VALUES ROW(1 /* a */ + 1)", mysql), "sent");
}

}  // namespace
}  // namespace sallyport::sql
