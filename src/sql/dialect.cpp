#include "sql/dialect.h"

#include <algorithm>
#include <array>

namespace sallyport::sql {
namespace {

struct NamedMode {
  std::string_view name;
  SqlMode mode;
};
// What both servers set for ANSI, and MariaDB for each mode of another product.
constexpr SqlMode ansi = sql_mode::ansi_quotes | sql_mode::ignore_space | sql_mode::pipes_as_concat;
// Of MySQL 8.0 to 9.7 and MariaDB 10.11 to 11.8, each with what it sets besides (asked of both servers).
constexpr std::array<NamedMode, 36> modes{{{"ANSI_QUOTES", sql_mode::ansi_quotes},
                                           {"NO_BACKSLASH_ESCAPES", sql_mode::no_backslash_escapes},
                                           {"IGNORE_SPACE", sql_mode::ignore_space},
                                           {"PIPES_AS_CONCAT", sql_mode::pipes_as_concat},
                                           {"HIGH_NOT_PRECEDENCE", sql_mode::high_not_precedence},
                                           {"ANSI", ansi},
                                           {"ORACLE", ansi | sql_mode::oracle},
                                           {"MSSQL", ansi | sql_mode::mssql},
                                           {"DB2", ansi},
                                           {"MAXDB", ansi},
                                           {"POSTGRESQL", ansi},
                                           {"MYSQL323", sql_mode::high_not_precedence},
                                           {"MYSQL40", sql_mode::high_not_precedence},
                                           {"REAL_AS_FLOAT", 0},
                                           {"ONLY_FULL_GROUP_BY", 0},
                                           {"NO_UNSIGNED_SUBTRACTION", 0},
                                           {"NO_DIR_IN_CREATE", 0},
                                           {"NO_AUTO_VALUE_ON_ZERO", 0},
                                           {"STRICT_TRANS_TABLES", 0},
                                           {"STRICT_ALL_TABLES", 0},
                                           {"NO_ZERO_IN_DATE", 0},
                                           {"NO_ZERO_DATE", 0},
                                           {"ALLOW_INVALID_DATES", 0},
                                           {"ERROR_FOR_DIVISION_BY_ZERO", 0},
                                           {"TRADITIONAL", 0},
                                           {"NO_ENGINE_SUBSTITUTION", 0},
                                           {"PAD_CHAR_TO_FULL_LENGTH", 0},
                                           {"TIME_TRUNCATE_FRACTIONAL", 0},
                                           {"NO_KEY_OPTIONS", 0},
                                           {"NO_TABLE_OPTIONS", 0},
                                           {"NO_FIELD_OPTIONS", 0},
                                           {"NO_AUTO_CREATE_USER", 0},
                                           {"EMPTY_STRING_IS_NULL", 0},
                                           {"SIMULTANEOUS_ASSIGNMENT", 0},
                                           {"TIME_ROUND_FRACTIONAL", 0},
                                           {"IGNORE_BAD_TABLE_OPTIONS", 0}}};

struct NamedCharset {
  std::string_view name;
  Charset charset;
};
// Those that can be a client's. Source: "Supported Character Sets and Collations", both servers.
// What is a blank was asked of both servers, of each byte in each character set.
constexpr std::array<NamedCharset, 39> charsets{{{"utf8mb4", Charset::utf8},
                                                 {"utf8mb3", Charset::utf8},
                                                 {"utf8", Charset::utf8},
                                                 {"latin1", Charset::transparent_a0_blank},
                                                 {"ascii", Charset::transparent},
                                                 {"binary", Charset::transparent},
                                                 {"armscii8", Charset::transparent_a0_blank},
                                                 {"cp1250", Charset::transparent_a0_blank},
                                                 {"cp1251", Charset::transparent},
                                                 {"cp1256", Charset::transparent},
                                                 {"cp1257", Charset::transparent},
                                                 {"cp850", Charset::transparent},
                                                 {"cp852", Charset::transparent_ff_blank},
                                                 {"cp866", Charset::transparent_ff_blank},
                                                 {"dec8", Charset::transparent_a0_blank},
                                                 {"eucjpms", Charset::transparent},
                                                 {"euckr", Charset::transparent},
                                                 {"gb2312", Charset::transparent},
                                                 {"geostd8", Charset::transparent_a0_blank},
                                                 {"greek", Charset::transparent_a0_blank},
                                                 {"hebrew", Charset::transparent_a0_blank},
                                                 {"hp8", Charset::transparent},
                                                 {"keybcs2", Charset::transparent_ff_blank},
                                                 {"koi8r", Charset::transparent},
                                                 {"koi8u", Charset::transparent},
                                                 {"latin2", Charset::transparent_a0_blank},
                                                 {"latin5", Charset::transparent_a0_blank},
                                                 {"latin7", Charset::transparent_a0_blank},
                                                 {"macce", Charset::transparent},
                                                 {"macroman", Charset::transparent},
                                                 {"swe7", Charset::transparent},
                                                 {"tis620", Charset::transparent},
                                                 {"ujis", Charset::transparent},
                                                 {"sjis", Charset::sjis},
                                                 {"cp932", Charset::sjis},
                                                 {"gbk", Charset::gbk},
                                                 {"gb18030", Charset::gb18030},
                                                 {"big5", Charset::big5},
                                                 {"cp936", Charset::gbk}}};

constexpr std::array<std::string_view, 4> introducers_beside_client_charsets{"ucs2", "utf16", "utf16le", "utf32"};

// The first item of a list, which is taken off it with its comma.
std::string_view take_item(std::string_view& list) {
  std::string_view item = list.substr(0, list.find(','));
  list.remove_prefix(std::min(item.size() + 1, list.size()));
  return item;
}

const NamedMode* find_mode(std::string_view name) {
  const auto* found = std::find_if(modes.begin(), modes.end(),
                                   [&](const NamedMode& one) { return equals_ignoring_case(name, one.name); });
  return found != modes.end() ? found : nullptr;
}

unsigned char byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : static_cast<unsigned char>(0);
}

bool within(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

std::size_t utf8_bytes(std::string_view text) {
  unsigned char first = byte_at(text, 0);
  auto continues = [&](std::size_t at) { return within(byte_at(text, at), 0x80, 0xBF); };
  if (within(first, 0xC2, 0xDF)) {
    return continues(1) ? 2 : 1;
  }
  if (within(first, 0xE0, 0xEF)) {
    bool overlong = first == 0xE0 && byte_at(text, 1) < 0xA0;
    bool surrogate = first == 0xED && byte_at(text, 1) > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 1;
  }
  if (within(first, 0xF0, 0xF4)) {
    bool overlong = first == 0xF0 && byte_at(text, 1) < 0x90;
    bool beyond = first == 0xF4 && byte_at(text, 1) > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 1;
  }
  return 1;
}

// Source: the well-formedness functions of strings/ctype-{sjis,gbk,gb18030,big5}.c of both servers.
std::size_t sjis_bytes(unsigned char first, unsigned char second) {
  bool head = within(first, 0x81, 0x9F) || within(first, 0xE0, 0xFC);
  return head && (within(second, 0x40, 0x7E) || within(second, 0x80, 0xFC)) ? 2 : 1;
}

std::size_t gbk_bytes(unsigned char first, unsigned char second) {
  return within(first, 0x81, 0xFE) && (within(second, 0x40, 0x7E) || within(second, 0x80, 0xFE)) ? 2 : 1;
}

std::size_t big5_bytes(unsigned char first, unsigned char second) {
  return within(first, 0xA1, 0xF9) && (within(second, 0x40, 0x7E) || within(second, 0xA1, 0xFE)) ? 2 : 1;
}

std::size_t gb18030_bytes(std::string_view text) {
  unsigned char first = byte_at(text, 0);
  unsigned char second = byte_at(text, 1);
  if (within(first, 0x81, 0xFE) && within(second, 0x30, 0x39)) {
    return within(byte_at(text, 2), 0x81, 0xFE) && within(byte_at(text, 3), 0x30, 0x39) ? 4 : 1;
  }
  return gbk_bytes(first, second);
}

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character + ('a' - 'A')) : character;
}

}  // namespace

