#include "sql/lexer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace sallyport::sql {

namespace {

constexpr ByteClasses make_classes() {
  ByteClasses classes{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    bool is_letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || i == '_' || i == '$';
    bool is_space = i == ' ' || (i >= 9 && i <= 13);
    bool is_sign = std::string_view("(),;+%^~?{}").find(static_cast<char>(i)) != std::string_view::npos;
    classes[i] = is_letter                ? ByteClass::letter
                 : is_space               ? ByteClass::space
                 : is_sign                ? ByteClass::sign
                 : (i >= '0' && i <= '9') ? ByteClass::digit
                 : i >= 0x80              ? ByteClass::high
                 : i == 0                 ? ByteClass::nul
                                          : ByteClass::other;
  }
  return classes;
}
constexpr ByteClasses make_classes(std::size_t blank) {
  ByteClasses classes = make_classes();
  classes[blank] = ByteClass::space;
  return classes;
}
constexpr ByteClasses ascii_blanks = make_classes();
constexpr ByteClasses a0_is_blank = make_classes(0xA0);
constexpr ByteClasses ff_is_blank = make_classes(0xFF);

const ByteClasses& classes_of(Charset charset) {
  switch (charset) {
    case Charset::transparent_a0_blank:
      return a0_is_blank;
    case Charset::transparent_ff_blank:
      return ff_is_blank;
    case Charset::utf8:
    case Charset::transparent:
    case Charset::sjis:
    case Charset::gbk:
    case Charset::gb18030:
    case Charset::big5:
      break;
  }
  return ascii_blanks;
}

bool is_digit(unsigned char byte) {
  return ascii_blanks[byte] == ByteClass::digit;
}
bool is_hexadecimal(unsigned char byte) {
  return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}
// Blanks and control characters, of which the end of the text is one.
bool ends_line_comment_marker(unsigned char byte) {
  return byte <= ' ' || byte == 0x7F;
}

constexpr std::array<std::string_view, 5> words_before_hints{"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"};
// MariaDB has optimizer hints since 12.0, MySQL since 5.7.
constexpr std::uint32_t mariadb_hints_since = 120000;
// A version comment's number may have six digits since MySQL 8.1, and always may in MariaDB.
constexpr std::uint32_t mysql_six_digits_since = 80100;
// What MariaDB leaves to MySQL, unless the comment is marked as its own.
constexpr std::uint32_t mariadb_hole_first = 50700;
constexpr std::uint32_t mariadb_hole_last = 99999;

}  // namespace

Lexer::Lexer(std::string_view text, const Dialect& dialect)
    : text_(text), dialect_(dialect), classes_(&classes_of(dialect.charset)) {
  if (text.size() >= std::numeric_limits<std::uint32_t>::max()) {
    error_ = LexError::text_too_long;
    text_ = {};
  }
}

inline ByteClass Lexer::class_of(unsigned char byte) const {
  return (*classes_)[byte];
}

inline bool Lexer::is_name_byte(unsigned char byte) const {
  ByteClass found = class_of(byte);
  return found == ByteClass::letter || found == ByteClass::digit || found == ByteClass::high;
}

unsigned char Lexer::peek(std::size_t ahead) const {
  return at_ + ahead < text_.size() ? static_cast<unsigned char>(text_[at_ + ahead]) : static_cast<unsigned char>(0);
}

Token Lexer::make(TokenKind kind, Symbol symbol) {
  hint_may_follow_ = false;
  return {.kind = kind,
          .symbol = symbol,
          .begin = static_cast<std::uint32_t>(begin_),
          .end = static_cast<std::uint32_t>(at_)};
}

Token Lexer::fail(LexError error) {
  error_ = error;
  at_ = text_.size();
  return make(TokenKind::error);
}

Token Lexer::next_code() {
  while (true) {
    Token token = next();
    if (token.is_code() || token.kind == TokenKind::end || token.kind == TokenKind::error) {
      return token;
    }
  }
}

Token Lexer::next() {
  if (state_ == State::start && error_ == LexError::none) [[likely]] {
    begin_ = at_;
    return read_start();
  }
  return read_in_state();
}

