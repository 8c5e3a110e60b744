// How a server reads a text: its kind and version, and what of the session's state its lexer looks at.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::sql {

enum class Server : std::uint8_t { mysql, mariadb };

// The modes of sql_mode that change how a text is read, as a set.
using SqlMode = std::uint8_t;
namespace sql_mode {
inline constexpr SqlMode ansi_quotes = 1;           // "x" is a name
inline constexpr SqlMode no_backslash_escapes = 2;  // a backslash in a string is a backslash
inline constexpr SqlMode ignore_space = 4;
inline constexpr SqlMode pipes_as_concat = 8;
inline constexpr SqlMode high_not_precedence = 16;
inline constexpr SqlMode oracle = 32;    // MariaDB: another grammar
inline constexpr SqlMode mssql = 64;     // MariaDB: [x] is a name
inline constexpr SqlMode unknown = 128;  // of no server known here: no text is parsed by it
}  // namespace sql_mode

// The modes in a value of the variable sql_mode, "ANSI_QUOTES,STRICT_TRANS_TABLES", or in what it may be set to,
// "ANSI"; those that no lexer looks at are left out.
SqlMode parse_sql_mode(std::string_view value);

// The first name in such a value that makes it sql_mode::unknown; empty when there is none.
std::string_view unknown_sql_mode(std::string_view value);

// What the value of character_set_client means to the lexer.
enum class Charset : std::uint8_t {
  utf8,         // utf8mb3, utf8mb4
  transparent,  // a byte below 0x80 is always that ASCII character, where it ends something, and no other is a blank
  transparent_a0_blank,  // the same, but for the byte 0xA0, which is a blank: latin1 and its like
  transparent_ff_blank,  // and here it is 0xFF
  sjis,                  // and cp932; these four may have a backslash or a quote as the second byte of a character
  gbk,
  gb18030,
  big5
};

constexpr bool is_transparent(Charset charset) {
  return charset == Charset::transparent || charset == Charset::transparent_a0_blank ||
         charset == Charset::transparent_ff_blank;
}

// Nothing for a name that is no client character set (ucs2, utf16, utf32) or not known here.
std::optional<Charset> parse_charset(std::string_view name);

// The bytes of the multi-byte character that `text` begins with, as far as the servers' lexers take it for one; 1 for
// anything else, also for a malformed one.
std::size_t character_bytes(Charset charset, std::string_view text);

struct Dialect {
  Server server = Server::mysql;
  std::uint32_t version = 0;  // as in version comments: 80406, 101119
  SqlMode mode = 0;
  Charset charset = Charset::utf8;
  bool operator==(const Dialect&) const = default;
};

// "10.11.19-MariaDB-1" is 101119. Zero when it does not begin with three numbers of at most two digits each.
std::uint32_t parse_server_version(std::string_view text);

// Whether `name`, without its underscore, is a character set that an introducer can name on `server`.
bool is_introducer(Server server, std::string_view name);

// ASCII case-insensitive.
bool equals_ignoring_case(std::string_view text, std::string_view other);

}  // namespace sallyport::sql
