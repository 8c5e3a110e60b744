// The words that the servers' grammars know, and which of them can be names.
#pragma once

#include <cstdint>
#include <string_view>

#include "sql/dialect.h"

namespace sallyport::sql {

// How a server takes a keyword that stands without quotes where a name is due: a set.
using NameUse = std::uint8_t;
namespace name_use {
inline constexpr NameUse reserved = 1;     // no name at all, but behind a dot
inline constexpr NameUse no_label = 2;     // a name, but of no label
inline constexpr NameUse no_role = 4;      // a name, but of no role
inline constexpr NameUse no_function = 8;  // a name, but of no function that is called without a dot
}  // namespace name_use

enum class Keyword : std::uint16_t {
  no_keyword,
#define SALLYPORT_KEYWORD(name, word, mariadb, mysql) name,
#include "sql/keywords.inc"
#undef SALLYPORT_KEYWORD
};

// Keyword::no_keyword for a word that is none. ASCII case-insensitive.
Keyword find_keyword(std::string_view word);

// In upper case; empty for Keyword::no_keyword.
std::string_view text_of(Keyword keyword);

NameUse name_use_of(Keyword keyword, const Dialect& dialect);

}  // namespace sallyport::sql
