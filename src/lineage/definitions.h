// CREATE statements to what a catalogue holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalogue.h"
#include "sql/dialect.h"

namespace sallyport::lineage {

struct DefinitionMistake {
  std::size_t offset = 0;  // into the text, of the statement
  std::string what;
};

// Reads a text of statements, in order: CREATE of databases, tables, views, routines and triggers, USE; others are
// passed over. `database`: the default schema at its beginning. The content is what was read up to the first mistake,
// if any.
struct Definitions {
  catalog::Catalogue::Content content;
  std::optional<DefinitionMistake> mistake;
};
Definitions read_definitions(std::string_view text, const sql::Dialect& dialect, std::string database);

}  // namespace sallyport::lineage
