#include "sql/reading.h"

#include <algorithm>

namespace sallyport::sql {
namespace {

bool is_letter(char c, char lower) {
  return (c | 0x20) == lower;
}

// Whether only the mode or the character set tells how the text is read.
// Whether what begins at `at` says something else in another state.
bool depends_on_state_at(std::string_view text, std::size_t at) {
  char c = text[at];
  if (c == '\\' || c == '"' || c == '[' || static_cast<unsigned char>(c) >= 0x80) {
    return true;
  }
  char next = at + 1 < text.size() ? text[at + 1] : '\0';
  return (c == '|' && next == '|') ||
         (is_letter(c, 'n') && is_letter(next, 'o') && at + 2 < text.size() && is_letter(text[at + 2], 't'));
}

bool sets_reading(const Node& assignment, std::string_view text) {
  const Node* target = assignment.child(Role::target);
  if (target == nullptr || target->is(NodeKind::user_variable)) {
    return false;
  }
  const Node* name = target->child(Role::name);
  if (name == nullptr) {
    return true;
  }
  std::string variable = identifier(*name, text);
  return equals_ignoring_case(variable, "sql_mode") || equals_ignoring_case(variable, "character_set_client");
}

}  // namespace

std::size_t end_of_dependence_on_state(std::string_view text) {
  for (std::size_t at = text.size(); at > 0; --at) {
    if (depends_on_state_at(text, at - 1)) {
      return at;
    }
  }
  return 0;
}

Dialects possible_dialects(const Dialect& plain, std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (depends_on_state_at(text, at)) {
      return {};
    }
  }
  return dialects_of_any_state(plain);
}

Dialects dialects_of_any_state(const Dialect& plain) {
  Dialects possible;
  Dialect dialect = plain;
  dialect.charset = Charset::utf8;
  dialect.mode = 0;
  possible.add(dialect);
  dialect.mode = sql_mode::ignore_space;
  possible.add(dialect);
  if (plain.server == Server::mariadb) {
    dialect.mode = sql_mode::oracle | sql_mode::pipes_as_concat | sql_mode::ansi_quotes | sql_mode::ignore_space;
    possible.add(dialect);
  }
  return possible;
}

bool may_change_reading(const Node& statement, std::string_view text) {
  switch (statement.kind) {
    case NodeKind::set:
      return std::any_of(children(statement).begin(), children(statement).end(), [&](const Node& item) {
        return item.is(NodeKind::set_names) || item.is(NodeKind::set_charset) ||
               (item.is(NodeKind::variable_assignment) && sets_reading(item, text));
      });
    // What runs in the session itself and is no single statement that can be seen.
    case NodeKind::execute:
    case NodeKind::execute_immediate:
    case NodeKind::set_statement:
    case NodeKind::block:
    case NodeKind::if_:
    case NodeKind::case_statement:
    case NodeKind::loop:
    case NodeKind::for_loop:
      return true;
    default:
      return false;
  }
}

}  // namespace sallyport::sql
