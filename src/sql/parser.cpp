#include "sql/parser.h"

#include <algorithm>
#include <string>

namespace sallyport::sql {

Parser::Parser(std::string_view text, const Dialect& dialect, ParseFor purpose, Arena& arena)
    : text_(text),
      dialect_(dialect),
      purpose_(purpose),
      arena_(arena),
      at_{.lexer = Lexer{text, dialect}, .ring = {}, .ring_at = 0, .ring_count = 0, .previous_end = 0} {
  read_ahead();
  if (is(TokenKind::error)) {
    fail();
  }
}

void Parser::read_ahead() {
  Lexeme& lexeme = at_.ring[(at_.ring_at + at_.ring_count) % at_.ring.size()];
  ++at_.ring_count;
  lexeme.token = at_.lexer.next_code();
  lexeme.keyword = lexeme.token.kind == TokenKind::word ? find_keyword(lexeme.token.in(text_)) : Keyword::no_keyword;
}

const Parser::Lexeme& Parser::peek(std::size_t ahead) {
  while (at_.ring_count <= ahead && !failed()) {
    read_ahead();
  }
  return at_.ring[(at_.ring_at + (failed() ? 0 : ahead)) % at_.ring.size()];
}

void Parser::advance() {
  if (at_end()) {
    return;
  }
  at_.previous_end = current().token.end;
  at_.ring_at = static_cast<std::uint8_t>((at_.ring_at + 1) % at_.ring.size());
  --at_.ring_count;
  if (at_.ring_count == 0) {
    read_ahead();
  }
  if (is(TokenKind::error)) {
    fail();
  }
}

void Parser::fail(ParseErrorCode code) {
  if (failed()) {
    return;
  }
  bool is_lexical = is(TokenKind::error);
  error_ = ParseError{.code = is_lexical ? ParseErrorCode::lexical : code,
                      .lexical = is_lexical ? at_.lexer.error() : LexError::none,
                      .offset = current().token.begin};
  Lexeme& lexeme = at_.ring[at_.ring_at];
  lexeme.token.kind = TokenKind::error;
  lexeme.token.symbol = Symbol::none;
  lexeme.keyword = Keyword::no_keyword;
  at_.ring_count = 1;
}

bool Parser::is_one_of(std::initializer_list<Keyword> keywords) const {
  return std::find(keywords.begin(), keywords.end(), current().keyword) != keywords.end();
}

bool Parser::is_word(std::string_view word) const {
  return is(TokenKind::word) && equals_ignoring_case(text_of_current(), word);
}

bool Parser::accept(Keyword first, Keyword second) {
  if (!is(first) || !next_is(second)) {
    return false;
  }
  advance();
  advance();
  return true;
}

bool Parser::accept_one_of(std::initializer_list<Keyword> keywords) {
  bool found = is_one_of(keywords);
  if (found) {
    advance();
  }
  return found;
}

bool Parser::accept_word(std::string_view word) {
  bool found = is_word(word);
  if (found) {
    advance();
  }
  return found;
}

void Parser::expect_one_of(std::initializer_list<Keyword> keywords) {
  if (!accept_one_of(keywords)) {
    fail();
  }
}

bool Parser::calls_directly() {
  const Token& name = current().token;
  std::uint32_t end = name.end;
  const Token& next = peek(1).token;
  return next.is(Symbol::parenthesis_open) && (next.begin == end || has_mode(sql_mode::ignore_space));
}

bool Parser::is_query_start() const {
  return is_one_of({K::select, K::with, K::table}) || is(K::values);
}

bool Parser::is_parenthesised_query() {
  if (!is(Symbol::parenthesis_open)) {
    return false;
  }
  Lexeme next = peek(1);
  for (std::size_t ahead = 2; next.token.is(Symbol::parenthesis_open) && ahead < at_.ring.size(); ++ahead) {
    next = peek(ahead);
  }
  Lexer lexer = at_.lexer;
  for (int level = 0; next.token.is(Symbol::parenthesis_open) && level < nesting_max; ++level) {
    next.token = lexer.next_code();
    next.keyword = next.token.kind == TokenKind::word ? find_keyword(next.token.in(text_)) : Keyword::no_keyword;
  }
  switch (next.keyword) {
    case K::select:
    case K::with:
    case K::table:
    case K::values:
      return true;
    default:
      return false;
  }
}

Result<const Node*, ParseError> Parser::parse_text() {
  Node* root = nullptr;
  if (!failed() && at_end()) {
    root = Production(*this, NodeKind::empty).done();
  } else if (!failed()) {
    root = statement();
  }
  // Behind the statement's semicolon the servers take comments, and nothing else.
  bool ends_in_semicolon = !failed() && is(Symbol::semicolon);
  if (ends_in_semicolon) {
    advance();
  }
  if (!failed() && !at_end()) {
    fail(ends_in_semicolon ? ParseErrorCode::several_statements : ParseErrorCode::syntax);
  }
  if (failed()) {
    return Unexpected(*error_);
  }
  return root;
}

Result<const Node*, ParseError> parse(std::string_view text, const Dialect& dialect, ParseFor purpose, Arena& arena) {
  if ((dialect.mode & sql_mode::unknown) != 0) {
    return Unexpected(ParseError{.code = ParseErrorCode::not_supported});
  }
  return Parser{text, dialect, purpose, arena}.parse_text();
}

std::string_view name_of(ParseErrorCode code) {
  switch (code) {
    case ParseErrorCode::syntax:
      return "syntax";
    case ParseErrorCode::lexical:
      return "lexical";
    case ParseErrorCode::nesting_too_deep:
      return "nesting_too_deep";
    case ParseErrorCode::too_large:
      return "too_large";
    case ParseErrorCode::several_statements:
      return "several_statements";
    case ParseErrorCode::not_supported:
      return "not_supported";
  }
  return "";
}

}  // namespace sallyport::sql
