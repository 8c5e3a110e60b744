// Which names an expression can see, and what they stand for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalogue.h"
#include "lineage/sources.h"

namespace sallyport::lineage {

// A column of something in FROM.
struct RelationColumn {
  std::string name;
  Lineage lineage;
  bool invisible = false;
};

// A table, a view, a derived table: what FROM names.
struct Relation {
  std::string schema;  // of a table that stands there under its own name
  std::string name;    // its own, or the alias
  // Of a base table that is in the catalogue, its columns are those; what they carry is in `columns` as well, once any
  // has been asked for.
  std::vector<RelationColumn> columns;
  // The columns are not known, or not all of them.
  catalog::Table* open_table = nullptr;
  bool is_row = false;  // NEW or OLD of a trigger, whose names have no case
};

// Which column of which relation.
struct ColumnPlace {
  std::size_t relation;
  std::size_t column;
  bool operator==(const ColumnPlace&) const = default;
};

// What stands for one column where USING or NATURAL has made one of several.
struct JoinedColumn {
  std::string name;
  std::vector<ColumnPlace> places;
  std::size_t join = 0;  // which one: later ones are further out
};

// A name in an expression.
struct ColumnName {
  std::string schema;  // empty: unsaid
  std::string table;
  std::string column;
};

// What one query block sees. The outer block's is behind it.
struct Scope {
  const Scope* outer = nullptr;
  std::vector<Relation> relations;
  std::vector<JoinedColumn> joined;  // by USING or NATURAL
  std::size_t joins = 0;
  // The relations in the order of *: that of the text, but RIGHT JOIN with USING or NATURAL has its right side first.
  std::vector<std::size_t> star_order;
  // The relations that can be seen just now: all, but in ON and in FROM itself.
  std::size_t first_visible = 0;
  std::size_t end_visible = 0;
  bool output_aliases = false;  // the relation is the query's own output: what it hides is seen as well
};

}  // namespace sallyport::lineage
