#include "sql/lexer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace sallyport::sql {
namespace {

constexpr Dialect mariadb{.server = Server::mariadb, .version = 101119};
constexpr Dialect mysql{.server = Server::mysql, .version = 90704};

// "mariadb-10.11.19 sql_mode=ANSI_QUOTES charset=gbk", the latter two optional.
Dialect parse_dialect(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  Dialect dialect{.server = word.starts_with("mysql") ? Server::mysql : Server::mariadb};
  dialect.version = parse_server_version(word.substr(word.find('-') + 1));
  while (words >> word) {
    std::string value = word.substr(word.find('=') + 1);
    if (word.starts_with("sql_mode=")) {
      dialect.mode = parse_sql_mode(value);
    } else {
      dialect.charset = parse_charset(value).value();
    }
  }
  return dialect;
}

// \n, \t, \\ and \xNN.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'n':
        plain += '\n';
        break;
      case 't':
        plain += '\t';
        break;
      case 'x':
        plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default:
        plain += text[i];
    }
  }
  return plain;
}

std::string escape(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string escaped;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (byte < 0x20 || byte >= 0x7F) {
      escaped += "\\x";
      escaped += hex[byte >> 4];
      escaped += hex[byte & 15];
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// The tokens but white space, each with its kind; of an error what it is and where.
std::string read(std::string_view text, const Dialect& dialect) {
  Lexer lexer(text, dialect);
  std::string found;
  std::uint32_t end = 0;
  while (true) {
    Token token = lexer.next();
    EXPECT_EQ(token.begin, end) << "the ranges tile the text";
    end = token.end;
    if (token.kind == TokenKind::end) {
      EXPECT_EQ(end, text.size());
      return found;
    }
    if (token.kind == TokenKind::white_space) {
      continue;
    }
    found += found.empty() ? "" : "  ";
    if (token.kind == TokenKind::error) {
      return found + "error:" + std::string(name_of(lexer.error())) + "@" + std::to_string(token.begin);
    }
    found += token.kind == TokenKind::symbol ? "" : std::string(name_of(token.kind)) + ":";
    found += escape(token.in(text));
  }
}

// Blocks of: "# why", a line with the dialect, "> text" and "= tokens" alternately.
TEST(Lexer, reads_as_the_golden_file_says) {
  auto path = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "tests/golden/sql/tokens.txt";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  bool update = std::getenv("SALLYPORT_UPDATE_GOLDEN") != nullptr;
  std::string line;
  std::string rewritten;
  std::string tokens;
  Dialect dialect;
  std::size_t texts = 0;
  while (std::getline(file, line)) {
    if (line.starts_with("mysql-") || line.starts_with("mariadb-")) {
      dialect = parse_dialect(line);
    } else if (line.starts_with("> ")) {
      std::string text = unescape(std::string_view(line).substr(2));
      tokens = read(text, dialect);
      rewritten += line + "\n= " + tokens + "\n";
      ++texts;
      continue;
    } else if (line.starts_with("=")) {
      if (!update) {
        EXPECT_EQ(line, "= " + tokens) << rewritten;
      }
      continue;
    }
    rewritten += line + "\n";
  }
  EXPECT_GT(texts, 50U);
  if (update) {
    std::ofstream(path) << rewritten;
  }
}

TEST(Lexer, a_text_cut_anywhere_yields_tokens_or_an_error) {
  std::string text = R"(SELECT /*!50000 `a``b`, */ N'x\'y', x'41', 1.5e3, a.1b, @@x.y, "q""q" FROM t -- c
 WHERE a->>'$.b' <=> .5 /* x */ AND b := 0x1F)";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    read(std::string_view(text).substr(0, size), mysql);
    read(std::string_view(text).substr(0, size), mariadb);
  }
}

TEST(Lexer, errors_and_the_end_come_again) {
  Lexer bad("SELECT 'a", mysql);
  EXPECT_EQ(bad.next().kind, TokenKind::word);
  EXPECT_EQ(bad.next().kind, TokenKind::white_space);
  EXPECT_EQ(bad.next().kind, TokenKind::error);
  EXPECT_EQ(bad.next().kind, TokenKind::error);
  EXPECT_EQ(bad.error(), LexError::unterminated_string);
  Lexer empty("", mysql);
  EXPECT_EQ(empty.next().kind, TokenKind::end);
  EXPECT_EQ(empty.next().kind, TokenKind::end);
}

TEST(Lexer, tells_what_a_server_takes_for_a_syntax_error_from_what_is_not_known) {
  EXPECT_TRUE(is_syntax_error(LexError::unterminated_string));
  EXPECT_TRUE(is_syntax_error(LexError::character_unexpected));
  EXPECT_FALSE(is_syntax_error(LexError::none));
  EXPECT_FALSE(is_syntax_error(LexError::nul_byte));
  EXPECT_FALSE(is_syntax_error(LexError::malformed_number));
}

