// The columns that an operator protects, and which statements have literals that may tell of their values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lineage/facts.h"

namespace sallyport::lineage {

// "schema.table.column", of a base table; each of the three may be *, which is any.
struct ColumnPattern {
  std::string schema;
  std::string table;
  std::string column;
};
std::optional<ColumnPattern> parse_column_pattern(std::string_view text);
std::string text_of(const ColumnPattern& pattern);

class ProtectedColumns {
 public:
  explicit ProtectedColumns(std::vector<ColumnPattern> patterns) : patterns_(std::move(patterns)) {}

  // ASCII letters are compared without regard to case, whatever the server does: rather one column too many.
  bool contains(const Source& source) const;
  // Those that fit no column of a base table.
  std::vector<std::string> missing_in(const catalog::Catalogue& catalogue) const;

 private:
  std::vector<ColumnPattern> patterns_;
};

// Whether a literal of the statement may be a value of one of these columns, or be compared with one: where such a
// column is written, influences the answer, or is computed with. One whose values are no more than copied into the
// answer meets no literal; where they are copied elsewhere, the server's error may quote one as if it were. Where any
// of this is not certain, and where the statement keeps values for later ones in user variables, it may be.
bool may_meet_literals(const Facts& facts, const ProtectedColumns& columns);

}  // namespace sallyport::lineage
