#include <gtest/gtest.h>

#include <string>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mariadb{.server = Server::mariadb, .version = 101'119};
constexpr Dialect newer_mariadb{.server = Server::mariadb, .version = 110'806};
constexpr Dialect mysql{.server = Server::mysql, .version = 90'704};
constexpr Dialect older_mysql{.server = Server::mysql, .version = 80'036};

// The tree, or "refused".
std::string read(std::string_view text, const Dialect& dialect) {
  Arena arena;
  auto root = parse(text, dialect, ParseFor::executing, arena);
  return root ? describe(**root, text) : "refused";
}

bool is_read(std::string_view text, const Dialect& dialect) {
  return read(text, dialect) != "refused";
}

bool are_alike(std::string_view one, std::string_view other, const Dialect& dialect) {
  Arena arena;
  auto left = parse(one, dialect, ParseFor::executing, arena);
  Arena other_arena;
  auto right = parse(other, dialect, ParseFor::executing, other_arena);
  return left && right && says_the_same(**left, one, **right, other);
}

TEST(Definitions, EveryTableThatATableIsMadeOfIsNamed) {
  EXPECT_EQ(
      read("CREATE TABLE hr.pay (boss int REFERENCES staff (id), CONSTRAINT c FOREIGN KEY (boss) REFERENCES d.u (id) "
           "ON DELETE CASCADE) UNION = (t) DATA DIRECTORY '/x' AS SELECT ssn FROM v",
           mysql),
      "none: create\n"
      "  name: object_name\n"
      "    qualifier: name hr\n"
      "    name: name pay\n"
      "  columns: table_elements\n"
      "    element: column_definition\n"
      "      name: name boss\n"
      "      type: data_type int\n"
      "      references: references\n"
      "        table: object_name\n"
      "          name: name staff\n"
      "        column: name id\n"
      "    element: table_constraint\n"
      "      constraint: object_name\n"
      "        name: name c\n"
      "      columns: key_parts\n"
      "        column: key_part\n"
      "          name: name boss\n"
      "      references: references\n"
      "        table: object_name\n"
      "          qualifier: name d\n"
      "          name: name u\n"
      "        column: name id\n"
      "        on: referential_action\n"
      "          action: keyword CASCADE\n"
      "  option: option\n"
      "    table: object_name\n"
      "      name: name t\n"
      "  option: option\n"
      "    file: literal '/x'\n"
      "  query: query\n"
      "    body: select\n"
      "      item: select_item\n"
      "        operand: column_reference\n"
      "          name: name ssn\n"
      "      from: table_references\n"
      "        element: table\n"
      "          name: object_name\n"
      "            name: name v\n");
}

TEST(Definitions, AViewTellsInWhoseNameItReads) {
  EXPECT_EQ(read("CREATE OR REPLACE DEFINER = root@localhost SQL SECURITY DEFINER VIEW d.v (a) AS SELECT 1 "
                 "WITH LOCAL CHECK OPTION",
                 mariadb),
            "none: create\n"
            "  definer: account\n"
            "    name: name root\n"
            "    host: name localhost\n"
            "  option: option\n"
            "    value: keyword DEFINER\n"
            "  name: object_name\n"
            "    qualifier: name d\n"
            "    name: name v\n"
            "  column: name a\n"
            "  query: query\n"
            "    body: select\n"
            "      item: select_item\n"
            "        operand: literal 1\n"
            "  option: option\n"
            "    value: keyword LOCAL\n");
}

TEST(Definitions, WhatAnAlteredTableIsRenamedToAndExchangedWithIsNamed) {
  EXPECT_EQ(read("ALTER TABLE staff RENAME COLUMN ssn TO pub, RENAME d.t, ALGORITHM = COPY", mysql),
            "none: alter\n"
            "  name: object_name\n"
            "    name: name staff\n"
            "  action: alter_action\n"
            "    target: object_name\n"
            "      name: name ssn\n"
            "    into: object_name\n"
            "      name: name pub\n"
            "  action: alter_action\n"
            "    into: object_name\n"
            "      qualifier: name d\n"
            "      name: name t\n"
            "  option: option\n"
            "    value: name COPY\n");
  EXPECT_EQ(read("ALTER TABLE staff EXCHANGE PARTITION p WITH TABLE hr.u", mariadb),
            "none: alter\n"
            "  name: object_name\n"
            "    name: name staff\n"
            "  action: alter_action\n"
            "    partition: object_name\n"
            "      name: name p\n"
            "    table: object_name\n"
            "      qualifier: name hr\n"
            "      name: name u\n");
}

TEST(Definitions, SecretsAndFilesAreTold) {
  EXPECT_EQ(read("ALTER SERVER s OPTIONS (HOST 'h', PASSWORD 'p')", mariadb),
            "none: alter\n"
            "  name: object_name\n"
            "    name: name s\n"
            "  option: option\n"
            "    value: literal 'h'\n"
            "  option: option\n"
            "    secret: literal 'p'\n");
  EXPECT_EQ(read("CREATE TABLE t (a int) CONNECTION = 'mysql://u:p@h/d/t'", mariadb),
            "none: create\n"
            "  name: object_name\n"
            "    name: name t\n"
            "  columns: table_elements\n"
            "    element: column_definition\n"
            "      name: name a\n"
            "      type: data_type int\n"
            "  option: option\n"
            "    secret: literal 'mysql://u:p@h/d/t'\n");
  EXPECT_EQ(read("IMPORT TABLE FROM '/a.sdi', 'b.sdi'", mysql),
            "none: import\n"
            "  file: literal '/a.sdi'\n"
            "  file: literal 'b.sdi'\n");
  EXPECT_EQ(read("CREATE TABLESPACE s ADD DATAFILE 'x.ibd'", mysql),
            "none: create\n"
            "  name: object_name\n"
            "    name: name s\n"
            "  file: literal 'x.ibd'\n");
}

TEST(Definitions, AMaskingPolicyTellsWhatItShows) {
  EXPECT_EQ(read("CREATE MASKING POLICY p (a) CASE WHEN CURRENT_USER_IN('hr') THEN a ELSE 'x' END", mysql),
            "none: create\n"
            "  name: object_name\n"
            "    name: name p\n"
            "  column: name a\n"
            "  value: case\n"
            "    condition: function_call\n"
            "      function: object_name\n"
            "        name: name CURRENT_USER_IN\n"
            "      argument: literal 'hr'\n"
            "    value: column_reference\n"
            "      name: name a\n"
            "    otherwise: literal 'x'\n");
  EXPECT_TRUE(is_read("ALTER TABLE t ALTER COLUMN a DROP MASKING POLICY", mysql));
  EXPECT_FALSE(are_alike("ALTER TABLE t ALTER COLUMN a DROP MASKING POLICY",
                         "ALTER TABLE t ALTER COLUMN a DROP DEFAULT", mysql));
}

TEST(Definitions, SynonymsSayTheSame) {
  EXPECT_TRUE(are_alike("DROP SCHEMA d", "DROP DATABASE d", mysql));
  EXPECT_TRUE(are_alike("DROP TABLES t RESTRICT", "DROP TABLE t", mysql));
  EXPECT_TRUE(are_alike("CREATE TABLE t (a int GENERATED ALWAYS AS (1) VIRTUAL KEY)",
                        "CREATE TABLE t (a int AS (1) PRIMARY KEY)", mysql));
  EXPECT_TRUE(are_alike("ALTER TABLE t ADD COLUMN a int", "ALTER TABLE t ADD (a int)", mariadb));
}

TEST(Definitions, WhatDiffersInMeaningDiffersInTheTree) {
  const std::string_view pairs[][2]{
      {"DROP TABLE t", "DROP VIEW t"},
      {"DROP TABLE t", "DROP TABLE IF EXISTS t"},
      {"DROP TABLE t", "DROP TEMPORARY TABLE t"},
      {"DROP TABLE d", "DROP DATABASE d"},
      {"CREATE TABLE t LIKE u", "CREATE TABLE IF NOT EXISTS t LIKE u"},
      {"CREATE TABLE t LIKE u", "CREATE TEMPORARY TABLE t LIKE u"},
      {"CREATE TABLE t SELECT 1", "CREATE TABLE t IGNORE SELECT 1"},
      {"CREATE TABLE t (a int)", "CREATE TABLE t (a int NULL)"},
      {"CREATE TABLE t (a int NULL)", "CREATE TABLE t (a int NOT NULL)"},
      {"CREATE TABLE t (a int AS (1))", "CREATE TABLE t (a int AS (1) STORED)"},
      {"CREATE TABLE t (a int, UNIQUE (a))", "CREATE TABLE t (a int, KEY (a))"},
      {"CREATE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW v AS SELECT 1"},
      {"CREATE VIEW v AS SELECT 1", "ALTER VIEW v AS SELECT 1"},
      {"CREATE SQL SECURITY DEFINER VIEW v AS SELECT 1", "CREATE SQL SECURITY INVOKER VIEW v AS SELECT 1"},
      {"ALTER TABLE t DROP a", "ALTER TABLE t DROP KEY a"},
      {"ALTER TABLE t DROP a", "ALTER TABLE t DROP CONSTRAINT a"},
      {"ALTER TABLE t DROP a", "ALTER TABLE t DROP PARTITION a"},
      {"ALTER TABLE t TRUNCATE PARTITION a", "ALTER TABLE t DROP PARTITION a"},
      {"ALTER TABLE t DISCARD TABLESPACE", "ALTER TABLE t IMPORT TABLESPACE"},
      {"ALTER TABLE t ENABLE KEYS", "ALTER TABLE t DISABLE KEYS"},
      {"ALTER TABLE t RENAME a", "ALTER TABLE t RENAME INDEX a TO a"},
  };
  for (const auto& [one, other] : pairs) {
    for (const Dialect& dialect : {mysql, mariadb}) {
      EXPECT_TRUE(is_read(one, dialect)) << one;
      EXPECT_TRUE(is_read(other, dialect)) << other;
      EXPECT_FALSE(are_alike(one, other, dialect)) << one << " / " << other;
    }
  }
}

TEST(Definitions, WhatOnlyOneServerHasIsRefusedForTheOther) {
  for (std::string_view text : {
           "CREATE OR REPLACE TABLE t (a int)",
           "CREATE TABLE t (a int) WITH SYSTEM VERSIONING",
           "CREATE TABLE t (a int, PERIOD FOR p (a, b))",
           "CREATE TABLE t (a int DEFAULT now(), b int DEFAULT a)",
           "CREATE TABLE t (a int) PARTITION BY SYSTEM_TIME LIMIT 10",
           "CREATE TABLE t (a int x = 1) y = 'z'",
           "CREATE SEQUENCE s START WITH 1",
           "ALTER IGNORE TABLE t ADD COLUMN IF NOT EXISTS a int",
           "ALTER TABLE t CONVERT PARTITION p TO TABLE u",
           "DROP TABLE t NOWAIT",
           "RENAME TABLE IF EXISTS a TO b",
           "ALTER DATABASE d UPGRADE DATA DIRECTORY NAME",
       }) {
    EXPECT_TRUE(is_read(text, mariadb)) << text;
    EXPECT_FALSE(is_read(text, mysql)) << text;
  }
  for (std::string_view text : {
           "CREATE TABLE t (a int CHECK (a > 1) NOT ENFORCED)",
           "CREATE TABLE t (a int, KEY ((a + 1)))",
           "CREATE TABLE t TABLE u",
           "CREATE TABLE t (a int) SECONDARY_ENGINE = NULL",
           "CREATE UNDO TABLESPACE s ADD DATAFILE 'x'",
           "CREATE SPATIAL REFERENCE SYSTEM 1 NAME 'x' DEFINITION 'y'",
           "CREATE JSON DUALITY VIEW v AS SELECT JSON_DUALITY_OBJECT(WITH (INSERT) '_id': a) FROM t",
           "CREATE MATERIALIZED VIEW v AS SELECT 1",
           "ALTER TABLE t SECONDARY_LOAD",
           "ALTER DATABASE d READ ONLY = 1",
           "DROP INDEX i ON t LOCK = NONE",
       }) {
    EXPECT_TRUE(is_read(text, mysql)) << text;
    EXPECT_FALSE(is_read(text, mariadb)) << text;
  }
}

TEST(Definitions, WhatCameWithALaterVersionIsRefusedBefore) {
  EXPECT_TRUE(is_read("ALTER TABLE t ADD VECTOR INDEX (v)", newer_mariadb));
  EXPECT_FALSE(is_read("ALTER TABLE t ADD VECTOR INDEX (v)", mariadb));
  EXPECT_TRUE(is_read("CREATE SEQUENCE s AS int", newer_mariadb));
  EXPECT_FALSE(is_read("CREATE SEQUENCE s AS int", mariadb));
  EXPECT_FALSE(is_read("CREATE MASKING POLICY p (a) CASE a WHEN 1 THEN 2 END", older_mysql));
  EXPECT_FALSE(is_read("CREATE VIEW IF NOT EXISTS v AS SELECT 1", older_mysql));
  EXPECT_TRUE(is_read("CREATE VIEW IF NOT EXISTS v AS SELECT 1", mysql));
}

TEST(Definitions, WhatIsNotOfTheGrammarIsRefused) {
  for (std::string_view text : {
           "CREATE TABLE t (a int,)",
           "CREATE TABLE t ()",
           "CREATE TABLE t (a int) IGNORE",
           "CREATE TABLE t (LIKE u) ENGINE = x",
           "CREATE TABLE sum(a int)",
           "CREATE TABLE t (a int DEFAULT a + 1)",
           "CREATE TABLE t (a int) PARTITION BY HASH (@x)",
           "CREATE DEFINER = a TABLE t (a int)",
           "CREATE SQL SECURITY INVOKER PROCEDURE p() SELECT 1",
           "CREATE TEMPORARY VIEW v AS SELECT 1",
           "CREATE VIEW v AS SELECT 1 INTO @x",
           "ALTER TABLE t, ADD a int",
           "ALTER TABLE t TRUNCATE PARTITION p, ADD a int",
           "ALTER TABLE t ADD a int, TRUNCATE PARTITION p",
           "ALTER DATABASE d",
           "DROP DATABASE d, e",
           "DROP TABLE t RESTRICT NOWAIT",
           "RENAME TABLE a AS b",
           "DROP t",
           "CREATE t",
       }) {
    for (const Dialect& dialect : {mysql, mariadb}) {
      EXPECT_FALSE(is_read(text, dialect)) << text;
    }
  }
}

TEST(Definitions, AKeywordDirectlyBeforeADotIsAName) {
  EXPECT_EQ(read("DROP TABLE select.from", mysql),
            "none: drop\n"
            "  name: object_name\n"
            "    qualifier: name select\n"
            "    name: name from\n");
  EXPECT_FALSE(is_read("DROP TABLE select .from", mysql));
  EXPECT_FALSE(is_read("SELECT 1 FROM.t", mariadb));
}

}  // namespace
}  // namespace sallyport::sql
