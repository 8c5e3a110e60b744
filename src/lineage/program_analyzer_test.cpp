// Procedures, triggers and cascades: what a statement does by way of them.
#include <gtest/gtest.h>

#include "lineage/analyzer.h"
#include "lineage/definitions.h"
#include "sql/parse.h"

namespace sallyport::lineage {
namespace {

constexpr sql::Dialect mariadb{.server = sql::Server::mariadb, .version = 101119};

constexpr std::string_view schema = R"(
CREATE TABLE users (id INT PRIMARY KEY, ssn TEXT, name TEXT, note TEXT);
CREATE TABLE log (id INT, text TEXT);
CREATE TABLE quiet (id INT, text TEXT);
CREATE TABLE parent (id INT PRIMARY KEY, code INT UNIQUE, text TEXT);
CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE grandchild (child INT, FOREIGN KEY (child) REFERENCES child (id) ON DELETE SET NULL);
CREATE TRIGGER u_log AFTER UPDATE ON users FOR EACH ROW INSERT INTO log VALUES (OLD.id, new.ssn);
CREATE TRIGGER l_sets BEFORE INSERT ON log FOR EACH ROW SET NEW.text = CONCAT(NEW.text, (SELECT MAX(name) FROM users));
CREATE TRIGGER q_dynamic BEFORE DELETE ON quiet FOR EACH ROW SET GLOBAL max_connections = 5;
CREATE PROCEDURE looks(IN who INT, OUT found TEXT) BEGIN
  DECLARE v TEXT; DECLARE name TEXT;
  SELECT ssn INTO v FROM users WHERE id = who;
  IF v IS NOT NULL THEN SET found = v; END IF;
END;
CREATE PROCEDURE returns() BEGIN DECLARE name TEXT; SELECT ssn INTO name FROM users LIMIT 1; SELECT name FROM users; END;
CREATE PROCEDURE writes(t TEXT) BEGIN INSERT INTO quiet VALUES (1, t); UPDATE quiet SET text = (SELECT note FROM users LIMIT 1); END;
CREATE PROCEDURE calls() BEGIN CALL writes('x'); CALL returns(); END;
CREATE PROCEDURE again() BEGIN CALL again(); END;
CREATE PROCEDURE dynamic() BEGIN PREPARE s FROM 'SELECT ssn FROM users'; EXECUTE s; END;
CREATE PROCEDURE tells() BEGIN DECLARE m TEXT; SELECT ssn INTO m FROM users LIMIT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = m; END;
CREATE PROCEDURE loops() BEGIN
  DECLARE done INT DEFAULT 0; DECLARE v TEXT; DECLARE c CURSOR FOR SELECT ssn FROM users;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;
  OPEN c; l: LOOP FETCH c INTO v; IF done THEN LEAVE l; END IF; INSERT INTO quiet VALUES (1, v); END LOOP; CLOSE c;
END;
CREATE PROCEDURE sets() BEGIN SET @leak = (SELECT ssn FROM users LIMIT 1); END;
CREATE PROCEDURE makes() BEGIN CREATE TEMPORARY TABLE users (id INT); END;
)";

struct Said {
  Facts facts;
  std::string flows;
  std::string objects;
};

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() : catalogue_(content(), 1) {}
  static catalog::Catalogue::Content content() {
    auto read = read_definitions(schema, mariadb, "d");
    EXPECT_FALSE(read.mistake) << (read.mistake ? schema.substr(read.mistake->offset, 60) : "");
    return std::move(read.content);
  }

  Said of(std::string_view text) {
    sql::Arena arena;
    auto root = sql::parse(text, mariadb, sql::ParseFor::preparing, arena);
    EXPECT_TRUE(root) << text;
    Said said{
        .facts = analyze({.root = **root, .text = text, .dialect = mariadb, .database = "d", .catalogue = catalogue_})};
    for (const Flow& flow : said.facts.flows) {
      said.flows += flow.target + "<-";
      for (const SourceSet* set : {&flow.lineage.copied, &flow.lineage.derived}) {
        for (const Source& source : *set) {
          said.flows += source.table->name + "." + source.definition().name + " ";
        }
      }
      said.flows += "; ";
    }
    for (const Object& object : said.facts.objects) {
      said.objects += object.name + ":" + std::to_string(object.access) + " ";
    }
    return said;
  }
  static bool carries(const Said& said, std::string_view target, std::string_view source) {
    std::size_t at = said.flows.find(std::string(target) + "<-");
    while (at != std::string::npos) {
      if (said.flows.substr(at, said.flows.find(';', at) - at).find(source) != std::string::npos) {
        return true;
      }
      at = said.flows.find(std::string(target) + "<-", at + 1);
    }
    return false;
  }

