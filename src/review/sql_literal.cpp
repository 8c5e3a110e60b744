#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/json_text.h"
#include "review/sql_script.h"
#include "sql/lexer.h"
#include "wire/capabilities.h"

namespace sallyport::review {
namespace {

namespace json = boost::json;
using wire::ColumnType;

constexpr std::uint64_t unsigned_bit = 0x80;

std::string hexadecimal(std::string_view bytes) {
  return "X'" + to_hex(bytes_of(bytes), upper_hex_digits) + "'";
}

// Quotes are doubled, which every sql_mode reads alike.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    out += c == '\'' ? "''" : std::string(1, c);
  }
  return out + "'";
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
}

// Of bytes in the session's character set. A backslash means one thing or another by sql_mode, and not all clients pass
// on a NUL, so that such texts are written in hexadecimal digits.
std::optional<std::string> text_literal(std::string_view text, const std::optional<std::string>& charset) {
  bool is_plain = std::all_of(text.begin(), text.end(),
                              [](char c) { return static_cast<std::uint8_t>(c) >= 0x20 && c != '\\' && c != 0x7F; });
  if (is_plain && is_utf8(text)) {
    return quoted(text);
  }
  if (is_ascii(text)) {
    return "_utf8mb4 " + hexadecimal(text);
  }
  if (!charset) {
    return std::nullopt;
  }
  bool is_utf8_session = charset->starts_with("utf8");
  return is_utf8_session && !is_utf8(text) ? hexadecimal(text) : "_" + *charset + " " + hexadecimal(text);
}

bool is_blob(std::uint64_t type) {
  return type >= static_cast<std::uint64_t>(ColumnType::tiny_blob) &&
         type <= static_cast<std::uint64_t>(ColumnType::blob);
}

bool is_of(std::uint64_t type, std::initializer_list<ColumnType> types) {
  return std::any_of(types.begin(), types.end(),
                     [&](ColumnType one) { return static_cast<std::uint64_t>(one) == type; });
}

bool is_text(std::uint64_t type) {
  return is_of(type, {ColumnType::varchar, ColumnType::var_string, ColumnType::string, ColumnType::enum_,
                      ColumnType::set, ColumnType::json});
}

bool is_whole_number(std::string_view text) {
  std::size_t sign = text.starts_with('-') ? 1 : 0;
  return text.size() > sign && text.find_first_not_of("0123456789", sign) == std::string_view::npos;
}

// As a server writes one. Anything else made of its characters would be an expression, or begin a comment.
bool is_decimal_number(std::string_view text) {
  std::size_t point = text.find('.');
  return is_whole_number(text.substr(0, point)) &&
         (point == std::string_view::npos ||
          (point + 1 < text.size() && text.find_first_not_of("0123456789", point + 1) == std::string_view::npos));
}

// With an exponent, so that it is a DOUBLE and no DECIMAL. 17 digits say it exactly.
std::string double_literal(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.17g", value);
  std::string digits = text.data();
  return digits.find_first_of("eE") == std::string::npos ? digits + "e0" : digits;
}

std::optional<std::string> string_literal(std::string_view text, std::uint64_t type,
                                          const std::optional<std::string>& charset) {
  if (is_of(type, {ColumnType::tiny, ColumnType::short_, ColumnType::long_, ColumnType::longlong, ColumnType::int24,
                   ColumnType::year}) &&
      is_whole_number(text)) {
    return std::string(text);  // beyond 2^53
  }
  if (is_of(type, {ColumnType::float_, ColumnType::double_})) {
    return text == "-0" ? std::optional<std::string>("-0e0") : std::nullopt;  // no literal is a NaN or infinite
  }
  constexpr std::size_t date_bytes = 10;
  bool has_date = text.size() > date_bytes && text.substr(5, 2) != "00" && text.substr(8, 2) != "00";
  if (is_of(type, {ColumnType::date}) && has_date) {
    return "DATE'" + std::string(text.substr(0, date_bytes)) + "'";
  }
  if (is_of(type, {ColumnType::datetime, ColumnType::timestamp}) && has_date) {
    return "TIMESTAMP" + quoted(text);
  }
  if (is_of(type, {ColumnType::time})) {
    return "TIME" + quoted(text);
  }
  if (is_of(type, {ColumnType::decimal, ColumnType::newdecimal}) && is_decimal_number(text)) {
    return std::string(text);
  }
  return is_blob(type) ? hexadecimal(text) : text_literal(text, charset);
}

}  // namespace

std::optional<std::string> sql_literal(const json::value& parameter, std::uint64_t type,
                                       const std::optional<std::string>& charset) {
  type &= ~(type < static_cast<std::uint64_t>(ColumnType::vector) ? unsigned_bit : 0);
  if (parameter.is_null()) {
    return "NULL";
  }
  if (parameter.is_string()) {
    return string_literal(parameter.get_string(), type, charset);
  }
  if (parameter.is_number()) {
    bool is_real = is_of(type, {ColumnType::float_, ColumnType::double_});
    return is_real || parameter.is_double() ? double_literal(parameter.to_number<double>())
                                            : json::serialize(parameter);
  }
  if (!parameter.is_object()) {
    return std::nullopt;
  }
  const json::object& object = parameter.get_object();
  if (object.contains("default")) {
    return "DEFAULT";
  }
  if (object.contains("value_base64")) {
    std::string bytes = text_of(object, "value");
    return is_text(type) ? text_literal(bytes, charset) : hexadecimal(bytes);
  }
  const json::value* value = object.if_contains("value");
  return value == nullptr ? std::nullopt : sql_literal(*value, type, charset);
}

std::optional<std::string> with_literals(std::string_view text, const sql::Dialect& dialect,
                                         const std::vector<std::string>& literals) {
  std::string out;
  std::size_t used = 0;
  sql::Lexer lexer{text, dialect};
  while (true) {
    sql::Token token = lexer.next();
    if (token.kind == sql::TokenKind::end) {
      return out;
    }
    if (token.kind == sql::TokenKind::error) {
      return std::nullopt;
    }
    if (!token.is(sql::Symbol::question)) {
      out += token.in(text);
      continue;
    }
    if (used == literals.size()) {
      return std::nullopt;
    }
    // Blanks, as "-?" with -1 would begin a comment.
    out += " " + literals[used++] + " ";
  }
}

}  // namespace sallyport::review
