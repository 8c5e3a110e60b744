// Rows of a server's answers to a catalogue's content; and rows that no server should send.
#include "catalog/information_schema.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sallyport::catalog {
namespace {

using Kind = CatalogueMistake::Kind;
using Query = CatalogueQuery;
using Cell = std::optional<std::string_view>;
using Row = std::vector<Cell>;

constexpr Cell null = std::nullopt;

class Builder : public testing::Test {
 protected:
  void give(Query query, const Row& row) {
    auto added = builder_.add(query, row);
    ASSERT_TRUE(added) << added.error().what;
  }
  std::optional<Kind> mistake(Query query, const Row& row) {
    auto added = builder_.add(query, row);
    return added ? std::nullopt : std::optional(added.error().kind);
  }
  void give_shop() {
    give(Query::name_rules, {"0"});
    give(Query::schemas, {"shop"});
    give(Query::tables, {"shop", "orders", "BASE TABLE"});
    give(Query::tables, {"shop", "customers", "SYSTEM VERSIONED"});
    give(Query::tables, {"shop", "names", "VIEW"});
    give(Query::tables, {"shop", "numbers", "SEQUENCE"});
    give(Query::columns, {"shop", "orders", "1", "id", "int unsigned", null, "NO", "auto_increment", ""});
    give(Query::columns, {"shop", "orders", "2", "customer", "int", null, "YES", "", ""});
    give(Query::columns, {"shop", "customers", "1", "id", "int", null, "NO", "", null});
    give(Query::columns, {"shop", "customers", "4", "name", "varchar(20)", "utf8mb4_bin", "YES",
                          "VIRTUAL GENERATED INVISIBLE", "concat(`a`,`b`)"});
    give(Query::columns, {"shop", "names", "1", "name", "varchar(20)", "utf8mb4_bin", "YES", "", ""});
  }

