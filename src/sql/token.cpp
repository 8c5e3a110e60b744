#include "sql/token.h"

#include <array>

namespace sallyport::sql {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(LexError::text_too_long) + 1> error_names{
    "none",           "unterminated_string",   "unterminated_name",    "unterminated_comment", "malformed_hexadecimal",
    "malformed_bits", "variable_name_missing", "character_unexpected", "malformed_number",     "operator_unknown",
    "nul_byte",       "byte_unknown",          "version_ambiguous",    "hint_ambiguous",       "dollar_unknown",
    "text_too_long"};

constexpr std::array<std::string_view, static_cast<std::size_t>(TokenKind::symbol) + 1> kind_names{
    "end",         "error", "white_space", "comment",    "code_begin", "code_end",      "hint",
    "word",        "name",  "quoted_name", "introducer", "text",       "national_text", "dollar_text",
    "hexadecimal", "bits",  "integer",     "decimal",    "real",       "null",          "symbol"};

}  // namespace

std::string_view name_of(LexError error) {
  return error_names[static_cast<std::size_t>(error)];
}

std::string_view name_of(TokenKind kind) {
  return kind_names[static_cast<std::size_t>(kind)];
}

}  // namespace sallyport::sql
