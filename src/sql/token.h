// The tokens of a text, with where they lie in it.
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::sql {

enum class TokenKind : std::uint8_t {
  end,    // of the text
  error,  // Lexer::error() says which
  // Not code:
  white_space,
  comment,     // also an executable one that this server skips
  code_begin,  // "/*!" or "/*!80000": the text behind it is code to this server
  code_end,    // the "*/" that belongs to it
  // Code:
  hint,         // "/*+ ... */" in a place where this server reads it
  word,         // without quotes: a keyword, or else a name
  name,         // without quotes, and never a keyword: "1a", or behind a dot or an at sign
  quoted_name,  // `x`, or "x" under ANSI_QUOTES, or [x] under MSSQL
  introducer,   // _utf8mb4
  text,         // 'x' or "x"
  national_text,
  dollar_text,  // $$x$$: MySQL 9
  hexadecimal,  // 0x1F or x'1F'
  bits,         // 0b1 or b'1'
  integer,
  decimal,
  real,
  null,   // \N: MariaDB
  symbol  // an operator or a punctuation mark: Token::symbol says which
};

// The character itself where it is one.
enum class Symbol : std::uint8_t {
  none = 0,
  parenthesis_open = '(',
  parenthesis_close = ')',
  comma = ',',
  dot = '.',
  semicolon = ';',
  colon = ':',
  at = '@',
  plus = '+',
  minus = '-',
  star = '*',
  slash = '/',
  percent = '%',
  caret = '^',
  tilde = '~',
  ampersand = '&',
  bar = '|',
  exclamation = '!',
  equal = '=',
  less = '<',
  greater = '>',
  question = '?',
  brace_open = '{',
  brace_close = '}',
  assign = 128,      // :=
  less_or_equal,     // <=
  greater_or_equal,  // >=
  not_equal,         // <> or !=
  null_safe_equal,   // <=>
  shift_left,        // <<
  shift_right,       // >>
  logical_and,       // &&
  logical_or,        // ||: a concatenation under PIPES_AS_CONCAT
  arrow,             // ->: MySQL
  unquoting_arrow,   // ->>: MySQL
  dot_dot            // ..: MariaDB
};

struct Token {
  TokenKind kind = TokenKind::end;
  Symbol symbol = Symbol::none;
  std::uint32_t begin = 0;  // offsets into the text
  std::uint32_t end = 0;

  std::string_view in(std::string_view text) const { return text.substr(begin, end - begin); }
  bool is(Symbol other) const { return kind == TokenKind::symbol && symbol == other; }
  bool is_code() const { return kind >= TokenKind::hint; }
};

enum class LexError : std::uint8_t {
  none,
  // The server takes such a text for a syntax error, too.
  unterminated_string,
  unterminated_name,
  unterminated_comment,
  malformed_hexadecimal,
  malformed_bits,
  variable_name_missing,  // behind @@
  character_unexpected,   // of no token
  // What a server makes of it is not known here, or known to be odd.
  malformed_number,   // "1.5e": MySQL drops it
  operator_unknown,   // "=!": the servers drop a part of it
  nul_byte,           // outside of strings and comments
  byte_unknown,       // not ASCII and no character of the charset, outside of strings and comments
  version_ambiguous,  // a version comment of a server whose version is not known
  hint_ambiguous,     // a hint that ends elsewhere when its quotes count
  dollar_unknown,     // "$$" without its end, or of a MySQL before 9
  text_too_long       // 4 GiB
};

// Whether the server is known to refuse such a text.
constexpr bool is_syntax_error(LexError error) {
  return error > LexError::none && error <= LexError::character_unexpected;
}

// Snake-case name.
std::string_view name_of(LexError error);
std::string_view name_of(TokenKind kind);

}  // namespace sallyport::sql