Token Lexer::read_in_state() {
  if (error_ != LexError::none) {
    return fail(error_);
  }
  begin_ = at_;
  switch (std::exchange(state_, State::start)) {
    case State::start:
      break;
    case State::name_separator:
      ++at_;
      state_ = is_name_byte(peek()) ? State::name_part : State::start;
      return make(TokenKind::symbol, Symbol::dot);
    case State::name_part:
      return read_name(TokenKind::name);
    case State::host_name:
      if (at_ < text_.size()) {
        return read_host_name();
      }
      break;
    case State::system_variable:
      ++at_;
      state_ = peek() == '`' ? State::start : State::variable_name;
      return make(TokenKind::symbol, Symbol::at);
    case State::variable_name:
      if (!skip_name()) {
        return fail(LexError::byte_unknown);
      }
      if (at_ == begin_) {
        return fail(LexError::variable_name_missing);
      }
      state_ = peek() == '.' ? State::name_separator : State::start;
      return make(TokenKind::word);
  }
  return read_start();
}

Token Lexer::read_start() {
  if (at_ == text_.size()) {
    return in_code_comment_ ? fail(LexError::unterminated_comment) : make(TokenKind::end);
  }
  unsigned char first = peek();
  switch (class_of(first)) {
    case ByteClass::space:
      return read_white_space();
    case ByteClass::letter:
      return read_word();
    case ByteClass::digit:
      return read_number_or_name();
    case ByteClass::sign:
      ++at_;
      return make(TokenKind::symbol, static_cast<Symbol>(first));
    case ByteClass::high:
      return read_name(TokenKind::word);
    case ByteClass::nul:
      return fail(LexError::nul_byte);
    case ByteClass::other:
      break;
  }
  switch (first) {
    case '\'':
      return read_string(0, TokenKind::text);
    case '"':
      return (dialect_.mode & sql_mode::ansi_quotes) != 0 ? read_quoted('"') : read_string(0, TokenKind::text);
    case '`':
      return read_quoted('`');
    case '[':
      return brackets_quote() ? read_quoted(']') : read_character();
    case '#':
      return read_line_comment();
    case '-':
      return read_minus();
    case '/':
      return read_slash();
    case '*':
      return read_star();
    case '.':
      return read_dot();
    case '@':
      return read_at();
    case '<':
    case '>':
    case '=':
    case '!':
      return read_comparison();
    default:
      return read_character();
  }
}

// Behind the bytes of that class from `at` on.
inline std::size_t Lexer::end_of(ByteClass found, std::size_t at) const {
  std::size_t size = text_.size();
  while (at < size && class_of(static_cast<unsigned char>(text_[at])) == found) {
    ++at;
  }
  return at;
}

Token Lexer::read_white_space() {
  at_ = end_of(ByteClass::space, at_);
  return {.kind = TokenKind::white_space,
          .symbol = Symbol::none,
          .begin = static_cast<std::uint32_t>(begin_),
          .end = static_cast<std::uint32_t>(at_)};
}

// Where a byte of 0x80 or more in a name is no letter to the server, it is no blank either, and the text is refused
// there.
bool Lexer::skip_name() {
  std::size_t size = text_.size();
  bool takes_high = is_transparent(dialect_.charset);
  while (true) {
    std::size_t at = at_;
    ByteClass found = ByteClass::nul;
    while (at < size) {
      found = class_of(static_cast<unsigned char>(text_[at]));
      if (found != ByteClass::letter && found != ByteClass::digit && (found != ByteClass::high || !takes_high)) {
        break;
      }
      ++at;
    }
    at_ = at;
    if (at < size && found == ByteClass::high) {
      // Characters beyond the basic plane: MySQL makes a question mark of each, MariaDB refuses them.
      std::size_t bytes = character_bytes(dialect_.charset, text_.substr(at_));
      if (bytes == 1 || (bytes == 4 && dialect_.charset == Charset::utf8)) {
        return false;
      }
      at_ += bytes;
    } else {
      return true;
    }
  }
}

// Behind a name without quotes a dot that another follows directly makes that no keyword and no number.
void Lexer::after_name() {
  if (peek() == '.' && is_name_byte(peek(1))) {
    state_ = State::name_separator;
  }
}

Token Lexer::read_name(TokenKind kind) {
  if (!skip_name()) {
    return fail(LexError::byte_unknown);
  }
  after_name();
  // Directly before a dot and a name a word is no keyword: SELECT.a is a column.
  bool is_qualifier = state_ == State::name_separator;
  return make(is_qualifier ? TokenKind::name : kind);
}

Token Lexer::read_word() {
  unsigned char first = peek();
  if (peek(1) == '\'') {
    switch (first) {
      case 'n':
      case 'N':
        return read_string(1, TokenKind::national_text);
      case 'x':
      case 'X':
        return read_hexadecimal_string();
      case 'b':
      case 'B':
        return read_bit_string();
      default:
        break;
    }
  }
  if (first == '$' && dialect_.server == Server::mysql) {
    return read_dollar();
  }
  Token token = read_name(TokenKind::word);
  if (token.kind != TokenKind::word) {
    return token;
  }
  std::string_view word = token.in(text_);
  if (first == '_' && is_introducer(dialect_.server, word.substr(1))) {
    token.kind = TokenKind::introducer;
  }
  hint_may_follow_ = state_ == State::start && hint_follows(word);
  return token;
}

