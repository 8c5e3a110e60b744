#include "sql/reading.h"

#include <algorithm>

namespace sallyport::sql {
namespace {

bool is_letter(char c, char lower) {
  return (c | 0x20) == lower;
}

// Whether only the mode or the character set tells how the text is read.
bool depends_on_state(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' || c == '"' || c == '[' || static_cast<unsigned char>(c) >= 0x80) {
      return true;
    }
    char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '|' && next == '|') {
      return true;
    }
    if (is_letter(c, 'n') && is_letter(next, 'o') && i + 2 < text.size() && is_letter(text[i + 2], 't')) {
      return true;
    }
  }
  return false;
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

Dialects possible_dialects(const Dialect& plain, std::string_view text) {
  Dialects possible;
  if (depends_on_state(text)) {
    return possible;
  }
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
