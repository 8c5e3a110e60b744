#include "review/session_charset.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "sql/lexer.h"

namespace sallyport::review {
namespace {

using sql::Symbol;
using sql::Token;
using sql::TokenKind;

constexpr std::array<std::string_view, 3> variables{"character_set_client", "character_set_connection",
                                                    "collation_connection"};

// A statement's tokens that are code.
class Statement {
 public:
  Statement(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  std::size_t size() const { return tokens_.size(); }
  bool is(std::size_t at, std::string_view word) const {
    return at < size() && sql::equals_ignoring_case(tokens_[at].in(text_), word);
  }
  bool is(std::size_t at, Symbol symbol) const { return at < size() && tokens_[at].is(symbol); }
  bool ends_value(std::size_t at) const { return at >= size() || is(at, Symbol::comma) || is(at, "collate"); }

  bool is_system_variable(std::size_t at, const std::string& name) const {
    bool is_of_user = is(at - 1, Symbol::at) && !is(at - 2, Symbol::at);
    return (is(at, name) || is(at, "`" + name + "`")) && !is_of_user;
  }
  bool begins_assignment(std::size_t at) const { return at == 1 || is(at - 1, Symbol::comma); }

  // The name that stands there, by itself; nothing for DEFAULT and for expressions.
  std::optional<std::string> charset_at(std::size_t at) const {
    if (at >= size() || !ends_value(at + 1) || is(at, "default")) {
      return std::nullopt;
    }
    std::string name(tokens_[at].in(text_));
    if (tokens_[at].kind == TokenKind::text) {
      name = name.substr(1, name.size() - 2);
    }
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
    return is_name ? std::optional(std::move(name)) : std::nullopt;
  }

 private:
  std::string_view text_;
  std::vector<Token> tokens_;
};

// Of a character set, or of one of its collations.
bool is_of(const std::optional<std::string>& value, const std::string& charset) {
  return value && (*value == charset || value->starts_with(charset + "_"));
}

// What the character set is behind a statement, from what it was.
std::optional<std::string> behind(const Statement& statement, std::optional<std::string> charset) {
  if (statement.is(0, "execute")) {
    return std::nullopt;
  }
  for (std::size_t at = 1; statement.is(0, "set") && at < statement.size(); ++at) {
    bool begins = statement.begins_assignment(at);
    bool is_variable = std::any_of(variables.begin(), variables.end(), [&](std::string_view name) {
      return statement.is_system_variable(at, std::string(name));
    });
    if (begins && statement.is(at, "names")) {
      charset = statement.charset_at(at + 1);
    } else if (begins && (statement.is(at, "charset") || statement.is(at, "character"))) {
      charset.reset();  // texts are converted to that of the default schema
    } else if (is_variable && !(charset && is_of(statement.charset_at(at + 2), *charset))) {
      charset.reset();
    }
  }
  return charset;
}

}  // namespace

void SessionCharset::note(std::string_view text, const sql::Dialect& dialect, Done done) {
  sql::Lexer lexer{text, dialect};
  std::vector<Token> tokens;
  while (true) {
    Token token = lexer.next();
    bool is_end = token.kind == TokenKind::end || token.kind == TokenKind::error;
    if (is_end || token.is(Symbol::semicolon)) {
      auto charset = behind({text, std::exchange(tokens, {})}, name_);
      name_ = done == Done::yes || charset == name_ ? std::move(charset) : std::nullopt;
    } else if (token.is_code()) {
      tokens.push_back(token);
    }
    if (is_end) {
      return;
    }
  }
}

}  // namespace sallyport::review