bool Lexer::hint_follows(std::string_view word) const {
  if (word.size() < 6 || word.size() > 7 ||
      (dialect_.server == Server::mariadb && dialect_.version < mariadb_hints_since)) {
    return false;
  }
  return std::any_of(words_before_hints.begin(), words_before_hints.end(),
                     [&](std::string_view other) { return equals_ignoring_case(word, other); });
}

Token Lexer::read_number_or_name() {
  if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'b')) {
    std::size_t digits = 2;
    bool is_x = peek(1) == 'x';
    while (is_x ? is_hexadecimal(peek(digits)) : (peek(digits) == '0' || peek(digits) == '1')) {
      ++digits;
    }
    if (digits > 2 && !is_name_byte(peek(digits))) {
      at_ += digits;
      return make(is_x ? TokenKind::hexadecimal : TokenKind::bits);
    }
    return read_name(TokenKind::name);
  }
  at_ = end_of(ByteClass::digit, at_);
  if (peek() == 'e' || peek() == 'E') {
    std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if (is_digit(peek(1 + sign))) {
      at_ += 1 + sign;
      at_ = end_of(ByteClass::digit, at_);
      return make(TokenKind::real);
    }
  }
  if (is_name_byte(peek())) {
    return read_name(TokenKind::name);
  }
  bool is_range = dialect_.server == Server::mariadb && peek(1) == '.';
  if (peek() != '.' || is_range) {
    return make(TokenKind::integer);
  }
  return read_fraction();
}

// From the dot on.
Token Lexer::read_fraction() {
  ++at_;
  at_ = end_of(ByteClass::digit, at_);
  if (peek() != 'e' && peek() != 'E') {
    return make(TokenKind::decimal);
  }
  std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
  if (!is_digit(peek(1 + sign))) {
    return fail(LexError::malformed_number);
  }
  at_ += 1 + sign;
  at_ = end_of(ByteClass::digit, at_);
  return make(TokenKind::real);
}

Token Lexer::read_hexadecimal_string() {
  at_ += 2;
  std::size_t digits = 0;
  while (is_hexadecimal(peek())) {
    ++at_;
    ++digits;
  }
  if (peek() != '\'' || digits % 2 != 0) {
    return fail(LexError::malformed_hexadecimal);
  }
  ++at_;
  return make(TokenKind::hexadecimal);
}

Token Lexer::read_bit_string() {
  at_ += 2;
  while (peek() == '0' || peek() == '1') {
    ++at_;
  }
  if (peek() != '\'') {
    return fail(LexError::malformed_bits);
  }
  ++at_;
  return make(TokenKind::bits);
}

bool Lexer::brackets_quote() const {
  return dialect_.server == Server::mariadb && (dialect_.mode & sql_mode::mssql) != 0;
}

// `quote`: the one at the end.
Token Lexer::read_quoted(char quote) {
  ++at_;
  while (at_ < text_.size()) {
    auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte == 0) {
      return fail(LexError::nul_byte);
    }
    if (byte >= 0x80 && !is_transparent(dialect_.charset)) {
      std::size_t bytes = character_bytes(dialect_.charset, text_.substr(at_));
      bool is_katakana = dialect_.charset == Charset::sjis && byte >= 0xA1 && byte <= 0xDF;
      if (bytes == 1 && !is_katakana) {
        return fail(LexError::byte_unknown);
      }
      at_ += bytes;
      continue;
    }
    ++at_;
    if (byte == static_cast<unsigned char>(quote)) {
      if (peek() != static_cast<unsigned char>(quote)) {
        return make(TokenKind::quoted_name);
      }
      ++at_;
    }
  }
  return fail(LexError::unterminated_name);
}

