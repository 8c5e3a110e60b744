#include "sql/kill_statement.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::sql {
namespace {

constexpr Dialect mariadb{.server = Server::mariadb, .version = 101119};
constexpr Dialect mysql{.server = Server::mysql, .version = 90704};

// "-" without KILL, "!" refused, else what is to be killed.
std::string read(std::string_view text, const Dialect& dialect) {
  auto kill = read_kill(text, dialect);
  if (!kill) {
    return kill.error() == KillRefusal::other_form ? "!" : "!not understood";
  }
  if (!*kill) {
    return "-";
  }
  std::string found = (*kill)->scope == KillStatement::Scope::query ? "query " : "connection ";
  found += (*kill)->force == KillStatement::Force::hard ? "hard " : "";
  found += (*kill)->force == KillStatement::Force::soft ? "soft " : "";
  return found + std::to_string((*kill)->id);
}

TEST(KillStatement, is_read_in_its_plain_forms) {
  for (const Dialect& dialect : {mariadb, mysql}) {
    EXPECT_EQ(read("KILL 5", dialect), "connection 5");
    EXPECT_EQ(read(" kill\tcOnnection 2147483649 ; ", dialect), "connection 2147483649");
    EXPECT_EQ(read("KILL QUERY 5;;", dialect), "query 5");
    EXPECT_EQ(read("/* a */ KILL -- b\n 5 # c", dialect), "connection 5");
    EXPECT_EQ(read("/*!50000 KILL */ 5", dialect), "connection 5");
    EXPECT_EQ(read("KILL HARD QUERY 7", dialect), "query hard 7");
    EXPECT_EQ(read("KILL SOFT 7", dialect), "connection soft 7");
    EXPECT_EQ(read("KILL 18446744073709551615", dialect), "connection 18446744073709551615");
  }
}

TEST(KillStatement, is_refused_in_every_other_form) {
  for (const Dialect& dialect : {mariadb, mysql}) {
    for (std::string_view text : {"KILL",
                                  "KILL 1+1",
                                  "KILL QUERY 1+1",
                                  "KILL @a",
                                  "KILL @@pseudo_thread_id",
                                  "KILL ?",
                                  "KILL '5'",
                                  "KILL 0x05",
                                  "KILL x'05'",
                                  "KILL 5.0",
                                  "KILL 5e0",
                                  "KILL -5",
                                  "KILL (5)",
                                  "KILL (SELECT 5)",
                                  "KILL CONNECTION_ID()",
                                  "KILL USER 'a'@'b'",
                                  "KILL QUERY ID 5",
                                  "KILL 5 6",
                                  "KILL 5; KILL 6",
                                  "KILL 18446744073709551616",
                                  "KILL 5a",
                                  "KILL `5`",
                                  "KILL 'open",
                                  "SET STATEMENT max_statement_time = 1 FOR KILL 5",
                                  "BEGIN NOT ATOMIC KILL 5; END",
                                  "IF 1 THEN KILL 5; END IF",
                                  "CREATE PROCEDURE p() KILL 5",
                                  "SELECT 1; KILL 5",
                                  "/*!50000 SELECT 1; KILL 5 */",
                                  "EXPLAIN KILL 5"}) {
      EXPECT_EQ(read(text, dialect), "!") << text;
    }
  }
  EXPECT_EQ(read(std::string("KILL 5\0", 7), mysql), "connection 5");
  EXPECT_EQ(read(std::string("KILL 5\0 6", 9), mysql), "!");
  EXPECT_EQ(read(std::string("SELECT \0 KILL 5", 15), mysql), "!not understood");
  for (Charset charset : {Charset::transparent, Charset::transparent_a0_blank}) {
    Dialect dialect{.server = Server::mariadb, .version = 101119, .charset = charset};
    EXPECT_EQ(read("\xA0KILL 5", dialect), charset == Charset::transparent ? "-" : "connection 5")
        << "a blank in latin1";
  }
}

TEST(KillStatement, is_not_seen_where_there_is_none) {
  for (const Dialect& dialect : {mariadb, mysql}) {
    for (std::string_view text :
         {"", "SELECT 1", "SELECT 'KILL 5'", "SELECT `kill`", "SELECT t.kill", "SELECT 1 -- KILL 5", "/* KILL */ DO 1",
          "SELECT killed, skill, kill_count FROM overkill", "SELECT 'open KILL", "SHOW STATUS LIKE 'kill%'"}) {
      EXPECT_EQ(read(text, dialect), "-") << text;
    }
  }
  EXPECT_EQ(read("/*!999999 KILL 5 */ SELECT 1", mysql), "-");
}

TEST(KillStatement, its_letters_are_found_wherever_they_stand) {
  for (std::size_t before = 0; before < 9; ++before) {
    for (std::string_view filler : {"x", "k", "i", "l"}) {
      std::string text;
      for (std::size_t i = 0; i < before; ++i) {
        text += filler;
      }
      EXPECT_FALSE(may_hold_kill(text + "kil"));
      EXPECT_FALSE(may_hold_kill(text + "k ll"));
      EXPECT_TRUE(may_hold_kill(text + "kIlL"));
      EXPECT_TRUE(may_hold_kill(text + "KILL 5"));
      EXPECT_TRUE(may_hold_kill(text + "kikill"));
    }
  }
}

}  // namespace
}  // namespace sallyport::sql
