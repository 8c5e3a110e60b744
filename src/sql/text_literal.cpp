#include "sql/text_literal.h"

namespace sallyport::sql {
namespace {

char escaped(char byte) {
  switch (byte) {
    case '0':
      return '\0';
    case 'b':
      return '\b';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'Z':
      return '\x1A';
    default:
      return byte;
  }
}

}  // namespace

void append_text_value(std::string& out, std::string_view token, const Dialect& dialect) {
  bool has_escapes = (dialect.mode & sql_mode::no_backslash_escapes) == 0;
  char quote = token.front();
  std::string_view inside = token.substr(1, token.size() - 2);
  for (std::size_t i = 0; i < inside.size(); ++i) {
    bool has_next = i + 1 < inside.size();
    if (inside[i] == '\\' && has_escapes && has_next) {
      ++i;
      if (inside[i] == '%' || inside[i] == '_') {
        out += '\\';
      }
      out += escaped(inside[i]);
    } else {
      out += inside[i];
      i += inside[i] == quote && has_next ? 1U : 0U;  // doubled
    }
  }
}

}  // namespace sallyport::sql
