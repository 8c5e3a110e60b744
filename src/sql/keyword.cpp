#include "sql/keyword.h"

#include <algorithm>
#include <array>

namespace sallyport::sql {
namespace {

struct Entry {
  std::string_view word;
  NameUse mariadb;
  NameUse mysql;
};

constexpr NameUse reserved = name_use::reserved;
constexpr NameUse no_label = name_use::no_label;
constexpr NameUse no_role = name_use::no_role;
constexpr NameUse no_function = name_use::no_function;

// By the number of the Keyword.
constexpr auto entries = std::to_array<Entry>({
    {"", 0, 0},
#define SALLYPORT_KEYWORD(name, word, mariadb, mysql) {word, mariadb, mysql},
#include "sql/keywords.inc"
#undef SALLYPORT_KEYWORD
});

constexpr std::size_t word_bytes_max = 40;
constexpr std::size_t slot_count = 4096;

constexpr unsigned char upper(char character) {
  return static_cast<unsigned char>(character >= 'a' && character <= 'z' ? character - ('a' - 'A') : character);
}

constexpr std::size_t slot_of(std::string_view word) {
  std::uint32_t hash = 2166136261U;
  for (char character : word) {
    hash = (hash ^ upper(character)) * 16777619U;
  }
  return (hash ^ (hash >> 15)) % slot_count;
}

// Open addressing; 0 is an empty slot.
constexpr std::array<std::uint16_t, slot_count> make_slots() {
  std::array<std::uint16_t, slot_count> slots{};
  for (std::size_t i = 1; i < entries.size(); ++i) {
    std::size_t at = slot_of(entries[i].word);
    while (slots[at] != 0) {
      at = (at + 1) % slot_count;
    }
    slots[at] = static_cast<std::uint16_t>(i);
  }
  return slots;
}
constexpr std::array<std::uint16_t, slot_count> slots = make_slots();

static_assert(std::ranges::all_of(entries, [](const Entry& entry) { return entry.word.size() <= word_bytes_max; }));

bool matches(std::string_view text, std::string_view word) {
  return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) {
           return upper(a) == static_cast<unsigned char>(b);
         });
}

// Words that MySQL reserved later than in the oldest version read here.
std::uint32_t mysql_reserved_since(Keyword keyword) {
  if (keyword == Keyword::qualify || keyword == Keyword::tablesample) {
    return 80400;
  }
  return keyword == Keyword::library ? 90200 : keyword == Keyword::external ? 90400 : 0;
}

}  // namespace

Keyword find_keyword(std::string_view word) {
  if (word.size() > word_bytes_max) {
    return Keyword::no_keyword;
  }
  for (std::size_t at = slot_of(word); slots[at] != 0; at = (at + 1) % slot_count) {
    if (matches(word, entries[slots[at]].word)) {
      return static_cast<Keyword>(slots[at]);
    }
  }
  return Keyword::no_keyword;
}

std::string_view text_of(Keyword keyword) {
  return entries[static_cast<std::size_t>(keyword)].word;
}

NameUse name_use_of(Keyword keyword, const Dialect& dialect) {
  const Entry& entry = entries[static_cast<std::size_t>(keyword)];
  if (dialect.server == Server::mariadb) {
    return entry.mariadb;
  }
  bool is_later = dialect.version != 0 && dialect.version < mysql_reserved_since(keyword);
  return is_later ? static_cast<NameUse>(entry.mysql & ~reserved) : entry.mysql;
}

}  // namespace sallyport::sql