bool equals_ignoring_case(std::string_view text, std::string_view other) {
  return text.size() == other.size() &&
         std::equal(text.begin(), text.end(), other.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

SqlMode parse_sql_mode(std::string_view value) {
  SqlMode found = 0;
  while (!value.empty()) {
    std::string_view name = take_item(value);
    const NamedMode* mode = find_mode(name);
    found = static_cast<SqlMode>(found | (mode != nullptr ? mode->mode : name.empty() ? 0 : sql_mode::unknown));
  }
  return found;
}

std::string_view unknown_sql_mode(std::string_view value) {
  while (!value.empty()) {
    std::string_view name = take_item(value);
    if (!name.empty() && find_mode(name) == nullptr) {
      return name;
    }
  }
  return {};
}

std::optional<Charset> parse_charset(std::string_view name) {
  for (const NamedCharset& entry : charsets) {
    if (equals_ignoring_case(name, entry.name)) {
      return entry.charset;
    }
  }
  return std::nullopt;
}

std::size_t character_bytes(Charset charset, std::string_view text) {
  switch (charset) {
    case Charset::utf8:
      return utf8_bytes(text);
    case Charset::transparent:
    case Charset::transparent_a0_blank:
    case Charset::transparent_ff_blank:
      return 1;
    case Charset::sjis:
      return sjis_bytes(byte_at(text, 0), byte_at(text, 1));
    case Charset::gbk:
      return gbk_bytes(byte_at(text, 0), byte_at(text, 1));
    case Charset::gb18030:
      return gb18030_bytes(text);
    case Charset::big5:
      return big5_bytes(byte_at(text, 0), byte_at(text, 1));
  }
  return 1;
}

std::uint32_t parse_server_version(std::string_view text) {
  std::uint32_t version = 0;
  for (int part = 0; part < 3; ++part) {
    std::uint32_t number = 0;
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
      number = number * 10 + static_cast<std::uint32_t>(text[digits++] - '0');
      if (digits > 2) {
        return 0;
      }
    }
    bool separated = part == 2 || (digits < text.size() && text[digits] == '.');
    if (digits == 0 || !separated) {
      return 0;
    }
    version = version * 100 + number;
    text.remove_prefix(std::min(digits + 1, text.size()));
  }
  return version;
}

bool is_introducer(Server server, std::string_view name) {
  if (server == Server::mariadb && equals_ignoring_case(name, "filename")) {
    return true;
  }
  if (equals_ignoring_case(name, "cp936") || (server == Server::mariadb && equals_ignoring_case(name, "gb18030"))) {
    return false;
  }
  return parse_charset(name).has_value() ||
         std::any_of(introducers_beside_client_charsets.begin(), introducers_beside_client_charsets.end(),
                     [&](std::string_view other) { return equals_ignoring_case(name, other); });
}

}  // namespace sallyport::sql
