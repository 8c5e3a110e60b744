#include "sql/dynamic_text.h"

#include <gtest/gtest.h>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mysql{.server = Server::mysql, .version = 90'704};
constexpr Dialect mariadb{.server = Server::mariadb, .version = 101'119};
constexpr Dialect without_escapes{.server = Server::mysql, .version = 90'704, .mode = sql_mode::no_backslash_escapes};
constexpr Dialect latin1{.server = Server::mysql, .version = 90'704, .charset = Charset::transparent_a0_blank};

std::string found(std::string_view text, const Dialect& dialect) {
  Arena arena;
  auto root = parse(text, dialect, ParseFor::executing, arena);
  if (!root) {
    return "not read";
  }
  auto dynamic = dynamic_text(**root, text, dialect);
  if (!dynamic) {
    return "none";
  }
  switch (dynamic->source) {
    case DynamicText::Source::literal:
      return "literal: " + dynamic->text;
    case DynamicText::Source::expression:
      return "expression: " + dynamic->text;
    case DynamicText::Source::hidden:
      return "hidden";
  }
  return {};
}

struct Case {
  Dialect dialect;
  std::string_view text;
  std::string_view expected;
};

TEST(DynamicText, IsWhatALiteralSays) {
  for (const Case& c : std::vector<Case>{
           {mysql, "PREPARE s FROM 'SELECT 1'", "literal: SELECT 1"},
           {mysql, R"(PREPARE s FROM 'a''b\'c\n\%\q"')", "literal: a'b'c\n\\%q\""},
           {mysql, R"(PREPARE s FROM "a""b'c''d")", "literal: a\"b'c''d"},
           {without_escapes, R"(PREPARE s FROM 'a\n''b')", R"(literal: a\n'b)"},
           {mysql, "PREPARE s FROM 'caf\xC3\xA9'", "literal: caf\xC3\xA9"},
           {mysql, "PREPARE s FROM 'caf\xF0\x9F\x98\x80'", "hidden"},
           {mysql, "PREPARE s FROM 'caf\xE9'", "hidden"},
           {mariadb, "PREPARE s FROM 'caf\xC3\xA9'", "expression: 'caf\xC3\xA9'"},
           {latin1, "PREPARE s FROM 'caf\xE9'", "hidden"},
           {latin1, "PREPARE s FROM 'cafe'", "literal: cafe"},
           {mysql, "PREPARE s FROM ''", "literal: "},
           {mysql, "PREPARE s FROM /*!50000 'SELECT 2' */", "literal: SELECT 2"},
           {mariadb, "PREPARE s FROM 'SELECT ' /* c */ '1'", "literal: SELECT 1"},
           {mariadb, "EXECUTE IMMEDIATE 'SELECT ?' USING 5", "literal: SELECT ?"},
       }) {
    EXPECT_EQ(found(c.text, c.dialect), c.expected) << c.text;
  }
}

TEST(DynamicText, OfVariablesAndPlainFunctionsCanBeAskedFor) {
  for (const Case& c : std::vector<Case>{
           {mysql, "PREPARE s FROM @a", "expression: @a"},
           {mysql, "PREPARE s FROM /*!50000 @a */", "expression: @a"},
           {mariadb, "EXECUTE IMMEDIATE CONCAT('a' /*!50000 , @b) */", "hidden"},
           {mysql, "PREPARE s FROM @`a b`", "expression: @`a b`"},
           {mariadb, "EXECUTE IMMEDIATE @a", "expression: @a"},
           {mariadb, "EXECUTE IMMEDIATE concat('a', /* c */ @b)", "expression: concat('a',  @b)"},
           {mariadb, "PREPARE s FROM 0x41", "expression: 0x41"},
           {mariadb, "PREPARE s FROM N'a'", "expression: N'a'"},
           {mariadb, "EXECUTE IMMEDIATE NULL", "expression: NULL"},
           {mariadb, "SET STATEMENT max_statement_time = 1 FOR EXECUTE IMMEDIATE @a", "expression: @a"},
           {mariadb, "EXECUTE IMMEDIATE ('a')", "expression: ('a')"},
           {mariadb, "EXECUTE IMMEDIATE CONCAT('SELECT ', @@Collation_connection)",
            "expression: CONCAT('SELECT ', @@Collation_connection)"},
           {mariadb, "EXECUTE IMMEDIATE SFORMAT('SELECT {}', @@sql_mode)",
            "expression: SFORMAT('SELECT {}', @@sql_mode)"},
       }) {
    EXPECT_EQ(found(c.text, c.dialect), c.expected) << c.text;
  }
}

TEST(DynamicText, IsHiddenWhereItsValueMayBeAnotherWhenItRuns) {
  for (std::string_view text : {
           "EXECUTE IMMEDIATE IF(RAND() < 0.5, 'SELECT 1', 'SELECT 2')",
           "EXECUTE IMMEDIATE CONCAT('a', f())",
           "EXECUTE IMMEDIATE d.CONCAT('a')",
           "EXECUTE IMMEDIATE @a := 'b'",
           "EXECUTE IMMEDIATE CONCAT(@a := 'b', @a)",
           "EXECUTE IMMEDIATE (SELECT 'a')",
           "EXECUTE IMMEDIATE @@last_insert_id",
           "EXECUTE IMMEDIATE @@init_connect",
           "EXECUTE IMMEDIATE @@character_set_results",
           "SET STATEMENT character_set_results = latin1 FOR EXECUTE IMMEDIATE IF(@@character_set_results = 'latin1', "
           "'KILL 5', 'DO 1')",
           "SET STATEMENT sql_mode = 'ANSI' FOR EXECUTE IMMEDIATE IF(@@sql_mode = 'ANSI', 'KILL 5', 'DO 1')",
           "SET STATEMENT div_precision_increment = 1 FOR EXECUTE IMMEDIATE IF(1/3 = 0.3333, 'DO 1', 'KILL 5')",
           "SET STATEMENT max_statement_time = 1 FOR PREPARE s FROM CONCAT('DO ', 1)",
           "SET STATEMENT max_statement_time = 1 FOR EXECUTE IMMEDIATE (@a)",
           "EXECUTE IMMEDIATE @@global.sql_mode",
           "EXECUTE IMMEDIATE d.SFORMAT('{}', 1)",
           "EXECUTE IMMEDIATE NEXT VALUE FOR q",
           "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'SELECT 1'; END",
           "BEGIN NOT ATOMIC SET NAMES gbk; EXECUTE s; END",
           "IF 1 THEN PREPARE s FROM 'SELECT 1'; END IF",
           "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR EXECUTE IMMEDIATE 'SELECT 1'",
           "SET STATEMENT character_set_client = gbk FOR EXECUTE s",
           "SET STATEMENT max_statement_time = (SELECT @a := 'KILL 5') FOR EXECUTE IMMEDIATE @a",
           "SET STATEMENT a.sql_mode = 1 FOR EXECUTE IMMEDIATE @a",
           "SET STATEMENT max_statement_time = 1 FOR SET STATEMENT character_set_client = gbk FOR EXECUTE s",
           "SET STATEMENT max_statement_time = 1 FOR BEGIN NOT ATOMIC EXECUTE s; END",
       }) {
    EXPECT_EQ(found(text, mariadb), "hidden") << text;
  }
}

// The server is asked before anything is on record.
TEST(DynamicText, IsHiddenWhereItIsMuchWork) {
  auto nested = [](std::string_view function, std::size_t depth, std::string_view of) {
    std::string text(of);
    for (std::size_t i = 0; i < depth; ++i) {
      text = std::string(function) + "(" + text + ")";
    }
    return "EXECUTE IMMEDIATE " + text;
  };
  EXPECT_EQ(found(nested("LOWER", expression_parts_max - 1, "@a"), mariadb).substr(0, 11), "expression:");
  std::string operators = nested("", 0, "@a");
  for (std::size_t i = 0; i < expression_parts_max; ++i) {
    operators += " || @a";
  }
  for (const std::string& text : {
           nested("LOWER", expression_parts_max, "@a"),
           operators,
           nested("CONCAT", 1, "@a, '" + std::string(expression_bytes_max, ' ') + "'"),
           nested("QUOTE", 2, "@a"),
           nested("QUOTE", 1, "(CONCAT(@a))"),
           nested("REPEAT", 1, "'a', 8000000"),
           nested("REPLACE", 1, "@a, 'a', @a"),
           nested("CONCAT_WS", 1, "@a, 1, 2"),
           nested("SFORMAT", 1, "'{:100000000}', 1"),
           nested("SFORMAT", 1, "'{0}{0}', @a"),
           nested("SFORMAT", 1, "'{' ':9}', 1"),
           nested("SFORMAT", 1, "0x7B3A397D, 1"),
           nested("SFORMAT", 1, "@a, 1"),
       }) {
    EXPECT_EQ(found(text, mariadb), "hidden") << text.substr(0, 80);
  }
}

TEST(DynamicText, HasItsVariablesWithIt) {
  std::string_view text = "EXECUTE IMMEDIATE CONCAT(@a, IF(@`b c` = 1, LOWER(@a), 'x'), @@sql_mode)";
  Arena arena;
  auto root = parse(text, mariadb, ParseFor::executing, arena);
  ASSERT_TRUE(root);
  EXPECT_EQ(dynamic_text(**root, text, mariadb)->variables, (std::vector<std::string>{"@a", "@`b c`", "@a"}));
}

TEST(DynamicText, IsNotLookedForInProgramsThatAreDefined) {
  for (std::string_view text : {"EXECUTE s", "DEALLOCATE PREPARE s", "SELECT 'PREPARE s FROM @a'",
                                "CREATE PROCEDURE p() EXECUTE IMMEDIATE @a", "BEGIN NOT ATOMIC SELECT 1; END"}) {
    EXPECT_EQ(found(text, mariadb), "none") << text;
  }
}

TEST(DynamicText, NamesAreThoseOfStatementsOfTheirOwn) {
  auto use = [](std::string_view text) {
    Arena arena;
    auto root = parse(text, mariadb, ParseFor::executing, arena);
    auto found = root ? prepared_name_use(**root, text) : std::nullopt;
    return found ? std::to_string(static_cast<int>(found->use)) + " " + found->name : std::string("none");
  };
  EXPECT_EQ(use("PREPARE s FROM @a"), "0 s");
  EXPECT_EQ(use("EXECUTE `a``b` USING @c"), "1 a`b");
  EXPECT_EQ(use("DROP PREPARE S"), "2 S");
  EXPECT_EQ(use("SELECT 1"), "none");
  EXPECT_EQ(use("SET STATEMENT max_sort_length = 2048 FOR EXECUTE s"), "1 s");
  EXPECT_EQ(use("SET STATEMENT character_set_client = gbk FOR EXECUTE s"), "none");
}

}  // namespace
}  // namespace sallyport::sql
