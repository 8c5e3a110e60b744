// The text that PREPARE and EXECUTE IMMEDIATE have the server run.
//
// To the server it is a statement like one that a client sends, so it has to be read like one before it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/ast.h"
#include "sql/dialect.h"

namespace sallyport::sql {

struct DynamicText {
  enum class Source : std::uint8_t {
    literal,     // `text` is what it says
    expression,  // `text` can be asked of the server, as a value: user variables, literals and functions without effect
    hidden       // not to be known beforehand
  };
  Source source = Source::hidden;
  std::string text;
};

// Of a statement that runs in the session itself. Nothing where it has no such text; nor where it defines a program,
// which runs later. Of blocks it is hidden, and so is what EXECUTE runs there; of SET STATEMENT, too, where that may
// change how the text is read, or the text.
std::optional<DynamicText> dynamic_text(const Node& root, std::string_view text, const Dialect& dialect);

// What a statement does with a text that was prepared before, by the name of that.
struct PreparedNameUse {
  enum class Use : std::uint8_t { prepares, executes, deallocates };
  Use use = Use::executes;
  std::string name;
};

// PREPARE s, EXECUTE s, DEALLOCATE PREPARE s, as statements of their own or behind SET STATEMENT.
std::optional<PreparedNameUse> prepared_name_use(const Node& root, std::string_view text);

}  // namespace sallyport::sql
