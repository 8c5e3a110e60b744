#include "sql/login_change.h"

#include <gtest/gtest.h>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mysql{.server = Server::mysql, .version = 90'704};
constexpr Dialect mariadb{.server = Server::mariadb, .version = 101'119};

// "role", "self", and the users.
std::string change(std::string_view text, const Dialect& dialect) {
  Arena arena;
  auto root = parse(text, dialect, ParseFor::executing, arena);
  if (!root) {
    return "not read";
  }
  LoginChange change = login_change(**root, text);
  std::string said = std::string(change.sets_role ? "role " : "") + (change.changes_oneself ? "self " : "");
  for (const std::string& user : change.users) {
    said += user + " ";
  }
  return said;
}

struct Case {
  Dialect dialect;
  std::string_view text;
  std::string_view expected;
};

TEST(LoginChange, IsOneOfPasswordsRolesAndPrivileges) {
  for (const Case& c : std::vector<Case>{
           {mysql, "SET PASSWORD = 'x'", "self "},
           {mysql, "SET PASSWORD TO RANDOM", "self "},
           {mysql, "SET PASSWORD FOR reader@'%' = 'x'", "reader "},
           {mysql, "SET PASSWORD FOR CURRENT_USER() = 'x'", "self "},
           {mariadb, "SET @a = 1, PASSWORD = PASSWORD('x')", "self "},
           {mysql, "ALTER USER USER() IDENTIFIED BY 'x'", "self "},
           {mariadb, "CREATE OR REPLACE USER reader@'%' IDENTIFIED BY 'x', other", "reader other "},
           {mariadb, "CREATE USER reader@'%' IDENTIFIED BY 'x'", ""},
           {mariadb, "CREATE OR REPLACE VIEW v AS SELECT 1", ""},
           {mariadb, "CREATE OR REPLACE DEFINER = reader PROCEDURE p() DO 1", ""},
           {mysql, "ALTER USER CURRENT_USER IDENTIFIED BY 'x'", "self "},
           {mysql, "ALTER USER USER() DISCARD OLD PASSWORD", "self "},
           {mysql, "ALTER USER other, 'read''er'@h ACCOUNT LOCK", "other read'er "},
           {mysql, "ALTER USER 'read\\er' ACCOUNT LOCK", "reader read\\er "},
           {mysql, "DROP USER 'it\\'s'@h", "it's it\\'s "},
           {mysql, "DROP USER `read\\er`", "read\\er "},
           {mysql, "DROP USER 'r\\\xC3\xA9'", "self r\xC3\xA9 r\\\xC3\xA9 "},
           {mysql, "ALTER USER reader DEFAULT ROLE ALL", "reader "},
           {mysql, "SET DEFAULT ROLE ALL TO reader", "reader "},
           {mariadb, "SET DEFAULT ROLE r", "self "},
           {mariadb, "SET DEFAULT ROLE r FOR reader", "reader "},
           {mysql, "SET ROLE r, s", "role "},
           {mysql, "SET ROLE ALL EXCEPT r", "role "},
           {mariadb, "SET ROLE NONE", "role "},
           {mysql, "DROP USER a, reader", "a reader "},
           {mysql, "RENAME USER a TO b, c TO reader", "a b c reader "},
           {mysql, "GRANT SELECT ON *.* TO reader", "reader "},
           {mysql, "GRANT admin TO reader@h", "reader "},
           {mysql, "REVOKE ALL, GRANT OPTION FROM reader", "reader "},
           {mariadb, "GRANT USAGE ON *.* TO CURRENT_USER IDENTIFIED BY 'x'", "self "},
           {mariadb, "CREATE PROCEDURE p() SET PASSWORD = PASSWORD('x')", "self "},
           {mariadb, "BEGIN NOT ATOMIC SET ROLE r; END", "role "},
           {mariadb, "SET STATEMENT max_statement_time = 1 FOR SET PASSWORD = PASSWORD('x')", "self "},
           {mysql, "/*!80000 SET ROLE */ r", "role "},
           {mysql, "GRANT PROXY ON reader TO other", "reader other "},
       }) {
    EXPECT_EQ(change(c.text, c.dialect), c.expected) << c.text;
  }
}

TEST(LoginChange, IsNoneOfWhatOnlyNamesUsers) {
  for (std::string_view text :
       {"SHOW GRANTS FOR reader", "SELECT CURRENT_USER()", "CREATE DEFINER = reader VIEW v AS SELECT 1",
        "SET @password = 'x'", "CREATE USER reader", "SELECT 'SET PASSWORD'", "FLUSH PRIVILEGES",
        "ALTER TABLE user ADD role INT"}) {
    EXPECT_EQ(change(text, mysql), "") << text;
  }
}

TEST(LoginChange, AsksForTheLoginsName) {
  LoginChange other{.sets_role = false, .changes_oneself = false, .users = {"a", "b"}};
  EXPECT_TRUE(other.changes("b"));
  EXPECT_TRUE((LoginChange{.sets_role = false, .changes_oneself = false, .users = {" b\t"}}).changes("b"));
  EXPECT_FALSE(other.changes("B")) << "user names are compared byte by byte";
  EXPECT_TRUE((LoginChange{.sets_role = false, .changes_oneself = true, .users = {}}).changes("c"));
}

}  // namespace
}  // namespace sallyport::sql
