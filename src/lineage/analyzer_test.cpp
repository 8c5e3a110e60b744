#include "lineage/analyzer.h"

#include <gtest/gtest.h>

#include <string>

#include "lineage/definitions.h"
#include "sql/parse.h"

namespace sallyport::lineage {
namespace {

constexpr sql::Dialect mariadb{.server = sql::Server::mariadb, .version = 101119};
constexpr sql::Dialect mysql{.server = sql::Server::mysql, .version = 90704};

constexpr std::string_view schema =
    "CREATE DATABASE d; USE d;"
    "CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(9), ssn VARCHAR(11), g VARCHAR(11) AS (ssn), h INT AS "
    "(LENGTH(ssn)));"
    "CREATE TABLE q (id INT PRIMARY KEY, pid INT, note TEXT, hidden INT INVISIBLE);"
    "CREATE TABLE k (id INT, ssn CHAR(9), a INT, g INT AS (a + 1), UNIQUE (ssn, id), UNIQUE (g), KEY (a));"
    "CREATE TABLE child (kid INT, n INT, FOREIGN KEY (kid) REFERENCES k (id));"
    "CREATE VIEW v AS SELECT id, ssn AS code, CONCAT(name, '!') AS loud FROM p;"
    "CREATE VIEW w (a, b) AS SELECT code, id FROM v;"
    "CREATE FUNCTION plain(a INT) RETURNS INT RETURN a + 1;"
    "CREATE FUNCTION peek(a INT) RETURNS TEXT BEGIN DECLARE s TEXT; IF a > 1 THEN SELECT ssn INTO s FROM p WHERE id = "
    "a; "
    "SET s = CONCAT(s, '!'); END IF; RETURN s; END;"
    "CREATE FUNCTION inner_one(a INT) RETURNS TEXT RETURN peek(a);"
    "CREATE FUNCTION again(a INT) RETURNS TEXT RETURN again(a - 1);"
    "CREATE FUNCTION writes() RETURNS INT BEGIN UPDATE q SET note = 'x'; RETURN 1; END;"
    "CREATE FUNCTION keeps(a INT) RETURNS INT BEGIN DECLARE b TEXT; SET b = a; SET @kept = (SELECT ssn FROM p LIMIT "
    "1); "
    "RETURN 1; END;"
    "CREATE FUNCTION tells() RETURNS INT BEGIN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'x'; RETURN 1; END;"
    "CREATE FUNCTION sets() RETURNS INT BEGIN SET @@timestamp = 1; RETURN 1; END;"
    "CREATE FUNCTION twice(a INT) RETURNS INT RETURN writes() + keeps(a);"
    "CREATE FUNCTION remembers() RETURNS TEXT RETURN @v;"
    "CREATE FUNCTION remembers_more() RETURNS TEXT RETURN (SELECT CONCAT(@v, name) FROM p LIMIT 1);"
    "CREATE FUNCTION lost() RETURNS INT RETURN (SELECT a FROM nowhere)";

std::string names(const SourceSet& sources) {
  std::string text;
  for (const Source& source : sources) {
    text += (text.empty() ? "" : ",") + source.table->name + "." + source.definition().name;
  }
  return text;
}

const catalog::Catalogue& catalogue() {
  static const Definitions definitions = read_definitions(schema, mariadb, "");
  static const catalog::Catalogue made(definitions.content, 1);
  EXPECT_FALSE(definitions.mistake);
  return made;
}

// "a=p.ssn b~p.name | p.id": the columns of the output, copied and derived, a question mark where that is not certain,
// and what influences. "!" and the first doubt where there is one.
std::string read(std::string_view text, const sql::Dialect& dialect = mariadb) {
  sql::Arena arena;
  auto root = sql::parse(text, dialect, sql::ParseFor::executing, arena);
  if (!root) {
    return "no syntax";
  }
  Facts facts = analyze({.root = **root, .text = text, .dialect = dialect, .database = "d", .catalogue = catalogue()});
  std::string said;
  for (const OutputColumn& column : facts.output) {
    said += (said.empty() ? "" : " ") + column.name;
    said += column.lineage.copied.empty() ? "" : "=" + names(column.lineage.copied);
    said += column.lineage.derived.empty() ? "" : "~" + names(column.lineage.derived);
    said += column.lineage.certain ? "" : "?";
  }
  if (!facts.output_certain) {
    said += " ...";
  }
  for (const Flow& flow : facts.flows) {
    said += (said.empty() ? "" : " ") + flow.target + "<-" + names(flow.lineage.copied) +
            (flow.lineage.derived.empty() ? "" : "~" + names(flow.lineage.derived));
  }
  if (!facts.influences.empty()) {
    said += " | " + names(facts.influences);
  }
  return facts.doubts.empty() ? said : said + " ! " + facts.doubts[0].what;
}

struct Case {
  std::string_view text;
  std::string_view said;
};

void check(std::initializer_list<Case> cases, const sql::Dialect& dialect = mariadb) {
  for (const Case& one : cases) {
    EXPECT_EQ(read(one.text, dialect), one.said) << one.text;
  }
}

TEST(Lineage, follows_names_to_the_tables_that_bind_them) {
  check({
      {"SELECT ssn, p.name AS n, d.p.id FROM p", "ssn=p.ssn n=p.name id=p.id"},
      {"SELECT x.ssn s FROM p AS x", "s=p.ssn"},
      {"SELECT p.ssn FROM p AS x", "ssn? ! column p.ssn is not found"},
      {"SELECT id FROM p, q", "id=p.id,q.id? ! column id is in several tables"},
      {"SELECT nothing FROM p", "nothing? ! column nothing is not found"},
      {"SELECT (SELECT ssn FROM q LIMIT 1) FROM p", "(SELECT ssn FROM q LIMIT 1)=p.ssn"},
      {"SELECT (SELECT note FROM q WHERE q.pid = p.id) n FROM p", "n=q.note | p.id,q.pid"},
      {"SELECT * FROM p, (SELECT p.ssn) x",
       "id=p.id name=p.name ssn=p.ssn g=p.ssn,p.g h=p.h~p.ssn ssn? ! column p.ssn is not found"},
      {"SELECT ssn FROM other.p", "ssn=p.ssn? ! table other.p is not in the catalogue"},
  });
}

TEST(Lineage, expands_stars_as_the_servers_do) {
  check({
      {"SELECT * FROM q", "id=q.id pid=q.pid note=q.note"},
      {"SELECT hidden FROM q", "hidden=q.hidden"},
      {"SELECT x.*, 1 FROM q x", "id=q.id pid=q.pid note=q.note 1"},
      {"SELECT * FROM p JOIN q USING (id)",
       "id=p.id,q.id name=p.name ssn=p.ssn g=p.ssn,p.g h=p.h~p.ssn pid=q.pid note=q.note | p.id,q.id"},
      {"SELECT * FROM p RIGHT JOIN q USING (id)",
       "id=p.id,q.id pid=q.pid note=q.note name=p.name ssn=p.ssn g=p.ssn,p.g h=p.h~p.ssn | p.id,q.id"},
      {"SELECT id, note FROM q NATURAL JOIN v", "id=p.id,q.id note=q.note | p.id,q.id"},
  });
  check({{"TABLE q", "id=q.id pid=q.pid note=q.note"}}, mysql);
}

TEST(Lineage, opens_views_derived_tables_and_generated_columns) {
  check({
      {"SELECT code, loud FROM v", "code=p.ssn loud~p.name"},
      {"SELECT a FROM w WHERE b = 1", "a=p.ssn | p.id"},
      {"SELECT g, h FROM p", "g=p.ssn,p.g h=p.h~p.ssn"},
      {"SELECT z FROM (SELECT ssn AS z FROM p) t", "z=p.ssn"},
      {"WITH p AS (SELECT ssn AS id FROM p) SELECT id FROM p", "id=p.ssn"},
      {"WITH c (k) AS (SELECT ssn FROM p) SELECT k FROM c", "k=p.ssn"},
      {"WITH RECURSIVE r AS (SELECT 1 n, ssn s, name t FROM p UNION ALL SELECT n + 1, t, s FROM r) SELECT s, t FROM r",
       "s=p.name,p.ssn t=p.name,p.ssn"},
      {"SELECT j.v FROM p, JSON_TABLE(JSON_ARRAY(ssn), '$[*]' COLUMNS (v TEXT PATH '$')) j", "v~p.ssn | p.ssn"},
  });
  check({{"SELECT * FROM (SELECT ssn FROM p) t (s)", "s=p.ssn"},
         {"SELECT x.s FROM p, LATERAL (SELECT p.ssn AS s) x", "s=p.ssn"},
         {"SELECT COUNT(*) FROM p GROUP BY GROUPING SETS ((), (ssn, id))", "COUNT(*) | p.id,p.ssn"}},
        mysql);
}

TEST(Lineage, tells_copies_from_what_is_computed_and_from_what_decides) {
  check({
      {"SELECT MAX(ssn), LENGTH(ssn), ssn + 1 FROM p", "MAX(ssn)=p.ssn~p.ssn LENGTH(ssn)~p.ssn ssn + 1~p.ssn"},
      {"SELECT COALESCE(name, ssn) c FROM p", "c=p.name,p.ssn"},
      {"SELECT CASE WHEN ssn = 'x' THEN name ELSE 1 END c FROM p", "c=p.name | p.ssn"},
      {"SELECT IF(ssn = 'x', 1, 2) c FROM p", "c | p.ssn"},
      {"SELECT id IN (SELECT ssn FROM p) c FROM q", "c~p.ssn,q.id"},
      {"SELECT EXISTS (SELECT 1 FROM p WHERE ssn = 'x') c", "c | p.ssn"},
      {"SELECT name FROM p ORDER BY ssn LIMIT 1", "name=p.name | p.ssn"},
      {"SELECT name AS ssn FROM p ORDER BY ssn", "ssn=p.name | p.name,p.ssn"},
      {"SELECT COUNT(*) FROM p GROUP BY ssn HAVING MAX(name) > 'a'", "COUNT(*) | p.name,p.ssn"},
      {"SELECT DISTINCT ssn FROM p", "ssn=p.ssn | p.ssn"},
      {"SELECT ssn FROM p UNION SELECT note FROM q", "ssn=p.ssn,q.note | p.ssn,q.note"},
      {"SELECT ssn FROM p UNION ALL SELECT note FROM q", "ssn=p.ssn,q.note"},
      {"SELECT name FROM p EXCEPT SELECT note FROM q", "name=p.name,q.note | p.name,q.note"},
      {"SELECT SUM(id) OVER w FROM p WINDOW w AS (PARTITION BY ssn)", "SUM(id) OVER w~p.id | p.ssn"},
      {"SELECT {x ssn} FROM p", "ssn=p.ssn"},
      {"SELECT my_function(ssn) f FROM p", "f=p.ssn? ! function d.my_function is not in the catalogue"},
      {"SELECT now (ssn) f FROM p", "f=p.ssn? ! function d.now is not in the catalogue"},
      {"SELECT @v := ssn, @v FROM p", "@v := ssn=p.ssn @v=p.ssn? @v<-p.ssn"},
      {"SELECT @v", "@v?"},
  });
}

TEST(Lineage, opens_stored_functions) {
  check({
      {"SELECT plain(id) f FROM q", "f=q.id"},
      {"SELECT peek(q.id) f FROM q", "f=p.id,p.ssn,q.id | p.id"},
      {"SELECT d.inner_one(1) f", "f=p.id,p.ssn | p.id"},
      {"SELECT again(1) f", "f? ! function d.again is not followed: too many programs run others"},
      {"SELECT writes() f", "f=q.note d.q.note<-q.note"},
      {"SELECT 1 FROM q WHERE keeps(pid)", "1 @kept<-p.ssn,q.pid | p.ssn,q.pid"},
      {"SELECT tells() f", "f message<- message<-"},
      {"SELECT sets() f", "f? @@timestamp<- ! function d.sets does what is not followed"},
      {"SELECT twice(1) f", "f=p.ssn,q.note d.q.note<-q.note @kept<-p.ssn"},
      {"SELECT remembers() f", "f?"},
      {"SELECT remembers_more() f", "f=p.name~p.name?"},
      {"SELECT lost() f", "f=nowhere.a? ! table d.nowhere is not in the catalogue"},
  });
}

TEST(Lineage, knows_where_writes_take_their_values_from) {
  check({
      {"INSERT INTO q (pid, note) SELECT id, ssn FROM p", "d.q.pid<-p.id d.q.note<-p.ssn | q.id"},
      {"INSERT INTO q SET note = (SELECT ssn FROM p LIMIT 1)", "d.q.note<-p.ssn | q.id"},
      {"INSERT INTO q VALUES (1, 2, 3)", "d.q.id<- d.q.pid<- d.q.note<- | q.id"},
      {"INSERT INTO q (id, note) VALUES (1, 'x') ON DUPLICATE KEY UPDATE note = (SELECT ssn FROM p LIMIT 1)",
       "d.q.id<- d.q.note<- d.q.note<-p.ssn | q.id,q.pid,q.note,q.hidden"},
      {"UPDATE p SET name = ssn WHERE id = 1", "d.p.name<-p.ssn | p.id"},
      {"UPDATE p JOIN q ON p.id = q.pid SET q.note = CONCAT(p.ssn)", "d.q.note<-~p.ssn | p.id,q.pid"},
      {"DELETE FROM p WHERE ssn = 'x' RETURNING ssn", "ssn=p.ssn | p.ssn"},
      {"SELECT ssn INTO OUTFILE '/tmp/x' FROM p", "ssn=p.ssn file '/tmp/x'<-p.ssn"},
      {"SELECT ssn FROM p INTO @v", "ssn=p.ssn @v<-p.ssn"},
      {"SELECT 1 FROM p WHERE LAST_INSERT_ID(ssn)", "1 LAST_INSERT_ID()<-~p.ssn | p.ssn"},
      {"SELECT LAST_INSERT_ID()", "LAST_INSERT_ID()"},
  });
  check({{"INSERT INTO q (id, note) VALUES (1, 'x') AS new ON DUPLICATE KEY UPDATE note = new.note",
          "d.q.id<- d.q.note<- d.q.note<-q.note | q.id,q.pid,q.note,q.hidden"}},
        mysql);
}

// "Duplicate entry '721-07-4426-5' for key", "Incorrect integer value: '721-07-4426'": the error has the value, and
// that there is one says something.
TEST(Lineage, knows_what_the_error_of_a_change_gives_away) {
  std::string_view all = " | k.id,k.ssn,k.a,k.g";
  for (std::string_view text :
       {"ALTER TABLE k MODIFY ssn INT", "ALTER TABLE k ADD UNIQUE (a)", "CREATE UNIQUE INDEX i ON k (a)",
        "ALTER TABLE k PARTITION BY LIST (a) (PARTITION p VALUES IN (1))", "ALTER TABLE k CHANGE ssn ssn INT"}) {
    EXPECT_EQ(read(text), all) << text;
  }
  check({
      {"UPDATE k SET id = 5", "d.k.id<- | k.id,k.ssn,k.a,k.g,child.kid"},
      {"UPDATE k SET ssn = 'x'", "d.k.ssn<- | k.id,k.ssn,k.a,k.g"},
      {"UPDATE k SET a = 5", "d.k.a<- | k.a,k.g"},
      {"INSERT INTO k (a) VALUES (1)", "d.k.a<- | k.id,k.ssn,k.a,k.g"},
      {"DELETE FROM k", " | child.kid"},
      {"UPDATE child SET n = 1", "d.child.n<-"},
      {"UPDATE child SET kid = 1", "d.child.kid<- | k.id"},
      {"INSERT INTO child VALUES (1, 2)", "d.child.kid<- d.child.n<- | k.id"},
      {"DELETE FROM child", ""},
      {"DROP TABLE k", ""},
      {"DROP INDEX i ON k", ""},
  });
}

TEST(Lineage, knows_what_gives_values_another_name) {
  for (std::string_view text :
       {"RENAME TABLE k TO p2", "ALTER TABLE k RENAME p2", "ALTER TABLE k EXCHANGE PARTITION a WITH TABLE p",
        "ALTER TABLE k CONVERT PARTITION a TO TABLE p2", "ALTER TABLE k CHANGE ssn name CHAR(9)",
        "ALTER TABLE k RENAME COLUMN ssn TO name", "ALTER TABLE k UNION = (p)"}) {
    EXPECT_NE(read(text).find("! what was read by one name may be read by another now"), std::string::npos) << text;
  }
  for (std::string_view text :
       {"ALTER TABLE k RENAME INDEX a TO b", "ALTER TABLE k ADD FOREIGN KEY (a) REFERENCES q (id)",
        "ALTER TABLE k MODIFY ssn INT AFTER a", "RENAME USER u TO v"}) {
    EXPECT_EQ(read(text).find('!'), std::string::npos) << text;
  }
  EXPECT_NE(read("ALTER TABLE nowhere ADD x INT").find("! table d.nowhere is not in the catalogue"), std::string::npos);
}

// "d.p: read insert", a line each.
std::string objects_of(std::string_view text, const sql::Dialect& dialect) {
  sql::Arena arena;
  auto root = sql::parse(text, dialect, sql::ParseFor::executing, arena);
  if (!root) {
    return "no syntax";
  }
  std::string said;
  for (const Object& object :
       analyze({.root = **root, .text = text, .dialect = dialect, .database = "d", .catalogue = catalogue()}).objects) {
    said += object.schema + "." + object.name + ":";
    for (auto [one, name] : {std::pair{access::read, " read"},
                             {access::insert, " insert"},
                             {access::update, " update"},
                             {access::remove, " delete"}}) {
      said += (object.access & one) != 0 ? name : "";
    }
    said += "\n";
  }
  return said;
}

TEST(Facts, name_the_table_behind_a_view_as_written) {
  EXPECT_EQ(objects_of("INSERT INTO v (id, code) VALUES (1, 'a')", mariadb), "d.v: insert\nd.p: read insert\n");
  EXPECT_EQ(objects_of("REPLACE INTO v (id, code) VALUES (1, 'a')", mariadb),
            "d.v: insert delete\nd.p: read insert delete\n");
  EXPECT_EQ(objects_of("LOAD DATA INFILE 'f' INTO TABLE v (id, code)", mariadb), "d.v: insert\nd.p: read insert\n");
}

TEST(Facts, take_names_to_be_of_the_schema_that_the_statement_names) {
  EXPECT_EQ(objects_of("SHOW FULL COLUMNS FROM p FROM other", mariadb), "other.p: read\n");
  EXPECT_EQ(objects_of("SHOW INDEX IN p IN other", mysql), "other.p: read\n");
  EXPECT_EQ(objects_of("SHOW COLUMNS FROM p", mariadb), "d.p: read\n");
  EXPECT_EQ(objects_of("EXPLAIN FOR SCHEMA other SELECT id FROM p", mysql), "other.p: read\n");
}

TEST(Facts, are_uncertain_where_it_is_not_known_what_is_written) {
  for (std::string_view text : {"INSERT INTO q (note) VALUES (@v)", "UPDATE q SET note = @v WHERE id = 1",
                                "CREATE TABLE r AS SELECT @v AS x"}) {
    sql::Arena arena;
    auto root = sql::parse(text, mysql, sql::ParseFor::executing, arena);
    ASSERT_TRUE(root) << text;
    Definitions definitions = read_definitions("CREATE TABLE q (id INT, note TEXT)", mysql, "d");
    catalog::Catalogue known(definitions.content, 0);
    Facts facts = analyze({.root = **root, .text = text, .dialect = mysql, .database = "d", .catalogue = known});
    EXPECT_TRUE(facts.doubts.empty()) << text;
    EXPECT_FALSE(facts.certain()) << text;
  }
}

TEST(Facts, say_whether_a_condition_restricts_anything) {
  auto content = read_definitions("CREATE TABLE p (id INT NOT NULL, note TEXT, n INT)", mysql, "d").content;
  catalog::Catalogue known(std::move(content), 0);
  auto restricts = [&](const std::string& text, const catalog::Catalogue& catalogue) {
    sql::Arena arena;
    auto root = sql::parse(text, mysql, sql::ParseFor::executing, arena);
    EXPECT_TRUE(root) << text;
    if (!root) {
      return false;
    }
    Facts facts = analyze({.root = **root, .text = text, .dialect = mysql, .database = "d", .catalogue = catalogue});
    EXPECT_TRUE(facts.has_where) << text;
    return facts.where_restricts;
  };
  for (std::string condition : {"id = 1",
                                "1 = 1 AND id = 2",
                                "1 = 2",
                                "FALSE",
                                "0",
                                "NULL",
                                "NOT TRUE",
                                "note IS NULL",
                                "note IS NOT NULL",
                                "id IS NULL",
                                "id <> id",
                                "id IN (1, 2)",
                                "id LIKE '1%'",
                                "id BETWEEN 1 AND n",
                                "NOT id = 1",
                                "id = 1 OR n = 2",
                                "id = 1 OR FALSE",
                                "id = n",
                                "EXISTS (SELECT 1 FROM p AS q WHERE q.id = p.id)",
                                "note LIKE ''",
                                "id - n = 0",
                                "(id = 1) IS TRUE",
                                "id",
                                "id NOT IN (id)",
                                "id NOT LIKE '%'",
                                "1 = 2 AND RAND() < 1"}) {
    for (std::string text : {"DELETE FROM p WHERE ", "UPDATE p SET n = 1 WHERE ", "SELECT * FROM p WHERE "}) {
      EXPECT_TRUE(restricts(text + condition, known)) << text << condition;
    }
  }
  for (std::string condition : {"1 = 1",
                                "1",
                                "NOT FALSE",
                                "id = id",
                                "(1 = 1 OR id = 2)",
                                "'a' <> 'b'",
                                "TRUE",
                                "2 > 1",
                                "'a'",
                                "NOT 1 = 2",
                                "id IS NOT NULL",
                                "p.id IS NOT NULL",
                                "NOT id IS NULL",
                                "id = p.id",
                                "d.p.id <= id",
                                "id <=> id",
                                "RAND() < 2",
                                "@v = @v",
                                "NOW() > '2000-01-01'",
                                "id * 0 = 0",
                                "id - id = 0",
                                "0 * (id + 1) < 1",
                                "id ^ id = 0",
                                "id IN (1, id)",
                                "id BETWEEN id AND id",
                                "note LIKE '%'",
                                "note LIKE '%%'",
                                "note REGEXP '.*'",
                                "note LIKE note",
                                "note IS NULL OR note IS NOT NULL",
                                "id = 1 OR id <> 1",
                                "id > 5 OR n = 3 OR id <= 5",
                                "id = 1 OR NOT (id = 1)",
                                "id IN (1) OR id NOT IN (1)",
                                "EXISTS (SELECT 1)",
                                "NOT EXISTS (SELECT 1 FROM d.p WHERE FALSE)",
                                "(1 = 1) IS TRUE",
                                "(id = id) IS NOT FALSE",
                                "((id)) = id",
                                "1 = 1 AND RAND() < 1",
                                "id = 1 OR @v",
                                "-1",
                                "CONCAT('a', 'b') = 'ab'",
                                "1 IN (1, 2)",
                                "NOT (id <> id)"}) {
    for (std::string text : {"DELETE FROM p WHERE ", "UPDATE p SET n = 1 WHERE ", "SELECT * FROM p WHERE "}) {
      EXPECT_FALSE(restricts(text + condition, known)) << text << condition;
    }
  }
  catalog::Catalogue nothing({}, 0);
  EXPECT_FALSE(restricts("DELETE FROM p WHERE id IS NOT NULL", nothing)) << "it may be a column that can't be";
  EXPECT_TRUE(restricts("SELECT 1 FROM p LEFT JOIN p AS q ON p.n = q.id WHERE q.id IS NULL", known));
}

TEST(Lineage, takes_the_columns_of_a_view_that_has_none_from_its_query) {
  auto content = read_definitions(schema, mariadb, "").content;
  for (catalog::Table& table : content.tables) {
    if (table.name == "v") {
      table.columns.clear();
    }
  }
  for (std::string_view query : {"select `d`.`p`.`ssn` AS `x` from `d`.`p`", "", "select * from v"}) {
    for (catalog::Table& table : content.tables) {
      if (table.name == "v") {
        table.view_query = query;
      }
    }
    catalog::Catalogue catalogue(content, 1);
    sql::Arena arena;
    std::string_view text = "SELECT * FROM v";
    auto root = sql::parse(text, mariadb, sql::ParseFor::executing, arena);
    ASSERT_TRUE(root);
    Facts facts = analyze({.root = **root, .text = text, .dialect = mariadb, .database = "d", .catalogue = catalogue});
    bool readable = query.starts_with("select `d`");
    EXPECT_EQ(facts.certain(), readable) << query;
    ASSERT_EQ(facts.output.size(), readable ? 1U : 0U);
    if (readable) {
      EXPECT_EQ(facts.output[0].name, "x");
      EXPECT_EQ(names(facts.output[0].lineage.copied), "p.ssn");
    }
  }
}

TEST(Lineage, is_uncertain_where_bodies_are_not_followed) {
  auto certain = [](std::string_view text) {
    auto content = read_definitions(
        "CREATE TABLE t (a INT, b INT); CREATE TABLE quiet (a INT); CREATE VIEW v AS SELECT a, b FROM t;"
        "CREATE FUNCTION hides() RETURNS INT BEGIN CREATE TEMPORARY TABLE quiet (a INT); RETURN 1; END;"
        "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW SET NEW.a = OLD.b",
        mariadb, "d");
    EXPECT_FALSE(content.mistake);
    catalog::Catalogue catalogue(std::move(content.content), 1);
    sql::Arena arena;
    auto root = sql::parse(text, mariadb, sql::ParseFor::executing, arena);
    EXPECT_TRUE(root) << text;
    return analyze({.root = **root, .text = text, .dialect = mariadb, .database = "d", .catalogue = catalogue})
        .certain();
  };
  EXPECT_TRUE(certain("UPDATE quiet SET a = 1"));
  EXPECT_TRUE(certain("SELECT a FROM t"));
  EXPECT_TRUE(certain("CREATE TABLE u (a INT)"));
  EXPECT_TRUE(certain("UPDATE t SET a = 1"));
  for (std::string_view text :
       {"INSERT INTO v VALUES (1, 2)", "DELETE FROM v", "SELECT hides()",
        "CREATE TRIGGER h BEFORE UPDATE ON t FOR EACH ROW SET NEW.a = OLD.b", "CREATE PROCEDURE p() SELECT b FROM t",
        "CREATE FUNCTION f() RETURNS INT RETURN (SELECT MAX(b) FROM t)",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t"}) {
    EXPECT_FALSE(certain(text)) << text;
  }
}

TEST(Definitions, know_which_foreign_keys_change_rows) {
  for (const auto& [rule, cascades] : {std::pair{"", false},
                                       {"ON DELETE NO ACTION ON UPDATE RESTRICT", false},
                                       {"ON DELETE NO ACTION", false},
                                       {"ON DELETE CASCADE", true},
                                       {"ON UPDATE SET NULL", true},
                                       {"ON DELETE RESTRICT ON UPDATE CASCADE", true}}) {
    std::string text = "CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES u (b) " + std::string(rule) + ")";
    auto read = read_definitions(text, mysql, "d");
    ASSERT_FALSE(read.mistake) << text;
    ASSERT_EQ(read.content.tables[0].foreign_keys.size(), 1U);
    EXPECT_EQ(read.content.tables[0].foreign_keys[0].cascades, cascades) << text;
  }
}

TEST(Definitions, name_the_statement_that_they_end_at) {
  auto read = read_definitions("CREATE TABLE t (a INT);\nCREATE TABLE u (", mysql, "d");
  ASSERT_TRUE(read.mistake);
  EXPECT_EQ(read.mistake->offset, 40U);
  ASSERT_EQ(read.content.tables.size(), 1U);
  EXPECT_EQ(read.content.tables[0].columns[0].type, "int");
}

}  // namespace
}  // namespace sallyport::lineage
