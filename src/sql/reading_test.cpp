#include "sql/reading.h"

#include <gtest/gtest.h>

#include <string>

#include "sql/statement_splitter.h"

namespace sallyport::sql {
namespace {

std::size_t possible(std::string_view text) {
  return possible_dialects(Server::mysql, 90'700, text).size();
}

TEST(Reading, DialectsAreOnlyThoseThatMakeADifference) {
  EXPECT_EQ(possible("SELECT 'a', `c`; -- d"), 1U);
  EXPECT_EQ(possible("SELECT \"b\""), 2U) << "a text or a name, which not every byte may stand in";
  EXPECT_EQ(possible("SELECT 'caf\xC3\xA9'"), 6U) << "each kind of character set";
  EXPECT_EQ(possible(R"(SELECT 'it\'s')"), 2U) << "with escapes and without";
  EXPECT_EQ(possible(R"(SELECT "it\'s")"), 4U) << "and as a name";
  EXPECT_EQ(possible("SELECT '\xE3\\'"), 12U);
  Dialect usual = possible_dialects(Server::mariadb, 101'100, "\\")[0];
  EXPECT_EQ(usual.mode, 0);
  EXPECT_EQ(usual.server, Server::mariadb);
  EXPECT_EQ(usual.version, 101'100U);
}

TEST(Reading, AgreesWhereAllDialectsDo) {
  auto first = [](std::string_view text) {
    return read_alike(possible_dialects(Server::mysql, 90'700, text),
                      [&](const Dialect& dialect) { return first_statement(text, dialect); });
  };
  EXPECT_EQ(first("DO 1; DO 2").value()->text, "DO 1");
  EXPECT_EQ(first(R"(DO 'a\nb'; DO 2)").value()->text, R"(DO 'a\nb')") << "a backslash amid a string";
  EXPECT_EQ(first("DO '\xC3\xA9'; DO 2").value()->text, "DO '\xC3\xA9'");
  EXPECT_FALSE(first(R"(DO 'it\'s; DO 2')"));
  EXPECT_FALSE(first("DO '\xE3\\'; DO '2'"));
  EXPECT_FALSE(first("/*!50000 DO 1; */ DO 2").value()) << "refused in all";
  EXPECT_FALSE(read_alike({}, [](const Dialect& dialect) { return first_statement("DO 1", dialect); }));
}

// Whatever sql_mode and character set are in force: if the possible dialects agree, theirs is the reading.
TEST(Reading, TheDialectInForceIsAmongThePossible) {
  const std::string pieces[]{"'", "\"", "`", "\\", ";", "a", " ", "\xE3", "\x81", "--", "\n", "/*", "*/", "#", "["};
  std::uint64_t random = 7;
  auto below = [&](std::size_t count) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(random >> 33) % count;
  };
  int agreements = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = "DO ";
    for (std::size_t length = 1 + below(14); length > 0; --length) {
      text += pieces[below(std::size(pieces))];
    }
    std::string_view statements = statement_text(text);
    auto read = [&](const Dialect& dialect) { return first_statement(statements, dialect); };
    auto agreed = read_alike(possible_dialects(Server::mariadb, 101'100, statements), read);
    if (!agreed) {
      continue;
    }
    ++agreements;
    for (SqlMode mode : {SqlMode{0}, sql_mode::ansi_quotes, sql_mode::no_backslash_escapes,
                         static_cast<SqlMode>(sql_mode::ansi_quotes | sql_mode::no_backslash_escapes),
                         sql_mode::ignore_space, sql_mode::pipes_as_concat}) {
      for (Charset charset :
           {Charset::utf8, Charset::transparent, Charset::sjis, Charset::gbk, Charset::gb18030, Charset::big5}) {
        auto actual = read({.server = Server::mariadb, .version = 101'100, .mode = mode, .charset = charset});
        ASSERT_EQ(agreed->has_value(), actual.has_value()) << text;
        ASSERT_TRUE(!actual || *actual == **agreed) << text;
      }
    }
  }
  EXPECT_GT(agreements, 5'000);
}

TEST(Reading, OnlyWhatSetsNothingForTheSessionKeepsWhatIsKnown) {
  for (std::string_view text :
       {"SELECT 1", " insert INTO t VALUES (1)", "UPDATE t SET a=1", "WITH a AS (SELECT 1) SELECT 2",
        "START TRANSACTION", "COMMIT", "USE shop", "CREATE TABLE t(a INT)"}) {
    EXPECT_FALSE(may_change_reading(text)) << text;
  }
  for (std::string_view text :
       {"SET NAMES gbk", "SET STATEMENT sql_mode='' FOR SELECT 1", "EXECUTE s", "EXECUTE IMMEDIATE 'SET a'",
        "BEGIN NOT ATOMIC SET NAMES gbk; END", "CALL p()", "/*!50000 SET*/ a=1", "", "SELECTED", "(SELECT 1)"}) {
    EXPECT_TRUE(may_change_reading(text)) << text;
  }
}

}  // namespace
}  // namespace sallyport::sql