// `prefix`: bytes before the opening quote.
Token Lexer::read_string(std::size_t prefix, TokenKind kind) {
  at_ += prefix;
  char quote = text_[at_++];
  bool escapes = (dialect_.mode & sql_mode::no_backslash_escapes) == 0;
  bool has_tricky_tails = dialect_.charset != Charset::utf8 && !is_transparent(dialect_.charset);
  char escape = escapes ? '\\' : quote;
  while (at_ < text_.size()) {
    std::size_t at = at_;
    std::size_t size = text_.size();
    while (at < size && text_[at] != quote && text_[at] != escape &&
           (!has_tricky_tails || static_cast<unsigned char>(text_[at]) < 0x80)) {
      ++at;
    }
    at_ = at;
    if (at == size) {
      break;
    }
    char byte = text_[at];
    if (has_tricky_tails && static_cast<unsigned char>(byte) >= 0x80) {
      at_ += character_bytes(dialect_.charset, text_.substr(at_));
      continue;
    }
    ++at_;
    if (byte == '\\' && escapes) {
      // The servers pass over one byte, not one character.
      if (at_ == text_.size()) {
        break;
      }
      ++at_;
    } else if (byte == quote) {
      if (peek() != static_cast<unsigned char>(quote)) {
        return make(kind);
      }
      ++at_;
    }
  }
  return fail(LexError::unterminated_string);
}

// MySQL 9: $tag$ ... $tag$, where the tag may be empty; else a name.
Token Lexer::read_dollar() {
  std::size_t tag = 1;
  while (is_name_byte(peek(tag)) && peek(tag) != '$') {
    ++tag;
  }
  if (peek(tag) != '$') {
    return read_name(TokenKind::word);
  }
  std::string_view delimiter = text_.substr(at_, tag + 1);
  std::size_t close = text_.find(delimiter, at_ + delimiter.size());
  if (close == std::string_view::npos || dialect_.version < 90000) {
    return fail(LexError::dollar_unknown);
  }
  at_ = close + delimiter.size();
  return make(TokenKind::dollar_text);
}

Token Lexer::read_line_comment() {
  std::size_t end = std::min(text_.find('\n', at_), text_.size());
  // The servers end it there, and then take the NUL for the end of the statement.
  if (std::memchr(text_.data() + at_, 0, end - at_) != nullptr) {
    return fail(LexError::nul_byte);
  }
  at_ = end;
  return make(TokenKind::comment);
}

Token Lexer::read_minus() {
  if (peek(1) == '-') {
    unsigned char behind = peek(2);
    if (ends_line_comment_marker(behind)) {
      return read_line_comment();
    }
    if (behind >= 0x80 && dialect_.charset != Charset::utf8) {
      return fail(LexError::byte_unknown);  // is a blank in some charsets
    }
  }
  ++at_;
  if (dialect_.server == Server::mysql && peek() == '>') {
    ++at_;
    if (peek() != '>') {
      return make(TokenKind::symbol, Symbol::arrow);
    }
    ++at_;
    return make(TokenKind::symbol, Symbol::unquoting_arrow);
  }
  return make(TokenKind::symbol, Symbol::minus);
}

Token Lexer::read_slash() {
  if (peek(1) != '*') {
    ++at_;
    return make(TokenKind::symbol, Symbol::slash);
  }
  if (peek(2) == '!') {
    return read_executable_comment(3);
  }
  if (dialect_.server == Server::mariadb && peek(2) == 'M' && peek(3) == '!') {
    return read_executable_comment(4);
  }
  if (peek(2) == '+' && hint_may_follow_) {
    return read_hint();
  }
  at_ += 2;
  return skip_comment_text(0) ? make(TokenKind::comment) : fail(LexError::unterminated_comment);
}

// Up to and with the end of a comment that may hold `nesting` levels of others.
bool Lexer::skip_comment_text(std::size_t nesting) {
  std::size_t depth = 0;
  while (at_ + 1 < text_.size()) {
    if (text_[at_] == '*' && text_[at_ + 1] == '/') {
      at_ += 2;
      if (depth == 0) {
        return true;
      }
      --depth;
    } else if (depth < nesting && text_[at_] == '/' && text_[at_ + 1] == '*') {
      at_ += 2;
      ++depth;
    } else {
      ++at_;
    }
  }
  return false;
}

Token Lexer::read_executable_comment(std::size_t marker_bytes) {
  at_ += marker_bytes;
  std::size_t digits = 0;
  while (digits < 6 && is_digit(peek(digits))) {
    ++digits;
  }
  if (digits < 5) {
    in_code_comment_ = true;
    return make(TokenKind::code_begin);
  }
  if (dialect_.version == 0) {
    return fail(LexError::version_ambiguous);
  }
  bool is_mysql = dialect_.server == Server::mysql;
  if (digits == 6 && is_mysql && (dialect_.version < mysql_six_digits_since || class_of(peek(6)) != ByteClass::space)) {
    digits = 5;
  }
  std::uint32_t version = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    version = version * 10 + static_cast<std::uint32_t>(peek(i) - '0');
  }
  bool in_hole = version >= mariadb_hole_first && version <= mariadb_hole_last;
  if (version <= dialect_.version && (is_mysql || marker_bytes == 4 || !in_hole)) {
    at_ += digits;
    in_code_comment_ = true;
    return make(TokenKind::code_begin);
  }
  return skip_comment_text(1) ? make(TokenKind::comment) : fail(LexError::unterminated_comment);
}

