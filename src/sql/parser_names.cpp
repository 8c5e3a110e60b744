// Names, literals and the other leaves.
#include <charconv>

#include "sql/parser.h"

namespace sallyport::sql {

bool Parser::is_identifier() const {
  switch (current().token.kind) {
    case TokenKind::name:
    case TokenKind::quoted_name:
      return true;
    case TokenKind::word:
      return current().keyword == K::no_keyword ||
             ((name_use() & name_use::reserved) == 0 && !is_reserved_in_oracle_mode());
    default:
      return false;
  }
}

bool Parser::is_reserved_in_oracle_mode() const {
  return is_mariadb() && has_mode(sql_mode::oracle) && is_one_of({K::minus, K::rownum, K::sysdate});
}

bool Parser::is_label_name() const {
  return is_identifier() && (!is(TokenKind::word) || (name_use() & name_use::no_label) == 0);
}

Node* Parser::leaf(NodeKind kind, std::uint16_t variant) {
  Production made(*this, kind, variant);
  advance();
  return made.done();
}

Node* Parser::keyword_leaf() {
  return leaf(NodeKind::keyword, static_cast<std::uint16_t>(current().keyword));
}

bool Parser::is_function_when_called(Keyword keyword) {
  switch (keyword) {
    case K::bit_and:
    case K::bit_or:
    case K::bit_xor:
    case K::cast:
    case K::count:
    case K::curdate:
    case K::curtime:
    case K::date_add:
    case K::date_sub:
    case K::extract:
    case K::group_concat:
    case K::json_arrayagg:
    case K::json_objectagg:
    case K::max:
    case K::mid:
    case K::min:
    case K::now:
    case K::position:
    case K::std:
    case K::stddev:
    case K::stddev_pop:
    case K::stddev_samp:
    case K::substr:
    case K::substring:
    case K::sum:
    case K::trim:
    case K::variance:
    case K::var_pop:
    case K::var_samp:
      return true;
    default:
      return false;
  }
}

bool Parser::is_called_name() {
  Keyword keyword = current().keyword;
  bool may_be = is_function_when_called(keyword);
  if (is_mysql()) {
    may_be = may_be || keyword == K::sysdate || keyword == K::json_duality_object;
  } else {
    may_be = may_be || keyword == K::median || keyword == K::percentile_cont || keyword == K::percentile_disc;
  }
  return may_be && calls_directly();
}

Node* Parser::identifier_leaf() {
  if (!is_identifier() || is_called_name()) {
    fail();
    return nullptr;
  }
  NameStyle style = is(TokenKind::quoted_name) ? NameStyle::quoted : NameStyle::plain;
  return leaf(NodeKind::name, static_cast<std::uint16_t>(style));
}

Node* Parser::identifier_or_text() {
  return is_text() ? leaf(NodeKind::name, static_cast<std::uint16_t>(NameStyle::text)) : identifier_leaf();
}

Node* Parser::identifier_behind_dot() {
  if (is(TokenKind::word) || is(TokenKind::name)) {
    return leaf(NodeKind::name, static_cast<std::uint16_t>(NameStyle::plain));
  }
  return identifier_leaf();
}

Node* Parser::object_name(Keyword type) {
  Production made(*this, NodeKind::object_name, type);
  if (is_mariadb() && is(Symbol::dot)) {  // ".t" is t
    advance();
    made.add(Role::name, identifier_behind_dot());
    return made.done();
  }
  Node* first = identifier_leaf();
  if (!accept(Symbol::dot)) {
    made.add(Role::name, first);
    return made.done();
  }
  made.add(Role::qualifier, first);
  made.add(Role::name, identifier_behind_dot());
  return made.done();
}

void Parser::name_list(Production& into, Role role) {
  comma_list(into, role, [&] { return identifier_leaf(); });
}

bool Parser::is_alias_start() const {
  return is(K::as) || is_identifier() || is_text();
}

// [AS] name, or AS 'text'.
Node* Parser::alias() {
  accept(K::as);
  return identifier_or_text();
}

bool Parser::is_literal() const {
  switch (current().token.kind) {
    case TokenKind::text:
    case TokenKind::national_text:
    case TokenKind::introducer:
    case TokenKind::hexadecimal:
    case TokenKind::bits:
    case TokenKind::integer:
    case TokenKind::decimal:
    case TokenKind::real:
    case TokenKind::null:
      return true;
    case TokenKind::word:
      return is_one_of({K::null, K::true_, K::false_});
    default:
      return false;
  }
}

// 'a' 'b' is one text, of two parts.
Node* Parser::text_literal() {
  bool is_national = is(TokenKind::national_text);
  Production made(*this, NodeKind::literal,
                  static_cast<std::uint16_t>(is_national ? LiteralKind::national_text : LiteralKind::text));
  if (!is_text() && !is_national) {
    fail();
    return nullptr;
  }
  if (peek(1).token.kind != TokenKind::text) {
    advance();
    return made.done();
  }
  made.add(Role::part, leaf(NodeKind::literal_part));
  while (is_text()) {
    made.add(Role::part, leaf(NodeKind::literal_part));
  }
  return made.done();
}

Node* Parser::text_token() {
  if (!is_text()) {
    fail();
    return nullptr;
  }
  return leaf(NodeKind::literal, static_cast<std::uint16_t>(LiteralKind::text));
}

Node* Parser::literal() {
  auto of = [&](LiteralKind kind) { return leaf(NodeKind::literal, static_cast<std::uint16_t>(kind)); };
  switch (current().token.kind) {
    case TokenKind::text:
    case TokenKind::national_text:
      return text_literal();
    case TokenKind::introducer: {
      Production made(*this, NodeKind::literal, static_cast<std::uint16_t>(LiteralKind::introduced));
      made.add(Role::charset, leaf(NodeKind::literal_part));
      made.add(Role::value,
               is(TokenKind::hexadecimal) || is(TokenKind::bits) ? leaf(NodeKind::literal_part) : text_literal());
      return made.done();
    }
    case TokenKind::hexadecimal:
      return of(LiteralKind::hexadecimal);
    case TokenKind::bits:
      return of(LiteralKind::bits);
    case TokenKind::integer:
      return of(LiteralKind::integer);
    case TokenKind::decimal:
      return of(LiteralKind::decimal);
    case TokenKind::real:
      return of(LiteralKind::real);
    case TokenKind::null:
      return of(LiteralKind::null);
    default:
      break;
  }
  if (is(K::null)) {
    return of(LiteralKind::null);
  }
  if (is(K::true_)) {
    return of(LiteralKind::true_);
  }
  if (is(K::false_)) {
    return of(LiteralKind::false_);
  }
  fail();
  return nullptr;
}

// As for sizes and counts: decimal or hexadecimal.
Node* Parser::unsigned_number() {
  if (!is(TokenKind::integer) && !is(TokenKind::hexadecimal) && !is(TokenKind::decimal) && !is(TokenKind::real)) {
    fail();
    return nullptr;
  }
  return literal();
}

Node* Parser::number_within(std::uint64_t low, std::uint64_t high) {
  bool is_hexadecimal = is(TokenKind::hexadecimal) && text_of_current().starts_with("0x");
  if (is(TokenKind::integer) || is_hexadecimal) {
    std::string_view digits = text_of_current().substr(is_hexadecimal ? 2 : 0);
    std::uint64_t value = 0;
    int base = is_hexadecimal ? 16 : 10;
    bool fits = std::from_chars(digits.data(), digits.data() + digits.size(), value, base).ec == std::errc{};
    if (!fits || value < low || value > high) {
      fail();
    }
  }
  return unsigned_number();
}

Node* Parser::signed_number() {
  if (!is(Symbol::minus) && !is(Symbol::plus)) {
    return unsigned_number();
  }
  Production made(*this, NodeKind::unary,
                  static_cast<std::uint16_t>(is(Symbol::minus) ? Operator::minus : Operator::plus));
  advance();
  made.add(Role::operand, unsigned_number());
  return made.done();
}

Node* Parser::parameter() {
  if (purpose_ != ParseFor::preparing || !is(Symbol::question)) {
    fail();
    return nullptr;
  }
  return leaf(NodeKind::parameter);
}

// Where the grammar has no expressions but a statement may be prepared, or lies in a stored program.
Node* Parser::number_or_parameter() {
  if (is(Symbol::question)) {
    return parameter();
  }
  if (is(TokenKind::integer) || is(TokenKind::hexadecimal)) {
    return literal();
  }
  return column_reference();
}

// @x, @'x', @@x, @@global.x, @@x.y: the tokens behind an at sign are names to the lexer.
Node* Parser::variable() {
  Production made(*this, NodeKind::user_variable);
  expect(Symbol::at);
  if (!is_adjacent()) {  // a variable without a name
    fail();
  }
  if (!accept(Symbol::at)) {
    made.add(Role::name, is(TokenKind::word) || is(TokenKind::name)
                             ? leaf(NodeKind::name, static_cast<std::uint16_t>(NameStyle::plain))
                             : identifier_or_text());
    return made.done();
  }
  if (is_one_of({K::global, K::session, K::local, K::persist, K::persist_only}) && next_is(Symbol::dot)) {
    made.variant(current().keyword);
    made.add(Role::scope, keyword_leaf());
    advance();
    bool is_key_cache = is_mariadb() && is_text() && next_is(Symbol::dot);
    Keyword written = find_keyword(text_of_current());
    if (next_is(Symbol::dot) && (written == K::global || written == K::session || written == K::local)) {
      fail();
    }
    made.add(Role::name, is_key_cache ? identifier_or_text() : identifier_behind_dot());
  } else {
    Keyword written = find_keyword(text_of_current());
    if (written == K::global || written == K::session || written == K::local || written == K::default_) {
      fail();
    }
    made.add(Role::name, identifier_behind_dot());
  }
  if (accept(Symbol::dot)) {
    made.add(Role::part, identifier_behind_dot());
  }
  Node* found = made.done();
  found->kind = NodeKind::system_variable;
  return found;
}

// user, user@host, 'user'@'host', CURRENT_USER[()]; MariaDB's roles and CURRENT_ROLE look alike.
Node* Parser::account() {
  Production made(*this, NodeKind::account);
  if (is(K::current_user) || (is_mariadb() && is(K::current_role))) {
    made.variant(current().keyword);
    made.add(Role::special, keyword_leaf());
    if (accept(Symbol::parenthesis_open)) {
      expect(Symbol::parenthesis_close);
    }
    return made.done();
  }
  made.add(Role::name, identifier_or_text());
  if (accept(Symbol::at)) {
    made.add(Role::host, account_host());
  }
  return made.done();
}

// What stands directly behind the at sign, which may be nothing.
Node* Parser::account_host() {
  if (is_adjacent() && (is(TokenKind::word) || is(TokenKind::name))) {
    return leaf(NodeKind::name, static_cast<std::uint16_t>(NameStyle::plain));
  }
  if (is_adjacent() && (is_text() || is(TokenKind::quoted_name))) {
    return identifier_or_text();
  }
  Node* none = Production(*this, NodeKind::name).done();
  none->begin = none->end = at_.previous_end;
  return none;
}

Node* Parser::charset_name() {
  if (is(K::binary)) {
    return leaf(NodeKind::name);
  }
  return identifier_or_text();
}

Node* Parser::collation_name() {
  return charset_name();
}

}  // namespace sallyport::sql
