#include "sql/reading.h"

#include <algorithm>
#include <array>
#include <span>

#include "sql/statement_splitter.h"

namespace sallyport::sql {
namespace {

constexpr std::array<Charset, 6> charsets{Charset::utf8, Charset::transparent, Charset::sjis,
                                          Charset::gbk,  Charset::gb18030,     Charset::big5};

// The first words of statements that set nothing for the session. Not CALL, which is EXECUTE's neighbour in MariaDB's
// ORACLE mode, nor BEGIN, which may be a compound statement.
constexpr std::array<std::string_view, 15> harmless{"SELECT",   "INSERT", "UPDATE", "DELETE", "REPLACE",
                                                    "WITH",     "VALUES", "DO",     "START",  "COMMIT",
                                                    "ROLLBACK", "SHOW",   "USE",    "CREATE", "DROP"};

}  // namespace

std::vector<Dialect> possible_dialects(Server server, std::uint32_t version, std::string_view text) {
  bool escapes = text.find('\\') != std::string_view::npos;
  bool names = text.find('"') != std::string_view::npos;
  bool is_ascii = std::all_of(text.begin(), text.end(),
                              [](char character) { return static_cast<unsigned char>(character) < 0x80; });
  std::size_t charset_count = is_ascii ? 1 : charsets.size();
  std::vector<Dialect> dialects;
  for (SqlMode quotes : {SqlMode{0}, sql_mode::ansi_quotes}) {
    for (SqlMode escaping : {SqlMode{0}, sql_mode::no_backslash_escapes}) {
      if ((quotes != 0 && !names) || (escaping != 0 && !escapes)) {
        continue;
      }
      auto mode = static_cast<SqlMode>(quotes | escaping);
      for (Charset charset : std::span{charsets}.first(charset_count)) {
        dialects.push_back({.server = server, .version = version, .mode = mode, .charset = charset});
      }
    }
  }
  return dialects;
}

bool may_change_reading(std::string_view text) {
  std::string_view statement = statement_text(text);
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  auto end = std::find_if_not(statement.begin(), statement.end(), is_letter);
  std::string_view word = statement.substr(0, static_cast<std::size_t>(end - statement.begin()));
  return std::none_of(harmless.begin(), harmless.end(),
                      [&](std::string_view other) { return equals_ignoring_case(word, other); });
}

}  // namespace sallyport::sql