  CatalogueBuilder builder_{ServerKind::mysql, CatalogueLimits{}};
};

TEST_F(Builder, MakesTablesWithAllThatBelongsToThem) {
  give_shop();
  give(Query::keys, {"shop", "orders", "PRIMARY", "1", "0", "id", null});
  give(Query::keys, {"shop", "orders", "by_customer", "1", "1", "customer", null});
  give(Query::keys, {"shop", "orders", "by_customer", "2", "1", null, "lower(`x`)"});
  give(Query::foreign_keys, {"shop", "orders", "of", "shop", "customers", "RESTRICT", "SET NULL"});
  give(Query::foreign_key_columns, {"shop", "orders", "of", "1", "customer", "id"});
  give(Query::views, {"shop", "names", "select `shop`.`customers`.`name` AS `name` from `shop`.`customers`"});
  give(Query::triggers, {"shop", "orders", "shop", "watch", "UPDATE", "ANSI_QUOTES"});
  Catalogue::Content content = builder_.take();
  EXPECT_EQ(content.schemas, std::vector<std::string>{"shop"});
  ASSERT_EQ(content.tables.size(), 4U);
  const Table& customers = content.tables[0];
  EXPECT_EQ(customers.name, "customers");
  ASSERT_EQ(customers.columns.size(), 2U);
  EXPECT_FALSE(customers.columns[0].generated_from);
  EXPECT_EQ(customers.columns[1], (Column{.name = "name",
                                          .type = "varchar(20)",
                                          .collation = "utf8mb4_bin",
                                          .nullable = true,
                                          .invisible = true,
                                          .generated_from = "concat(`a`,`b`)"}));
  EXPECT_EQ(content.tables[1].view_query, "select `shop`.`customers`.`name` AS `name` from `shop`.`customers`");
  EXPECT_EQ(content.tables[2].kind, Table::Kind::sequence);
  const Table& orders = content.tables[3];
  EXPECT_EQ(orders.keys,
            (std::vector<Key>{
                {.name = "PRIMARY", .unique = true, .columns = {"id"}},
                {.name = "by_customer", .unique = false, .columns = {"customer"}, .expressions = {"lower(`x`)"}}}));
  EXPECT_EQ(orders.foreign_keys, (std::vector<ForeignKey>{{.columns = {"customer"},
                                                           .schema = "shop",
                                                           .table = "customers",
                                                           .referred_columns = {"id"},
                                                           .cascades = true}}));
  EXPECT_EQ(orders.triggers,
            (std::vector<Trigger>{{.name = "watch", .event = "UPDATE", .body = {}, .sql_mode = "ANSI_QUOTES"}}));
}

TEST_F(Builder, AsksForTheDefinitionsOfRoutinesAndTriggersAndTakesTheirBodies) {
  give_shop();
  give(Query::routines, {"shop", "a`b", "FUNCTION", "SQL", "ANSI_QUOTES"});
  give(Query::routines, {"shop", "a`b", "PROCEDURE", "SQL", ""});
  give(Query::routines, {"shop", "js", "FUNCTION", "EXTERNAL", ""});
  give(Query::parameters, {"shop", "A`B", "FUNCTION", "1", "p"});
  give(Query::triggers, {"shop", "orders", "shop", "watch", "UPDATE", ""});
  auto definitions = builder_.definitions();
  ASSERT_EQ(definitions.size(), 3U);
  EXPECT_EQ(definitions[0].query, "SHOW CREATE FUNCTION `shop`.`a``b`");
  EXPECT_EQ(definitions[0].sql_mode, "ANSI_QUOTES");
  EXPECT_EQ(definitions[1].query, "SHOW CREATE PROCEDURE `shop`.`a``b`");
  EXPECT_EQ(definitions[2].query, "SHOW CREATE TRIGGER `shop`.`watch`");
  ASSERT_TRUE(builder_.set_body(definitions[0], "return p"));
  ASSERT_TRUE(builder_.set_body(definitions[2], "set @a = 1"));
  Catalogue catalogue(builder_.take(), 1);
  const Routine* function = catalogue.find_routine(Routine::Kind::function, "shop", "A`b");
  ASSERT_NE(function, nullptr);
  EXPECT_EQ(function->parameters, std::vector<std::string>{"p"});
  EXPECT_EQ(function->body, "return p");
  EXPECT_EQ(catalogue.find_routine(Routine::Kind::procedure, "shop", "a`b")->body, std::nullopt);
  EXPECT_EQ(catalogue.find_routine(Routine::Kind::function, "shop", "js")->body, std::nullopt);
  EXPECT_EQ(catalogue.find_table("shop", "orders")->triggers[0].body, "set @a = 1");
}

TEST_F(Builder, TheOrderOfTheContentIsThatOfTheNames) {
  give(Query::tables, {"b", "t", "BASE TABLE"});
  give(Query::tables, {"a", "u", "BASE TABLE"});
  give(Query::tables, {"a", "T", "BASE TABLE"});
  give(Query::tables, {"a", "t", "BASE TABLE"});
  // Rows of names that a server takes for the same stand together.
  give(Query::columns, {"a", "t", "1", "x", "int", null, "NO", "", ""});
  give(Query::columns, {"a", "T", "1", "y", "int", null, "NO", "", ""});
  give(Query::columns, {"a", "t", "2", "z", "int", null, "NO", "", ""});
  auto content = builder_.take();
  std::vector<std::string> names;
  for (const Table& table : content.tables) {
    names.push_back(table.schema + "." + table.name + ":" + std::to_string(table.columns.size()));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a.T:1", "a.t:2", "a.u:0", "b.t:0"}));
}

TEST_F(Builder, WhatCantBeSeenIsAViewOfWhichNothingIsKnown) {
  give(Query::tables, {"s", "strange", "SOMETHING NEW"});
  give(Query::tables, {"s", "without_columns", "BASE TABLE"});
  give(Query::tables, {"s", "hidden", "VIEW"});
  give(Query::views, {"s", "hidden", null});
  give(Query::tables, {"s", "hidden_expression", "BASE TABLE"});
  give(Query::columns, {"s", "hidden_expression", "1", "c", "int", null, "NO", "STORED GENERATED", null});
  auto content = builder_.take();
  for (std::size_t i : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
    EXPECT_EQ(content.tables[i].kind, Table::Kind::view) << content.tables[i].name;
    EXPECT_EQ(content.tables[i].view_query, "");
  }
  EXPECT_EQ(content.tables[1].columns[0].generated_from, "");
}

TEST_F(Builder, ADefaultThatIsAnExpressionMakesNoGeneratedColumn) {
  give(Query::tables, {"s", "t", "BASE TABLE"});
  give(Query::columns,
       {"s", "t", "1", "c", "datetime", null, "NO", "DEFAULT_GENERATED on update CURRENT_TIMESTAMP", ""});
  EXPECT_EQ(builder_.take().tables[0].columns[0].generated_from, std::nullopt);
}

TEST(Expressions, LoseTheEscapesThatMySqlAddsToThem) {
  struct Case {
    ServerKind server;
    std::string_view shown;
    std::string_view meant;
  };
  for (const auto& [server, shown, meant] :
       std::vector<Case>{{ServerKind::mysql, R"(concat(`b`,_utf8mb4\'it\\\'s \\\\ "q" \\n\',`secret`))",
                          R"(concat(`b`,_utf8mb4'it\'s \\ "q" \n',`secret`))"},
                         {ServerKind::mysql, R"(`a\\b` + 1)", R"(`a\b` + 1)"},
                         {ServerKind::mysql, R"(`a\nb`)", "`a\nb`"},
                         {ServerKind::mysql, "(`a` + 1)", "(`a` + 1)"},
                         // What no version is known to send: it is left as it is.
                         {ServerKind::mysql, R"(concat('it\'s'))", R"(concat('it\'s'))"},
                         {ServerKind::mysql, R"(`a\b`)", R"(`a\b`)"},
                         {ServerKind::mysql, R"(a\)", R"(a\)"},
                         {ServerKind::mariadb, R"(concat(`a`,'x\\\'y'))", R"(concat(`a`,'x\\\'y'))"}}) {
    CatalogueBuilder builder{server, CatalogueLimits{}};
    ASSERT_TRUE(builder.add(Query::tables, Row{"s", "t", "BASE TABLE"}));
    ASSERT_TRUE(builder.add(Query::columns, Row{"s", "t", "1", "c", "int", null, "NO", "VIRTUAL GENERATED", shown}));
    ASSERT_TRUE(builder.add(Query::keys, Row{"s", "t", "k", "1", "1", null, shown}));
    Table table = builder.take().tables[0];
    EXPECT_EQ(table.columns[0].generated_from, meant);
    EXPECT_EQ(table.keys[0].expressions[0], meant);
  }
}

TEST(Grants, SayWhetherAllIsSeen) {
  struct Case {
    std::vector<std::string_view> lines;
    bool complete;
  };
  for (const auto& [lines, complete] : std::vector<Case>{
           {{"GRANT SELECT, SHOW VIEW, TRIGGER ON *.* TO `u`@`%`"}, true},
           {{"GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION"}, true},
           {{"GRANT SELECT ON *.* TO `u`@`%`", "GRANT SHOW VIEW, TRIGGER ON *.* TO `u`@`%`"}, true},
           {{"GRANT SELECT, SHOW VIEW ON *.* TO `u`@`%`"}, false},
           {{"GRANT SELECT, TRIGGER ON *.* TO `u`@`%`", "GRANT SHOW VIEW ON `s`.* TO `u`@`%`"}, false},
           {{"GRANT SELECT, SHOW VIEW, TRIGGER ON `s`.* TO `u`@`%`"}, false},
           {{"GRANT SELECT, SHOW VIEW, TRIGGER ON `x ON *.* TO `.* TO `u`@`%`"}, false},
           {{"GRANT SELECT (`a, SHOW VIEW, TRIGGER ON *.* TO `), INSERT (`b`) ON `s`.`t` TO `u`@`%`"}, false},
           {{"GRANT `x, SELECT, SHOW VIEW, TRIGGER ON *.* TO y`@`%` TO `u`@`%`"}, false},
           {{"GRANT SELECT, SHOW VIEW, TRIGGER ON *.* TO `u`@`%`", "REVOKE SELECT ON `mysql`.* FROM `u`@`%`"}, false},
           {{"GRANT USAGE ON *.* TO `u`@`%`"}, false},
           {{"", "GRANT ", "GRANT SELECT", "GRANT SELECT ON "}, false},
           {{}, false}}) {
    CatalogueBuilder builder{ServerKind::mysql, CatalogueLimits{}};
    for (std::string_view line : lines) {
      ASSERT_TRUE(builder.add(Query::grants, Row{line}));
    }
    EXPECT_EQ(builder.take().complete, complete) << (lines.empty() ? "" : lines[0]);
  }
}

TEST_F(Builder, ARowThatRefersToWhatIsNotThereSaysThatItWasMadeMeanwhile) {
  EXPECT_EQ(mistake(Query::views, {"shop", "new", "select 1"}), std::nullopt) << "to whom does not see everything";
  give(Query::grants, {"GRANT SELECT, SHOW VIEW, TRIGGER ON *.* TO `u`@`%`"});
  give_shop();
  EXPECT_EQ(mistake(Query::columns, {"shop", "new", "1", "c", "int", null, "NO", "", ""}), Kind::changed);
  EXPECT_EQ(mistake(Query::keys, {"shop", "new", "k", "1", "0", "c", null}), Kind::changed);
  EXPECT_EQ(mistake(Query::foreign_keys, {"shop", "new", "f", "shop", "orders", "CASCADE", "CASCADE"}), Kind::changed);
  EXPECT_EQ(mistake(Query::foreign_key_columns, {"shop", "orders", "f", "1", "c", "d"}), Kind::changed);
  EXPECT_EQ(mistake(Query::views, {"shop", "new", "select 1"}), Kind::changed);
  EXPECT_EQ(mistake(Query::views, {"shop", "orders", "select 1"}), Kind::changed) << "it was a table before";
  EXPECT_EQ(mistake(Query::parameters, {"shop", "f", "FUNCTION", "1", "p"}), Kind::changed);
  EXPECT_EQ(mistake(Query::triggers, {"shop", "new", "shop", "t", "INSERT", ""}), Kind::changed);
}

TEST_F(Builder, RowsThatNoServerSendsAreMistakes) {
  give_shop();
  give(Query::keys, {"shop", "orders", "PRIMARY", "1", "0", "id", null});
  give(Query::foreign_keys, {"shop", "orders", "f", "shop", "orders", "CASCADE", "CASCADE"});
  give(Query::routines, {"shop", "f", "FUNCTION", "SQL", ""});
  const std::string long_name(300, 'x');
  const std::string_view with_nul("a\0b", 3);
  const std::vector<std::pair<Query, Row>> rows{
      {Query::session, {"1"}},
      {Query::name_rules, {"3"}},
      {Query::name_rules, {null}},
      {Query::name_rules, {}},
      {Query::grants, {null}},
      {Query::grants, {"GRANT \xFF"}},
      {Query::schemas, {""}},
      {Query::schemas, {with_nul}},
      {Query::schemas, {long_name}},
      {Query::schemas, {"\xC3\x28"}},
      {Query::tables, {"shop", "orders", "BASE TABLE"}},
      {Query::tables, {"shop", null, "BASE TABLE"}},
      {Query::tables, {"shop", "t"}},
      {Query::columns, {"shop", "orders", "2", "again", "int", null, "NO", "", ""}},
      {Query::columns, {"shop", "orders", "0", "c", "int", null, "NO", "", ""}},
      {Query::columns, {"shop", "orders", "-3", "c", "int", null, "NO", "", ""}},
      {Query::columns, {"shop", "orders", "99999999999", "c", "int", null, "NO", "", ""}},
      {Query::columns, {"shop", "orders", "3x", "c", "int", null, "NO", "", ""}},
      {Query::columns, {"shop", "orders", "", "c", "int", null, "NO", "", ""}},
      {Query::columns, {"shop", "orders", "3", "c", "int", null, "MAYBE", "", ""}},
      {Query::columns, {"shop", "orders", "3", "c", null, null, "NO", "", ""}},
      {Query::keys, {"shop", "orders", "PRIMARY", "3", "0", "id", null}},
      {Query::keys, {"shop", "orders", "other", "2", "0", "id", null}},
      {Query::keys, {"shop", "customers", "k", "2", "0", "id", null}},
      {Query::keys, {"shop", "orders", "k", "1", "2", "id", null}},
      {Query::keys, {"shop", "orders", "k", "1", "0", null, null}},
      {Query::foreign_keys, {"shop", "orders", "F", "shop", "orders", "CASCADE", "CASCADE"}},
      {Query::foreign_keys, {"shop", "orders", "g", "shop", "orders", null, "CASCADE"}},
      {Query::foreign_key_columns, {"shop", "orders", "f", "2", "c", "d"}},
      {Query::foreign_key_columns, {"shop", "orders", "f", "1", "c", null}},
      {Query::routines, {"shop", "F", "FUNCTION", "SQL", ""}},
      {Query::routines, {"shop", "p", "PACKAGE", "SQL", ""}},
      {Query::parameters, {"shop", "f", "FUNCTION", "2", "p"}},
      {Query::parameters, {"shop", "f", "FUNCTION", "1", null}},
      {Query::triggers, {"shop", "orders", "other", "t", "INSERT", ""}},
      {Query::triggers, {"shop", "orders", "shop", "t", null, ""}}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(mistake(rows[i].first, rows[i].second), Kind::malformed) << "row " << i;
  }
}

TEST(BuilderLimits, AreEachNamed) {
  struct Case {
    CatalogueLimits limits;
    std::string_view named;
  };
  for (const auto& [limits, named] : std::vector<Case>{{{.tables_max = 1}, "1 tables"},
                                                       {{.columns_max = 3}, "3 columns"},
                                                       {{.routines_max = 1}, "1 routines"},
                                                       {{.text_bytes_max = 60}, "60 bytes"}}) {
    CatalogueBuilder builder{ServerKind::mysql, limits};
    const std::vector<std::pair<Query, Row>> rows{{Query::tables, {"s", "t", "BASE TABLE"}},
                                                  {Query::columns, {"s", "t", "1", "a", "int", null, "NO", "", ""}},
                                                  {Query::routines, {"s", "f", "FUNCTION", "SQL", ""}},
                                                  {Query::columns, {"s", "t", "2", "b", "int", null, "NO", "", ""}},
                                                  {Query::keys, {"s", "t", "PRIMARY", "1", "0", "a", null}},
                                                  {Query::parameters, {"s", "f", "FUNCTION", "1", "p"}},
                                                  {Query::triggers, {"s", "t", "s", "x", "INSERT", ""}},
                                                  {Query::tables, {"s", "u", "BASE TABLE"}}};
    std::string said;
    for (const auto& [query, row] : rows) {
      auto added = builder.add(query, row);
      if (!added) {
        EXPECT_EQ(added.error().kind, Kind::too_much);
        said = added.error().what;
        break;
      }
    }
    EXPECT_NE(said.find(named), std::string::npos) << named << ": " << said;
  }
  CatalogueBuilder builder{ServerKind::mysql, {.text_bytes_max = 100}};
  ASSERT_TRUE(builder.add(Query::routines, Row{"s", "f", "FUNCTION", "SQL", ""}));
  EXPECT_FALSE(builder.set_body(builder.definitions()[0], std::string(101, 'x')));
}

TEST(Names, of_information_schema_are_found_in_any_case) {
  CatalogueBuilder builder{ServerKind::mysql, CatalogueLimits{}};
  ASSERT_TRUE(builder.add(Query::name_rules, Row{"0"}));
  ASSERT_TRUE(builder.add(Query::schemas, Row{"information_schema"}));
  ASSERT_TRUE(builder.add(Query::schemas, Row{"shop"}));
  ASSERT_TRUE(builder.add(Query::tables, Row{"information_schema", "TABLES", "SYSTEM VIEW"}));
  ASSERT_TRUE(builder.add(Query::columns, Row{"information_schema", "TABLES", "1", "X", "int", null, "NO", "", ""}));
  ASSERT_TRUE(builder.add(Query::tables, Row{"shop", "Orders", "BASE TABLE"}));
  Catalogue catalogue(builder.take(), 1);
  EXPECT_NE(catalogue.find_table("Information_Schema", "tables"), nullptr);
  EXPECT_EQ(catalogue.find_table("information_schema", "TABLES")->kind, Table::Kind::base);
  EXPECT_TRUE(catalogue.has_schema("INFORMATION_SCHEMA"));
  EXPECT_EQ(catalogue.find_table("shop", "orders"), nullptr);
  EXPECT_FALSE(catalogue.has_schema("SHOP"));
}

TEST(Queries, AreAsciiAndKnowWhatTheyGive) {
  for (ServerKind server : {ServerKind::mysql, ServerKind::mariadb}) {
    for (const CatalogueQueryText& query : catalogue_queries(server)) {
      EXPECT_TRUE(std::all_of(query.text.begin(), query.text.end(), [](char c) { return c >= ' ' && c < 0x7F; }));
      EXPECT_EQ(query.text.find_first_of("\"\\|"), std::string_view::npos) << query.text;
      EXPECT_EQ(query.columns == 0, query.query == Query::session);
    }
  }
}

}  // namespace
}  // namespace sallyport::catalog
