// Tables for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sallyport::review {

struct TableColumn {
  enum class Align : unsigned char { left, right };
  std::string heading;
  Align align = Align::left;
  std::size_t width_max = SIZE_MAX;
};

// Aligned columns, two blanks between them, a line of headings. Cells are any recorded text; they become safe for a
// terminal here, and are cut to their column's width.
std::string aligned_table(const std::vector<TableColumn>& columns, std::vector<std::vector<std::string>> rows);

// With a frame of "+---+", as database clients print results. The same of cells.
std::string framed_table(const std::vector<TableColumn>& columns, std::vector<std::vector<std::string>> rows);

}  // namespace sallyport::review
