// A statement and a catalogue to facts.
#pragma once

#include <string>
#include <string_view>

#include "catalog/catalogue.h"
#include "lineage/facts.h"
#include "sql/ast.h"
#include "sql/dialect.h"

namespace sallyport::lineage {

struct AnalysisInput {
  const sql::Node& root;
  std::string_view text;  // which `root` lies in
  sql::Dialect dialect;
  std::string_view database;  // the session's default schema, empty for none
  const catalog::Catalogue& catalogue;
};

// "select", "insert", "create_table", "alter_user": docs/sql-analysis.md has the list.
std::string kind_of(const sql::Node& root);

// What the facts refer to lives as long as `catalogue`.
Facts analyze(const AnalysisInput& input);

}  // namespace sallyport::lineage