TEST(Dialect, reads_versions_modes_and_charsets) {
  EXPECT_EQ(parse_server_version("10.11.19-MariaDB-0+deb12u1"), 101119U);
  EXPECT_EQ(parse_server_version("8.0.34"), 80034U);
  EXPECT_EQ(parse_server_version("9.7.4-2"), 90704U);
  EXPECT_EQ(parse_server_version("9.7"), 0U);
  EXPECT_EQ(parse_server_version("10.111.1"), 0U);
  EXPECT_EQ(parse_server_version(""), 0U);
  EXPECT_EQ(parse_sql_mode(""), 0);
  EXPECT_EQ(parse_sql_mode("STRICT_TRANS_TABLES,ansi_quotes,IGNORE_SPACE"),
            sql_mode::ansi_quotes | sql_mode::ignore_space);
  EXPECT_EQ(parse_sql_mode("ansi"), sql_mode::ansi_quotes | sql_mode::ignore_space | sql_mode::pipes_as_concat);
  EXPECT_EQ(parse_sql_mode("ORACLE"), parse_sql_mode("PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ORACLE,NO_KEY_OPTIONS"));
  EXPECT_EQ(parse_sql_mode("MYSQL40"), sql_mode::high_not_precedence);
  EXPECT_EQ(parse_sql_mode("IGNORE_SPACE,OF_TOMORROW"), sql_mode::ignore_space | sql_mode::unknown);
  EXPECT_EQ(unknown_sql_mode(""), "");
  EXPECT_EQ(unknown_sql_mode("ansi,,TRADITIONAL,Empty_String_Is_Null,"), "");
  EXPECT_EQ(unknown_sql_mode("ANSI_QUOTES, IGNORE_SPACE"), " IGNORE_SPACE");
  EXPECT_EQ(unknown_sql_mode("ANSI_QUOTE,MSSQL"), "ANSI_QUOTE");
  EXPECT_EQ(parse_charset("UTF8MB4"), Charset::utf8);
  EXPECT_EQ(parse_charset("cp932"), Charset::sjis);
  EXPECT_EQ(parse_charset("utf16"), std::nullopt);
  EXPECT_EQ(parse_charset(""), std::nullopt);
  EXPECT_TRUE(is_introducer(Server::mysql, "gb18030"));
  EXPECT_FALSE(is_introducer(Server::mariadb, "gb18030"));
  EXPECT_TRUE(is_introducer(Server::mariadb, "UTF16"));
}

TEST(Lexer, knows_names_in_brackets_and_names_of_katakana) {
  auto first = [](std::string_view text, Dialect dialect) {
    Token token = Lexer{text, dialect}.next();
    return std::string(name_of(token.kind)) + " " + std::string(token.in(text));
  };
  Dialect mssql = mariadb;
  mssql.mode = sql_mode::mssql;
  EXPECT_EQ(first("[a ]] b] c", mssql), "quoted_name [a ]] b]");
  EXPECT_EQ(first("[a", mssql), "error [a");
  EXPECT_EQ(first("[a]", mariadb), "error [a]");
  Dialect sjis = mysql;
  sjis.charset = Charset::sjis;
  EXPECT_EQ(first("`\xB1\xB2` c", sjis), "quoted_name `\xB1\xB2`");
  EXPECT_EQ(first("`\xB1\x95\x60` c", sjis), "quoted_name `\xB1\x95\x60`")
      << "the last byte of a character is no quote";
  EXPECT_EQ(first("`\x80`", sjis), "error `\x80`");
}

TEST(Dialect, knows_how_long_a_character_is) {
  EXPECT_EQ(character_bytes(Charset::utf8, "\xC3\xA9"), 2U);
  EXPECT_EQ(character_bytes(Charset::utf8, "\xC0\x80"), 1U) << "overlong";
  EXPECT_EQ(character_bytes(Charset::utf8, "\xED\xA0\x80"), 1U) << "a surrogate";
  EXPECT_EQ(character_bytes(Charset::utf8, "\xF0\x9F\x98\x80"), 4U);
  EXPECT_EQ(character_bytes(Charset::sjis, "\x95\x5C"), 2U);
  EXPECT_EQ(character_bytes(Charset::sjis, "\xB1\x5C"), 1U) << "katakana of one byte";
  EXPECT_EQ(character_bytes(Charset::gbk, "\xBF\x5C"), 2U);
  EXPECT_EQ(character_bytes(Charset::gbk, "\xBF\x27"), 1U);
  EXPECT_EQ(character_bytes(Charset::big5, "\xA4\x5C"), 2U);
  EXPECT_EQ(character_bytes(Charset::gb18030, "\x81\x30\x81\x30"), 4U);
  EXPECT_EQ(character_bytes(Charset::gb18030, "\x81\x30"), 1U) << "cut";
  EXPECT_EQ(character_bytes(Charset::transparent, "\xBF\x5C"), 1U);
  EXPECT_EQ(character_bytes(Charset::transparent_a0_blank, "\xA0\x5C"), 1U);
}

// What was found by asking both servers of each byte: no other byte of 0x80 or more is a blank.
TEST(Lexer, a_byte_beyond_ascii_is_a_blank_where_it_is_one_to_the_servers) {
  struct Blank {
    std::string_view charsets;
    int byte;
  };
  for (const Blank& blank :
       {Blank{"latin1 armscii8 cp1250 dec8 geostd8 greek hebrew latin2 latin5 latin7", 0xA0},
        Blank{"cp852 cp866 keybcs2", 0xFF},
        Blank{"ascii binary cp1251 cp1256 cp1257 cp850 euckr gb2312 hp8 koi8r koi8u macce macroman "
              "swe7 tis620 ujis eucjpms",
              0}}) {
    std::istringstream names{std::string(blank.charsets)};
    for (std::string name; names >> name;) {
      auto charset = parse_charset(name);
      ASSERT_TRUE(charset) << name;
      for (int byte = 0x80; byte < 0x100; ++byte) {
        std::string text = "a" + std::string(1, static_cast<char>(byte)) + "from";
        Lexer lexer(text, {.server = Server::mysql, .version = 90704, .charset = *charset});
        EXPECT_EQ(lexer.next_code().in(text), byte == blank.byte ? "a" : text) << name << " " << byte;
      }
    }
  }
}

}  // namespace
}  // namespace sallyport::sql
