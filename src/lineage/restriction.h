// Whether a condition keeps any rows out, as far as its text tells.
#pragma once

#include <functional>
#include <string_view>

#include "catalog/catalogue.h"
#include "sql/ast.h"

namespace sallyport::lineage {

// The column that a reference means, where that is certain and the catalogue has it; else null.
using FindColumn = std::function<const catalog::Column*(const sql::Node& reference)>;

// False for what is true of each row, and for what does not depend on the row at all, unless it is plainly false: 1 =
// 1, id = id, NOT FALSE, RAND() < 2, id * 0 = 0, x IS NULL OR x IS NOT NULL, id IS NOT NULL of a column that can't be
// (or of one that is not known). What is not known to be such a thing is a restriction.
bool restricts(const sql::Node& condition, std::string_view text, const FindColumn& find);

}  // namespace sallyport::lineage
