#include "sql/kill_statement.h"

#include <charconv>

#include "sql/lexer.h"
#include "sql/statement_splitter.h"

namespace sallyport::sql {
namespace {

constexpr std::string_view keyword = "KILL";

bool is_word(const Token& token, std::string_view text, std::string_view word) {
  return token.kind == TokenKind::word && equals_ignoring_case(token.in(text), word);
}

// Behind the keyword, up to the end of the text.
std::optional<KillStatement> read_operands(Lexer& lexer, std::string_view text) {
  KillStatement kill;
  Token token = lexer.next_code();
  if (is_word(token, text, "HARD") || is_word(token, text, "SOFT")) {
    kill.force = is_word(token, text, "HARD") ? KillStatement::Force::hard : KillStatement::Force::soft;
    token = lexer.next_code();
  }
  if (is_word(token, text, "CONNECTION") || is_word(token, text, "QUERY")) {
    kill.scope = is_word(token, text, "QUERY") ? KillStatement::Scope::query : KillStatement::Scope::connection;
    token = lexer.next_code();
  }
  if (token.kind != TokenKind::integer) {
    return std::nullopt;
  }
  std::string_view digits = token.in(text);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), kill.id);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return lexer.next_code().kind == TokenKind::end ? std::optional(kill) : std::nullopt;
}

}  // namespace

bool may_hold_kill(std::string_view text) {
  // One of the keyword's last three letters, or its first, stands at every fourth byte that it covers.
  for (std::size_t i = 3; i < text.size();) {
    switch (text[i]) {
      case 'l':
      case 'L':
        if (equals_ignoring_case(text.substr(i - 3, 4), keyword)) {
          return true;
        }
        ++i;
        break;
      case 'i':
      case 'I':
        i += 2;
        break;
      case 'k':
      case 'K':
        i += 3;
        break;
      default:
        i += 4;
    }
  }
  return false;
}

Result<std::optional<KillStatement>, KillRefusal> read_kill(std::string_view text, const Dialect& dialect) {
  std::optional<KillStatement> none;
  if (!may_hold_kill(text)) {
    return none;
  }
  std::string_view statement = statement_text(text);
  Lexer lexer(statement, dialect);
  Token first = lexer.next_code();
  if (is_word(first, statement, keyword)) {
    auto kill = read_operands(lexer, statement);
    return kill ? Result<std::optional<KillStatement>, KillRefusal>(kill) : Unexpected(KillRefusal::other_form);
  }
  for (Token token = first; token.kind != TokenKind::end; token = lexer.next_code()) {
    if (token.kind == TokenKind::error) {
      // What is a syntax error to the server runs nothing.
      return is_syntax_error(lexer.error()) ? Result<std::optional<KillStatement>, KillRefusal>(none)
                                            : Unexpected(KillRefusal::not_understood);
    }
    if (is_word(token, statement, keyword)) {
      return Unexpected(KillRefusal::other_form);
    }
  }
  return none;
}

}  // namespace sallyport::sql
