#include "review/table.h"

#include <algorithm>

#include "review/display_text.h"

namespace sallyport::review {
namespace {

// A frame is no wider for a longer value, as with the clients.
constexpr std::size_t frame_width_max = 1024;

using Rows = std::vector<std::vector<std::string>>;

std::string padded(const std::string& text, std::size_t width, TableColumn::Align align) {
  std::string blanks(width - std::min(width, display_width(text)), ' ');
  return align == TableColumn::Align::right ? blanks + text : text + blanks;
}

// Makes the cells safe, and returns the columns' widths.
std::vector<std::size_t> lay_out(const std::vector<TableColumn>& columns, std::vector<std::string>& headings,
                                 Rows& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    headings.push_back(shortened(for_terminal(columns[i].heading, Lines::escaped), columns[i].width_max));
    widths.push_back(display_width(headings.back()));
  }
  for (auto& row : rows) {
    row.resize(columns.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = shortened(for_terminal(row[i], Lines::escaped), columns[i].width_max);
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  return widths;
}

}  // namespace

std::string aligned_table(const std::vector<TableColumn>& columns, Rows rows) {
  std::vector<std::string> headings;
  std::vector<std::size_t> widths = lay_out(columns, headings, rows);
  std::string out;
  auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line += (i == 0 ? "" : "  ") + padded(row[i], widths[i], columns[i].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  add(headings);
  for (const auto& row : rows) {
    add(row);
  }
  return out;
}

std::string framed_table(const std::vector<TableColumn>& columns, Rows rows) {
  std::vector<std::string> headings;
  std::vector<std::size_t> widths = lay_out(columns, headings, rows);
  std::string rule = "+";
  for (std::size_t& width : widths) {
    width = std::min(width, frame_width_max);
    rule += std::string(width + 2, '-') + "+";
  }
  std::string out = rule + "\n";
  auto add = [&](const std::vector<std::string>& row, bool is_heading) {
    out += "|";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      out += " " + padded(row[i], widths[i], is_heading ? TableColumn::Align::left : columns[i].align) + " |";
    }
    out += "\n";
  };
  add(headings, true);
  out += rule + "\n";
  for (const auto& row : rows) {
    add(row, false);
  }
  return rows.empty() ? out : out + rule + "\n";
}

}  // namespace sallyport::review