  catalog::Catalogue catalogue_;
};

TEST_F(ProgramTest, AProcedureGivesWhatItReads) {
  Said said = of("CALL looks(5, @found)");
  EXPECT_TRUE(said.facts.doubts.empty());
  EXPECT_TRUE(carries(said, "@found", "users.ssn")) << said.flows;
  EXPECT_EQ(said.facts.variables_written, std::vector<std::string>{"@found"});
  EXPECT_NE(said.objects.find("users:1"), std::string::npos) << said.objects;
  said = of("CALL looks(5, ?)");
  EXPECT_FALSE(said.facts.output_certain) << "the client gets it as a row";
  EXPECT_TRUE(carries(said, "parameter 2", "users.ssn")) << said.flows;
}

TEST_F(ProgramTest, AVariableOfAColumnsNameStandsForWhatWasReadIntoIt) {
  Said said = of("CALL returns()");
  EXPECT_TRUE(carries(said, "result set", "users.ssn")) << said.flows;
  EXPECT_FALSE(said.facts.output_certain);
}

TEST_F(ProgramTest, WhatAProcedureReadsFlowsIntoWhatItWrites) {
  Said said = of("CALL writes((SELECT ssn FROM users LIMIT 1))");
  EXPECT_TRUE(said.facts.certain());
  EXPECT_TRUE(carries(said, "d.quiet.text", "users.ssn")) << said.flows;
  EXPECT_TRUE(carries(said, "d.quiet.text", "users.note"));
  said = of("CALL calls()");
  EXPECT_TRUE(carries(said, "result set", "users.ssn")) << said.flows;
  EXPECT_TRUE(carries(said, "d.quiet.text", "users.note"));
  said = of("CALL loops()");
  EXPECT_TRUE(said.facts.certain());
  EXPECT_TRUE(carries(said, "d.quiet.text", "users.ssn")) << said.flows;
  EXPECT_TRUE(carries(of("CALL tells()"), "message", "users.ssn"));
  EXPECT_TRUE(carries(of("CALL sets()"), "@leak", "users.ssn"));
}

TEST_F(ProgramTest, IsUncertainWhereAStatementOfItIsNotFollowed) {
  for (std::string_view text : {"CALL again()", "CALL dynamic()", "CALL makes()", "CALL missing()", "CALL looks(1)",
                                "DELETE FROM quiet", "REPLACE INTO quiet VALUES (1, 2)"}) {
    EXPECT_FALSE(of(text).facts.certain()) << text;
    EXPECT_FALSE(of(text).facts.doubts.empty()) << text;
  }
  EXPECT_TRUE(of("INSERT INTO quiet VALUES (1, 2)").facts.certain());
}

TEST_F(ProgramTest, ATriggerRunsWithTheChangeThatItIsFor) {
  Said said = of("UPDATE users SET ssn = (SELECT note FROM users LIMIT 1) WHERE id = 1");
  EXPECT_TRUE(said.facts.certain());
  EXPECT_TRUE(carries(said, "d.log.text", "users.ssn")) << said.flows;
  EXPECT_TRUE(carries(said, "d.log.text", "users.note")) << "by way of NEW.ssn";
  EXPECT_TRUE(carries(said, "d.log.text", "users.name")) << "by the trigger of the other table";
  EXPECT_TRUE(said.facts.where_restricts);
  EXPECT_EQ(of("INSERT INTO users VALUES (1, 'a', 'b', 'c')").flows.find("log"), std::string::npos);
}

TEST_F(ProgramTest, AForeignKeyTakesItsRowsAlong) {
  EXPECT_EQ(of("DELETE FROM parent").objects, "parent:9 child:12 grandchild:12 ");
  Said said = of("UPDATE parent SET id = (SELECT MAX(id) FROM users)");
  EXPECT_TRUE(carries(said, "d.child.parent", "users.id")) << said.flows;
  EXPECT_EQ(of("UPDATE parent SET text = 'x'").objects, "parent:5 ") << "no key of it";
  EXPECT_EQ(of("INSERT INTO parent VALUES (1, 2, 3)").objects.find("child"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::lineage
