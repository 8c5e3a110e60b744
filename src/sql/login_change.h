// Whether a statement changes the database login under which it runs, which is not the agent's own: others share it,
// and the gateway has to log in with it again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"

namespace sallyport::sql {

struct LoginChange {
  bool sets_role = false;        // SET ROLE
  bool changes_oneself = false;  // SET PASSWORD, ALTER USER CURRENT_USER() ..., SET DEFAULT ROLE r
  std::vector<std::string>
      users;  // that are altered, renamed, dropped, granted or revoked something: names, without hosts
  bool operator==(const LoginChange&) const = default;
  bool changes(std::string_view user) const;
};

// Anywhere in the statement, so also in the body of a program that it defines.
LoginChange login_change(const Node& root, std::string_view text);

}  // namespace sallyport::sql
