// A text to its tokens, as a server of the dialect at hand reads it. Linear in the text, and without allocation.
//
// Source: the lexers of both servers (sql/sql_lex.cc, mysys/charset.c), and the servers' answers: lexer_test.cpp has
// what was asked of them.
#pragma once

#include <array>
#include <string_view>

#include "sql/dialect.h"
#include "sql/token.h"

namespace sallyport::sql {

// `sign`: a symbol of one character, whatever follows.
enum class ByteClass : std::uint8_t { other, space, letter, digit, sign, high, nul };
using ByteClasses = std::array<ByteClass, 256>;

class Lexer {
 public:
  // Borrows `text`, which is what the server's lexer is given: see statement_text().
  Lexer(std::string_view text, const Dialect& dialect);

  // The next token. Tokens lie side by side: each begins where the one before ended. TokenKind::end and
  // TokenKind::error come again and again; an error reaches to the end of the text.
  Token next();
  // The next token that is code, the end, or an error.
  Token next_code();

  LexError error() const { return error_; }
  // Whether the text before the next token lies in an executable comment.
  bool in_executable_comment() const { return in_code_comment_; }

 private:
  // What the servers' lexers remember from one token to the next.
  enum class State : std::uint8_t {
    start,
    name_separator,   // the dot behind a name, before another
    name_part,        // behind that dot
    host_name,        // behind an at sign
    system_variable,  // the second at sign
    variable_name     // behind it
  };

  ByteClass class_of(unsigned char byte) const;
  bool is_name_byte(unsigned char byte) const;
  unsigned char peek(std::size_t ahead = 0) const;
  Token make(TokenKind kind, Symbol symbol = Symbol::none);
  Token fail(LexError error);
  Token read_start();
  Token read_in_state();
  std::size_t end_of(ByteClass found, std::size_t at) const;
  Token read_white_space();
  Token read_word();
  Token read_name(TokenKind kind);
  Token read_number_or_name();
  Token read_fraction();
  Token read_hexadecimal_string();
  Token read_bit_string();
  bool brackets_quote() const;
  Token read_quoted(char quote);
  Token read_string(std::size_t prefix, TokenKind kind);
  Token read_dollar();
  Token read_line_comment();
  Token read_slash();
  Token read_executable_comment(std::size_t marker_bytes);
  Token read_hint();
  Token read_star();
  Token read_dot();
  Token read_minus();
  Token read_at();
  Token read_host_name();
  Token read_comparison();
  Token read_character();
  // Passes over the characters of a name; false where a byte is none that is known.
  bool skip_name();
  bool skip_comment_text(std::size_t nesting);
  void after_name();
  bool hint_follows(std::string_view word) const;

  std::string_view text_;
  Dialect dialect_;
  const ByteClasses* classes_;  // of bytes, in the dialect's character set
  std::size_t begin_ = 0;       // of the token being read
  std::size_t at_ = 0;
  State state_ = State::start;
  LexError error_ = LexError::none;
  bool in_code_comment_ = false;
  bool hint_may_follow_ = false;  // the last word was one that a hint can follow
};

}  // namespace sallyport::sql
