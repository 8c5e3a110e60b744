#include "session/statement_reader.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sallyport::session {
namespace {

constexpr std::size_t tree_bytes_max = 1U << 20;

class StatementReaderTest : public testing::Test {
 protected:
  static sql::Dialects by(sql::SqlMode mode, sql::Server server = sql::Server::mariadb) {
    sql::Dialects one;
    one.add({.server = server, .version = 101'100, .mode = mode});
    return one;
  }
  auto read(std::string_view text, const sql::Dialects& dialects, sql::ParseFor purpose = sql::ParseFor::executing,
            const NameSpace& names = {}) {
    return reader_.read(text, dialects, purpose, names, tree_bytes_max);
  }
  std::string kind(std::string_view text, const sql::Dialects& dialects) {
    auto reading = read(text, dialects);
    return !reading    ? "in doubt"
           : !*reading ? std::string(reason_text(reading->error().reason).code)
                       : (**reading)->kind;
  }
  std::uint64_t count(Metric metric) const {
    CounterTotals totals;
    counters_.add_to(totals);
    return totals.metrics[static_cast<std::size_t>(metric)];
  }
  std::uint64_t parsed() const { return count(Metric::statements_parsed); }
  std::uint64_t known() const { return count(Metric::statements_known); }

  LoopCounters counters_;
  StatementReader reader_{counters_};
};

TEST_F(StatementReaderTest, WithoutItsTextsAReadingStillSaysWhatThereWasToHide) {
  auto reading = read("CREATE USER u /**/ IDENTIFIED BY 'hunter2'", by(0));
  ASSERT_TRUE((**reading)->emitted && (**reading)->without_secrets);
  StatementReading kept = without_texts(***reading);
  EXPECT_FALSE(kept.emitted);
  ASSERT_TRUE(kept.without_secrets);
  EXPECT_EQ(kept.without_secrets->text, "");
  EXPECT_EQ(kept.kind, (**reading)->kind);
  kept.without_literals = kept.around_secret_text = "SELECT ?";
  kept = without_texts(std::move(kept));
  EXPECT_EQ(kept.without_literals, "");
  EXPECT_EQ(kept.around_secret_text, "");
}

TEST_F(StatementReaderTest, ATextThatCameTwiceIsNotParsedAgain) {
  read("SELECT 1 /*a*/", by(0));
  auto second = read("SELECT 1 /*a*/", by(0));
  EXPECT_EQ(parsed(), 2U);
  EXPECT_EQ(known(), 0U);
  auto third = read("SELECT 1 /*a*/", by(0));
  EXPECT_EQ(**second, **third) << "the same object";
  EXPECT_EQ(*(**third)->emitted, "SELECT 1 ");
  EXPECT_EQ(parsed(), 2U);
  EXPECT_EQ(known(), 1U);
}

TEST_F(StatementReaderTest, TextsThatDifferInNumbersAreParsedTwiceOnly) {
  auto text = [](int id) { return "SELECT c FROM t WHERE id = " + std::to_string(id); };
  for (int id = 0; id < 100; ++id) {
    EXPECT_EQ((**read(text(id), by(0)))->kind, "select");
  }
  EXPECT_EQ(parsed(), 2U);
  EXPECT_EQ(known(), 98U);
  read("SELECT c FROM t WHERE id = \x01", by(0));
  EXPECT_EQ(parsed(), 3U) << "a text with the mark of a shape is none";
  read("SELECT c FROM t WHERE id = 7", by(0), sql::ParseFor::preparing);
  EXPECT_EQ(parsed(), 4U);
  read("SELECT c FROM t WHERE id = 7 /* a */", by(0));
  read("SELECT c FROM t WHERE id = 7.5", by(0));
  EXPECT_EQ(parsed(), 6U);
}

// What is remembered of a shape is what each of its texts is read as.
TEST_F(StatementReaderTest, AReadingOfAShapeIsThatOfEachOfItsTexts) {
  catalog::Catalogue::Content content;
  content.schemas = {"d"};
  for (std::string name : {"t", "u"}) {
    catalog::Table table{.schema = "d", .name = name, .columns = {}};
    for (std::string column : {"id", "a", "b", "c"}) {
      table.columns.push_back({.name = column, .type = "int"});
    }
    content.tables.push_back(std::move(table));
  }
  auto catalogue = std::make_shared<const catalog::Catalogue>(std::move(content), 1);
  auto columns = std::make_shared<const lineage::ProtectedColumns>(
      std::vector<lineage::ColumnPattern>{{.schema = "d", .table = "t", .column = "a"}});
  std::mt19937 random(7);
  auto numbers_in = [&](std::string text) {
    const std::string numbers[] = {"0", "1", "2", "10", "007", "999999999999999999"};
    for (std::size_t at = text.find('#'); at != std::string::npos; at = text.find('#')) {
      text.replace(at, 1, numbers[random() % std::size(numbers)]);
    }
    return text;
  };
  for (std::string form :
       {"SELECT c FROM t WHERE id = #",
        "SELECT a FROM t WHERE id = # AND b = #",
        "SELECT c FROM t WHERE a IN (#, #, #)",
        "SELECT c FROM t WHERE a BETWEEN # AND #",
        "SELECT c FROM t WHERE a = # OR a = #",
        "SELECT c FROM t WHERE a = # OR a <> #",
        "SELECT c FROM t WHERE id IN (SELECT b FROM u WHERE a = #) OR id NOT IN (SELECT b FROM u WHERE a = #)",
        "DELETE FROM t WHERE (SELECT MAX(b) FROM u WHERE a = #) = (SELECT MAX(b) FROM u WHERE a = #)",
        "(SELECT c FROM t WHERE a = #) UNION (SELECT c FROM u WHERE b = # LIMIT #)",
        "SELECT c FROM t WHERE # = #",
        "SELECT c FROM t WHERE #",
        "SELECT c, # FROM t",
        "SELECT b, c FROM t ORDER BY #",
        "SELECT b, c FROM t GROUP BY #",
        "SELECT c FROM t LIMIT #",
        "SELECT c FROM t WHERE b = # LIMIT #, #",
        "UPDATE t SET b = c WHERE id = #",
        "UPDATE t SET b = # WHERE id = #",
        "DELETE FROM t WHERE id = # AND a < #",
        "DELETE FROM t WHERE # < #",
        "SELECT c FROM u WHERE id = (SELECT MAX(b) FROM t WHERE a = #) AND b = #",
        "SELECT c FROM missing WHERE id = #",
        "SELECT missing FROM t WHERE id = #",
        "INSERT INTO t (id, a) VALUES (#, #)",
        "SELECT c FROM t WHERE a = # INTO OUTFILE #",
        "SET @a = #",
        "SELECT GET_LOCK(a, #) FROM t WHERE id = #"}) {
    for (int round = 0; round < 20; ++round) {
      std::string text = numbers_in(form);
      NameSpace names{.schema = "d", .catalogue = &catalogue, .protected_columns = columns};
      auto found = read(text, by(0), sql::ParseFor::executing, names);
      StatementReader other(counters_);
      auto expected = other.read(text, by(0), sql::ParseFor::executing, names, tree_bytes_max);
      ASSERT_TRUE(found && expected);
      ASSERT_EQ(found->has_value(), expected->has_value()) << text;
      if (!*found) {
        continue;
      }
      const StatementReading& one = ***found;
      const StatementReading& same = ***expected;
      auto said = [](const StatementReading& of) {
        std::string all = of.kind + " " + of.digest + " " + of.emitted.value_or("-") + " " +
                          of.without_literals.value_or("-") + " " + of.around_secret_text.value_or("-");
        for (bool is : {of.without_secrets.has_value(), of.words_around_parameters.has_value(), of.yields_secret,
                        of.runs.has_value(), of.prepared.has_value(), of.login_change == sql::LoginChange{},
                        of.may_change_reading, of.chooses_schema, of.may_define, of.ends_transaction,
                        of.prepares_transaction, of.may_prepare, of.may_make_temporary, of.facts->has_where,
                        of.facts->where_restricts, of.facts->has_limit, of.facts->certain()}) {
          all += is ? '1' : '0';
        }
        for (const lineage::SourceSet* sources : {&of.facts->reads, &of.facts->writes, &of.facts->influences}) {
          std::set<std::string> texts;
          for (const lineage::Source& source : *sources) {
            texts.insert(lineage::text_of(source));
          }
          for (const std::string& source : texts) {
            all += " " + source;
          }
          all += " /";
        }
        for (const lineage::Doubt& doubt : of.facts->doubts) {
          all += " " + doubt.what + std::to_string(doubt.offset);
        }
        return all;
      };
      ASSERT_EQ(said(one), said(same)) << text;
    }
  }
  EXPECT_GT(known(), 150U);
}

TEST_F(StatementReaderTest, TextsThatComeOncePushNothingOut) {
  read("SELECT a FROM t", by(0));
  read("SELECT a FROM t", by(0));
  for (std::size_t i = 0; i < 8 * StatementReader::readings_max; ++i) {
    read("SELECT " + std::to_string(i), by(0));
  }
  read("SELECT a FROM t", by(0));
  EXPECT_EQ(known(), 1U);
}

TEST_F(StatementReaderTest, AReadingIsOfOneDialectAndOnePurpose) {
  EXPECT_EQ(kind(R"(SELECT "a" FROM t)", by(0)), "select");
  EXPECT_EQ(kind(R"(SELECT "a" FROM t)", by(sql::sql_mode::ansi_quotes)), "select");
  EXPECT_EQ(parsed(), 2U);
  EXPECT_EQ(kind("SELECT ?", by(0)), "statement_not_understood");
  EXPECT_TRUE(read("SELECT ?", by(0), sql::ParseFor::preparing)->has_value());
  EXPECT_EQ(kind("SELECT ?", by(0)), "statement_not_understood") << "what may be prepared may not be executed";
  EXPECT_EQ(kind("KILL HARD 1", by(0)), "kill");
  EXPECT_EQ(kind("KILL HARD 1", by(0, sql::Server::mysql)), "statement_not_understood");
}

TEST_F(StatementReaderTest, WhereDialectsDifferItIsInDoubt) {
  auto possible = [](std::string_view text) {
    return sql::possible_dialects({.server = sql::Server::mariadb, .version = 101'100}, text);
  };
  EXPECT_EQ(kind("SELECT a FROM t", possible("SELECT a FROM t")), "select");
  EXPECT_EQ(kind("SELECT FORM t", possible("SELECT FORM t")), "select");
  EXPECT_EQ(kind("SELEC 1", possible("SELEC 1")), "statement_not_understood") << "a mistake in all of them";
  EXPECT_EQ(kind("SELECT count (a) FROM t", possible("SELECT count (a) FROM t")), "in doubt")
      << "a function or not, by IGNORE_SPACE";
  EXPECT_EQ(kind("SELECT 'a\\'", possible("SELECT 'a\\'")), "in doubt");
  EXPECT_EQ(kind("SELECT 1", sql::Dialects{}), "in doubt");
}

TEST_F(StatementReaderTest, WithACatalogueThereAreFactsOfItsVersionAndSchema) {
  auto catalogue = [](std::uint64_t version) {
    catalog::Catalogue::Content content;
    content.schemas = {"one", "two"};
    for (std::string schema : {"one", "two"}) {
      content.tables.push_back({.schema = schema, .name = "t", .columns = {{.name = "a", .type = "int"}}});
    }
    return std::make_shared<const catalog::Catalogue>(std::move(content), version);
  };
  auto first = catalogue(7);
  auto second = catalogue(8);
  auto reads = [&](const std::shared_ptr<const catalog::Catalogue>& of, std::string_view schema) {
    auto reading = read("SELECT a FROM t", by(0), sql::ParseFor::executing, {.schema = schema, .catalogue = &of});
    return lineage::text_of(*(**reading)->facts->reads.begin());
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(reads(first, "one"), "one.t.a");
    EXPECT_EQ(reads(first, "two"), "two.t.a");
  }
  std::uint64_t before = parsed();
  EXPECT_EQ(reads(first, "one"), "one.t.a");
  EXPECT_EQ(reads(first, "two"), "two.t.a");
  EXPECT_EQ(parsed(), before);
  EXPECT_EQ(reads(second, "one"), "one.t.a");
  EXPECT_EQ(parsed(), before + 1) << "a newer catalogue may say something else";
  EXPECT_FALSE((**read("SELECT a FROM t", by(0)))->facts) << "without one there are none";
}

TEST_F(StatementReaderTest, WhateverRunsStoredCodeMayMakeATemporaryTable) {
  catalog::Catalogue::Content content;
  content.schemas = {"d"};
  content.routines = {
      {.schema = "d", .name = "f", .body = "RETURN 1"},
      {.schema = "d", .name = "makes", .body = "BEGIN CREATE TEMPORARY TABLE x (a INT); RETURN 1; END"}};
  std::shared_ptr<const catalog::Catalogue> catalogue =
      std::make_shared<const catalog::Catalogue>(std::move(content), 1);
  bool in_doubt = false;
  auto may = [&](std::string_view text) {
    auto reading =
        read(text, by(0), sql::ParseFor::executing, {.schema = "d", .catalogue = &catalogue, .in_doubt = in_doubt});
    EXPECT_TRUE(reading && *reading) << text;
    return (**reading)->may_make_temporary;
  };
  EXPECT_FALSE(may("SELECT 1"));
  EXPECT_FALSE(may("CREATE TABLE t (a INT)"));
  EXPECT_FALSE(may("SELECT f()")) << "it is followed";
  EXPECT_FALSE(may("SET STATEMENT max_statement_time = 5 FOR SELECT f()"));
  for (std::string_view text :
       {"SELECT makes()", "SELECT unheard_of()", "CALL p()", "CREATE TEMPORARY TABLE t (a INT)",
        "IF 1 THEN SELECT 1; END IF", "EXECUTE s", "SET STATEMENT max_statement_time = 5 FOR CALL p()"}) {
    EXPECT_TRUE(may(text)) << text;
  }
  in_doubt = true;
  EXPECT_TRUE(may("SELECT f()")) << "it may be another by now";
}

TEST_F(StatementReaderTest, ProceduresMayPrepareAndUseIsFoundBehindSetStatement) {
  auto reading_of = [&](std::string_view text) {
    auto reading = read(text, by(0), sql::ParseFor::executing, {});
    EXPECT_TRUE(reading && *reading) << text;
    return **reading;
  };
  for (std::string_view text : {"CALL p()", "BEGIN NOT ATOMIC CALL p(); END", "EXECUTE s", "IF 1 THEN CALL p(); END IF",
                                "SET STATEMENT max_statement_time = 1 FOR CALL p()"}) {
    EXPECT_TRUE(reading_of(text)->may_prepare) << text;
  }
  for (std::string_view text : {"SELECT f()", "BEGIN NOT ATOMIC DO 1; END", "PREPARE s FROM 'CALL p()'",
                                "SET STATEMENT max_statement_time = 1 FOR SELECT 1"}) {
    EXPECT_FALSE(reading_of(text)->may_prepare) << text;
    EXPECT_FALSE(reading_of(text)->chooses_schema) << text;
  }
  EXPECT_TRUE(reading_of("USE shop")->chooses_schema);
  EXPECT_TRUE(reading_of("SET STATEMENT max_statement_time = 1 FOR USE shop")->chooses_schema);
}

TEST_F(StatementReaderTest, TellsWhatMayChangeTheCatalogue) {
  auto catalogue = std::make_shared<const catalog::Catalogue>(catalog::Catalogue::Content{}, 1);
  for (const auto& [text, expected] :
       std::vector<std::pair<std::string_view, bool>>{{"CREATE VIEW v AS SELECT 1", true},
                                                      {"DROP FUNCTION f", true},
                                                      {"ALTER TABLE t ADD a INT", true},
                                                      {"RENAME TABLE t TO u", true},
                                                      {"SET STATEMENT max_statement_time = 5 FOR DROP VIEW v", true},
                                                      {"CALL not_in_the_catalogue()", true},
                                                      {"EXECUTE IMMEDIATE 'SELECT 1'", true},
                                                      {"BEGIN NOT ATOMIC SELECT 1; END", true},
                                                      {"SET STATEMENT max_statement_time = 5 FOR SELECT 1", false},
                                                      {"CREATE TEMPORARY TABLE t (a INT)", false},
                                                      {"DROP TEMPORARY TABLE t", false},
                                                      {"INSERT INTO t VALUES (1)", false},
                                                      {"SELECT f()", false}}) {
    auto reading = read(text, by(0), sql::ParseFor::executing, {.schema = "d", .catalogue = &catalogue});
    ASSERT_TRUE(reading && *reading) << text;
    EXPECT_EQ((**reading)->may_define, expected) << text;
  }
}

TEST_F(StatementReaderTest, WhatIsRememberedIsBounded) {
  for (std::size_t i = 0; i < 3 * StatementReader::readings_max; ++i) {
    EXPECT_EQ(kind("SELECT " + std::to_string(i), by(0)), "select");
    EXPECT_EQ(kind("SELECT " + std::to_string(i), by(0)), "select");
  }
  EXPECT_EQ(parsed(), 6 * StatementReader::readings_max);
  std::string last = "SELECT " + std::to_string(3 * StatementReader::readings_max - 1);
  EXPECT_EQ(kind(last, by(0)), "select");
  EXPECT_EQ(known(), 1U) << "the oldest of a place gives way";
  std::string longest = "SELECT '" + std::string(StatementReader::remembered_text_bytes_max, 'x') + "'";
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(kind(longest, by(0)), "select");
  }
  EXPECT_EQ(known(), 1U) << "long texts are not remembered";
}

TEST_F(StatementReaderTest, ATreeThatIsTooLargeIsRefusedAndTheNextIsRead) {
  std::string text = "SELECT 1";
  while (text.size() < tree_bytes_max / 4) {
    text += ",1";
  }
  EXPECT_EQ(kind(text, by(0)), "statement_too_complex");
  EXPECT_EQ(kind("SELECT 1,1", by(0)), "select");
}

TEST_F(StatementReaderTest, ARefusalSaysWhereAndCutsNoCharacter) {
  auto explanation = [&](std::string_view text) { return read(text, by(0))->error().explanation; };
  std::string text = "SELECT 1\nFROM t WHERE WHERE '";
  for (int i = 0; i < 50; ++i) {
    text += "\xC3\xA4";
  }
  text += "'";
  std::string why = explanation(text);
  EXPECT_NE(why.find("near 'WHERE '"), std::string::npos) << why;
  EXPECT_NE(why.find("\xA4...' at line 2"), std::string::npos) << why;
}

}  // namespace
}  // namespace sallyport::session