// A quote in a hint may hide an end from the servers' own reading of hints, which is another lexer's.
Token Lexer::read_hint() {
  at_ += 3;
  std::size_t text_begin = at_;
  if (!skip_comment_text(0)) {
    return fail(LexError::unterminated_comment);
  }
  char open = 0;
  for (char byte : text_.substr(text_begin, at_ - 2 - text_begin)) {
    if (open == 0 && (byte == '\'' || byte == '"' || byte == '`')) {
      open = byte;
    } else if (byte == open) {
      open = 0;
    }
  }
  return open == 0 ? make(TokenKind::hint) : fail(LexError::hint_ambiguous);
}

Token Lexer::read_star() {
  ++at_;
  if (in_code_comment_ && peek() == '/') {
    ++at_;
    in_code_comment_ = false;
    return make(TokenKind::code_end);
  }
  return make(TokenKind::symbol, Symbol::star);
}

Token Lexer::read_dot() {
  if (is_digit(peek(1))) {
    return read_fraction();
  }
  ++at_;
  if (dialect_.server == Server::mariadb && peek() == '.') {
    ++at_;
    return make(TokenKind::symbol, Symbol::dot_dot);
  }
  state_ = is_name_byte(peek()) ? State::name_part : State::start;
  return make(TokenKind::symbol, Symbol::dot);
}

Token Lexer::read_at() {
  ++at_;
  unsigned char following = peek();
  if (following == '@') {
    state_ = State::system_variable;
  } else if (following != '\'' && following != '"' && following != '`') {
    state_ = State::host_name;
  }
  return make(TokenKind::symbol, Symbol::at);
}

// Empty where none of its characters follows: then what stands there is read.
Token Lexer::read_host_name() {
  while (peek() == '.' || is_name_byte(peek())) {
    if (peek() == '.') {
      ++at_;
    } else if (!skip_name()) {
      return fail(LexError::byte_unknown);
    }
  }
  return at_ == begin_ ? read_start() : make(TokenKind::name);
}

// The servers read up to three of these characters and then look for the operator that they make.
Token Lexer::read_comparison() {
  bool is_mysql = dialect_.server == Server::mysql;
  auto compares = [&](unsigned char byte) { return byte == '>' || byte == '=' || (byte == '!' && is_mysql); };
  std::size_t bytes = 1;
  if (peek() == '!' && !is_mysql) {
    bytes = peek(1) == '=' ? 2 : 1;
  } else if (compares(peek(1)) || peek(1) == '<') {
    bytes = peek() == '<' && compares(peek(2)) ? 3 : 2;
  }
  std::string_view found = text_.substr(at_, bytes);
  struct Operator {
    std::string_view text;
    Symbol symbol;
  };
  static constexpr std::array<Operator, 11> operators{{{"=", Symbol::equal},
                                                       {"<", Symbol::less},
                                                       {">", Symbol::greater},
                                                       {"!", Symbol::exclamation},
                                                       {"<=", Symbol::less_or_equal},
                                                       {">=", Symbol::greater_or_equal},
                                                       {"<>", Symbol::not_equal},
                                                       {"!=", Symbol::not_equal},
                                                       {"<=>", Symbol::null_safe_equal},
                                                       {"<<", Symbol::shift_left},
                                                       {">>", Symbol::shift_right}}};
  for (const Operator& known : operators) {
    if (found == known.text) {
      at_ += bytes;
      return make(TokenKind::symbol, known.symbol);
    }
  }
  return fail(LexError::operator_unknown);
}

Token Lexer::read_character() {
  unsigned char first = peek();
  ++at_;
  switch (first) {
    case '|':
    case '&':
      if (peek() == first) {
        ++at_;
        return make(TokenKind::symbol, first == '|' ? Symbol::logical_or : Symbol::logical_and);
      }
      break;
    case ':':
      if (peek() == '=') {
        ++at_;
        return make(TokenKind::symbol, Symbol::assign);
      }
      break;
    case '\\':
      if (dialect_.server == Server::mariadb && peek() == 'N') {
        ++at_;
        return make(TokenKind::null);
      }
      return fail(LexError::character_unexpected);
    default:
      return fail(LexError::character_unexpected);
  }
  return make(TokenKind::symbol, static_cast<Symbol>(first));
}

}  // namespace sallyport::sql
