// The SQL lexer and splitter: tokens tile the text, a token that was read stays what it is when the text behind it is
// cut off at a later token, and statements are parts of the text in their order. What all possible dialects agree on is
// what the text is, whichever is in force.
#include <array>
#include <vector>

#include "base/check.h"
#include "fuzz/targets.h"
#include "sql/kill_statement.h"
#include "sql/lexer.h"
#include "sql/reading.h"
#include "sql/statement_splitter.h"

namespace sallyport::fuzz {
namespace {

std::vector<sql::Token> check_tokens(std::string_view text, const sql::Dialect& dialect) {
  sql::Lexer lexer(text, dialect);
  std::vector<sql::Token> tokens;
  std::uint32_t end = 0;
  while (true) {
    sql::Token token = lexer.next();
    SALLYPORT_CHECK(token.begin == end && token.end <= text.size());
    end = token.end;
    if (token.kind == sql::TokenKind::end || token.kind == sql::TokenKind::error) {
      SALLYPORT_CHECK(end == text.size());
      SALLYPORT_CHECK((token.kind == sql::TokenKind::error) == (lexer.error() != sql::LexError::none));
      return tokens;
    }
    SALLYPORT_CHECK(token.end > token.begin);  // so there are no more tokens than bytes
    tokens.push_back(token);
  }
}

void check_cut(std::string_view text, const sql::Dialect& dialect, const std::vector<sql::Token>& tokens) {
  if (tokens.size() < 4) {
    return;
  }
  const sql::Token& last = tokens[tokens.size() / 2];
  auto again = check_tokens(text.substr(0, last.end), dialect);
  // What is at the cut may read the end as something else; what is two tokens before it can't.
  for (std::size_t i = 0; i + 2 < tokens.size() / 2 && i < again.size(); ++i) {
    SALLYPORT_CHECK(again[i].kind == tokens[i].kind && again[i].end == tokens[i].end);
  }
}

void check_statements(std::string_view text, const sql::Dialect& dialect) {
  std::string_view rest = sql::statement_text(text);
  while (true) {
    auto first = sql::first_statement(rest, dialect);
    if (!first || !first->has_more) {
      return;
    }
    SALLYPORT_CHECK(first->text.data() == rest.data());
    SALLYPORT_CHECK(first->rest.data() > first->text.data() + first->text.size());
    SALLYPORT_CHECK(first->rest.data() + first->rest.size() == rest.data() + rest.size());
    // What is cut off is one statement, read alone.
    auto alone = sql::first_statement(sql::statement_text(first->text), dialect);
    SALLYPORT_CHECK(alone && !alone->has_more);
    rest = first->rest;
  }
}

template <typename Read>
void check_agreement(const sql::Dialects& possible, const sql::Dialect& actual, Read read) {
  auto agreed = sql::read_alike(possible, read);
  if (agreed) {
    auto is = read(actual);
    SALLYPORT_CHECK(agreed->has_value() == is.has_value());
    SALLYPORT_CHECK(!is || **agreed == *is);
  }
}

void check_possible_dialects(std::string_view text, sql::Dialect dialect) {
  // ORACLE is never set without these.
  constexpr sql::SqlMode with_oracle =
      sql::sql_mode::pipes_as_concat | sql::sql_mode::ansi_quotes | sql::sql_mode::ignore_space;
  bool is_oracle = (dialect.mode & sql::sql_mode::oracle) != 0;
  if (dialect.server == sql::Server::mysql) {
    dialect.mode = static_cast<sql::SqlMode>(dialect.mode & ~(sql::sql_mode::oracle | sql::sql_mode::mssql));
  } else if (is_oracle) {
    dialect.mode = static_cast<sql::SqlMode>(dialect.mode | with_oracle);
  }
  std::string_view statements = sql::statement_text(text);
  auto possible = sql::possible_dialects(dialect, statements);
  check_agreement(possible, dialect, [&](const sql::Dialect& one) { return sql::first_statement(statements, one); });
  check_agreement(possible, dialect, [&](const sql::Dialect& one) { return sql::read_kill(statements, one); });
}

}  // namespace

void fuzz_sql_lexer(Bytes input) {
  ByteReader reader{input};
  std::uint8_t flags = reader.u8();
  constexpr std::array<std::uint32_t, 4> versions{101119, 90704, 80034, 0};
  sql::Dialect dialect{.server = (flags & 1) != 0 ? sql::Server::mysql : sql::Server::mariadb,
                       .version = versions[(flags >> 1) & 3],
                       .mode = reader.u8(),
                       .charset = static_cast<sql::Charset>(reader.u8() % 8)};
  std::string_view text = text_of(reader.rest());
  check_cut(text, dialect, check_tokens(text, dialect));
  check_statements(text, dialect);
  check_possible_dialects(text, dialect);
}

}  // namespace sallyport::fuzz
